package nofile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestIs(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(folder, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loop", filepath.Join(folder, "loop")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"none", "file/below", "../secret", "out", "loop", strings.Repeat("x", 300), "a\x00b"} {
		if _, err := root.Open(name); !Is(err) || !Is(fmt.Errorf("wrapped: %w", err)) {
			t.Errorf("%q: %v is not taken for a missing file", name, err)
		}
	}
	for _, err := range []error{nil, errors.New("odd"), syscall.EMFILE, syscall.EIO, os.ErrClosed} {
		if Is(err) {
			t.Errorf("%v is taken for a missing file", err)
		}
	}
}
