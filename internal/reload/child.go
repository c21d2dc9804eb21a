//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package reload

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a running build of the program. It has the listening socket as descriptor 3, as systemd hands it down, and
// tells by NOTIFY_SOCKET that it answers. It is the leader of a process group, which ends with it.
type child struct {
	build  string
	file   string // that it was started from
	cmd    *exec.Cmd
	tail   *tail
	ready  chan struct{} // closed when it answers
	late   *time.Timer   // for a program that serves in its own way, and does not say when it answers
	exited chan struct{} // closed when it, and all that it started, is gone
	err    error         // how it ended; set before exited is closed
	stop   sync.Once
	signal *net.UnixConn
}

// start starts a build.
func start(s *Supervisor, file, build string) (*child, error) {
	c := &child{build: build, file: file, tail: &tail{}, ready: make(chan struct{}), exited: make(chan struct{})}
	place := filepath.Join(s.temp, "notify-"+build)
	signal, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: place, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	c.signal = signal
	c.cmd = exec.Command(file, s.o.Args...)
	c.cmd.Dir = s.o.Program.Root
	c.cmd.Env = append(s.environment(build), "LISTEN_FDS=1", "LISTEN_PID=", "NOTIFY_SOCKET="+place)
	c.cmd.ExtraFiles = []*os.File{s.socket}
	c.cmd.Stdout = s.o.Out
	c.cmd.Stderr = io.MultiWriter(s.o.Err, c.tail)
	c.cmd.WaitDelay = time.Second // for what the program started and left behind with its output
	c.cmd.SysProcAttr = attributes()
	if err := s.spawn(c.cmd); err != nil {
		signal.Close()
		return nil, err
	}
	c.late = time.NewTimer(30 * time.Second)
	var listening sync.WaitGroup
	listening.Go(func() { c.listen() })
	go func() {
		c.err = c.cmd.Wait()
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // what it started and left behind
		signal.Close()
		c.late.Stop()
		listening.Wait()
		close(c.exited)
	}()
	return c, nil
}

// listen waits for the program to say that it answers.
func (c *child) listen() {
	buffer := make([]byte, 256)
	for {
		n, err := c.signal.Read(buffer)
		if err != nil {
			return
		}
		for line := range strings.Lines(string(buffer[:n])) {
			if strings.TrimSpace(line) == "READY=1" {
				close(c.ready)
				return
			}
		}
	}
}

// end asks the program to end, and ends it after a time. It does not wait.
func (c *child) end(patience time.Duration) {
	c.stop.Do(func() {
		pid := c.cmd.Process.Pid
		_ = syscall.Kill(pid, syscall.SIGTERM)
		go func() {
			late := time.NewTimer(patience)
			defer late.Stop()
			select {
			case <-c.exited:
			case <-late.C:
				_ = syscall.Kill(-pid, syscall.SIGKILL)
				<-c.exited
			}
		}()
	})
}

// ended says how the program ended, and what it said last.
func (c *child) ended() string {
	how := "the program ended by itself"
	var exit *exec.ExitError
	if errors.As(c.err, &exit) {
		how = "the program ended: " + exit.String()
	}
	if said := c.tail.text(); said != "" {
		return how + "\n\n" + said
	}
	return how
}

// tail keeps the last of what was written.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

const tailSize = 16 << 10

// Write keeps p, or the end of it.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - tailSize; extra > 0 {
		t.kept = append([]byte(nil), t.kept[extra:]...)
	}
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.kept))
}
