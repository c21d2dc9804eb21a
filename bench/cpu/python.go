package cpu

import (
	_ "embed"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// Frameworks of Python do Plain and JSON, for scale. They run by python3 and the modules that Debian packages.

//go:embed python.py
var pythonProgram string

// pythonModules are what the frameworks import, which pip and Debian's python3-… packages install.
var pythonModules = map[string][]string{
	"flask": {"flask", "waitress"}, "django": {"django", "waitress"}, "fastapi": {"fastapi", "uvicorn"},
}

// Python returns the frameworks of Python by name.
func Python() []string { return []string{"fastapi", "flask", "django"} }

// PythonDoes reports whether a peer is one of Python's, and whether it does a work.
func PythonDoes(peer string, w peers.Work) (known, does bool) {
	return pythonModules[peer] != nil, pythonModules[peer] != nil && (w == peers.Plain || w == peers.JSON)
}

// PythonInstalled reports whether there is a python3 that has what a framework needs.
func PythonInstalled(framework string) bool {
	_, err := pythonWith(framework)
	return err == nil
}

// pythonWith returns a python3 that has the modules of a framework: the one in PATH, or the system's, which Debian's
// packages belong to.
func pythonWith(framework string) (string, error) {
	var failed []error
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		err := exec.Command(name, "-c", "import "+strings.Join(pythonModules[framework], ", ")).Run()
		if err == nil {
			return name, nil
		}
		failed = append(failed, fmt.Errorf("%s: %w", name, err))
	}
	packages := pythonModules[framework]
	return "", fmt.Errorf("no python3 has %s: install Debian's packages python3-%s: %w",
		strings.Join(packages, " and "), strings.Join(packages, " and python3-"), errors.Join(failed...))
}

func pythonCommand(framework string, w peers.Work) (*exec.Cmd, error) {
	if _, does := PythonDoes(framework, w); !does {
		return nil, fmt.Errorf("%s is here for plain and json only, not for %q", framework, w)
	}
	python, err := pythonWith(framework)
	if err != nil {
		return nil, err
	}
	return exec.Command(python, "-c", pythonProgram, framework, string(w)), nil
}

// pythonVersion is the version of a framework that is installed, or "".
func pythonVersion(framework string) string {
	python, err := pythonWith(framework)
	if err != nil {
		return ""
	}
	out, err := exec.Command(python, "-c", "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))", framework).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
