//go:build unix

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// refusedNames are the cases that JSONTestSuite wants accepted and the framework refuses: a name that occurs twice is
// well-formed (RFC 8259 §4), but two programs that read different ones of the pair can be played against each other.
var refusedNames = []string{
	"y_object_duplicated_key.json 400",
	"y_object_duplicated_key_and_value.json 400",
}

func TestJSONTestSuite(t *testing.T) {
	testenv.Python(t)
	testenv.Conformance(t)
	output := battery(t, "json/run.py", start(t).URL("http")+"/_x/json")
	expectFailures(t, output, refusedNames, 318)
}

// expectFailures compares a battery's failed checks with those that are known, of so many in all. A known one that
// passes is an error too: it is to be taken off the list.
func expectFailures(t *testing.T, output string, known []string, total int) {
	t.Helper()
	expected := map[string]bool{}
	for _, name := range known {
		expected[name] = true
	}
	for _, name := range failures(output) {
		if !expected[name] {
			t.Errorf("failed: %s", name)
		}
		delete(expected, name)
	}
	for name := range expected {
		t.Errorf("passes, so it is no exception any more: %s", name)
	}
	want := fmt.Sprintf("%d passed, %d failed", total-len(known), len(known))
	if !strings.Contains(output, want) {
		t.Errorf("want %s; the battery says:\n%s", want, output)
	}
}
