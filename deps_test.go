package ishaa_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The root package, the engines and all they import are the standard library and this
// module: a program that needs no battery has no dependency but Ishaa.
func TestDependencies(t *testing.T) {
	const module = "github.com/ishaa-framework/ishaa"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}",
		".", "./server", "./schema", "./effect", "./template", "./middleware", "./store", "./sare", "./rmf", "./seqp").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 2 {
		t.Fatalf("go list gives %q", out)
	}
	for _, path := range packages {
		if path != module && !strings.HasPrefix(path, module+"/") {
			t.Errorf("what needs the standard library only depends on %s", path)
		}
	}
}
