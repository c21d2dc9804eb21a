package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

var snapshotKey = ishaa.NewKey[string]("user")

// everything answers with all that a handler may read.
func everything(r *ishaa.Request) (any, error) {
	body, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	user, _ := snapshotKey.Lookup(r)
	cookie, _ := r.Cookie("c")
	return fmt.Sprint(r.Method(), r.URL(), r.Host(), r.Scheme(), r.Client(), r.Param("name"), r.ParamInt("id"), r.QueryValues(),
		r.HeaderValues("X-Several"), cookie, r.ID(), r.Route(), user, string(body)), nil
}

// A snapshot answers as its request did, after that has ended, any number of times,
// on any goroutine.
func TestSnapshotIsTheRequest(t *testing.T) {
	for _, c := range []struct {
		name string
		body requestOption
	}{
		{"no body", func(*http.Request) {}},
		{"a body", withBody("text/plain", "the body")},
		{"a body of unknown length", withChunks("text/plain", "the body")},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t, ishaa.Config{TrustedProxies: []string{"192.0.2.1"}})
			app.Before(func(r *ishaa.Request) (any, error) { snapshotKey.Set(r, "ada"); return nil, nil })
			var snapshot *ishaa.Snapshot
			app.Post("/<int:id>/<name>", func(r *ishaa.Request) (any, error) {
				var err error
				if snapshot, err = r.Snapshot(100); err != nil {
					return nil, err
				}
				snapshotKey.Set(r, "changed later")
				snapshotKey.Set(r, "ada")
				return everything(r)
			})
			answer := do(t, app, "POST", "http://shop.example/7/caf%C3%A9?q=1&q=2", withHeader("X-Several", "1"), withHeader("X-Several", "2"),
				withHeader("Cookie", "c=1"), withHeader("X-Forwarded-For", "203.0.113.9"), withHeader("X-Forwarded-Proto", "https"), c.body).want(t, 200)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					for range 20 {
						rendered, err := snapshot.Run(context.Background(), everything)
						if err != nil || string(rendered.Bytes()) != answer.body {
							t.Errorf("Run gives %v, %v; the answer was %s", rendered, err, answer.body)
							return
						}
					}
				})
			}
			group.Wait()
		})
	}
}

func TestSnapshotAnswers(t *testing.T) {
	noLeaks(t)
	closed := make(chan struct{}, 1)
	for _, c := range []struct {
		name string
		h    ishaa.Handler
		want string // status, type and body
		err  error
	}{
		{"a value", func(*ishaa.Request) (any, error) { return map[string]int{"n": 1}, nil }, `200 application/json {"n":1}`, nil},
		{"nothing", func(*ishaa.Request) (any, error) { return nil, nil }, "204  ", nil},
		{"a status", func(r *ishaa.Request) (any, error) { r.Response().SetStatus(202); return ishaa.Text("x"), nil }, "202 text/plain; charset=utf-8 x", nil},
		{"an error", fails(ishaa.NotFound("no album")), `404 application/problem+json {"title":"Not Found","status":404,"detail":"no album"}`, nil},
		{"an error of a type with a handler", fails(&outOfStock{"vinyl"}), "409 text/plain; charset=utf-8 sorry, vinyl", nil},
		{"a panic", func(*ishaa.Request) (any, error) { panic("no") }, `500 application/problem+json {"title":"Internal Server Error","status":500}`, nil},
		{"a panic with what cannot be compared", func(*ishaa.Request) (any, error) { panic([]int{1}) }, `500 application/problem+json {"title":"Internal Server Error","status":500}`, nil},
		{"a connection that is cut", func(*ishaa.Request) (any, error) { panic(http.ErrAbortHandler) }, "", http.ErrAbortHandler},
		{"a sequence", func(*ishaa.Request) (any, error) { return slices.Values([]int{1}), nil }, "", ishaa.ErrStreamed},
		{"a reader", func(*ishaa.Request) (any, error) { return &closingReader{closed: closed}, nil }, "", ishaa.ErrStreamed},
		{"a net/http handler", func(*ishaa.Request) (any, error) { return ishaa.Serve(http.NotFoundHandler()), nil }, "", ishaa.ErrStreamed},
	} {
		for _, recovers := range []bool{true, false} {
			t.Run(fmt.Sprint(c.name, ", recovery ", recovers), func(t *testing.T) {
				app := newApp(t)
				if !recovers {
					app.Without(ishaa.DefaultRecover)
				}
				ishaa.OnError(app, func(_ *ishaa.Request, err *outOfStock) (any, error) { return ishaa.Text("sorry, " + err.item), nil })
				var snapshot *ishaa.Snapshot
				app.Get("/", func(r *ishaa.Request) (_ any, err error) { snapshot, err = r.Snapshot(0); return "live", err })
				do(t, app, "GET", "/").wantBody(t, 200, "live")
				rendered, err := snapshot.Run(t.Context(), c.h)
				if !errors.Is(err, c.err) || (rendered == nil) != (c.err != nil) {
					t.Fatalf("Run gives %v, %v", rendered, err)
				}
				if rendered != nil {
					same(t, "answer", fmt.Sprint(rendered.Status(), " ", rendered.Header().Get("Content-Type"), " ", string(rendered.Bytes())), c.want)
				}
			})
		}
	}
	for range 2 {
		receive(t, "the reader that nobody read is closed", closed)
	}
}

type closingReader struct{ closed chan struct{} }

func (*closingReader) Read([]byte) (int, error) { return 0, io.EOF }

func (c *closingReader) Close() error {
	go func() { c.closed <- struct{}{} }()
	return nil
}

func TestSnapshotBodies(t *testing.T) {
	for _, c := range []struct {
		name string
		body requestOption
		read func(*ishaa.Request) error
		max  int64
		says string
	}{
		{"as large as allowed", withBody("text/plain", "12345"), nil, 5, ""},
		{"larger", withBody("text/plain", "12345"), nil, 4, "larger than 4 bytes"},
		{"larger, of unknown length", withChunks("text/plain", "12345"), nil, 4, "larger than 4 bytes"},
		{"larger than the route takes", withChunks("text/plain", strings.Repeat("x", 101)), nil, 1000, "limit of 100 bytes"},
		{"read before", withBody("text/plain", "12345"), func(r *ishaa.Request) error { _, err := r.Text(); return err }, 5, ""},
		{"read as a form", withBody("application/x-www-form-urlencoded", "a=1"), func(r *ishaa.Request) error { _, err := r.Form(); return err }, 5, "read as a form"},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := newApp(t)
			app.Post("/", func(r *ishaa.Request) (any, error) {
				if c.read != nil {
					if err := c.read(r); err != nil {
						t.Error(err)
					}
				}
				snapshot, err := r.Snapshot(c.max)
				if c.says != "" {
					if err == nil || !strings.Contains(err.Error(), c.says) {
						t.Errorf("Snapshot: %v, want %q", err, c.says)
					}
					return nil, nil
				}
				if err != nil {
					t.Errorf("Snapshot: %v", err)
					return nil, err
				}
				for range 2 {
					rendered, err := snapshot.Run(t.Context(), func(r *ishaa.Request) (any, error) { return r.Bytes() })
					if err != nil || string(rendered.Bytes()) != "12345" {
						t.Errorf("Run gives %v, %v", rendered, err)
					}
				}
				return r.Text() // the request itself still has its body
			}, ishaa.BodyLimit(100))
			res := do(t, app, "POST", "/", c.body)
			if c.says == "" {
				res.wantBody(t, 200, "12345")
			}
		})
	}
}

// A snapshot lives in the context that it is run with, shadow and deadline included.
func TestSnapshotContext(t *testing.T) {
	type contextKey struct{}
	app := newApp(t)
	var snapshot *ishaa.Snapshot
	app.Get("/", func(r *ishaa.Request) (_ any, err error) { snapshot, err = r.Snapshot(0); return nil, err })
	do(t, app, "GET", "/").want(t, 204)
	var intents []string
	ctx := effect.WithShadow(context.WithValue(t.Context(), contextKey{}, "engine's"), effect.RecorderFunc(func(i effect.Intent) {
		intents = append(intents, i.Kind)
	}))
	ctx, cancel := context.WithCancel(ctx)
	sent := false
	if _, err := snapshot.Run(ctx, func(r *ishaa.Request) (any, error) {
		if !effect.Intend(r.Context(), effect.Intent{Kind: "mail"}) || r.Context().Value(contextKey{}) != "engine's" {
			t.Error("the handler does not have the context of Run")
		}
		if found := ishaa.FromContext(r.Context()); found != r {
			t.Errorf("the context belongs to %p, not to %p", found, r)
		}
		r.OnSent(func() { sent = true })
		cancel()
		<-r.Context().Done()
		return nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	same(t, "intents", intents, []string{"mail"})
	if !sent {
		t.Error("what is to happen after the answer did not")
	}
}

// A request to one variant can be answered as one to another.
func TestSnapshotForAVariant(t *testing.T) {
	app := newApp(t)
	inner := map[string]ishaa.Handler{}
	var snapshot *ishaa.Snapshot
	handler := func(r *ishaa.Request) (any, error) {
		if _, err := r.Bytes(); err != nil {
			return nil, err
		}
		return r.Route().VariantName() + " " + r.Param("name"), nil
	}
	first := ishaa.SelectorFunc(func(*ishaa.Request, *ishaa.Route) int { return 0 })
	app.Post("/<name>", func(r *ishaa.Request) (any, error) {
		if snapshot == nil {
			var err error
			if snapshot, err = r.Snapshot(100); err != nil {
				return nil, err
			}
		}
		return handler(r)
	}, ishaa.Variant("side", "large"), ishaa.SelectBy(first), ishaa.BodyLimit(100))
	small := app.Post("/<name>", handler, ishaa.Variant("side", "small"), ishaa.BodyLimit(10))
	other := app.Get("/<name>", handler)
	app.Intercept(namedInner(inner))
	do(t, app, "POST", "/ada", withBody("text/plain", "twelve bytes")).wantBody(t, 200, "large ada")

	run := func(s *ishaa.Snapshot, variant string) string {
		rendered, err := s.Run(t.Context(), inner[variant])
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rendered.Status(), " ", string(rendered.Bytes()))
	}
	same(t, "the variant that answered", run(snapshot, "large"), "200 large ada")
	asSmall, err := snapshot.For(small)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the other one", run(asSmall, "small"), `413 {"title":"Request Entity Too Large","status":413,"detail":"the body is larger than the limit of 10 bytes"}`)
	same(t, "the first once more", run(snapshot, "large"), "200 large ada")
	if _, err := snapshot.For(other); err == nil || !strings.Contains(err.Error(), "snapshot_test.go:") {
		t.Errorf("For another route: %v", err)
	}
}

// namedInner keeps what lies below the innermost layer, by the variant's name.
type namedInner map[string]ishaa.Handler

func (namedInner) Layer() ishaa.Layer { return ishaa.Innermost }

func (n namedInner) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	n[route.VariantName()] = next
	return next
}
