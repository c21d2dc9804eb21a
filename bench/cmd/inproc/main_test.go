package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name, fails string
		args        []string
		tables      int
	}{
		{"one group", "", []string{"-group", "lookup/github", "-baseline", "gin"}, 1},
		{"a bound that holds", "", []string{"-group", "serve/plain", "-bound", "gin=1000"}, 1},
		{"a bound that is broken", "gin costs", []string{"-group", "serve/plain", "-bound", "gin=0.0001"}, 1},
		{"a bound of nobody", "nobody has a bound", []string{"-group", "serve/plain", "-bound", "nobody=1"}, 1},
		{"growth", "", []string{"-growth", "ishaa", "-bound", "ishaa=1000"}, 2},
		{"growth of nobody", "no group", []string{"-growth", "nobody"}, 0},
		{"an unknown group", "no group", []string{"-group", "tea"}, 0},
		{"an unknown baseline", "there is no", []string{"-group", "serve/plain", "-baseline", "tea"}, 0},
		{"a bound without a number", "ishaa=1.05", []string{"-bound", "ishaa=fast"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := run(append([]string{"-rounds", "2", "-round", "100us"}, test.args...), &out)
			if test.fails == "" && err != nil {
				t.Fatal(err)
			}
			if test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v, want one with %q", err, test.fails)
			}
			if got := strings.Count(out.String(), "|---|"); got != test.tables {
				t.Errorf("%d tables, want %d:\n%s", got, test.tables, out.String())
			}
		})
	}
}
