package seqp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/seqp"
)

// told runs the application's command seqp.
func told(t *testing.T, app *ishaa.App, word string) (string, error) {
	t.Helper()
	for _, c := range app.Commands() {
		if c.Name == "seqp" {
			var out bytes.Buffer
			err := c.Run(context.Background(), app, []string{word}, &out)
			return out.String(), err
		}
	}
	t.Fatal("the application has no command seqp")
	return "", nil
}

// serve has a release of the shop answer for some windows, and stops it.
func serve(t *testing.T, state, release string, windows int, fail bool) {
	t.Helper()
	app, _, clock := shop(&fail, nil, seqp.Options{State: state, Release: release})
	t.Run(release, func(t *testing.T) { // the client stops the application with the test
		client := ishaatest.New(t, app)
		for range windows {
			for range 20 {
				client.Post("/payment")
			}
			clock.BlockUntil(t, 1)
			clock.Advance(time.Minute)
			clock.BlockUntil(t, 1)
		}
	})
}

// evidence is what the command prints.
func evidenceOf(t *testing.T, state string) seqp.Evidence {
	t.Helper()
	fail := false
	app, _, _ := shop(&fail, nil, seqp.Options{State: state})
	text, err := told(t, app, "evidence")
	if err != nil {
		t.Fatal(err)
	}
	var e seqp.Evidence
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return e
}

func TestEvidenceComparesReleases(t *testing.T) {
	state := t.TempDir() + "/drift.json"
	serve(t, state, "one", 12, false)
	serve(t, state, "taken back", 2, true)
	serve(t, state, "two", 11, false)
	e := evidenceOf(t, state)
	if e.Release != "two" || e.Before != "taken back" || len(e.Routes) != 1 || e.Routes[0].Route != "POST /payment" || e.Limits.ErrorRate != .02 {
		t.Fatalf("%+v", e)
	}
	live := e.Routes[0].Live
	if live.Requests != 220 || live.Errors != 0 || len(live.Latency) != 11 || live.Latency[0] <= 0 {
		t.Errorf("the release did %+v", live)
	}
	if live.BaselineRequests != 240 || live.BaselineErrors != 0 || len(live.BaselineLatency) != 12 {
		t.Errorf("two windows of a release that was taken back are the baseline: %+v", live)
	}
	serve(t, state, "one", 1, false)
	if e := evidenceOf(t, state); e.Release != "one" || e.Routes[0].Live.Requests != 260 || e.Routes[0].Live.BaselineRequests != 220 {
		t.Errorf("back at the first release: %+v", e)
	}
}

func TestAFreezeIsLiftedByAPerson(t *testing.T) {
	dir := t.TempDir()
	state := dir + "/drift.json"
	fail := false
	app, pipeline, clock := shop(&fail, nil, seqp.Options{State: state, Release: "one"})
	client := ishaatest.New(t, app)
	window := func() {
		for range 50 {
			client.Post("/payment")
		}
		clock.BlockUntil(t, 1)
		clock.Advance(time.Minute)
		clock.BlockUntil(t, 1)
	}
	frozen := func() bool { _, frozen := pipeline.Drift.Frozen(); return frozen }
	window()
	fail = true
	for range 9 { // the tenth window writes the state
		window()
	}
	if !frozen() {
		t.Fatal("nine windows of failed payments froze nothing")
	}
	if e := evidenceOf(t, state); !strings.Contains(e.Frozen, "POST /payment") || len(e.Actions) == 0 {
		t.Errorf("the evidence does not tell of the freeze: %+v", e)
	}
	if e := pipeline.Evidence(); e.Frozen == "" || e.Release != "one" || e.Routes[0].Live.Errors != 450 {
		t.Errorf("%+v", e)
	}
	if err := os.WriteFile(state+".unfreeze", []byte("another freeze"), 0o600); err != nil {
		t.Fatal(err)
	}
	window()
	if !frozen() {
		t.Error("the lifting of another freeze lifted this one")
	}
	other, _, _ := shop(&fail, nil, seqp.Options{State: state}) // the command's process
	if out, err := told(t, other, "unfreeze"); err != nil || !strings.HasPrefix(out, "Lifted: POST /payment") {
		t.Errorf("%v: %s", err, out)
	}
	if e := evidenceOf(t, state); e.Frozen != "" {
		t.Errorf("it is lifted, and the evidence says %q", e.Frozen)
	}
	window()
	if frozen() {
		t.Error("the running program did not heed the person")
	}
	if _, err := os.Stat(state + ".unfreeze"); err == nil {
		t.Error("the file that lifted the freeze lies there for the next one")
	}
	if out, err := told(t, other, "unfreeze"); err != nil || !strings.Contains(out, "not frozen") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestTheCommandSaysWhatItNeeds(t *testing.T) {
	fail := false
	app, _, _ := shop(&fail, nil, seqp.Options{})
	if _, err := told(t, app, "evidence"); err == nil || !strings.Contains(err.Error(), "Options.State") {
		t.Errorf("without a file: %v", err)
	}
	if _, err := told(t, app, "thaw"); err == nil || !strings.Contains(err.Error(), "thaw") {
		t.Errorf("a word that there is not: %v", err)
	}
	if out, err := told(t, app, "help"); err != nil || !strings.Contains(out, "unfreeze") {
		t.Errorf("%v: %s", err, out)
	}
}

// Which reality answers is not a drift of the entry.
func TestRealitiesCountTogether(t *testing.T) {
	app := ishaa.New("shop")
	clock := ishaatest.NewClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	app.SetClock(clock)
	pipeline := seqp.Enable(app, seqp.Options{})
	hello := func(*ishaa.Request) (any, error) { return "hello", nil }
	turn := 0
	app.Get("/", hello, ishaa.Variant("front", "old"), ishaa.SelectBy(turns{&turn}))
	app.Get("/", hello, ishaa.Variant("front", "new"))
	client := ishaatest.New(t, app)
	for range 10 {
		client.Get("/").Status(200)
	}
	clock.BlockUntil(t, 1)
	clock.Advance(time.Minute)
	clock.BlockUntil(t, 1)
	if e := pipeline.Evidence(); len(e.Routes) != 1 || e.Routes[0].Live.Requests != 10 || len(e.Routes[0].Live.Latency) != 1 {
		t.Errorf("%+v", e)
	}
}

// turns has the realities of a route answer in turns.
type turns struct{ n *int }

func (s turns) Select(_ *ishaa.Request, route *ishaa.Route) int {
	*s.n++
	return *s.n % len(route.Variants())
}
