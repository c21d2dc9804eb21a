package ishaa_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

func TestProblemJSON(t *testing.T) {
	cases := map[string]struct {
		problem *ishaa.Problem
		want    string
	}{
		"the zero value": {&ishaa.Problem{}, `{"title":"Internal Server Error","status":500}`},
		"all members": {
			&ishaa.Problem{Type: "https://a.example/p", Title: "No", Status: 409, Detail: "d", Instance: "/i"},
			`{"type":"https://a.example/p","title":"No","status":409,"detail":"d","instance":"/i"}`,
		},
		"extensions by name, never in place of a member": {
			ishaa.Conflict("d").With("z", 1).With("a", []int{2}).With("status", 200).With("detail", "x"),
			`{"title":"Conflict","status":409,"detail":"d","a":[2],"z":1}`,
		},
		"what must be escaped": {
			ishaa.BadRequest("%q </script>\u2028", "a"),
			`{"title":"Bad Request","status":400,"detail":"\"a\" \u003c/script\u003e\u2028"}`,
		},
		"a status that no RFC names": {ishaa.StatusError(499, "x"), `{"title":"Status 499","status":499,"detail":"x"}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(c.problem)
			if err != nil || string(got) != c.want {
				t.Errorf("%s, %v, want %s", got, err, c.want)
			}
		})
	}
	if _, err := json.Marshal(ishaa.BadRequest("x").With("f", math.NaN())); err == nil || !strings.Contains(err.Error(), `member "f"`) {
		t.Errorf("a member that has no JSON: %v", err)
	}
}

func TestProblemConstructors(t *testing.T) {
	for want, make := range map[int]func(string, ...any) *ishaa.Problem{
		400: ishaa.BadRequest, 401: ishaa.Unauthorized, 403: ishaa.Forbidden, 404: ishaa.NotFound, 409: ishaa.Conflict, 410: ishaa.Gone,
		412: ishaa.PreconditionFailed, 415: ishaa.UnsupportedMediaType, 422: ishaa.Unprocessable, 429: ishaa.TooManyRequests, 503: ishaa.Unavailable,
	} {
		p := make("it is %d: %w", want, errBroken)
		if p.HTTPStatus() != want || p.Detail != fmt.Sprintf("it is %d: %v", want, errBroken) || !errors.Is(p, errBroken) {
			t.Errorf("%d: %+v", want, p)
		}
	}
	plain := ishaa.NotFound
	if p := plain("100% gone"); p.Detail != "100% gone" {
		t.Errorf("without arguments the detail is %q", p.Detail)
	}
}

// mapped is an error that says its status.
type mapped int

func (m mapped) Error() string   { return fmt.Sprintf("mapped to %d", int(m)) }
func (m mapped) HTTPStatus() int { return int(m) }

// What an error tells the client, and what it keeps for the log.
func TestErrorsBecomeProblems(t *testing.T) {
	cases := []struct {
		name   string
		err    error
		status int
		detail string
		logged bool
	}{
		{"a problem", ishaa.Forbidden("not you"), 403, "not you", false},
		{"a problem, wrapped", fmt.Errorf("checking: %w", ishaa.Forbidden("not you")), 403, "not you", false},
		{"a problem that wraps", ishaa.Forbidden("not you").Wrap(errBroken), 403, "not you", false},
		{"a 5xx problem", ishaa.Unavailable("in a minute").Wrap(errBroken), 503, "in a minute", true},
		{"an error with a status", mapped(404), 404, "mapped to 404", false},
		{"an error with a status, wrapped", fmt.Errorf("x: %w", mapped(409)), 409, "x: mapped to 409", false},
		{"an error with a 5xx status keeps its text", mapped(502), 502, "", true},
		{"an error with a status that is no error", mapped(200), 500, "", true},
		{"any other error", errBroken, 500, "", true},
		{"errors joined", errors.Join(errBroken, ishaa.Conflict("twice")), 409, "twice", false},
		{"a missing file that the handler needs", fs.ErrNotExist, 500, "", true},
		{"the end of a file", io.ErrUnexpectedEOF, 500, "", true},
		{"a problem of no status", &ishaa.Problem{Detail: "d"}, 500, "d", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			app, log := loggedApp(t)
			app.Get("/", fails(c.err))
			res := do(t, app, "GET", "/").wantProblem(t, c.status, "").wantHeader(t, "Cache-Control", "no-store")
			var problem ishaa.Problem
			if err := json.Unmarshal([]byte(res.body), &problem); err != nil || problem.Detail != c.detail {
				t.Errorf("the detail is %q, want %q (%v)", problem.Detail, c.detail, err)
			}
			if strings.Contains(res.body, "hunter2") {
				t.Errorf("a secret is sent: %s", res.body)
			}
			failures := log.records(t, "request failed")
			if logged := len(failures) == 1 && strings.Contains(fmt.Sprint(failures[0]["error"]), c.err.Error()); logged != c.logged || len(failures) > 1 {
				t.Errorf("logged is %t, want %t: %v", logged, c.logged, failures)
			}
		})
	}
}

func TestProblemHeaders(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Content-Disposition", "attachment")
		r.Response().Header().Set("X-Kept", "1")
		r.Response().SetStatus(201)
		return nil, ishaa.TooManyRequests("slow down").WithHeader("Retry-After", "3").WithHeader("Link", "</a>").WithHeader("Link", "</b>")
	})
	res := do(t, app, "GET", "/").wantProblem(t, 429, "slow down")
	res.wantHeader(t, "Retry-After", "3").wantHeader(t, "Link", "</a>", "</b>").wantHeader(t, "X-Kept", "1").wantHeader(t, "Content-Disposition")
}

// A problem that a program keeps in a variable is the same for every request.
func TestProblemIsNotChangedByItsAnswer(t *testing.T) {
	app := newApp(t)
	shared := ishaa.Unauthorized("sign in").WithHeader("WWW-Authenticate", "Basic")
	app.Get("/", fails(shared))
	app.After(func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Header().Add("WWW-Authenticate", "Bearer")
		return nil
	})
	for range 3 {
		do(t, app, "GET", "/").want(t, 401).wantHeader(t, "WWW-Authenticate", "Basic", "Bearer")
	}
}

// A person gets a page, a program a document, by what the client accepts.
func TestProblemPages(t *testing.T) {
	app := newApp(t)
	app.Get("/", fails(ishaa.NotFound("no <b>thing</b>")))
	for accept, page := range map[string]bool{
		"":          false,
		"*/*":       false,
		"text/html": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true,
		"application/json":                         false,
		"application/problem+json, text/html":      false,
		"text/html;q=0.5, application/json":        false,
		"text/html;q=0, */*":                       false,
		"text/plain":                               false,
		"text/*":                                   true,
		strings.Repeat("text/html;q=0.1,", 10_000): true,
		"\x00;;;,,,q=":                             false,
	} {
		res := do(t, app, "GET", "/", withHeader("Accept", accept)).want(t, 404)
		if got := strings.HasPrefix(res.header.Get("Content-Type"), "text/html"); got != page {
			t.Errorf("Accept %.60q: a page is %t, want %t", accept, got, page)
		}
		if page && (!strings.Contains(res.body, "no &lt;b&gt;thing&lt;/b&gt;") || !strings.Contains(res.header.Get("Vary"), "Accept")) {
			t.Errorf("Accept %.60q:\n%s", accept, res)
		}
	}
}

// Panics of every kind are a 500, logged with their stack, and the process and the
// connection live.
func TestPanicsOfEveryKind(t *testing.T) {
	noLeaks(t)
	app, log := loggedApp(t)
	causes := map[string]func(){
		"text":    func() { panic("hunter2") },
		"error":   func() { panic(errBroken) },
		"problem": func() { panic(ishaa.NotFound("hunter2")) },
		"nil":     func() { panic(nil) }, //nolint:govet // on purpose
		"index":   func() { var list []int; _ = list[len(list)] },
		//lint:ignore SA5000 on purpose
		"map":      func() { var m map[string]int; m["a"] = 1 },
		"nil call": func() { var fn func(); fn() },
	}
	for name, cause := range causes {
		app.Get("/"+strings.ReplaceAll(name, " ", "-"), func(*ishaa.Request) (any, error) { cause(); return nil, nil })
	}
	app.Get("/sent", func(r *ishaa.Request) (any, error) {
		r.OnSent(func() { panic("after the answer") })
		return ishaa.Text("sent"), nil
	})
	s := serve(t, app)
	for name := range causes {
		res := s.do("GET", "/"+strings.ReplaceAll(name, " ", "-")).wantProblem(t, 500, "")
		if strings.Contains(res.body, "hunter2") || strings.Contains(res.body, ".go") {
			t.Errorf("%s tells what belongs in the log: %s", name, res.body)
		}
	}
	s.do("GET", "/sent").wantBody(t, 200, "sent")
	eventually(t, "all failures are logged", func() bool { return len(log.records(t, "request failed")) == len(causes)+1 })
	for _, failure := range log.records(t, "request failed") {
		if !strings.Contains(fmt.Sprint(failure["stack"]), "problem_test.go") {
			t.Errorf("the stack does not lead to the panic: %v", failure)
		}
	}
}

// http.ErrAbortHandler cuts the connection, wherever it comes from, and is no
// failure.
func TestErrAbortHandler(t *testing.T) {
	noLeaks(t)
	app, log := loggedApp(t)
	abort := func(*ishaa.Request) (any, error) { panic(http.ErrAbortHandler) }
	app.Get("/handler", abort)
	app.Get("/before", text("unreachable"), ishaa.Middleware{Before: abort})
	app.Get("/after", text("unreachable"), ishaa.Middleware{After: func(*ishaa.Request, *ishaa.Response) error { panic(http.ErrAbortHandler) }})
	app.Get("/mounted", func(*ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "begun")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})), nil
	})
	seen := watch(app, func(_ *ishaa.Route, o ishaa.Outcome) string {
		return fmt.Sprint(o.Status, " ", o.Bytes, " ", o.Aborted)
	})
	s := serve(t, app)
	for _, path := range []string{"/handler", "/before", "/after", "/mounted"} {
		if res := s.rawRequest("GET", path, "a"); res.err == nil {
			t.Errorf("%s: the answer was whole: %s", path, res)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if failures := log.records(t, "request failed"); len(failures) != 0 {
		t.Errorf("the log has %v", failures)
	}
	seen.want(t, "500 0 true", "500 0 true", "500 0 true", "200 5 true")
}

// Without the default a panic is the server's to deal with.
func TestPanicsWithoutRecover(t *testing.T) {
	app := newApp(t)
	app.Without(ishaa.DefaultRecover)
	app.Get("/", func(*ishaa.Request) (any, error) { panic("thrown") })
	var outcome ishaa.Outcome
	app.Observe(observerFunc(func(_ *ishaa.Route, o ishaa.Outcome) { outcome = o }))
	if message := recovered(t, func() { do(t, app, "GET", "/") }); message != "thrown" {
		t.Errorf("the panic is %q", message)
	}
	if outcome.Status != 500 || !outcome.Aborted {
		t.Errorf("the outcome is %+v", outcome)
	}
}

// An error that a handler by type maps to a problem may have a page of its own.
func TestMappedErrorFindsItsPage(t *testing.T) {
	app := newApp(t)
	ishaa.OnError(app, func(_ *ishaa.Request, err *noneLeft) (any, error) {
		return nil, ishaa.NotFound("no %s left", err.what).Wrap(err)
	})
	app.OnStatus(404, func(_ *ishaa.Request, err error) (any, error) { return ishaa.Text("page: " + err.Error()), nil })
	app.Get("/", func(*ishaa.Request) (any, error) { return nil, &noneLeft{"vinyl"} })
	do(t, app, "GET", "/").wantBody(t, 404, "page: 404 Not Found: no vinyl left")
	do(t, app, "GET", "/nothing").wantBody(t, 404, "page: 404 Not Found: there is nothing at this address")
}

type noneLeft struct{ what string }

func (e *noneLeft) Error() string { return e.what + " is out of stock" }

// A page for a status keeps the headers that the problem came with, unless it says otherwise.
func TestPagesKeepTheHeadersOfProblems(t *testing.T) {
	app := ishaa.New("test")
	app.OnStatus(http.StatusTooManyRequests, func(r *ishaa.Request, err error) (any, error) { return "wait", nil })
	app.OnStatus(http.StatusUnauthorized, func(r *ishaa.Request, err error) (any, error) {
		r.Response().Header().Set("WWW-Authenticate", "Mine")
		return "who?", nil
	})
	app.OnStatus(http.StatusMethodNotAllowed, func(r *ishaa.Request, err error) (any, error) { return "not so", nil })
	app.Get("/busy", func(*ishaa.Request) (any, error) {
		return nil, ishaa.TooManyRequests("slowly").WithHeader("Retry-After", "7")
	})
	app.Get("/closed", func(*ishaa.Request) (any, error) {
		return nil, ishaa.Unauthorized("who are you?").WithHeader("WWW-Authenticate", "Bearer")
	})
	for _, c := range []struct {
		method, path, header, want string
		status                     int
	}{
		{"GET", "/busy", "Retry-After", "7", 429},
		{"GET", "/closed", "WWW-Authenticate", "Mine", 401},
		{"PUT", "/busy", "Allow", "GET, HEAD, OPTIONS", 405},
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if got := w.Header().Values(c.header); w.Code != c.status || len(got) != 1 || got[0] != c.want {
			t.Errorf("%s %s: %d with %s %q, want %d with %q", c.method, c.path, w.Code, c.header, got, c.status, c.want)
		}
	}
}
