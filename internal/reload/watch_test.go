//go:build linux

package reload

import (
	"os"
	"path/filepath"
	"testing"
)

// What counts, and what does not.
func TestWatched(t *testing.T) {
	root := t.TempDir()
	w, err := newWatcher(root, []string{"kept", "*.json", "deep/*.css"}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	defer w.notify.Close()
	for name, counts := range map[string]bool{
		"main.go": true, "main_test.go": false, ".env": true, ".env.local": false, "go.mod": true, "go.sum": true, "a/page.html": true, "a/B.PNG": true,
		"app.db": false, "app.db-wal": false, "a.json": false, "deep/a.css": false, "a.css": true, "main.go~": false, ".main.go.swp": false, "README": false,
		"migrations/1_a.sql": true,
	} {
		if w.ignored(filepath.Join(root, filepath.FromSlash(name)), false) == counts {
			t.Errorf("%s counts: %v", name, !counts)
		}
	}
	for name, ignored := range map[string]bool{".git": true, "node_modules": true, "testdata": true, "kept": true, "templates": false, "internal": false} {
		if w.ignored(filepath.Join(root, name), true) != ignored {
			t.Errorf("the folder %s is ignored: %v", name, !ignored)
		}
	}
	name := filepath.Join(root, "main.go")
	for i, step := range []struct {
		text   string
		differ bool
	}{{"a", true}, {"a", false}, {"b", true}, {"", true}} {
		if err := os.WriteFile(name, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := w.differs(name); got != step.differ {
			t.Errorf("step %d: %v", i, got)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if !w.changed(map[string]bool{name: true}, false) || w.changed(map[string]bool{name: true}, false) {
		t.Error("that a file is gone counts once")
	}
	if _, err := newWatcher(root, []string{"["}, nil); err == nil {
		t.Error("a pattern that is none")
	}
}
