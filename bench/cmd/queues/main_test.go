package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"-group", "tasks/sqlite", "-rounds", "2", "-round", "1ms"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"tasks/sqlite", "| river |", "| ishaa |"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("there is no %q in\n%s", part, &out)
		}
	}
	if err := run([]string{"-group", "tasks/sqlite", "-rounds", "6", "-round", "1ms", "-bound", "ishaa=0.0001"}, &out); err == nil {
		t.Error("a bound that nobody meets is met")
	}
	for _, args := range [][]string{{"-group", "none"}, {"-baseline", "none", "-group", "tasks/sqlite"}, {"-bound", "x"}} {
		if err := run(args, &out); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
