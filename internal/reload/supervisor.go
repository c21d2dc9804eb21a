//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package reload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ishaa-framework/ishaa/internal/livereload"
	"github.com/ishaa-framework/ishaa/internal/program"
	"github.com/ishaa-framework/ishaa/internal/terminal"
)

// Options say what to run.
type Options struct {
	Program program.Program
	Addr    string   // "host:port" or "unix:/path"
	Args    []string // of the program
	Ignore  []string // patterns of files and folders that do not count
	Out     io.Writer
	Err     io.Writer
	// Patience is how long a build has to end after it was asked to; zero is ten seconds.
	Patience time.Duration
}

// Supervisor holds the socket and runs one build after another on it.
type Supervisor struct {
	o        Options
	temp     string
	listener net.Listener
	socket   *os.File // the listening socket, for the builds
	style    terminal.Style
	spawns   chan spawning
	builds   int

	// What follows belongs to the loop of Run.
	current  *child // answers
	next     *child // was started, and does not answer yet
	notice   *notice
	building context.CancelFunc
	leaving  sync.WaitGroup // builds and notices that are about to end
	finished chan built
}

// built is how a build went.
type built struct {
	number string
	file   string
	took   time.Duration
	err    error
}

// Run builds and runs the program, and builds it anew whenever its files change, until the context ends. Nothing of it is
// left then.
func Run(ctx context.Context, o Options) error {
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	s := &Supervisor{o: o, style: terminal.StyleFor(o.Err), spawns: make(chan spawning), finished: make(chan built)}
	var err error
	if s.temp, err = os.MkdirTemp("", "ishaa-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.temp)
	if err := s.open(); err != nil {
		return err
	}
	defer s.listener.Close()
	defer s.socket.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := newWatcher(o.Program.Root, o.Ignore, func(err error) { s.say(s.style.Bad("watching: " + err.Error())) })
	if err != nil {
		return err
	}
	changes := make(chan struct{}, 1)
	var watching sync.WaitGroup
	watching.Go(func() { w.run(ctx, changes) })
	defer watching.Wait()
	stopSpawning := s.startSpawning()
	defer stopSpawning()
	s.say(fmt.Sprintf("%s, rebuilt at every change; Ctrl-C ends it", s.address()))
	s.loop(ctx, changes)
	cancel()
	s.endAll()
	return nil
}

// open opens the socket, which stays open from build to build.
func (s *Supervisor) open() error {
	network, addr := "tcp", s.o.Addr
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	listener, err := net.Listen(network, addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program; stop it, or choose another port with --port", s.o.Addr)
	} else if err != nil {
		return err
	}
	s.listener = listener
	s.socket, err = descriptor(listener)
	if err != nil {
		listener.Close()
	}
	return err
}

// descriptor returns a listener's socket, to be handed down. It stays in non-blocking mode, which File.Fd of what
// net.TCPListener.File returns would end for all who share the socket: one of them could then be stuck in accept.
func descriptor(listener net.Listener) (*os.File, error) {
	raw, err := listener.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	copied, dupErr := -1, error(nil)
	err = raw.Control(func(fd uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if copied, dupErr = syscall.Dup(int(fd)); dupErr == nil {
			syscall.CloseOnExec(copied)
		}
	})
	if err := errors.Join(err, dupErr); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(copied), "listening socket"), nil
}

func (s *Supervisor) address() string {
	addr := s.listener.Addr()
	if tcp, ok := addr.(*net.TCPAddr); ok {
		if tcp.IP.IsUnspecified() {
			return fmt.Sprintf("http://127.0.0.1:%d, on all addresses", tcp.Port)
		}
		return "http://" + addr.String()
	}
	return "http+unix:" + addr.String()
}

func (s *Supervisor) say(text string) {
	fmt.Fprintln(s.o.Err, s.style.Quiet("ishaa:"), text)
}

// environment is that of a build: debug mode, and little time for what is under way when it is replaced.
func (s *Supervisor) environment(build string) []string {
	env := os.Environ()
	for name, value := range map[string]string{"ISHAA_DEBUG": "true", "ISHAA_DRAIN_TIMEOUT": "3s"} {
		if os.Getenv(name) == "" {
			env = append(env, name+"="+value)
		}
	}
	return append(env, livereload.Variable+"="+build)
}

// loop decides, alone, which build answers.
func (s *Supervisor) loop(ctx context.Context, changes <-chan struct{}) {
	s.build(ctx)
	for {
		var ready, nextGone, currentGone <-chan struct{}
		var late <-chan time.Time
		if s.next != nil {
			ready, nextGone, late = s.next.ready, s.next.exited, s.next.late.C
		}
		if s.current != nil {
			currentGone = s.current.exited
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
			s.build(ctx)
		case b := <-s.finished:
			s.built(b)
		case <-ready:
			s.replace()
		case <-late:
			s.replace()
		case <-nextGone:
			dead := s.next
			s.next = nil
			s.forget(dead)
			s.broken("The program did not start", dead.ended())
		case <-currentGone:
			dead := s.current
			s.current = nil
			s.forget(dead)
			if s.next == nil {
				s.broken("The program has ended", dead.ended())
			}
		}
	}
}

// build begins a build. One that is under way is of no use any more, and neither is what it led to.
func (s *Supervisor) build(ctx context.Context) {
	if s.building != nil {
		s.building()
	}
	ctx, s.building = context.WithCancel(ctx)
	s.builds++
	number := strconv.Itoa(s.builds)
	file := filepath.Join(s.temp, number, s.o.Program.Name())
	s.leaving.Go(func() {
		began := time.Now()
		err := s.o.Program.Build(ctx, file, quickly(os.Getenv("GOFLAGS"))...)
		select {
		case s.finished <- built{number, file, time.Since(began), err}:
		case <-ctx.Done():
			os.RemoveAll(filepath.Dir(file))
		}
	})
}

// quickly are flags of a build that somebody waits for: it leaves out what debuggers need and the state of the repository,
// which go would ask git for, and calls small functions of the main package instead of copying them. What the user's own
// flags say goes first.
func quickly(own string) []string {
	var flags []string
	for _, flag := range []string{"-buildvcs=false", "-ldflags=-s", "-gcflags=-l -dwarf=false"} {
		if name, _, _ := strings.Cut(flag, "="); !strings.Contains(own, name) {
			flags = append(flags, flag)
		}
	}
	return flags
}

// built starts what was built, or shows why there is nothing to start.
func (s *Supervisor) built(b built) {
	if b.number != strconv.Itoa(s.builds) {
		os.RemoveAll(filepath.Dir(b.file))
		return
	}
	s.building()
	s.building = nil
	if s.next != nil { // it was not ready in time
		s.leave(s.next)
		s.next = nil
	}
	if b.err != nil {
		os.RemoveAll(filepath.Dir(b.file))
		s.broken("The program does not build", b.err.Error())
		return
	}
	next, err := start(s, b.file, b.number)
	if err != nil {
		s.broken("The program could not be started", err.Error())
		return
	}
	s.say(fmt.Sprintf("built in %s", b.took.Round(10*time.Millisecond)))
	s.next = next
}

// replace lets the new build answer alone.
func (s *Supervisor) replace() {
	if s.current != nil {
		s.leave(s.current)
	}
	s.current, s.next = s.next, nil
	s.hide()
}

// broken answers in the program's place, in the terminal too.
func (s *Supervisor) broken(title, text string) {
	s.say(s.style.Bad(title))
	fmt.Fprintln(s.o.Err, terminal.Clean(text))
	s.hide()
	n, err := show(s.socket, title, text, "broken "+strconv.Itoa(s.builds))
	if err != nil {
		s.say(s.style.Bad(err.Error()))
		return
	}
	s.notice = n
	if s.current != nil {
		s.leave(s.current)
		s.current = nil
	}
}

func (s *Supervisor) hide() {
	if n := s.notice; n != nil {
		s.notice = nil
		n.end()
		s.leaving.Go(func() { <-n.ended })
	}
}

// leave ends a build, which may take as long as its requests do.
func (s *Supervisor) leave(c *child) {
	c.end(s.o.Patience)
	s.leaving.Go(func() {
		<-c.exited
		s.forget(c)
	})
}

func (s *Supervisor) forget(c *child) { os.RemoveAll(filepath.Dir(c.file)) }

func (s *Supervisor) endAll() {
	if s.building != nil {
		s.building()
	}
	for _, c := range []*child{s.next, s.current} {
		if c != nil {
			s.leave(c)
		}
	}
	s.hide()
	s.leaving.Wait()
}

// spawning is a request to the goroutine that starts processes.
type spawning struct {
	cmd *exec.Cmd
	err chan<- error
}

// startSpawning starts the goroutine that starts processes. It keeps its thread as long as it lives, since Linux ends
// a process whose parent's death it was asked to heed when the thread ends that started it.
func (s *Supervisor) startSpawning() (stop func()) {
	var spawning sync.WaitGroup
	spawning.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for ask := range s.spawns {
			ask.err <- ask.cmd.Start()
		}
	})
	return func() {
		close(s.spawns)
		spawning.Wait()
	}
}

func (s *Supervisor) spawn(cmd *exec.Cmd) error {
	result := make(chan error)
	s.spawns <- spawning{cmd, result}
	return <-result
}
