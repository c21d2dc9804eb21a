package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The batteries talk to the program over sockets, as they would to any server. The test binary is that program when
// asProgram is set in its environment, so that nothing has to be built and the race detector watches it too: a race makes it exit with an
// error, which fails the test that started it.
const asProgram = "ISHAA_CONFORMANCE_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is for what takes milliseconds, or seconds on a machine that is busy with other tests.
const patience = 20 * time.Second

var listening = regexp.MustCompile(`msg=listening .*url=(https?)://(\S+)`)

// start runs the program until the test ends and returns its address for each scheme.
func start(t *testing.T, args ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir() // no .env there
	cmd.Env = append(withoutSettings(os.Environ()), asProgram+"=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	want := 1
	for _, arg := range args {
		if arg == "-tls" {
			want++
		}
	}
	found := make(chan [2]string, want)
	var log bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(io.TeeReader(stderr, &log))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				found <- [2]string{m[1], m[2]}
			}
		}
		io.Copy(&log, stderr)
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("the program ended with %v; the end of its log:\n%s", err, tail(log.String()))
		}
	})
	addresses := map[string]string{}
	for len(addresses) < want {
		select {
		case pair := <-found:
			addresses[pair[0]] = pair[1]
		case <-ended:
			t.Fatal("the program ended before it listened")
		case <-ctx.Done():
			t.Fatal("the program does not listen")
		}
	}
	return addresses
}

// withoutSettings leaves out what would configure the program from outside.
func withoutSettings(environment []string) []string {
	var kept []string
	for _, pair := range environment {
		if !strings.HasPrefix(pair, "ISHAA_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

func tail(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > 40 {
		lines = lines[len(lines)-40:]
	}
	return strings.Join(lines, "\n")
}

// battery runs a script of the conformance folder and returns what it printed.
func battery(t *testing.T, script string, args ...string) string {
	t.Helper()
	path := filepath.Join(testenv.Conformance(t), filepath.FromSlash(script))
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, testenv.Python(t), append([]string{path}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	return string(out)
}

// failures reads the lines that a battery prints for its failed checks.
func failures(output string) []string {
	var list []string
	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(line, "FAIL "); ok {
			list = append(list, strings.TrimSpace(name))
		}
	}
	return list
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

// client follows no redirects and keeps no connections.
func client() *http.Client {
	return &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func do(t *testing.T, c *http.Client, req *http.Request) answer {
	t.Helper()
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	return answer{res, string(body)}
}
