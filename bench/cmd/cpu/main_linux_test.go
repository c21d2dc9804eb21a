package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/cpu"
	"github.com/ishaa-framework/ishaa/bench/peers"
	"github.com/ishaa-framework/ishaa/internal/testenv"
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

// One command makes every table and picture.
func TestTables(t *testing.T) {
	testenv.PythonWith(t, "flask")
	testenv.PythonWith(t, "fastapi")
	testenv.PythonWith(t, "uvicorn")
	testenv.PythonWith(t, "django")
	testenv.PythonWith(t, "waitress")
	list := allExperiments(cpu.Options{Rounds: 2, Requests: 100, Connections: 4, Pipeline: 1})
	names := map[string]bool{}
	for _, o := range list {
		for _, name := range o.Peers {
			names[name] = true
		}
	}
	for _, name := range append(cpu.Python(), "ishaa", "nethttp", "gin", "echo", "chi", "fiber", "hertz", "fasthttp") {
		if !names[name] {
			t.Errorf("%s is in no table", name)
		}
	}
	if want := len(peers.Works()) + 1; len(list) != want {
		t.Errorf("%d tables, want one for each work and one for pipelined requests: %d", len(list), want)
	}
	folder := t.TempDir()
	var out strings.Builder
	for _, work := range []string{"plain", "json"} { // Python's only two
		if err := run([]string{"-peers", "nethttp,fastapi,flask,django", "-work", work, "-rounds", "2", "-requests", "100", "-connections", "4", "-svg", folder}, &out); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(out.String(), "| – | – |") != 6 {
		t.Errorf("not all frameworks are there:\n%s", out.String())
	}
	for _, work := range []string{"plain", "json"} {
		if picture, err := os.ReadFile(filepath.Join(folder, work+".svg")); err != nil || !strings.Contains(string(picture), "django") {
			t.Errorf("%s: %v\n%s", work, err, picture)
		}
	}
	if err := run([]string{"-peers", "nethttp,flask", "-work", "typed"}, &out); err == nil || !strings.Contains(err.Error(), "plain and json only") {
		t.Errorf("a work that Flask does not do here: %v", err)
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
