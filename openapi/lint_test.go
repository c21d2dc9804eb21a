package openapi_test

import (
	"os"
	"os/exec"
	"testing"
)

// The tools that people use on documents find nothing: see lint/run.sh.
func TestLint(t *testing.T) {
	if os.Getenv("ISHAA_TEST_LONG") == "" {
		t.Skip("takes minutes and the registries of npm and Go: set ISHAA_TEST_LONG=1")
	}
	for _, program := range []string{"sh", "node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not here", program)
		}
	}
	out, err := exec.CommandContext(t.Context(), "sh", "lint/run.sh").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
