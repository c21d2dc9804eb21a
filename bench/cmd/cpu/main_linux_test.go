package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/cpu"
)

func TestMain(m *testing.M) {
	cpu.ServeIfAsked()
	os.Exit(m.Run())
}

func TestIdle(t *testing.T) {
	var out strings.Builder
	if err := run([]string{"-idle", "200", "-peers", "nethttp,server"}, &out); err != nil || strings.Count(out.String(), " KiB |") != 2 {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

func TestRun(t *testing.T) {
	small := []string{"-rounds", "2", "-requests", "200", "-connections", "4"}
	for _, test := range []struct {
		name, fails string
		args        []string
		rows        int
	}{
		{"chosen peers", "", []string{"-peers", "nethttp,fasthttp"}, 2},
		{"a control", "", []string{"-peers", "nethttp,nethttp"}, 2},
		{"two works", "", []string{"-peers", "nethttp,gin", "-work", "plain,param"}, 4},
		{"another work", "", []string{"-peers", "nethttp,server", "-work", "page"}, 2},
		{"a bound that holds", "", []string{"-peers", "nethttp,gin", "-bound", "gin=100"}, 2},
		{"a bound that is broken", "gin costs", []string{"-peers", "nethttp,gin", "-bound", "gin=0.001"}, 2},
		{"a bound of nobody", "was not measured", []string{"-peers", "nethttp,gin", "-bound", "echo=1"}, 2},
		{"a bound without a number", "ishaa=1.05", []string{"-bound", "gin"}, 0},
		{"an unknown work", "no work", []string{"-work", "tea"}, 0},
		{"an unknown peer", "nobody", []string{"-peers", "nobody"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "out.json")
			var out strings.Builder
			err := run(append(append(small, "-json", file), test.args...), &out)
			if test.fails == "" && err != nil {
				t.Fatal(err)
			}
			if test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Errorf("error %v, want one with %q", err, test.fails)
			}
			if got := strings.Count(out.String(), " MiB |\n"); got != test.rows {
				t.Errorf("%d rows, want %d:\n%s", got, test.rows, out.String())
			}
			if test.rows == 0 {
				return
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var reports []cpu.Report
			if err := json.Unmarshal(text, &reports); err != nil || len(reports[0].Rows[0].Samples) != 2 {
				t.Errorf("the file does not have the samples: %v\n%s", err, text)
			}
		})
	}
}
