package server_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The package and all it imports are the standard library and this module.
func TestDependencies(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) == 0 {
		t.Fatalf("go list gives %q", out)
	}
	for _, path := range packages {
		if !strings.HasPrefix(path, "github.com/ishaa-framework/ishaa/") {
			t.Errorf("package server depends on %s", path)
		}
	}
}
