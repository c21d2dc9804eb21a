//go:build unix

package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// secretMarker stands in the files around the folder that is served.
const secretMarker = "MARKER-9f3a"

// servedFolder is a folder with a page in it and secrets beside that, and one and two levels above.
func servedFolder(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "site", "files")
	if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []struct{ name, text string }{
		{filepath.Join(base, "secret.txt"), secretMarker},
		{filepath.Join(base, "site", "secret.txt"), secretMarker},
		{filepath.Join(dir, ".git", "config"), secretMarker},
		{filepath.Join(dir, "page.html"), "<h1>Page</h1>"},
	} {
		if err := os.WriteFile(file.name, []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// No payload leads out of the folder, and none is a failure of the server.
func TestTraversal(t *testing.T) {
	testenv.Python(t)
	testenv.Conformance(t)
	app := start(t, "-dir", servedFolder(t))
	req, err := http.NewRequest("GET", app.URL("http")+"/_x/files/page.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res := do(t, client(), req); res.StatusCode != 200 || res.body != "<h1>Page</h1>" {
		t.Fatalf("what is in the folder: %d %s", res.StatusCode, res.body)
	}
	output := battery(t, "traversal/run.py", app.Address("http"), "/_x/files/", secretMarker)
	for _, failure := range failures(output) {
		t.Errorf("failed: %s", failure)
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	summary := lines[len(lines)-1]
	// All 24,100, each of them answered: a status of 0 stands for a connection that was cut.
	if !strings.HasPrefix(summary, "24100 {") || !strings.Contains(summary, "leaks 0 5xx 0 ") || regexp.MustCompile(`[{ ]0: `).MatchString(summary) {
		t.Errorf("the battery says: %s", summary)
	}
	t.Log(summary)
}
