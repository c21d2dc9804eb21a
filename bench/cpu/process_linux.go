package cpu

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// A server process is this program again with two more words in its environment. It prints the address that it listens
// on; from then on each line on its standard input is answered by its usage, and the end of the input ends it.
const (
	serveVariable = "ISHAA_BENCH_SERVE"
	workVariable  = "ISHAA_BENCH_WORK"
)

// Unpinned is the core of a process that may run on any.
const Unpinned = -1

// Usage is what a process has used up since it started.
type Usage struct {
	User    time.Duration // CPU time in the program
	System  time.Duration // CPU time in the kernel on its behalf
	Allocs  uint64        // heap objects
	Bytes   uint64        // heap bytes
	PeakRSS uint64        // most memory ever resident, in bytes
	RSS     uint64        // memory resident now, in bytes
}

// CPU returns the CPU time in the program and in the kernel.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// ServeIfAsked runs the server process if this process is one, and never returns then. A main function calls it first,
// before it reads its flags.
func ServeIfAsked() {
	name := os.Getenv(serveVariable)
	if name == "" {
		return
	}
	if err := serve(name, peers.Work(os.Getenv(workVariable))); err != nil {
		fmt.Fprintln(os.Stderr, "serving", name+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve(name string, w peers.Work) error {
	peer, ok := peers.Find(name)
	if !ok || !peer.Does(w) {
		return fmt.Errorf("no peer of this name does %q", w)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- peer.Serve(w, l) }()
	go func() {
		out := json.NewEncoder(os.Stdout)
		out.Encode(l.Addr().String())
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			usage, err := ownUsage()
			if err != nil {
				failed <- err
				return
			}
			out.Encode(usage)
		}
		failed <- nil
	}()
	return <-failed
}

// ownUsage asks the kernel and the runtime.
func ownUsage() (Usage, error) {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		return Usage{}, fmt.Errorf("getrusage: %w", err)
	}
	resident, peak, err := residentMemory()
	if err != nil {
		return Usage{}, err
	}
	heap := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(heap)
	return Usage{
		User: time.Duration(r.Utime.Nano()), System: time.Duration(r.Stime.Nano()),
		Allocs: heap[0].Value.Uint64(), Bytes: heap[1].Value.Uint64(), PeakRSS: peak, RSS: resident,
	}, nil
}

// residentMemory reads what is resident and the most that ever was. The latter, VmHWM, starts anew with the program;
// getrusage's maximum begins with that of the process that started it.
func residentMemory() (now, peak uint64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, err
	}
	for name, value := range map[string]*uint64{"VmRSS:": &now, "VmHWM:": &peak} {
		_, line, _ := strings.Cut(string(status), name)
		if _, err := fmt.Sscanf(line, "%d kB", value); err != nil {
			return 0, 0, fmt.Errorf("/proc/self/status: %s %w", name, err)
		}
		*value <<= 10
	}
	return now, peak, nil
}

// Server is a running server process.
type Server struct {
	// Addr is what it listens on, on loopback.
	Addr netip.AddrPort

	command *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// Start starts this program again as the server of a peer's work, on one core or Unpinned. Its main function must
// call ServeIfAsked.
func Start(peer string, w peers.Work, core int) (*Server, error) {
	command, err := serverCommand(peer, w)
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := onCore(core, command.Start); err != nil {
		return nil, fmt.Errorf("starting the server of %s: %w", peer, err)
	}
	s := &Server{command: command, in: in, out: json.NewDecoder(out)}
	if err := s.out.Decode(&s.Addr); err != nil {
		s.Stop()
		return nil, fmt.Errorf("the server of %s gave no address: %w", peer, err)
	}
	return s, nil
}

func serverCommand(peer string, w peers.Work) (*exec.Cmd, error) {
	if python, _ := PythonDoes(peer, w); python {
		return pythonCommand(peer, w)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self)
	command.Env = append(os.Environ(), serveVariable+"="+peer, workVariable+"="+string(w))
	return command, nil
}

// Usage asks the server what it has used up.
func (s *Server) Usage() (Usage, error) {
	var u Usage
	if _, err := io.WriteString(s.in, "usage\n"); err != nil {
		return u, fmt.Errorf("asking the server for its usage: %w", err)
	}
	if err := s.out.Decode(&u); err != nil {
		return u, fmt.Errorf("reading the server's usage: %w", err)
	}
	return u, nil
}

// Stop ends the server and waits for its process to be gone.
func (s *Server) Stop() error {
	return errors.Join(s.in.Close(), s.command.Wait())
}

// onCore starts a process on a core. A process inherits the cores of the thread that starts it; so this thread moves
// there for that moment. The Go runtime of the process sees one core then, and runs as on a machine with one.
func onCore(core int, start func() error) error {
	if core == Unpinned {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("sched_setaffinity to core %d: %w", core, err)
	}
	err := start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// Cores returns the cores that this process was allowed at its first call, before it pinned itself.
var Cores = sync.OnceValues(func() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cores []int
	for core := 0; len(cores) < set.Count(); core++ {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
})

// PinSelf moves all threads of this process to a core; threads that they start later stay there too.
func PinSelf(core int) error {
	var one unix.CPUSet
	one.Set(core)
	for range 2 { // a thread that was being started during the first pass is there in the second
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(id, &one); err != nil && err != unix.ESRCH {
				return fmt.Errorf("sched_setaffinity to core %d: %w", core, err)
			}
		}
	}
	return nil
}
