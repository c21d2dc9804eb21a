package scaffold

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// Path is the framework's module path.
const Path = "github.com/ishaa-framework/ishaa"

// goVersion is what go.mod of a project asks for.
const goVersion = "1.26.0"

// Framework is where a project has the framework from: a checkout, or a published version.
type Framework struct {
	Checkout string // a folder, which becomes a replace line
	Version  string // such as "v1.2.0"; "latest" if the program does not know its own
}

// Locate finds the framework that this program is built from: the checkout that is named; the one that the working
// directory is in, as for "go run ./cmd/ishaa"; the one whose source the program was compiled from, unless that is the
// module cache; or else the version that the program was installed as.
func Locate(checkout string) (Framework, error) {
	if checkout != "" {
		dir, err := filepath.Abs(checkout)
		if err != nil {
			return Framework{}, err
		}
		if !isCheckout(dir) {
			return Framework{}, fmt.Errorf("%s is no checkout of the framework: its go.mod would say \"module %s\"", checkout, Path)
		}
		return Framework{Checkout: dir}, nil
	}
	if dir, err := os.Getwd(); err == nil {
		for {
			if isCheckout(dir) {
				return Framework{Checkout: dir}, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	version := "latest"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Path == Path && published(info.Main.Version) {
		version = info.Main.Version
	}
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) && !strings.Contains(filepath.ToSlash(file), Path+"@") {
		if dir := filepath.Dir(filepath.Dir(filepath.Dir(file))); isCheckout(dir) {
			return Framework{Checkout: dir}, nil
		}
	}
	return Framework{Version: version}, nil
}

// published tells versions that a proxy may have from those of a checkout.
func published(version string) bool {
	return strings.HasPrefix(version, "v") && !strings.Contains(version, "+dirty")
}

func isCheckout(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "module "+Path {
			return true
		}
	}
	return false
}

// require writes go.mod and go.sum of the project in dir, which is to stand in target. The notes say what is left to do.
func (f Framework) require(ctx context.Context, dir, target, module string) (notes []string, err error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("there is no go command: install Go " + goVersion + " or later from https://go.dev/dl")
	}
	if f.Checkout == "" {
		return f.requirePublished(ctx, dir, module)
	}
	modules, err := f.modules(ctx)
	if err != nil {
		return nil, err
	}
	sum, err := os.ReadFile(filepath.Join(f.Checkout, "go.sum"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		return nil, err
	}
	write := func(list []string, checkout string) error {
		return os.WriteFile(filepath.Join(dir, "go.mod"), f.mod(module, list, checkout), 0o644)
	}
	// All that the framework knows of is more than the project needs. The go command says what is needed.
	if err := write(modules, f.Checkout); err != nil {
		return nil, err
	}
	needed, err := used(ctx, dir)
	if err == nil {
		needed = slices.DeleteFunc(slices.Clone(modules), func(m string) bool { return !slices.Contains(needed, m) })
		if err = write(needed, f.Checkout); err == nil {
			_, err = used(ctx, dir)
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		needed = modules
		notes = append(notes, fmt.Sprintf("some modules are not in the module cache: %v; \"go mod tidy\" in the project gets them", err))
	}
	checkout := f.Checkout
	if relative, err := filepath.Rel(target, f.Checkout); err == nil && within(f.Checkout, target) {
		checkout = relative // both may be moved together
	}
	return notes, write(needed, checkout)
}

func within(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// mod is a go.mod. Modules are lines "path version".
func (f Framework) mod(module string, modules []string, checkout string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\nrequire %s v0.0.0\n", module, goVersion, Path)
	if len(modules) > 0 {
		fmt.Fprintf(&b, "\nrequire (\n")
		for _, m := range modules {
			fmt.Fprintf(&b, "\t%s // indirect\n", m)
		}
		fmt.Fprintf(&b, ")\n")
	}
	checkout = filepath.ToSlash(checkout)
	if strings.ContainsAny(checkout, " \t\"'`()") {
		checkout = fmt.Sprintf("%q", checkout)
	}
	fmt.Fprintf(&b, "\n// The framework is not a published one but a folder of this machine.\nreplace %s => %s\n", Path, checkout)
	return b.Bytes()
}

// modules are what the checkout's go.mod requires.
func (f Framework) modules(ctx context.Context) ([]string, error) {
	out, err := goCommand(ctx, f.Checkout, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, err
	}
	var list []string
	for _, r := range mod.Require {
		list = append(list, r.Path+" "+r.Version)
	}
	slices.Sort(list)
	return list, nil
}

// used are the modules of the packages that a project and its tests import, themselves or through others.
func used(ctx context.Context, dir string) ([]string, error) {
	out, err := goCommand(ctx, dir, "list", "-mod=readonly", "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./...")
	if err != nil {
		return nil, err
	}
	list := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(list)
	return slices.Compact(list), nil
}

// requirePublished has the go command find the modules, for which it needs a module proxy or a full cache.
func (f Framework) requirePublished(ctx context.Context, dir, module string) (notes []string, err error) {
	text := fmt.Sprintf("module %s\n\ngo %s\n", module, goVersion)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
		return nil, err
	}
	get := "go get " + Path + "@" + f.Version
	_, err = goCommand(ctx, dir, "get", Path+"@"+f.Version)
	if err == nil {
		_, err = goCommand(ctx, dir, "mod", "tidy")
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return []string{fmt.Sprintf("the modules could not be fetched: %v; run \"%s && go mod tidy\" in the project, or name a checkout with --replace", err, get)}, nil
	}
	return nil, nil
}

// goCommand runs the go command. Its error is the first line of what that printed.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		if text, _, _ := strings.Cut(strings.TrimSpace(failure.String()), "\n"); text != "" {
			return nil, errors.New(text)
		}
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out.Bytes(), nil
}
