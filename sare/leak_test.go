package sare

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Attempts to get somebody else's answer, or one that is not what the handler gives, out of the memory. Every route is
// remembered from its first request on, without proof or trial: only legality and keys stand in the way. Each attempt is
// sent to the same program without the engine too, and every answer has to be the same.

// attempt is a program and the requests that are sent to it, in order, twice over.
type attempt struct {
	name    string
	program func(app *ishaa.App)
	send    []func() *http.Request
	hits    int // that memory has to give at least for the attempt to mean anything; -1 for none at all
}

func gets(targets ...string) (list []func() *http.Request) {
	for _, target := range targets {
		list = append(list, func() *http.Request { return ask("GET", target) })
	}
	return list
}

// twice is a GET of /x with either value of a header.
func twice(header, one, two string) []func() *http.Request {
	return []func() *http.Request{request("GET", "/x", header, one), request("GET", "/x", header, two)}
}

func request(method, target string, headers ...string) func() *http.Request {
	return func() *http.Request { return ask(method, target, headers...) }
}

func withBody(contentType, body string) func() *http.Request {
	return func() *http.Request {
		r := httptest.NewRequest("GET", "/x", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		return r
	}
}

func from(peer, target string, headers ...string) func() *http.Request {
	return func() *http.Request {
		r := ask("GET", target, headers...)
		r.RemoteAddr = peer
		return r
	}
}

// at registers one handler at /x.
func at(h ishaa.Handler, options ...ishaa.RouteOption) func(*ishaa.App) {
	return func(app *ishaa.App) { app.Get("/x", h, options...) }
}

// says answers with a text that is worked out from the request.
func says(text func(r *ishaa.Request) string, options ...ishaa.RouteOption) func(*ishaa.App) {
	return at(func(r *ishaa.Request) (any, error) { return ishaa.Text(text(r)), nil }, options...)
}

// counting gives another answer each time.
func counting(answer func(n int) (any, error)) func(*ishaa.App) {
	return func(app *ishaa.App) {
		n := 0
		app.Get("/x", func(*ishaa.Request) (any, error) { n++; return answer(n) })
	}
}

// with gives another answer each time, with a header.
func with(name, value string) func(*ishaa.App) {
	return counting(func(n int) (any, error) { return ishaa.Text(fmt.Sprint("answer ", n)).WithHeader(name, value), nil })
}

func TestLeakAttempts(t *testing.T) {
	attempts := slices.Concat(identityAttempts(), answerAttempts(), keyAttempts(), inputAttempts())
	if len(attempts) < 60 {
		t.Fatalf("there are %d attempts", len(attempts))
	}
	total := 0
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			plain, _ := program(t, a, false)
			remembering, e := program(t, a, true)
			for _, w := range e.all() {
				if w.route == nil {
					continue
				}
				if m := force(t, e, w.route.Pattern()); m != nil {
					m.ttl.Store(int64(time.Hour)) // a slow machine is no reason to forget
				}
			}
			for range 2 {
				for i, send := range a.send {
					want, got := answerOf(plain, send()), answerOf(remembering, send())
					if want.Code != got.Code || want.Body.String() != got.Body.String() || !reflect.DeepEqual(want.Header(), got.Header()) {
						t.Errorf("request %d (%s)\nwithout the engine: %d %v\n%.300q\nwith it: %d %v\n%.300q", i, send().URL,
							want.Code, want.Header(), want.Body, got.Code, got.Header(), got.Body)
					}
				}
			}
			hits := int(e.Stats().Hits)
			if a.hits == -1 && hits > 0 || hits < a.hits {
				t.Errorf("%d answers came from memory, the attempt expects %d", hits, a.hits)
			}
			total += hits
		})
	}
	t.Logf("%d attempts, %d answers from memory", len(attempts), total)
}

func program(t *testing.T, a attempt, engine bool) (*ishaa.App, *Engine) {
	config := quiet
	config.TrustedProxies = []string{"192.0.2.1"}
	app := ishaa.New("lab", config)
	app.Without(ishaa.DefaultRequestID, ishaa.DefaultAccessLog)
	var e *Engine
	if engine {
		e = Enable(app, Options{OptimizeInterval: never, lot: seededLot(1)})
	}
	a.program(app)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return app, e
}
