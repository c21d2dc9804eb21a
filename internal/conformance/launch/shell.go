//go:build unix

package launch

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Shell runs commands as a reader would who pastes them, in a folder of their own, with a curl that shows errors, no
// progress, asks no proxy and says which status it got.
type Shell struct {
	Dir  string // where the commands run
	home string // of curl's settings
}

const curlSettings = "silent\nshow-error\nmax-time = 30\nnoproxy = \"*\"\nwrite-out = \"%{stderr}status %{http_code}\\n\"\n"

// NewShell returns a shell for commands that use curl. It skips the test where there is none.
func NewShell(t testing.TB) Shell {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl: install Debian's package curl")
	}
	s := Shell{Dir: t.TempDir(), home: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.home, ".curlrc"), []byte(curlSettings), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Run returns what a command printed, and the status that its last curl got.
func (s Shell) Run(t testing.TB, command string) (output, status string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "CURL_HOME="+s.home, "HOME="+s.home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s\n%v: %s", command, err, stderr.String())
	}
	for line := range strings.Lines(stderr.String()) {
		if code, ok := strings.CutPrefix(line, "status "); ok {
			status = strings.TrimSpace(code)
		}
	}
	return stdout.String(), status
}
