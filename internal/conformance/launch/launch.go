//go:build unix

// Package launch starts programs of this framework under test, as a user would, and waits until they listen.
//
//	func TestTour(t *testing.T) {
//		tour := launch.Start(t, exec.Command("go", "run", "./examples/tour", "-addr", launch.FreeAddress(t)), 1)
//		res, err := http.Get(tour.URL("http"))
//		…
//	} // the program has been stopped, and the test fails if it did not end well
package launch

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a program may take to start, answer or stop: milliseconds usually, seconds on a machine that is
// busy with other tests.
const Patience = 60 * time.Second

// Program is a program that listens.
type Program struct {
	Preface string // what it had printed, to both outputs, when it began to listen

	addresses map[string]string
}

// URL returns where the program listens for a scheme, as "http://127.0.0.1:8000".
func (p *Program) URL(scheme string) string { return scheme + "://" + p.addresses[scheme] }

// Address returns the host and port of a scheme.
func (p *Program) Address(scheme string) string { return p.addresses[scheme] }

var listening = regexp.MustCompile(`msg=listening .*url=(https?)://(\S+)`)

// Start runs a command until the test ends and returns when its log has named so many addresses. ISHAA_* variables of
// the test's own environment do not reach it. At the end it gets SIGTERM, and so do the processes that it started; a
// program that does not end with status 0 fails the test.
func Start(t testing.TB, cmd *exec.Cmd, listeners int) *Program {
	t.Helper()
	cmd.Env = append(environment(), cmd.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, input, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = input, input
	err = cmd.Start()
	input.Close()
	if err != nil {
		output.Close()
		t.Fatal(err)
	}
	log := &transcript{listeners: listeners, ready: make(chan struct{}), ended: make(chan struct{})}
	go log.read(output)
	t.Cleanup(func() { stop(t, cmd, log) })

	select {
	case <-log.ready:
	case <-log.ended:
		t.Fatalf("%s ended before it listened", cmd)
	case <-time.After(Patience):
		t.Fatalf("%s does not listen", cmd)
	}
	return &Program{Preface: log.preface, addresses: log.addresses}
}

// stop ends the process group, and waits for it.
func stop(t testing.TB, cmd *exec.Cmd, log *transcript) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended already
	select {
	case <-log.ended:
	case <-time.After(Patience):
		t.Errorf("%s does not stop", cmd)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-log.ended
	}
	err := cmd.Wait()
	if exit := cmd.ProcessState.Sys().(syscall.WaitStatus); exit.Signaled() && exit.Signal() == syscall.SIGTERM {
		err = nil // "go run" does not wait for its program when it is told to end
	}
	if err != nil || t.Failed() {
		t.Logf("%s ended with %v; its last lines:\n%s", cmd, err, strings.Join(log.last, "\n"))
	}
	if err != nil {
		t.Errorf("%s: %v", cmd, err)
	}
}

// environment is the test's own, without what would configure the program.
func environment() []string {
	var kept []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "ISHAA_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// transcript reads what a program prints. Its fields are set before ready, or ended, is closed.
type transcript struct {
	listeners int
	addresses map[string]string
	preface   string
	ready     chan struct{}
	last      []string // lines
	ended     chan struct{}
}

const keptLines = 60

func (l *transcript) read(output *os.File) {
	defer close(l.ended)
	defer output.Close()
	addresses := map[string]string{}
	var preface strings.Builder
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if m := listening.FindStringSubmatch(line); m != nil && len(addresses) < l.listeners {
			addresses[m[1]] = m[2]
			if len(addresses) == l.listeners {
				l.addresses, l.preface = addresses, preface.String()
				close(l.ready)
			}
		}
		if len(addresses) < l.listeners {
			preface.WriteString(line)
		}
		if l.last = append(l.last, strings.TrimSuffix(line, "\n")); len(l.last) > keptLines {
			l.last = l.last[1:]
		}
		if err != nil {
			return
		}
	}
}

// FreeAddress returns an address on this machine that nothing listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
