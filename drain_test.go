//go:build unix

package ishaa_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// Shutdown is tested on processes: the test binary runs itself as a server, gets
// real signals, hands real sockets down and is asked by real clients.

// serverVariable makes the test binary the server of these tests.
const serverVariable = "TEST_AS_SERVER"

// raceVariable has the race detector not wait a second at the end of the process.
const raceVariable = "GORACE=atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		childServer().Run()
		return
	}
	os.Exit(m.Run())
}

// childServer is the application of the child process. It says on standard output
// how many requests it has begun to answer.
func childServer() *ishaa.App {
	app := ishaa.New("child")
	app.Without(ishaa.DefaultAccessLog)
	var begun atomic.Int64
	number := func(r *ishaa.Request) (any, error) { return ishaa.Text(r.Query("n")), nil }
	say := func(r *ishaa.Request) { fmt.Println("begun", begun.Add(1)) }
	app.Get("/number", func(r *ishaa.Request) (any, error) {
		begun.Add(1)
		return number(r)
	})
	app.Get("/until-draining", func(r *ishaa.Request) (any, error) {
		say(r)
		<-app.Draining()
		return number(r)
	})
	app.Get("/until-told", func(r *ishaa.Request) (any, error) {
		say(r)
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	app.Get("/deaf", func(r *ishaa.Request) (any, error) {
		say(r)
		select {}
	})
	app.Get("/events", func(r *ishaa.Request) (any, error) {
		ctx := r.Context()
		return ishaa.Events(iter.Seq2[ishaa.Event, error](func(yield func(ishaa.Event, error) bool) {
			say(r)
			for yield(ishaa.Event{Data: r.Query("n")}, nil) {
				<-ctx.Done()
				return
			}
		})), nil
	})
	app.OnStop(func(context.Context) error {
		fmt.Println("stopping after", begun.Load())
		return nil
	})
	return app
}

// child is a server process.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	lines  chan string // of standard output, as they come
	ended  chan struct{}
	stderr logBook // all of standard error, once ended is closed
}

var startLine = regexp.MustCompile(`(?m)^child: (http\S+)$`)

// startChild runs the server until the end of the test and waits until it says where
// it listens. A listener is handed down to it.
func startChild(t *testing.T, listener *os.File, args ...string) *child {
	t.Helper()
	c := spawn(t, listener, args...)
	eventually(t, "the child says where it listens", func() bool {
		select {
		case <-c.ended:
			t.Fatalf("the child ended:\n%s", c.stderr.text())
		default:
		}
		m := startLine.FindStringSubmatch(c.stderr.text())
		if m != nil {
			c.url = m[1]
		}
		return m != nil
	})
	return c
}

// spawn runs the server until the end of the test.
func spawn(t *testing.T, listener *os.File, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0], args...), lines: make(chan string, 5000), ended: make(chan struct{})}
	c.cmd.Dir = t.TempDir() // without .env
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "ISHAA_") && !strings.HasPrefix(pair, "LISTEN_") {
			c.cmd.Env = append(c.cmd.Env, pair)
		}
	}
	c.cmd.Env = append(c.cmd.Env, serverVariable+"=1", raceVariable, "ISHAA_ADDR=127.0.0.1:0")
	if listener != nil {
		c.cmd.ExtraFiles = []*os.File{listener}
		c.cmd.Env = append(c.cmd.Env, "LISTEN_FDS=1")
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stderr = &c.stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		defer close(c.lines)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			c.lines <- lines.Text()
		}
		_ = c.cmd.Wait() // the tests read ProcessState
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill() // it has usually ended
		receive(t, "the end of the child", c.ended)
		if t.Failed() {
			t.Logf("standard error of the child:\n%s", c.stderr.text())
		}
		if strings.Contains(c.stderr.text(), "DATA RACE") {
			t.Errorf("data race in the child:\n%s", c.stderr.text())
		}
	})
	return c
}

// line waits for a line on the child's standard output.
func (c *child) line(want string) {
	c.t.Helper()
	late := time.After(3 * patience)
	for {
		select {
		case line, open := <-c.lines:
			if line == want {
				return
			}
			if !open {
				c.t.Fatalf("the child ended without saying %q", want)
			}
		case <-late:
			c.t.Fatalf("the child does not say %q", want)
		}
	}
}

func (c *child) signal(sig os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatal(err)
	}
}

// exits waits for the end of the child and gives its exit status, -1 after a signal.
func (c *child) exits() int {
	c.t.Helper()
	receive(c.t, "the end of the child", c.ended)
	return c.cmd.ProcessState.ExitCode()
}

// inFlight sends requests over a connection each and returns a channel of how they
// end. Each answer has to be its request's own.
func (c *child) inFlight(count int, path string) <-chan *result {
	transport := &http.Transport{MaxIdleConnsPerHost: count}
	c.t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	ends := make(chan *result, count)
	for n := range count {
		go func() {
			answer, err := client.Get(c.url + path + "?n=" + strconv.Itoa(n))
			if err != nil {
				ends <- &result{err: err}
				return
			}
			res := readAnswer(answer)
			if res.err == nil && res.status == 200 && !strings.HasPrefix(path, "/events") && res.body != strconv.Itoa(n) {
				res.err = fmt.Errorf("request %d got the answer %q", n, res.body)
			}
			ends <- res
		}()
	}
	return ends
}

func TestDrainFinishesWhatIsUnderWay(t *testing.T) {
	noLeaks(t)
	const waiting, streams = 1000, 20
	c := startChild(t, nil, "-drain-timeout", "30s")

	idle, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	if _, err := io.WriteString(idle, "GET /number?n=7 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	kept := bufio.NewReader(idle)
	answer, err := http.ReadResponse(kept, nil)
	if err != nil {
		t.Fatal(err)
	}
	readAnswer(answer).wantBody(t, 200, "7").wantHeader(t, "Connection")

	answers, events := c.inFlight(waiting, "/until-draining"), c.inFlight(streams, "/events")
	c.line(fmt.Sprint("begun ", 1+waiting+streams))
	c.signal(syscall.SIGTERM)
	for range waiting {
		res := receive(t, "an answer", answers)
		if res.err != nil {
			t.Fatal(res.err)
		}
		res.want(t, 200)
	}
	for range streams {
		res := receive(t, "the end of a stream", events).want(t, 200)
		if strings.Count(res.body, "data: ") != 1 {
			t.Errorf("the stream is %q", res.body)
		}
	}
	if err := idle.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the idle connection: %v, want its end", err)
	}
	c.line(fmt.Sprint("stopping after ", 1+waiting+streams))
	if status := c.exits(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v", err)
	}
}

func TestDrainDeadline(t *testing.T) {
	noLeaks(t)
	const heeding, deaf = 900, 100
	c := startChild(t, nil, "-drain-timeout", "200ms")
	told, cut := c.inFlight(heeding, "/until-told"), c.inFlight(deaf, "/deaf")
	c.line(fmt.Sprint("begun ", heeding+deaf))
	c.signal(syscall.SIGTERM)
	// A second is what handlers have left, and a machine with other work may give the process too little of it for all.
	answered := 0
	for range heeding {
		if res := receive(t, "the end of a request", told); res.err == nil {
			res.wantProblem(t, 503, "the server is shutting down")
			answered++
		}
	}
	if answered == 0 {
		t.Error("no handler that heeds the end of its context was answered by 503")
	}
	for range deaf {
		if res := receive(t, "the end of a request", cut); res.err == nil {
			t.Errorf("a handler that never returns gave %s", res)
		}
	}
	if status := c.exits(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	want := "child: requests were still under way after 200ms and have been cut; give them longer with drain-timeout\n"
	if text := c.stderr.text(); !strings.HasSuffix(text, want) {
		t.Errorf("the last line is not %q:\n%s", want, text[max(0, len(text)-300):])
	}
}

// A connection that nobody has asked anything on is no request: it does not make a
// shutdown a failure, however little time that has.
func TestDrainWithASilentConnection(t *testing.T) {
	for _, server := range []string{"nethttp", "ishaa"} {
		t.Run(server, func(t *testing.T) {
			noLeaks(t)
			c := startChild(t, nil, "-drain-timeout", "200ms", "-server", server)
			silent, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			// It was accepted once a later one is answered.
			if res := receive(t, "an answer", c.inFlight(1, "/number")); res.err != nil || res.status != 200 {
				t.Fatal(res, res.err)
			}
			c.signal(syscall.SIGTERM)
			if status := c.exits(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if _, err := silent.Read(make([]byte, 1)); err == nil {
				t.Error("the silent connection was not closed")
			}
		})
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(second.String(), func(t *testing.T) {
			noLeaks(t)
			c := startChild(t, nil, "-drain-timeout", "1h")
			cut := c.inFlight(1, "/deaf")
			c.line("begun 1")
			c.signal(syscall.SIGINT)
			eventually(t, "the child drains", func() bool { return strings.Contains(c.stderr.text(), "msg=draining") })
			eventually(t, "the child has ended", func() bool {
				_ = c.cmd.Process.Signal(second)
				select {
				case <-c.ended:
					return true
				default:
					return false
				}
			})
			if exit := c.cmd.ProcessState.Sys().(syscall.WaitStatus); !exit.Signaled() || exit.Signal() != second {
				t.Errorf("the child ended with %v", c.cmd.ProcessState)
			}
			if res := receive(t, "the end of the request", cut); res.err == nil {
				t.Errorf("the request was answered: %s", res)
			}
		})
	}
}

// Where the log is for programs, nothing else is printed among its records.
func TestNoStartLineInAJSONLog(t *testing.T) {
	noLeaks(t)
	c := spawn(t, nil, "-log-json")
	eventually(t, "the child listens", func() bool { return strings.Contains(c.stderr.text(), `"msg":"listening"`) })
	c.signal(syscall.SIGTERM)
	if status := c.exits(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	for _, msg := range []string{"listening", "draining", "stopped"} {
		if len(c.stderr.records(t, msg)) != 1 {
			t.Errorf("no record %q in %s", msg, c.stderr.text())
		}
	}
}

// A program that cannot start says so in one line.
func TestExitStatusOfAFailure(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-addr", taken.Addr().String()}, 1, "child: " + taken.Addr().String() + " is in use by another program; stop it, or choose another address with -addr or ISHAA_ADDR\n"},
		{[]string{"rotes"}, 1, "child: there is no command \"rotes\"; did you mean \"routes\"?; -h lists what there is\n"},
		{[]string{"-h"}, 0, ""},
		{[]string{"version"}, 0, ""},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			cmd := exec.Command(os.Args[0], c.args...)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), serverVariable+"=1", raceVariable)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			_ = cmd.Run()
			if status := cmd.ProcessState.ExitCode(); status != c.status || stderr.String() != c.says {
				t.Errorf("exit status %d, want %d; standard error %q, want %q", status, c.status, &stderr, c.says)
			}
		})
	}
}

// A listener is handed from one process to the next while clients keep asking: no
// connection is refused or reset, and every request gets its own answer once.
func TestRestartRefusesNobody(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { testRestart(t, network) })
	}
}

func testRestart(t *testing.T, network string) {
	noLeaks(t)
	const clients = 16
	restarts := 10
	if testenv.Long() {
		restarts = 300
	}
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = t.TempDir() + "/app.sock"
	}
	listener, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	handed, err := listener.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	defer handed.Close()
	addr = listener.Addr().String()

	serving := startChild(t, handed)
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int64
	var wg sync.WaitGroup
	for i := range clients {
		transport := &http.Transport{
			// Half of the clients keep their connection, half open one for each request.
			DisableKeepAlives: i%2 == 0,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			},
		}
		client := &http.Client{Transport: transport, Timeout: patience}
		wg.Go(func() {
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				n := strconv.FormatInt(asked.Add(1), 10)
				answer, err := client.Get("http://app/number?n=" + n)
				if err != nil {
					t.Errorf("request %s: %v", n, err)
					return
				}
				if res := readAnswer(answer); res.err != nil || res.status != 200 || res.body != n {
					t.Errorf("request %s: %s, %v", n, res, res.err)
					return
				}
			}
		})
	}
	begun := 0
	end := func(c *child) {
		c.signal(syscall.SIGTERM)
		if status := c.exits(); status != 0 {
			t.Errorf("exit status %d:\n%s", status, c.stderr.text())
		}
		for line := range c.lines {
			if count, ok := strings.CutPrefix(line, "stopping after "); ok {
				n, _ := strconv.Atoi(count)
				begun += n
			}
		}
	}
	for range restarts {
		before := asked.Load()
		eventually(t, "clients are being served", func() bool { return asked.Load() > before+100 })
		next := startChild(t, handed)
		before = asked.Load()
		eventually(t, "clients are being served by two", func() bool { return asked.Load() > before+100 })
		end(serving)
		serving = next
	}
	stop()
	wg.Wait()
	end(serving)
	if total := int(asked.Load()); begun != total {
		t.Errorf("%d requests were sent, %d were begun", total, begun)
	} else {
		t.Logf("%d requests over %d restarts", total, restarts)
	}
}
