package sare

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// A slow route whose answers come again goes through all gates, and then is answered from memory.
func TestFourGates(t *testing.T) {
	var runs atomic.Int64 // comparisons and renewals run beside one another
	l := newLab(t, Options{}, func(l *lab) {
		l.app.Get("/list/<page>", func(r *ishaa.Request) (any, error) {
			runs.Add(1)
			effect.Read(r.Context(), t.Name(), "things")
			l.clock.Advance(2 * time.Millisecond)
			return "page " + r.Param("page"), nil
		})
	})
	pages := func(i int) string { return fmt.Sprint("/list/", i%10) }
	l.second(4, pages)
	if phase := l.route("/list/<page>").s.phase; phase != watching {
		t.Fatalf("after 4 requests the route is %s", phase)
	}
	l.until("/list/<page>", proving, 100, pages)
	if n := runs.Load(); n != int64(l.sent) {
		t.Errorf("before the proof, %d of %d requests reached the handler", n, l.sent)
	}
	l.until("/list/<page>", trying, 100, pages)
	l.until("/list/<page>", keeping, 100, pages)
	w := l.route("/list/<page>")
	before := w.cached.Load()
	l.second(100, pages)
	if hits := w.cached.Load() - before; hits < 90 {
		t.Errorf("%d of 100 requests to a route that is kept are answered from memory", hits)
	}
	if w.s.gain < .5 {
		t.Errorf("the trial saw a gain of %.2f", w.s.gain)
	}
	x, err := l.e.Explain("/list/<page>")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"begins to be proven", "on trial with half", "memory: kept", "decision", "sare.proof: keep", "sare.trial: keep"} {
		if !strings.Contains(x.String(), want) {
			t.Errorf("the explanation does not say %q:\n%s", want, x)
		}
	}
	for ttl := time.Duration(w.memo.ttl.Load()); ttl < 30*time.Second; ttl = time.Duration(w.memo.ttl.Load()) {
		l.second(100, pages)
		if l.sent > 50_000 {
			t.Fatalf("after %d requests an answer counts for %v", l.sent, ttl)
		}
	}
	effect.Wrote(t.Name(), "things")
	at := runs.Load()
	l.get("/list/1")
	if runs.Load() == at {
		t.Error("after a write the answer came from memory")
	}
}
