package evolve

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/seqp"
)

const shapes = `package p

var pick = func() int { return func() int { return 1 }() }()

type box[T any] struct{}

func (b *box[T]) put(x T) {
	go func() { _ = x }()
}

func (b box[T]) get() {}

func plain() {
	defer func() {
		func() {
		}()
	}()
	func() {
	}()
}
`

func TestFunctionsHaveTheNamesOfTheirRoutes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/p\n\ngo 1.26\n", "p.go": shapes} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, packages, err := readSpans(t.Context(), dir)
	if err != nil || len(packages) != 1 || packages[0].ImportPath != "example.com/p" {
		t.Fatalf("%+v, %v", packages, err)
	}
	const file = "example.com/p/p.go"
	for at, want := range map[place]string{
		{1, 1}: "", {3, 20}: "example.com/p.init$1", {3, 50}: "example.com/p.init$1$1",
		{7, 3}: "(*example.com/p.box).put", {8, 20}: "(*example.com/p.box).put$1", {11, 22}: "(example.com/p.box).get",
		{14, 2}: "example.com/p.plain", {14, 9}: "example.com/p.plain$1", {16, 1}: "example.com/p.plain$1$1", {18, 10}: "example.com/p.plain$2",
	} {
		if got := all.at(file, at); got != want {
			t.Errorf("%v is in %q, want %q", at, got, want)
		}
	}
	set := reached([]string{"(*example.com/p.box[int]).put", "example.com/p.plain$1"})
	if !set["(*example.com/p.box).put"] || !set["example.com/p.plain$1"] {
		t.Errorf("%v", set)
	}
	for function, want := range map[string]string{
		"plain": "example.com/p.plain", "(*box[T]).put": "(*example.com/p.box).put", "box[T].get": "(example.com/p.box).get",
	} {
		if got := qualified("example.com/p", function); got != want {
			t.Errorf("%s is %s, want %s", function, got, want)
		}
	}
	for function, want := range map[string]bool{
		"example.com/p.plain$1": true, "(*example.com/p.box).put": true, "example.com/p/q.plain": false, "(*example.com/p/q.T).M": false, "example.com/pq.plain": false,
	} {
		if within(function, "example.com/p") != want {
			t.Errorf("%s in example.com/p: %v", function, !want)
		}
	}
}

func TestTestsAreCounted(t *testing.T) {
	run := countTests([]byte(`{"Action":"pass","Package":"a","Test":"TestOne"}
{"Action":"pass","Package":"a","Test":"TestOne/part"}
{"Action":"fail","Package":"a","Test":"TestTwo"}
{"Action":"fail","Package":"a"}
not JSON
{"Action":"output","Package":"b","Output":"does not compile"}
{"Action":"fail","Package":"b"}
{"Action":"pass","Package":"c"}
{"Action":"skip","Package":"c","Test":"TestThree"}
`))
	if run != (seqp.Tests{Passed: 1, Failed: 2}) {
		t.Errorf("%+v", run)
	}
}

func TestAProfileIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cover.out")
	text := "mode: set\nexample.com/p/p.go:3.10,5.2 2 0\nexample.com/p/p.go:3.10,5.2 2 1\nexample.com/p/p.go:9.1,9.20 1 0\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := readProfile(file)
	want := []block{{"example.com/p/p.go", place{3, 10}, 2, true}, {"example.com/p/p.go", place{9, 1}, 1, false}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestBenchmarkLines(t *testing.T) {
	got := benchmarkLines([]byte("goos: linux\nBenchmarkPay-8   \t 120\t   9876.5 ns/op\t 3 B/op\nBenchmarkPay/big-8 2 1e+06 ns/op\nBenchmarkOne 	 5	 7 ns/op\nPASS\n"))
	if len(got) != 3 || got["BenchmarkPay"] != 9876.5 || got["BenchmarkPay/big"] != 1e6 || got["BenchmarkOne"] != 7 {
		t.Errorf("%v", got)
	}
}

// measured makes a release of one route and has it take evidence.
func measured(t *testing.T, build, live string) (*Release, error) {
	t.Helper()
	m := &measurement{ctx: context.Background(), options: MeasureOptions{Live: live, Token: "letmein"}, release: &Release{
		Build: build, Routes: []RouteRelease{{Route: "POST /pay", Level: "financial_core"}},
	}}
	err := m.live()
	return m.release, err
}

func TestEvidenceSpeaksForItsBuildOnly(t *testing.T) {
	e := seqp.Evidence{
		Release: "abc", Limits: seqp.Limits{LatencyDrift: .3, ErrorRate: .01}, Frozen: "POST /pay: it burns",
		Actions: []seqp.Action{{Name: seqp.StrictRollback, Route: "POST /pay"}},
		Routes:  []seqp.RouteEvidence{{Route: "POST /pay", Live: seqp.Live{Requests: 7}}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer letmein" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if err := json.NewEncoder(w).Encode(e); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	r, err := measured(t, "abc", server.URL)
	if err != nil || r.Frozen != e.Frozen || r.Limits != e.Limits || !r.Routes[0].Strict || r.Routes[0].Artefacts.Live.Requests != 7 {
		t.Errorf("%+v, %v", r, err)
	}
	verdict, err := r.Judge()
	if err != nil || verdict.Outcome != seqp.Fail || verdict.Frozen == "" {
		t.Errorf("a frozen release: %+v, %v", verdict, err)
	}
	if r, err = measured(t, "def", server.URL); err != nil || r.Routes[0].Artefacts.Live != nil || r.Frozen == "" || len(r.Notes) != 1 {
		t.Errorf("another build: %+v, %v", r, err)
	}
	for name, text := range map[string]string{"no JSON": "{", "something else": `{"routes": []}`} {
		file := filepath.Join(t.TempDir(), "evidence.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := measured(t, "abc", file); err == nil || !strings.Contains(err.Error(), "evidence") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := measured(t, "abc", server.URL+"\x00"); err == nil {
		t.Error("an address that is none")
	}
	server.Close()
	if _, err := measured(t, "abc", server.URL); err == nil {
		t.Error("a server that is gone is no evidence, and was taken for some")
	}
}

// Where drift asks for a strict rollback, half of the growth that was let pass fails.
func TestDriftTightensTheGuard(t *testing.T) {
	live := &seqp.Live{Requests: 10_000, BaselineRequests: 10_000}
	for i := range 30 {
		live.BaselineLatency = append(live.BaselineLatency, 0.100+0.0001*float64(i))
		live.Latency = append(live.Latency, 0.115+0.0001*float64(i))
	}
	r := Release{Routes: []RouteRelease{{Route: "GET /", Level: "standard", Artefacts: seqp.Artefacts{
		Tests: &seqp.Tests{Passed: 3}, Coverage: &seqp.Share{Part: 9, Whole: 10}, Live: live,
	}}}}
	for strict, want := range map[bool]seqp.Outcome{false: seqp.Pass, true: seqp.Fail} {
		r.Routes[0].Strict = strict
		if verdict, err := r.Judge(); err != nil || verdict.Outcome != want {
			t.Errorf("strict %v: %+v, %v", strict, verdict, err)
		}
	}
}
