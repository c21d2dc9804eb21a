package scaffold

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// entries are what is in a folder.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// The projects are built and tested by the tests of cmd/ishaa; here is what goes wrong.
func TestCreateLeavesNothingHalfWritten(t *testing.T) {
	checkout := Framework{Checkout: testenv.Root()}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "there"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		ctx     context.Context
		project Project
		says    string
	}{
		{"no name", t.Context(), Project{Dir: "x", Kind: Full}, "no name"},
		{"capital", t.Context(), Project{Name: "Demo", Kind: Full}, "begin with a small letter"},
		{"blank", t.Context(), Project{Name: "my demo", Kind: Full}, "no name for a project"},
		{"of Go", t.Context(), Project{Name: "net", Kind: Full}, `such as "mynet"`},
		{"long", t.Context(), Project{Name: strings.Repeat("a", 65), Kind: Full}, "longer than 64"},
		{"module", t.Context(), Project{Name: "demo", Module: "a b", Kind: Full}, "no module path"},
		{"module of Go", t.Context(), Project{Name: "demo", Module: "net/demo", Kind: Full}, "begins with a name of Go's own"},
		{"module with quote", t.Context(), Project{Name: "demo", Module: "a\"\n", Kind: Full}, "no module path"},
		{"kind", t.Context(), Project{Name: "demo", Kind: "large"}, "no kind of project"},
		{"existing", t.Context(), Project{Name: "there", Kind: Full}, "is there already"},
		{"parent", t.Context(), Project{Name: "demo", Dir: filepath.Join(dir, "none", "demo"), Kind: Full}, "there is no folder"},
		{"ended", ended, Project{Name: "demo", Kind: Minimal, Framework: checkout}, "context canceled"},
		{"no checkout", t.Context(), Project{Name: "demo", Kind: Minimal, Framework: Framework{Checkout: filepath.Join(dir, "none")}}, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.project.Dir == "" {
				test.project.Dir = filepath.Join(dir, test.project.Name)
			}
			_, err := Create(test.ctx, test.project)
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
			if got := entries(t, dir); !slices.Equal(got, []string{"there"}) {
				t.Errorf("left behind: %v", got)
			}
		})
	}
	t.Run("no go command", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := Create(t.Context(), Project{Name: "demo", Dir: filepath.Join(dir, "demo"), Kind: Minimal, Framework: checkout})
		if err == nil || !strings.Contains(err.Error(), "install Go") {
			t.Error(err)
		}
		if got := entries(t, dir); !slices.Equal(got, []string{"there"}) {
			t.Errorf("left behind: %v", got)
		}
	})
}

func TestLocate(t *testing.T) {
	if f, err := Locate(testenv.Root()); err != nil || f.Checkout != testenv.Root() {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := Locate(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no checkout") {
		t.Error(err)
	}
	if f, err := Locate(""); err != nil || f.Checkout != testenv.Root() {
		t.Errorf("within the checkout: %+v, %v", f, err)
	}
	t.Chdir(t.TempDir())
	if f, err := Locate(""); err != nil || f.Checkout != testenv.Root() {
		t.Errorf("by the source that the program was built from: %+v, %v", f, err)
	}
	for version, want := range map[string]bool{"v1.2.3": true, "(devel)": false, "v0.0.0-20261123000000-0123456789ab+dirty": false, "": false} {
		if published(version) != want {
			t.Errorf("%q counts as published: %v", version, !want)
		}
	}
}

// A project of a published version has no replace line: the go command gets the framework, and what it needs, from a module
// proxy. Here that is a folder with a framework of a few lines.
func TestPublished(t *testing.T) {
	proxy, cache := t.TempDir(), t.TempDir()
	versions := filepath.Join(proxy, filepath.FromSlash(Path), "@v")
	if err := os.MkdirAll(versions, 0o755); err != nil {
		t.Fatal(err)
	}
	mod := "module " + Path + "\n\ngo " + goVersion + "\n"
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, text := range map[string]string{"go.mod": mod, "ishaa.go": "package ishaa\n", "ishaatest/ishaatest.go": "package ishaatest\n"} {
		w, err := z.Create(Path + "@v1.2.3/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"list": "v1.2.3\n", "v1.2.3.info": `{"Version":"v1.2.3"}`, "v1.2.3.mod": mod, "v1.2.3.zip": packed.String()} {
		if err := os.WriteFile(filepath.Join(versions, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOPROXY", (&url.URL{Scheme: "file", Path: filepath.ToSlash(proxy)}).String())
	t.Setenv("GONOSUMDB", Path)
	t.Setenv("GOMODCACHE", cache)
	t.Cleanup(func() { // what the go command keeps cannot be written to
		if _, err := goCommand(context.Background(), proxy, "clean", "-modcache"); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	for _, test := range []struct{ name, version, note string }{
		{"exact", "v1.2.3", ""}, {"newest", "latest", ""}, {"unknown", "v9.9.9", "go get " + Path + "@v9.9.9 && go mod tidy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			made, err := Create(t.Context(), Project{Name: test.name, Module: "example.com/" + test.name, Dir: filepath.Join(dir, test.name), Kind: Minimal, Framework: Framework{Version: test.version}})
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(made.Dir, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			want := "module example.com/" + test.name + "\n\ngo " + goVersion + "\n"
			if test.note == "" {
				want += "\nrequire " + Path + " v1.2.3\n"
			}
			if string(text) != want {
				t.Errorf("go.mod is\n%s\nwant\n%s\nnotes: %q", text, want, made.Notes)
			}
			if notes := strings.Join(made.Notes, "\n"); !strings.Contains(notes, test.note) || test.note == "" && notes != "" {
				t.Errorf("the notes say %q", notes)
			}
		})
	}
}

// Within the checkout the replace line is relative, outside it is absolute.
func TestReplace(t *testing.T) {
	f := Framework{Checkout: testenv.Root()}
	for target, want := range map[string]string{
		filepath.Join(testenv.Root(), "demo"): "=> ..\n", filepath.Join(t.TempDir(), "demo"): "=> " + testenv.Root() + "\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nimport _ \""+Path+"\"\n\nfunc main() {}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		notes, err := f.require(t.Context(), dir, target, "demo")
		if err != nil || len(notes) > 0 {
			t.Fatal(notes, err)
		}
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil || !strings.Contains(string(mod), want) || strings.Contains(string(mod), "cobra") {
			t.Errorf("%v\n%s\nwant %q", err, mod, want)
		}
	}
}

func TestNames(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module example.com/demo // mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]names{
		"post":      {"example.com/demo", "Post", "post", "post"},
		"BlogPost":  {"example.com/demo", "BlogPost", "blogPost", "blog_post"},
		"blog_post": {"example.com/demo", "BlogPost", "blogPost", "blog_post"},
		"HTMLPage":  {"example.com/demo", "HTMLPage", "htmlPage", "htmlpage"},
		"type":      {"example.com/demo", "Type", "typeValue", "type"},
	} {
		if got, err := namesOf(root, "blueprint", name); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	for _, name := range []string{"", "1st", "a b", "../x", "a-b", "shop_test", "_"} {
		if got, err := namesOf(root, "blueprint", name); err == nil {
			t.Errorf("%q: %+v", name, got)
		}
	}
	if _, err := namesOf(t.TempDir(), "model", "Post"); err == nil || !strings.Contains(err.Error(), "no go.mod") {
		t.Error(err)
	}
}

func TestFields(t *testing.T) {
	for text, want := range map[string]field{
		"title":             {"Title", "string", " `db:\"size:200\"`"},
		"email:text:unique": {"Email", "string", " `db:\"size:200,unique\"`"},
		"author_id:int":     {"AuthorID", "int64", ""},
		"seen:time:null":    {"Seen", "*time.Time", ""},
		"n:int:index:null":  {"N", "*int64", " `db:\"index\"`"},
	} {
		if got, err := fieldOf(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ":text", "a:nothing", "a:text:large", "id:int", "a b:text", "a__b:int", "a`:int"} {
		if got, err := fieldOf(text); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// Whatever fields are given, the model is a file of Go, or there is an error and no file.
func FuzzModel(f *testing.F) {
	f.Add("Post", "title:text", "at:time:null")
	f.Add("blog_post", "n:int:index", "price:decimal")
	f.Fuzz(func(t *testing.T, name, first, second string) {
		root := t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(root, "go.mod"), []byte("module demo\n"), 0o600), os.Mkdir(filepath.Join(root, "models"), 0o755)); err != nil {
			t.Fatal(err)
		}
		models := filepath.Join(root, "models", "models.go")
		if err := os.WriteFile(models, []byte("package models\n\nimport \"github.com/ishaa-framework/ishaa/orm\"\n\nfunc Register(db *orm.DB) {}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Model(root, name, []string{first, second})
		list, _ := filepath.Glob(filepath.Join(root, "models", "*"))
		if err != nil && len(list) != 1 {
			t.Errorf("%v, and yet there are %v", err, list)
		}
		for _, file := range list {
			if _, err := parser.ParseFile(token.NewFileSet(), file, nil, 0); err != nil {
				t.Error(err)
			}
		}
		if up := entries(t, root); len(up) != 2 {
			t.Errorf("written outside of models: %v", up)
		}
	})
}
