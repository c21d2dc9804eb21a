// Package scaffold writes new projects, and new pieces of a project, for the command "ishaa create".
//
//	made, err := scaffold.Create(ctx, scaffold.Project{Name: "demo", Dir: "demo", Kind: scaffold.Full, Framework: scaffold.Locate("")})
//
// A project is written beside its place, under a name of its own, and moved there when it is whole: what fails leaves
// nothing behind. The templates are in the folder templates, one tree for each kind over one that is shared; between [[ and
// ]] is what package text/template fills in, since the pages of a project use {{ and }} themselves.
package scaffold

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates
var files embed.FS

// Kind is what a project begins with.
type Kind string

// The kinds of projects.
const (
	Full    Kind = "full"    // pages, an API, a database
	API     Kind = "api"     // an API with its document, a database
	Minimal Kind = "minimal" // two routes and a test
)

// Kinds are all kinds.
var Kinds = []Kind{Full, API, Minimal}

// Project says what to create.
type Project struct {
	Name      string // of the program: letters, digits, "-" and "_"
	Module    string // its module path; the name if empty
	Dir       string // where to; must not be there yet
	Kind      Kind
	Framework Framework
}

// Created is what Create made.
type Created struct {
	Dir   string   // as in Project
	Files []string // relative to Dir, with slashes
	Notes []string // what a person should know, such as that modules could not be fetched
}

var projectName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// taken are names that the standard library, or the go command, has taken for the first element of a path.
var taken = strings.Fields(`archive bufio builtin bytes cmd cmp compress container context crypto database debug embed
	encoding errors expvar flag fmt go hash html image index internal io iter ishaa log main maps math mime net os path plugin
	reflect regexp runtime slices sort std strconv strings structs sync syscall test testdata testing text time unicode unique
	unsafe vendor weak`)

// CheckName says what is wrong with the name of a project.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("the project has no name")
	case len(name) > 64:
		return fmt.Errorf("the name %q is longer than 64 characters", name[:64]+"…")
	case !projectName.MatchString(name):
		return fmt.Errorf("%q is no name for a project: begin with a small letter, and use small letters, digits, \"-\" and \"_\"", name)
	}
	for _, word := range taken {
		if name == word {
			return fmt.Errorf("%q is a name of Go's own, so its packages could not be imported: choose another, such as %q", name, "my"+name)
		}
	}
	return nil
}

var modulePath = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

func (p *Project) check() error {
	if err := CheckName(p.Name); err != nil {
		return err
	}
	if p.Module == "" {
		p.Module = p.Name
	}
	if !modulePath.MatchString(p.Module) || strings.HasSuffix(p.Module, ".") {
		return fmt.Errorf("%q is no module path: write one such as example.com/%s", p.Module, p.Name)
	}
	if first, _, _ := strings.Cut(p.Module, "/"); p.Module != p.Name {
		for _, word := range taken {
			if first == word {
				return fmt.Errorf("the module path %q begins with a name of Go's own: begin with a host name, such as example.com/%s", p.Module, p.Name)
			}
		}
	}
	switch p.Kind {
	case Full, API, Minimal:
	default:
		return fmt.Errorf("there is no kind of project %q", p.Kind)
	}
	if _, err := os.Lstat(p.Dir); err == nil {
		return fmt.Errorf("%s is there already: choose another name, or remove it first", p.Dir)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Create writes a project. It uses the go command to find out which modules the project needs.
func Create(ctx context.Context, p Project) (Created, error) {
	if err := p.check(); err != nil {
		return Created{}, err
	}
	target, err := filepath.Abs(p.Dir)
	if err != nil {
		return Created{}, err
	}
	parent := filepath.Dir(target)
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		return Created{}, fmt.Errorf("there is no folder %s to create %s in", parent, p.Name)
	}
	dir, err := os.MkdirTemp(parent, "."+p.Name+"-")
	if err != nil {
		return Created{}, err
	}
	defer os.RemoveAll(dir) // it is not there any more if all went well
	made := Created{Dir: p.Dir}
	if made.Files, err = p.write(dir); err != nil {
		return Created{}, err
	}
	if made.Notes, err = p.Framework.require(ctx, dir, target, p.Module); err != nil {
		return Created{}, err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			made.Files = append(made.Files, name)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return Created{}, err
	}
	if err := ctx.Err(); err != nil {
		return Created{}, err
	}
	if err := os.Rename(dir, target); err != nil {
		return Created{}, fmt.Errorf("%s could not be put in its place: %w", p.Name, err)
	}
	return made, nil
}

// write writes the templates of a kind, and returns the names of the files.
func (p Project) write(dir string) ([]string, error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	data := struct {
		Project
		Secret string
	}{p, hex.EncodeToString(secret)}
	trees := []string{"shared", string(p.Kind)}
	if p.Kind == Minimal {
		trees = trees[1:]
	}
	var names []string
	for _, tree := range trees {
		root := path.Join("templates", tree)
		err := fs.WalkDir(files, root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := render(name, data)
			if err != nil {
				return err
			}
			out := strings.TrimSuffix(strings.TrimPrefix(name, root+"/"), ".tmpl")
			if base, ok := strings.CutPrefix(path.Base(out), "dot-"); ok { // go:embed leaves out what begins with a dot
				out = path.Join(path.Dir(out), "."+base)
			}
			names = append(names, out)
			return writeNew(filepath.Join(dir, filepath.FromSlash(out)), text)
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

func render(name string, data any) ([]byte, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(path.Base(name)).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeNew writes a file that must not be there yet, with the folders on the way to it. A file with secrets is its
// owner's alone.
func writeNew(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if filepath.Base(name) == ".env" {
		mode = 0o600
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: choose another name, or change that file", name)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}
