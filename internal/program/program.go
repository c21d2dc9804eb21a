// Package program finds and builds the application that the command line works on: the program in the module of the
// working directory.
//
//	p, err := program.Find("")
//	binary, err := p.Cached(ctx) // built where the last build is, so that the go command has little to do
package program

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Program is a main package.
type Program struct {
	Root    string // of its module: where it runs
	Package string // the folder of the package
}

// ErrNone is the error of Find where there is no application.
var ErrNone = errors.New("there is no application here")

// Find returns the program in a folder. Without one it is in the working directory, in the module's root, or the only
// one in cmd.
func Find(folder string) (Program, error) {
	wd, err := os.Getwd()
	if err != nil {
		return Program{}, err
	}
	start := wd
	if folder != "" {
		if start, err = filepath.Abs(folder); err != nil {
			return Program{}, err
		}
	}
	root := moduleRoot(start)
	if root == "" {
		return Program{}, fmt.Errorf("%w: neither %s nor a folder above it has a go.mod; make a project with \"ishaa create project NAME\", and go into it", ErrNone, start)
	}
	if folder != "" {
		if !isMain(start) {
			return Program{}, fmt.Errorf("%w: %s holds no package main", ErrNone, folder)
		}
		return Program{root, start}, nil
	}
	for _, dir := range []string{wd, root} {
		if isMain(dir) {
			return Program{root, dir}, nil
		}
	}
	list, err := filepath.Glob(filepath.Join(root, "cmd", "*"))
	if err != nil {
		return Program{}, err
	}
	var found []string
	for _, dir := range list {
		if isMain(dir) {
			found = append(found, dir)
		}
	}
	switch len(found) {
	case 0:
		return Program{}, fmt.Errorf("%w: there is no package main in %s; name its folder with --app", ErrNone, root)
	case 1:
		return Program{root, found[0]}, nil
	}
	for i, dir := range found {
		if relative, err := filepath.Rel(wd, dir); err == nil {
			found[i] = relative
		}
	}
	return Program{}, fmt.Errorf("%w, but several programs: name one with --app: %s", ErrNone, strings.Join(found, ", "))
}

func moduleRoot(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && !info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

func isMain(dir string) bool {
	p, _ := build.ImportDir(dir, 0) // a file that does not parse is the compiler's to report
	return p != nil && p.Name == "main" && len(p.GoFiles)+len(p.CgoFiles)+len(p.InvalidGoFiles) > 0
}

// Name is the program's file name.
func (p Program) Name() string {
	name := filepath.Base(p.Package)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return name
}

// BuildError is what the compiler said.
type BuildError struct{ Output string }

// Error repeats it.
func (e *BuildError) Error() string { return e.Output }

// Build compiles the program to a file.
func (p Program) Build(ctx context.Context, file string, flags ...string) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("there is no go command: install Go from https://go.dev/dl")
	}
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", file, ".")...)
	cmd.Dir = p.Package
	endWithGroup(cmd)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &BuildError{strings.TrimSpace(out.String())}
	}
	return err
}

// Cached builds the program into the user's folder for caches, where the go command finds the last build and leaves it
// as it is if nothing changed. It returns the file.
func (p Program) Cached(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("the program has to be built somewhere: %w", err)
	}
	sum := sha256.Sum256([]byte(p.Package))
	dir := filepath.Join(cache, "ishaa", "programs", hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "lock")) // two builds into one file would get into each other's way
	if err != nil {
		return "", err
	}
	defer unlock()
	file := filepath.Join(dir, p.Name())
	return file, p.Build(ctx, file)
}
