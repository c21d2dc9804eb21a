//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
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

// start runs the program until the test ends. It listens on HTTPS too when the arguments say so.
func start(t *testing.T, args ...string) *launch.Program {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	cmd.Dir = t.TempDir()                                            // no .env there
	cmd.Env = []string{asProgram + "=1", "GORACE=atexit_sleep_ms=0"} // or each program ends a second late under -race
	listeners := 1
	if slices.Contains(args, "-tls") {
		listeners++
	}
	return launch.Start(t, cmd, listeners)
}

// battery runs a script of the conformance folder and returns what it printed.
func battery(t *testing.T, script string, args ...string) string {
	t.Helper()
	path := filepath.Join(testenv.Conformance(t), filepath.FromSlash(script))
	ctx, cancel := context.WithTimeout(t.Context(), launch.Patience)
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

// expectFailures compares a battery's failed checks with those that are known, of so many in all. A known one that
// passes is an error too: it is to be taken off the list.
func expectFailures(t *testing.T, output string, known []string, total int) {
	t.Helper()
	expected := map[string]bool{}
	for _, name := range known {
		expected[name] = true
	}
	for _, name := range failures(output) {
		if !expected[name] {
			t.Errorf("failed: %s", name)
		}
		delete(expected, name)
	}
	for name := range expected {
		t.Errorf("passes, so it is no exception any more: %s", name)
	}
	want := fmt.Sprintf("%d passed, %d failed", total-len(known), len(known))
	if !strings.Contains(output, want) {
		t.Errorf("want %s; the battery says:\n%s", want, output)
	}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

// client follows no redirects and keeps no connections.
func client() *http.Client {
	return &http.Client{
		Timeout:       launch.Patience,
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
