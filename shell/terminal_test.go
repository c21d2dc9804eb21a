//go:build linux

package shell

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is how long something may take on a machine with much else to do.
const patience = time.Minute

// terminalOf is a shell and the terminal that it runs in.
type terminalOf struct {
	t    *testing.T
	pty  *os.File
	cmd  *exec.Cmd
	done chan struct{}

	mu   sync.Mutex
	seen bytes.Buffer
	from int // what was waited for is before this
}

// open starts the shell in a terminal of its own.
func open(t *testing.T, state string, args ...string) *terminalOf {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, append([]string{"shell"}, args...)...)
	cmd.Env = append(os.Environ(), "SHELL_TEST_PROGRAM="+filepath.Join(state, "test.db"), "XDG_STATE_HOME="+state, "TERM=xterm", "NO_COLOR=1")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	x := &terminalOf{t: t, pty: f, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(x.done)
		buffer := make([]byte, 4096)
		for {
			n, err := f.Read(buffer)
			x.mu.Lock()
			x.seen.Write(buffer[:n])
			x.mu.Unlock()
			if err != nil { // on Linux an error too when the program has ended
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // if it is there still
		_ = cmd.Wait()
		f.Close()
		<-x.done
	})
	x.expect(">>> |read-only> ")
	return x
}

func (x *terminalOf) typed(text string) {
	x.t.Helper()
	if _, err := x.pty.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// expect waits until something matches what was printed since the last time.
func (x *terminalOf) expect(pattern string) string {
	x.t.Helper()
	want := regexp.MustCompile(pattern)
	deadline := time.Now().Add(patience)
	for {
		x.mu.Lock()
		text := x.seen.String()[x.from:]
		at := want.FindStringIndex(text)
		if at != nil {
			x.from += at[1]
		}
		x.mu.Unlock()
		if at != nil {
			return text[:at[1]]
		}
		if time.Now().After(deadline) {
			x.t.Fatalf("no %q in\n%q", pattern, text)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// leave types Ctrl-D and waits for the end.
func (x *terminalOf) leave() {
	x.t.Helper()
	x.typed("\x04")
	ended := make(chan error, 1)
	go func() { ended <- x.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			x.t.Errorf("the shell ended with %v", err)
		}
	case <-time.After(patience):
		x.t.Fatal("the shell does not end")
	}
}

func TestTerminal(t *testing.T) {
	state := t.TempDir()
	x := open(t, state)

	// A query of the seed's README, typed as it stands there.
	x.typed("User.create(name=\"Alice\", email=\"alice@example.com\", age=30)\r")
	x.expect(`name +Alice`)
	x.expect(`>>> `)
	x.typed("User.query().filter(age__gt=18).all()\r")
	x.expect(`Alice +alice@example.com +30`)
	x.expect(`>>> `)

	// An error that does not end it.
	x.typed("User.query().filter(agee__gt=18).all()\r")
	x.expect(`error: .*no field "agee".*did you mean "age"`)
	x.expect(`>>> `)

	// The Tab key: a word that can become one thing becomes it; otherwise the options are listed.
	x.typed("User.qu\t")
	x.expect(`User\.query`)
	x.typed("().fil\t")
	x.expect(`User\.query\(\)\.filter`)
	x.typed("(age__gt=18).co\t")
	x.expect(`\.count`)
	x.typed("()\r")
	x.expect(`\r\n1\r\n`)
	x.expect(`>>> `)
	x.typed("User.filter(name__i\t\t")
	x.expect(`name__icontains=`)
	x.typed("\x03") // gives the line up
	x.expect(`>>> `)

	// Several lines.
	x.typed("def twice(n):\r")
	x.expect(`\.\.\. `)
	x.typed("    return n * 2\r")
	x.expect(`\.\.\. `)
	x.typed("\r")
	x.expect(`>>> `)
	x.typed("twice(21)\r")
	x.expect(`\r\n42\r\n`)
	x.expect(`>>> `)

	// Ctrl-C ends what runs, and not the shell.
	x.typed("while True: pass\r")
	x.expect(`\.\.\. `)
	x.typed("\r")
	x.interrupt()
	x.expect(`error: interrupted`)
	x.expect(`>>> `)

	// What was typed is there again.
	x.typed("\x1b[A\x1b[A\x1b[A") // up
	x.typed("\x03")
	x.expect(`>>> `)
	x.typed(" \"a secret\"\r")
	x.expect(`\r\n"a secret"\r\n`)
	x.expect(`>>> `)
	x.leave()

	file := filepath.Join(state, "ishaa", "shop.history")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	kept, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(kept), "User.query().filter(age__gt=18).all()\n") || strings.Contains(string(kept), "secret") {
		t.Errorf("%v: kept is\n%s", err, kept)
	}

	// The next time the last line is one key away, and the row is there.
	if err := os.WriteFile(file, append(kept, "User.get(1).name\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	x = open(t, state, "--readonly")
	x.typed("\x1b[A\r")
	x.expect(`\r\n"Alice"\r\n`)
	x.expect(`read-only> `)
	x.typed("User.get(1).delete()\r")
	x.expect(`error: .*read-only`)
	x.expect(`read-only> `)
	x.leave()
}

// interrupt types Ctrl-C until it is heard: the statement may not have begun yet, and then it gives up a line.
func (x *terminalOf) interrupt() {
	x.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		x.mu.Lock()
		heard := strings.Contains(x.seen.String()[x.from:], "interrupted")
		x.mu.Unlock()
		if heard {
			return
		}
		if time.Now().After(deadline) {
			x.t.Fatalf("Ctrl-C is not heard: %q", x.seen.String()[x.from:])
		}
		x.typed("\x03")
		time.Sleep(200 * time.Millisecond)
	}
}
