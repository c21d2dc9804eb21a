package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// The dependencies of these tests write down what happens to them in a journal
// that travels in the request's context.

type depJournal struct{ lines []string }

func (j *depJournal) note(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

var journalKey = ishaa.NewKey[*depJournal]("journal")

func note(ctx context.Context, format string, args ...any) {
	if j, ok := journalKey.From(ctx); ok {
		j.note(format, args...)
	}
}

// depDB is at the bottom: everything else stands on it.
type depDB struct {
	ctx context.Context
	Tag string `bind:"-"`
}

func (d *depDB) Resolve(ctx context.Context) error {
	d.ctx, d.Tag = ctx, "db"
	note(ctx, "open db")
	return nil
}

func (d *depDB) Close(err error) error {
	note(d.ctx, "close db (%v)", err)
	return nil
}

type depUser struct {
	DB    *depDB
	Token string `header:"Authorization"`
	Name  string `bind:"-"`
	ctx   context.Context
}

func (d *depUser) Resolve(ctx context.Context) error {
	d.ctx = ctx
	note(ctx, "open user")
	if d.Token == "" {
		return ishaa.Unauthorized("sign in first")
	}
	d.Name = strings.TrimPrefix(d.Token, "Bearer ")
	return nil
}

func (d *depUser) Close(err error) error {
	note(d.ctx, "close user (%v)", err)
	return nil
}

type depPage struct {
	DB   *depDB
	Page int `query:"page" default:"1" minimum:"1"`
}

func (d *depPage) Resolve(ctx context.Context) error {
	note(ctx, "open page %d", d.Page)
	return nil
}

// depTrouble fails where its field says.
type depTrouble struct {
	At  string `query:"trouble"`
	ctx context.Context
}

func (d *depTrouble) Resolve(ctx context.Context) error {
	d.ctx = ctx
	note(ctx, "open trouble")
	switch d.At {
	case "resolve":
		return errors.New("trouble in Resolve")
	case "panic":
		panic("trouble in Resolve")
	case "conflict":
		return ishaa.Conflict("taken")
	}
	return nil
}

func (d *depTrouble) Close(err error) error {
	note(d.ctx, "close trouble (%v)", err)
	switch d.At {
	case "close":
		return errors.New("trouble in Close")
	case "panic in close":
		panic("trouble in Close")
	}
	return nil
}

// depApp returns an application that journals, without a log.
func depApp(t *testing.T) (*ishaa.App, *depJournal) {
	t.Helper()
	app := ishaa.New("dependencies", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	j := &depJournal{}
	app.Before(func(r *ishaa.Request) (any, error) { journalKey.Set(r, j); return nil, nil })
	app.After(func(r *ishaa.Request, res *ishaa.Response) error { j.note("after %d", res.Status()); return nil })
	return app, j
}

func depDo(app http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest("GET", target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, req)
	return w
}

type depAll struct {
	User    *depUser
	Page    *depPage
	DB      *depDB
	Trouble *depTrouble
	Then    string `query:"then"`
}

func depHandler(ctx context.Context, in *depAll) (string, error) {
	note(ctx, "handle")
	switch in.Then {
	case "error":
		return "", errors.New("handler failed")
	case "not found":
		return "", ishaa.NotFound("no such thing")
	case "panic":
		panic("handler panicked")
	}
	if in.DB != in.User.DB || in.DB != in.Page.DB {
		return "", errors.New("the database is not shared")
	}
	return in.User.Name, nil
}

func TestDependencyLife(t *testing.T) {
	const opened = "open db|open user|open page 1|open trouble|"
	for _, test := range []struct {
		name   string
		target string
		token  string
		status int
		want   string
	}{
		{"made once in order, closed in reverse", "/?x=1", "Bearer ada", 200,
			opened + "handle|close trouble (<nil>)|close user (<nil>)|close db (<nil>)|after 200"},
		{"closed with the handler's error", "/?then=error", "Bearer ada", 500,
			opened + "handle|close trouble (handler failed)|close user (handler failed)|close db (handler failed)|after 500"},
		{"closed with a problem", "/?then=not+found", "Bearer ada", 404,
			opened + "handle|close trouble (404 Not Found: no such thing)|close user (404 Not Found: no such thing)|close db (404 Not Found: no such thing)|after 404"},
		{"closed after a panic", "/?then=panic", "Bearer ada", 500,
			opened + "handle|close trouble (panic: handler panicked)|close user (panic: handler panicked)|close db (panic: handler panicked)|after 500"},
		{"one that refuses ends it", "/", "", 401,
			"open db|open user|close db (401 Unauthorized: sign in first)|after 401"},
		{"one that refuses goes before bad input", "/?page=zero", "", 401,
			"open db|open user|close db (401 Unauthorized: sign in first)|after 401"},
		{"its own input is bound", "/?page=7", "Bearer ada", 200,
			"open db|open user|open page 7|open trouble|handle|close trouble (<nil>)|close user (<nil>)|close db (<nil>)|after 200"},
		{"its own bad input is a 422", "/?page=0", "Bearer ada", 422,
			"open db|open user|close user (422 Unprocessable Entity: 1 value does not fit)|close db (422 Unprocessable Entity: 1 value does not fit)|after 422"},
		{"an error of Resolve is a 500", "/?trouble=resolve", "Bearer ada", 500,
			"open db|open user|open page 1|open trouble|close user (trouble in Resolve)|close db (trouble in Resolve)|after 500"},
		{"a problem of Resolve is answered as it is", "/?trouble=conflict", "Bearer ada", 409,
			"open db|open user|open page 1|open trouble|close user (409 Conflict: taken)|close db (409 Conflict: taken)|after 409"},
		{"a panic of Resolve is a 500", "/?trouble=panic", "Bearer ada", 500,
			"open db|open user|open page 1|open trouble|close user (panic: trouble in Resolve)|close db (panic: trouble in Resolve)|after 500"},
		{"an error of Close is a 500 and the others still close", "/?trouble=close", "Bearer ada", 500,
			opened + "handle|close trouble (<nil>)|close user (<nil>)|close db (<nil>)|after 500"},
		{"a panic of Close too", "/?trouble=panic+in+close", "Bearer ada", 500,
			opened + "handle|close trouble (<nil>)|close user (<nil>)|close db (<nil>)|after 500"},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, j := depApp(t)
			ishaa.Get(app, "/", depHandler)
			w := depDo(app, test.target, "Authorization", test.token)
			if test.token == "" {
				j.lines = nil
				w = depDo(app, test.target)
			}
			if w.Code != test.status {
				t.Errorf("status %d, want %d: %s", w.Code, test.status, w.Body)
			}
			if got := strings.Join(j.lines, "|"); got != test.want {
				t.Errorf("what happened\n got %s\nwant %s", got, test.want)
			}
			if test.status == 500 && strings.Contains(w.Body.String(), "trouble") {
				t.Errorf("the answer tells the client what failed: %s", w.Body)
			}
		})
	}
}

func TestDependencyOfStream(t *testing.T) {
	type input struct {
		DB   *depDB
		Fail bool `query:"fail"`
	}
	app, j := depApp(t)
	ishaa.Get(app, "/", func(ctx context.Context, in *input) (*ishaa.Response, error) {
		if in.Fail {
			return nil, errors.New("no stream today")
		}
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			note(ctx, "stream")
			_, err := io.WriteString(w, "x")
			return err
		}), nil
	})
	ishaa.Get(app, "/served", func(ctx context.Context, in *input) (*ishaa.Response, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { note(ctx, "serve") })), nil
	})
	for _, test := range []struct{ target, want string }{
		{"/", "open db|after 200|stream|close db (<nil>)"},
		{"/?fail=true", "open db|close db (no stream today)|after 500"},
		{"/served", "open db|after 0|serve|close db (<nil>)"},
	} {
		j.lines = nil
		depDo(app, test.target)
		if got := strings.Join(j.lines, "|"); got != test.want {
			t.Errorf("%s: what happened\n got %s\nwant %s", test.target, got, test.want)
		}
	}
}

func TestResolveFromUntypedHandlers(t *testing.T) {
	app, j := depApp(t)
	app.Before(func(r *ishaa.Request) (any, error) {
		if r.Path() == "/open" {
			return nil, nil
		}
		_, err := ishaa.Resolve[depUser](r)
		return nil, err
	})
	app.Get("/open", func(r *ishaa.Request) (any, error) { return "open", nil })
	app.Get("/", func(r *ishaa.Request) (any, error) {
		user, err := ishaa.Resolve[depUser](r)
		if err != nil {
			return nil, err
		}
		again, _ := ishaa.Resolve[depUser](r)
		return fmt.Sprintln(user.Name, user == again, user.DB.Tag), nil
	})
	type input struct{ User *depUser }
	ishaa.Get(app, "/typed", func(_ context.Context, in *input) (string, error) { return in.User.Name, nil })
	app.Get("/wrong", func(r *ishaa.Request) (any, error) {
		_, err := ishaa.Resolve[depJournal](r)
		return nil, err
	})
	for _, test := range []struct {
		target, token, body, want string
		status                    int
	}{
		{"/", "Bearer ada", "ada true db\n", "open db|open user|close user (<nil>)|close db (<nil>)|after 200", 200},
		{"/typed", "Bearer ada", "ada", "open db|open user|close user (<nil>)|close db (<nil>)|after 200", 200},
		{"/open", "", "open", "after 200", 200},
		{"/wrong", "Bearer ada", "", "", 500},
	} {
		j.lines = nil
		w := depDo(app, test.target, "Authorization", test.token)
		if w.Code != test.status || test.body != "" && w.Body.String() != test.body {
			t.Errorf("%s: %d %q", test.target, w.Code, w.Body)
		}
		if got := strings.Join(j.lines, "|"); test.want != "" && got != test.want {
			t.Errorf("%s: what happened\n got %s\nwant %s", test.target, got, test.want)
		}
	}
	j.lines = nil
	if w := depDo(app, "/"); w.Code != 401 {
		t.Errorf("without a token: %d", w.Code)
	}
	if got, want := strings.Join(j.lines, "|"), "open db|open user|close db (401 Unauthorized: sign in first)|after 401"; got != want {
		t.Errorf("what happened\n got %s\nwant %s", got, want)
	}
}

// A failed dependency fails again the same way, without being tried again.
func TestFailedDependencyIsNotRetried(t *testing.T) {
	app, j := depApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		_, first := ishaa.Resolve[depUser](r)
		_, second := ishaa.Resolve[depUser](r)
		return fmt.Sprint(first != nil && first == second), nil
	})
	if w := depDo(app, "/"); w.Body.String() != "true" {
		t.Errorf("got %q", w.Body)
	}
	if n := strings.Count(strings.Join(j.lines, "|"), "open user"); n != 1 {
		t.Errorf("it was resolved %d times", n)
	}
}

// Two requests do not share dependencies.
func TestDependenciesArePerRequest(t *testing.T) {
	app, _ := depApp(t)
	var seen []*depDB
	type input struct{ DB *depDB }
	ishaa.Get(app, "/", func(_ context.Context, in *input) (string, error) { seen = append(seen, in.DB); return "", nil })
	depDo(app, "/")
	depDo(app, "/")
	if len(seen) != 2 || seen[0] == seen[1] {
		t.Errorf("dependencies %v", seen)
	}
}

type depClock interface{ Tick() string }
type depTicker struct{ text string }

func (t *depTicker) Tick() string { return t.text }

type depOther struct{}

func (*depOther) Tick() string { return "other" }

type depTimed struct {
	Clock depClock
	T     *depTicker
}

func (*depTimed) Resolve(context.Context) error { return nil }

func TestProvide(t *testing.T) {
	type byPointer struct{ T *depTicker }
	type byInterface struct{ C depClock }
	type byDependency struct{ D *depTimed }
	type byRequest struct{ R *ishaa.Request }
	app := ishaa.New("provide", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Get(app, "/pointer", func(_ context.Context, in *byPointer) (string, error) { return in.T.Tick(), nil })
	ishaa.Get(app, "/interface", func(_ context.Context, in *byInterface) (string, error) { return in.C.Tick(), nil })
	ishaa.Get(app, "/dependency", func(_ context.Context, in *byDependency) (string, error) {
		return in.D.Clock.Tick() + in.D.T.Tick(), nil
	})
	ishaa.Get(app, "/request", func(_ context.Context, in *byRequest) (string, error) { return in.R.Path(), nil })
	app.Get("/untyped", func(r *ishaa.Request) (any, error) {
		d, err := ishaa.Resolve[depTimed](r)
		if err != nil {
			return nil, err
		}
		return d.T.Tick(), nil
	})
	ishaa.Provide(app, &depTicker{"tick"}) // after the routes: order does not matter
	for target, want := range map[string]string{
		"/pointer": "tick", "/interface": "tick", "/dependency": "ticktick", "/request": "/request", "/untyped": "tick",
	} {
		if w := depDo(app, target); w.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", target, w.Code, w.Body, want)
		}
	}
}

func TestProvideInterfaceByName(t *testing.T) {
	type input struct{ C depClock }
	app := ishaa.New("provide", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	ishaa.Provide(app, &depTicker{"tick"})
	ishaa.Provide(app, &depOther{})
	ishaa.Provide[depClock](app, &depTicker{"chosen"})
	ishaa.Get(app, "/", func(_ context.Context, in *input) (string, error) { return in.C.Tick(), nil })
	if w := depDo(app, "/"); w.Body.String() != "chosen" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}

type depMissing struct{ T *depTicker }

func (*depMissing) Resolve(context.Context) error { return nil }

func TestMissingProviderFailsAtStart(t *testing.T) {
	type direct struct{ T *depTicker }
	type nested struct{ D *depMissing }
	type ambiguous struct{ C depClock }
	quiet := ishaa.Config{Logger: slog.New(slog.DiscardHandler)}
	for _, test := range []struct {
		name string
		set  func(*ishaa.App)
		want []string
	}{
		{"of an input", func(app *ishaa.App) {
			ishaa.Get(app, "/x", func(context.Context, *direct) (string, error) { return "", nil })
		}, []string{"depend_test.go:", "GET /x", "direct.T", "nothing provides *ishaa_test.depTicker", "ishaa.Provide"}},
		{"of a dependency", func(app *ishaa.App) {
			ishaa.Get(app, "/x", func(context.Context, *nested) (string, error) { return "", nil })
		}, []string{"depend_test.go:", "depMissing.T", "nothing provides"}},
		{"ambiguous interface", func(app *ishaa.App) {
			ishaa.Provide(app, &depTicker{})
			ishaa.Provide(app, &depOther{})
			ishaa.Get(app, "/x", func(context.Context, *ambiguous) (string, error) { return "", nil })
		}, []string{"ambiguous.C", "2 provided values implement", "ishaa.Provide[ishaa_test.depClock]"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := ishaa.New("missing", quiet)
			test.set(app)
			err := app.Start(t.Context())
			if err == nil {
				t.Fatal("the application started")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

type depCircleA struct{ B *depCircleB }
type depCircleB struct{ C *depCircleC }
type depCircleC struct{ A *depCircleA }
type depSelf struct{ Self *depSelf }

func (*depCircleA) Resolve(context.Context) error { return nil }
func (*depCircleB) Resolve(context.Context) error { return nil }
func (*depCircleC) Resolve(context.Context) error { return nil }
func (*depSelf) Resolve(context.Context) error    { return nil }

type depBadTag struct {
	N chan int `query:"n"`
}

func (*depBadTag) Resolve(context.Context) error { return nil }

type depNeedsPath struct {
	ID int `path:"id"`
}

func (*depNeedsPath) Resolve(context.Context) error { return nil }

func TestDependencyMistakesStopTheProgram(t *testing.T) {
	type circle struct{ A *depCircleA }
	type self struct{ S *depSelf }
	type embeds struct{ depDB }
	type embedsPointer struct{ *depDB }
	type value struct{ DB depDB }
	type badTag struct{ D *depBadTag }
	type needsPath struct{ D *depNeedsPath }
	type plain struct{ Name string }
	for _, test := range []struct {
		name     string
		register func(*ishaa.App)
		want     []string
	}{
		{"a circle", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *circle) (string, error) { return "", nil })
		},
			[]string{"in a circle", "depCircleA → *ishaa_test.depCircleB → *ishaa_test.depCircleC → *ishaa_test.depCircleA"}},
		{"a circle of one", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *self) (string, error) { return "", nil })
		},
			[]string{"in a circle", "depSelf → *ishaa_test.depSelf"}},
		{"embedded", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *embeds) (string, error) { return "", nil })
		},
			[]string{"embedded", "give the field a name"}},
		{"embedded pointer", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *embedsPointer) (string, error) { return "", nil })
		}, []string{"embedded", "give the field a name"}},
		{"not a pointer", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *value) (string, error) { return "", nil })
		},
			[]string{"value.DB", "write *ishaa_test.depDB"}},
		{"a field that cannot be bound", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *badTag) (string, error) { return "", nil })
		}, []string{"depBadTag.N"}},
		{"a path that the pattern lacks", func(app *ishaa.App) {
			ishaa.Get(app, "/<int:idd>", func(context.Context, *needsPath) (string, error) { return "", nil })
		}, []string{"depNeedsPath.ID", `no parameter "id"`, `did you mean "idd"`}},
		{"an untagged text", func(app *ishaa.App) {
			ishaa.Get(app, "/", func(context.Context, *plain) (string, error) { return "", nil })
		},
			[]string{"plain.Name", "needs a tag", `bind:"-"`}},
		{"provided twice", func(app *ishaa.App) { ishaa.Provide(app, &depTicker{}); ishaa.Provide(app, &depTicker{}) },
			[]string{"already provided at", "depend_test.go:"}},
		{"provided nil", func(app *ishaa.App) { ishaa.Provide[*depTicker](app, nil) }, []string{"is nil"}},
		{"provided value", func(app *ishaa.App) { ishaa.Provide(app, depTicker{}) }, []string{"neither a pointer nor an interface"}},
		{"override of something else", func(*ishaa.App) { ishaa.Override(context.Background(), depJournal{}) }, []string{"not a dependency"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := ishaa.New("mistakes", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
			defer func() {
				cause := fmt.Sprint(recover())
				if !strings.Contains(cause, "depend_test.go:") {
					t.Errorf("the place is not in: %s", cause)
				}
				for _, want := range test.want {
					if !strings.Contains(cause, want) {
						t.Errorf("%q is not in: %s", want, cause)
					}
				}
			}()
			test.register(app)
			t.Error("nothing stopped it")
		})
	}
}

func TestOverride(t *testing.T) {
	app, j := depApp(t)
	ishaa.Get(app, "/", depHandler)
	type input struct{ User *depUser }
	ishaa.Get(app, "/user", func(_ context.Context, in *input) (string, error) {
		in.User.Name += "!" // a copy of its own for each request
		return in.User.Name, nil
	})
	app.Get("/untyped", func(r *ishaa.Request) (any, error) {
		user, err := ishaa.Resolve[depUser](r)
		return user.Name, err
	})
	ctx := ishaa.Override(t.Context(), depUser{Name: "eve"})
	for _, target := range []string{"/user", "/user", "/untyped"} {
		j.lines = nil
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", target, nil).WithContext(ctx))
		if want := "eve"; !strings.HasPrefix(w.Body.String(), want) || strings.Contains(w.Body.String(), "!!") {
			t.Errorf("%s: %d %q", target, w.Code, w.Body)
		}
		if slices.ContainsFunc(j.lines, func(l string) bool { return strings.Contains(l, "user") || strings.Contains(l, "db") }) {
			t.Errorf("%s: what was overridden has run: %q", target, j.lines)
		}
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", "/user", nil))
	if w.Code != 401 {
		t.Errorf("the override outlives its context: %d", w.Code)
	}
}
