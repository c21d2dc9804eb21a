package program_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/program"
)

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

const main = "package main\n\nfunc main() {}\n"

func TestFind(t *testing.T) {
	for _, test := range []struct {
		name, wd, app string
		files         map[string]string
		want, says    string
	}{
		{name: "the root", files: map[string]string{"go.mod": "module x\n", "main.go": main}, want: "."},
		{name: "below the root", wd: "deep", files: map[string]string{"go.mod": "module x\n", "main.go": main, "deep/x.txt": ""}, want: "."},
		{name: "a program below", wd: "deep", files: map[string]string{"go.mod": "module x\n", "main.go": main, "deep/main.go": main}, want: "deep"},
		{name: "the only one in cmd", files: map[string]string{"go.mod": "module x\n", "lib.go": "package x\n", "cmd/a/main.go": main}, want: "cmd/a"},
		{name: "several", files: map[string]string{"go.mod": "module x\n", "cmd/a/main.go": main, "cmd/b/main.go": main}, says: "name one with --app: cmd/a, cmd/b"},
		{name: "named", app: "cmd/b", files: map[string]string{"go.mod": "module x\n", "cmd/a/main.go": main, "cmd/b/main.go": main}, want: "cmd/b"},
		{name: "named and none", app: "cmd", files: map[string]string{"go.mod": "module x\n", "cmd/a/main.go": main}, says: "holds no package main"},
		{name: "no program", files: map[string]string{"go.mod": "module x\n", "lib.go": "package x\n"}, says: "no package main"},
		{name: "no module", files: map[string]string{"main.go": main}, says: "ishaa create project"},
		{name: "not built here", files: map[string]string{"go.mod": "module x\n", "gen.go": "//go:build ignore\n\n" + main}, says: "no package main"},
		{name: "broken", files: map[string]string{"go.mod": "module x\n", "main.go": "package main\n\nfunc {"}, want: "."},
	} {
		t.Run(test.name, func(t *testing.T) {
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			write(t, root, test.files)
			t.Chdir(filepath.Join(root, test.wd))
			p, err := program.Find(test.app)
			if test.says != "" {
				if !errors.Is(err, program.ErrNone) || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%+v, %v, want %q", p, err, test.says)
				}
				return
			}
			if want := (program.Program{Root: root, Package: filepath.Join(root, filepath.FromSlash(test.want))}); err != nil || p != want {
				t.Errorf("%+v, %v, want %+v", p, err, want)
			}
		})
	}
}

func TestBuild(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	write(t, root, map[string]string{"go.mod": "module x\n\ngo 1.26\n", "main.go": main})
	p := program.Program{Root: root, Package: root}
	file, err := p.Cached(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Cached(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(file); err != nil || !after.ModTime().Equal(before.ModTime()) && !os.SameFile(before, after) {
		t.Errorf("what has not changed was linked again: %v, %v", after, err)
	}
	write(t, root, map[string]string{"main.go": "package main\n\nfunc main() { nothing() }\n"})
	var build *program.BuildError
	if _, err := p.Cached(t.Context()); !errors.As(err, &build) || !strings.Contains(build.Output, "undefined: nothing") {
		t.Errorf("%v", err)
	}
}
