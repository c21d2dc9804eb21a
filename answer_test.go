package ishaa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"iter"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/ishaa-framework/ishaa"
)

type point struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// respond is a Responder made of a function.
type respond func(*ishaa.Request, *ishaa.Response) error

func (f respond) Respond(r *ishaa.Request, res *ishaa.Response) error { return f(r, res) }

type nilError struct{}

func (*nilError) Error() string { return "text that a nil pointer has" }

type named string

type blob []byte

type selfList []int

func (selfList) MarshalJSON() ([]byte, error) { return []byte(`"own"`), nil }

type brokenJSON struct{}

func (brokenJSON) MarshalJSON() ([]byte, error) { return nil, errBroken }

type panickyJSON struct{}

func (panickyJSON) MarshalJSON() ([]byte, error) { panic("no JSON today") }

const (
	typeHTML    = "text/html; charset=utf-8"
	typeText    = "text/plain; charset=utf-8"
	typeJSON    = "application/json"
	typeOctets  = "application/octet-stream"
	typeProblem = "application/problem+json"
)

// returned is a value and the answer that it becomes.
type returned struct {
	name   string
	value  any
	status int
	typ    string
	body   string
}

// valueTable is what a returned value becomes.
func valueTable() []returned {
	return []returned{
		{"nil", nil, 204, "", ""},
		{"NoContent", ishaa.NoContent, 204, "", ""},
		{"a string", "<p>hi</p>", 200, typeHTML, "<p>hi</p>"},
		{"an empty string", "", 200, typeHTML, ""},
		{"HTML that a template made", template.HTML("<p>hi</p>"), 200, typeHTML, "<p>hi</p>"},
		{"a named string is data", named("<p>hi</p>"), 200, typeJSON, `"\u003cp\u003ehi\u003c/p\u003e"`},
		{"bytes", []byte("a\x00b"), 200, typeOctets, "a\x00b"},
		{"no bytes", []byte(nil), 200, typeOctets, ""},
		{"a struct", point{1, 2}, 200, typeJSON, `{"x":1,"y":2}`},
		{"a pointer to one", &point{1, 2}, 200, typeJSON, `{"x":1,"y":2}`},
		{"a map", map[string]int{"b": 1, "a": 2}, 200, typeJSON, `{"a":2,"b":1}`},
		{"a slice", []point{{1, 2}}, 200, typeJSON, `[{"x":1,"y":2}]`},
		{"an empty slice", []point{}, 200, typeJSON, `[]`},
		{"a nil slice is an empty list", []point(nil), 200, typeJSON, `[]`},
		{"a nil slice of no pointers", []*point(nil), 200, typeJSON, `[]`},
		{"a nil slice that encodes itself", selfList(nil), 200, typeJSON, `"own"`},
		{"a nil slice of bytes that is JSON", json.RawMessage(nil), 200, typeJSON, `null`},
		{"a nil slice of bytes that is data", blob(nil), 200, typeJSON, `null`},
		{"JSON", json.RawMessage(`{"a":1}`), 200, typeJSON, `{"a":1}`},
		{"an array", [2]int{1, 2}, 200, typeJSON, `[1,2]`},
		{"a number", 42, 200, typeJSON, `42`},
		{"a fraction", 2.5, 200, typeJSON, `2.5`},
		{"a truth", true, 200, typeJSON, `true`},
		{"a time", time.Unix(0, 0).UTC(), 200, typeJSON, `"1970-01-01T00:00:00Z"`},
		{"a reader", strings.NewReader("stream"), 200, typeOctets, "stream"},
		{"a sequence", slices.Values([]int{1, 2}), 200, typeJSON, `[1,2]`},
		{"an empty sequence", slices.Values([]int{}), 200, typeJSON, `[]`},
		{"a nil sequence", iter.Seq[int](nil), 200, typeJSON, `[]`},
		{"a sequence with errors", iter.Seq2[point, error](func(yield func(point, error) bool) { yield(point{1, 2}, nil) }), 200, typeJSON, `[{"x":1,"y":2}]`},
		{"a Responder", respond(func(_ *ishaa.Request, res *ishaa.Response) error {
			res.SetStatus(418)
			res.Header().Set("Content-Type", "text/tea")
			res.SetBytes([]byte("short and stout"))
			return nil
		}), 418, "text/tea", "short and stout"},
		{"a Responder that fails", respond(func(*ishaa.Request, *ishaa.Response) error { return ishaa.Gone("drunk") }), 410, typeProblem,
			`{"title":"Gone","status":410,"detail":"drunk"}`},
		{"an error as a value", ishaa.Conflict("taken"), 409, typeProblem, `{"title":"Conflict","status":409,"detail":"taken"}`},
		{"any error as a value", errBroken, 500, typeProblem, `{"title":"Internal Server Error","status":500}`},

		{"JSON()", ishaa.JSON([]int(nil)), 200, typeJSON, `[]`},
		{"JSON(nil)", ishaa.JSON(nil), 200, typeJSON, `null`},
		{"HTML()", ishaa.HTML("<b>x</b>"), 200, typeHTML, "<b>x</b>"},
		{"Text()", ishaa.Text("<b>x</b>"), 200, typeText, "<b>x</b>"},
		{"Bytes()", ishaa.Bytes("image/png", []byte("png")), 200, "image/png", "png"},
		{"a status", ishaa.Text("made").WithStatus(201), 201, typeText, "made"},
		{"an answer without a body", new(ishaa.Response).WithStatus(202), 202, "", ""},
		{"a zero answer", new(ishaa.Response), 200, "", ""},

		{"a nil pointer", (*point)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a nil *Response", (*ishaa.Response)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a nil Responder", (*ishaa.Rendered)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a nil reader", (*bytes.Buffer)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a nil error as a value", (*nilError)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a nil *Problem as a value", (*ishaa.Problem)(nil), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a channel", make(chan int), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a function", func() {}, 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"pairs that are no sequence", func(func(int, int) bool) {}, 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"JSON that fails", brokenJSON{}, 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"JSON that panics", panickyJSON{}, 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"JSON that fails, in JSON()", ishaa.JSON(brokenJSON{}), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a status that is none", ishaa.Text("x").WithStatus(99), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a header with a line break", ishaa.Text("x").WithHeader("X-A", "a\r\nX-Injected: 1"), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
		{"a header that is no name", ishaa.Text("x").WithHeader("X A", "a"), 500, typeProblem, `{"title":"Internal Server Error","status":500}`},
	}
}

func TestWhatAValueBecomes(t *testing.T) {
	for _, c := range valueTable() {
		t.Run(c.name, func(t *testing.T) {
			app, log := loggedApp(t)
			afters := 0
			app.After(func(*ishaa.Request, *ishaa.Response) error { afters++; return nil })
			app.Get("/here", func(*ishaa.Request) (any, error) { return c.value, nil })
			res := do(t, app, "GET", "/here").wantBody(t, c.status, c.body)
			same(t, "Content-Type", res.header.Get("Content-Type"), c.typ)
			same(t, "nosniff, whatever the answer", res.header.Get("X-Content-Type-Options"), "nosniff")
			same(t, "After hooks ran", afters, 1)
			failed := log.records(t, "request failed")
			if (c.status >= 500) != (len(failed) == 1) {
				t.Errorf("the log has %v", failed)
			}
			if strings.HasPrefix(c.name, "a nil") && c.status == 500 {
				if text := fmt.Sprint(failed[0]["error"]); !strings.Contains(text, "/here (") || !strings.Contains(text, "answer_test.go:") {
					t.Errorf("the log does not name the route and its line: %s", text)
				}
			}
		})
	}
}

// A value does not undo what was set on the answer before.
func TestValueKeepsWhatWasSet(t *testing.T) {
	app := newApp(t)
	app.Before(func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("X-Before", "1")
		return nil, nil
	})
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().SetStatus(202)
		r.Response().Header().Set("Content-Type", "text/csv")
		return "a,b\n", nil
	})
	app.Get("/own", func(r *ishaa.Request) (any, error) {
		res := r.Response()
		res.SetStatus(203)
		res.SetBytes([]byte("own"))
		return res, nil
	})
	app.Get("/other", func(r *ishaa.Request) (any, error) {
		r.Response().SetStatus(202)
		return ishaa.Text("x").WithStatus(203).WithHeader("X-Before", "2"), nil
	})
	do(t, app, "GET", "/").wantBody(t, 202, "a,b\n").wantHeader(t, "Content-Type", "text/csv").wantHeader(t, "X-Before", "1")
	do(t, app, "GET", "/own").wantBody(t, 203, "own").wantHeader(t, "X-Before", "1")
	do(t, app, "GET", "/other").wantBody(t, 203, "x").wantHeader(t, "X-Before", "2")
}

// The classic nil that is no nil: an error of a nil pointer is a mistake of the
// program, logged with its route, never a crash.
func TestNilPointerAsError(t *testing.T) {
	for _, err := range []error{(*nilError)(nil), (*ishaa.Problem)(nil)} {
		app, log := loggedApp(t)
		app.Get("/here", fails(err))
		do(t, app, "GET", "/here").wantProblem(t, 500, "").wantHeader(t, "X-Content-Type-Options", "nosniff")
		if text := log.text(); !strings.Contains(text, "answer_test.go:") || !strings.Contains(text, "returned a nil") {
			t.Errorf("%T: the log does not name the route: %s", err, text)
		}
	}
}

func TestAfterHookSeesAndChangesTheAnswer(t *testing.T) {
	app := newApp(t)
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		data, ok := res.Bytes()
		if !ok || res.Streams() {
			return nil
		}
		switch r.Query("do") {
		case "bytes":
			res.SetBytes(append([]byte("<"), append(data, '>')...))
		case "status":
			res.SetStatus(203)
		case "bad status":
			res.SetStatus(1000)
		case "bad cookie":
			res.SetCookie(&http.Cookie{Name: "a b", Value: "x"})
		case "fail":
			return ishaa.Unavailable("later")
		}
		return nil
	})
	app.Get("/", func(*ishaa.Request) (any, error) { return []int{1}, nil })
	do(t, app, "GET", "/?do=bytes").wantBody(t, 200, "<[1]>").wantHeader(t, "Content-Length", "5")
	do(t, app, "GET", "/?do=status").wantBody(t, 203, "[1]")
	do(t, app, "GET", "/?do=fail").wantProblem(t, 503, "later")
	do(t, app, "GET", "/?do=bad+status").wantProblem(t, 500, "").wantHeader(t, "X-Content-Type-Options", "nosniff")
	do(t, app, "GET", "/?do=bad+cookie").wantProblem(t, 500, "").wantHeader(t, "Set-Cookie")
}

// Bytes that an After hook keeps are not used for another answer.
func TestBytesMayBeKept(t *testing.T) {
	app := newApp(t)
	kept := map[string][]byte{}
	app.After(func(r *ishaa.Request, res *ishaa.Response) error {
		kept[r.Query("n")], _ = res.Bytes()
		return nil
	})
	app.Get("/", func(r *ishaa.Request) (any, error) { return []string{r.Query("n")}, nil })
	for i := range 50 {
		do(t, app, "GET", fmt.Sprintf("/?n=%d", i)).wantBody(t, 200, fmt.Sprintf("[%q]", fmt.Sprint(i)))
	}
	for n, data := range kept {
		same(t, "kept "+n, string(data), fmt.Sprintf("[%q]", n))
	}
}

func TestHTMLf(t *testing.T) {
	evil := `<script>"'&`
	for _, c := range []struct {
		format string
		args   []any
		want   string
	}{
		{"<p>%s</p>", []any{evil}, "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"<p>%v</p>", []any{named(evil)}, "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"<p>%v</p>", []any{errors.New(evil)}, "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"<p>%s</p>", []any{[]byte(evil)}, "<p>&lt;script&gt;&#34;&#39;&amp;</p>"},
		{"<p>%v</p>", []any{[]string{"<", ">"}}, "<p>[&lt; &gt;]</p>"},
		{"<p>%d %5.2f %t %x</p>", []any{-7, 2.5, true, "<"}, "<p>-7  2.50 true 3c</p>"},
		{"<p>%c%c</p>", []any{'<', 0x3e}, "<p>&lt;&gt;</p>"},
		{"<p>%-3s|%.1s</p>", []any{"<", "<b>"}, "<p>&lt;  |&lt;</p>"},
		{"<p title=%q>", []any{`"><script>`}, `<p title="&#34;&gt;&lt;script&gt;">`},
		{"<p>%[2]s %[1]s 100%%</p>", []any{"<", ">"}, "<p>&gt; &lt; 100%</p>"},
		{"<p>%d</p>", []any{"<x>"}, "<p>%!d(string=&lt;x&gt;)</p>"},
		{"<p>%v</p>", []any{nil}, "<p>&lt;nil&gt;</p>"},
		{"<p></p>", nil, "<p></p>"},
	} {
		app := newApp(t)
		app.Get("/", func(*ishaa.Request) (any, error) { return ishaa.HTMLf(c.format, c.args...), nil })
		do(t, app, "GET", "/").wantBody(t, 200, c.want).wantHeader(t, "Content-Type", typeHTML)
	}
}

// Whatever the argument and the verb, an argument adds no markup.
func TestHTMLfEscapesWhateverItIs(t *testing.T) {
	page := func(r *ishaa.Response) string { data, _ := r.Bytes(); return string(data) }
	escapes := func(text string, number int32, data []byte, extra bool) bool {
		for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%c", "%U", "%#U", "%d", "%10.3s", "%T", "%z"} {
			for _, arg := range []any{text, number, data, named(text), errors.New(text), []string{text}, map[string]int{text: 1}, &point{}} {
				args := []any{arg}
				if extra {
					args = append(args, text)
				}
				out := strings.ReplaceAll(page(ishaa.HTMLf("^"+verb+"^", args...)), "\n", "")
				if strings.ContainsAny(out, "<>'") || verb != "%q" && strings.Contains(out, `"`) {
					t.Logf("%s of %#v: %s", verb, arg, out)
					return false
				}
			}
		}
		return html.UnescapeString(page(ishaa.HTMLf("%s", text))) == html.UnescapeString(html.EscapeString(text))
	}
	if err := quick.Check(escapes, &quick.Config{MaxCount: 60}); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"<", ">", `"`, "'", "&lt;", "<\x00>", "\xff<"} {
		if !escapes(text, int32(text[0]), []byte(text), true) {
			t.Errorf("%q is not escaped", text)
		}
	}
}

// Headers, length included, are those of GET; there is never a body.
func TestHeadAnswersAsGet(t *testing.T) {
	noLeaks(t)
	values := map[string]func() any{}
	for _, c := range valueTable() {
		values[c.name] = func() any { return c.value }
	}
	values["a file"] = func() any { return ishaa.File("go.mod") }
	values["a reader"] = func() any { return strings.NewReader("stream") }
	values["events"] = func() any { return ishaa.Events(emptySeq) }
	values["filtered"] = func() any {
		res := ishaa.Text("abc")
		res.Filter(func(w io.Writer) io.WriteCloser { return &upper{w} })
		return res
	}
	values["an error page in a file"] = func() any {
		return respond(func(r *ishaa.Request, res *ishaa.Response) error {
			res.SetStatus(404)
			return ishaa.File("go.mod").Respond(r, res)
		})
	}
	app := newApp(t)
	app.Without(ishaa.DefaultRequestID)
	app.Get("/", func(r *ishaa.Request) (any, error) { return values[r.Query("v")](), nil })
	s := serve(t, app)
	for name := range values {
		query := strings.NewReplacer(" ", "+", ",", "%2c", "(", "%28", ")", "%29").Replace(name)
		get, head := s.do("GET", "/?v="+query), s.do("HEAD", "/?v="+query)
		get.header.Del("Date")
		head.header.Del("Date")
		if head.header.Get("Content-Length") == "" {
			get.header.Del("Content-Length") // a stream: net/http counts a short one that it has sent
		}
		same(t, name+": status", head.status, get.status)
		same(t, name+": headers", head.header, get.header)
		streams := strings.Contains(name, "sequence") || strings.Contains(name, "reader") || name == "events" || head.status == 204
		same(t, name+": has a length", head.header.Get("Content-Length") != "", !streams || head.status == 500)
		same(t, name+": body", head.body, "")
		if inMemory := do(t, app, "HEAD", "/?v="+query); inMemory.body != "" {
			t.Errorf("%s: HEAD has the body %q", name, inMemory.body)
		}
	}
}

var emptySeq iter.Seq2[ishaa.Event, error] = func(func(ishaa.Event, error) bool) {}

func TestContentLength(t *testing.T) {
	app := newApp(t)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Response().Header().Set("Content-Length", "999") // the program's word does not count
		switch r.Query("v") {
		case "text":
			return ishaa.Text("12345"), nil
		case "stream":
			return strings.NewReader("12345"), nil
		case "304":
			return ishaa.Text("12345").WithStatus(304), nil
		}
		return nil, nil
	})
	do(t, app, "GET", "/?v=text").wantBody(t, 200, "12345").wantHeader(t, "Content-Length", "5")
	do(t, app, "GET", "/?v=stream").wantBody(t, 200, "12345").wantHeader(t, "Content-Length", "5")
	do(t, app, "GET", "/?v=304").wantBody(t, 304, "").wantHeader(t, "Content-Length")
	do(t, app, "GET", "/").wantBody(t, 204, "").wantHeader(t, "Content-Length").wantHeader(t, "Content-Type")
}

// outline is a filter that shows where each write, flush and close reached it.
type outline struct {
	w     io.Writer
	name  string
	fails error
}

func (o *outline) Write(p []byte) (int, error) {
	if o.fails != nil {
		return 0, o.fails
	}
	_, err := fmt.Fprintf(o.w, "%s(%s)", o.name, p)
	return len(p), err
}

func (o *outline) Flush() error { _, err := io.WriteString(o.w, o.name+"-flush "); return err }
func (o *outline) Close() error { _, err := io.WriteString(o.w, o.name+"-close "); return err }

func outlined(name string) func(io.Writer) io.WriteCloser {
	return func(w io.Writer) io.WriteCloser { return &outline{w: w, name: name} }
}

func TestFilter(t *testing.T) {
	app, log := loggedApp(t)
	filter := ishaa.Middleware{After: func(r *ishaa.Request, res *ishaa.Response) error {
		res.Filter(outlined("a"))
		res.Filter(outlined("b"))
		res.Header().Set("X-Filtered", "1")
		return nil
	}}
	app.Get("/bytes", func(*ishaa.Request) (any, error) { return "x", nil }, filter)
	app.Get("/json", func(*ishaa.Request) (any, error) { return []int{1}, nil }, filter)
	app.Get("/nothing", func(*ishaa.Request) (any, error) { return nil, nil }, filter)
	app.Get("/304", func(*ishaa.Request) (any, error) { return ishaa.Text("x").WithStatus(304), nil }, filter)
	app.Get("/file", func(*ishaa.Request) (any, error) { return ishaa.File("LICENSE"), nil }, filter)
	app.Get("/stream", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error {
			io.WriteString(w, "1")
			w.Flush()
			_, err := io.WriteString(w, "2")
			return err
		}), nil
	}, filter)
	app.Get("/error", fails(ishaa.NotFound("x")), filter)
	app.Get("/fails", func(*ishaa.Request) (any, error) {
		res := ishaa.Text("x").WithHeader("Etag", `"x"`)
		res.Filter(func(w io.Writer) io.WriteCloser { return &outline{w: w, fails: errBroken} })
		return res, nil
	})

	// The filter added later is closer to the body: it writes to the other.
	do(t, app, "GET", "/bytes").wantBody(t, 200, "a(b(x))a(b-close )a-close ").wantHeader(t, "Content-Length", "26")
	do(t, app, "HEAD", "/bytes").wantBody(t, 200, "").wantHeader(t, "Content-Length", "26")
	do(t, app, "GET", "/json").wantBody(t, 200, "a(b([1]))a(b-close )a-close ")
	do(t, app, "GET", "/nothing").wantBody(t, 204, "")
	do(t, app, "GET", "/304").wantBody(t, 304, "")
	do(t, app, "GET", "/stream").wantBody(t, 200, "a(b(1))a(b-flush )a-flush a(b(2))a(b-close )a-close ")
	do(t, app, "HEAD", "/stream").wantBody(t, 200, "")
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	do(t, app, "GET", "/file").wantBody(t, 200, string(licence)).wantHeader(t, "Content-Length", fmt.Sprint(len(licence)))
	if res := do(t, app, "GET", "/error").want(t, 404); !strings.HasPrefix(res.body, "a(b({") {
		t.Errorf("an error's answer is filtered too: %s", res)
	}
	do(t, app, "GET", "/fails").wantProblem(t, 500, "").wantHeader(t, "Etag")
	if !strings.Contains(log.text(), "filtering the body") {
		t.Error("the log does not say that a filter failed")
	}
}

func TestProblemDocuments(t *testing.T) {
	page := withHeader("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	problem := (&ishaa.Problem{
		Type: "https://shop.example/out-of-stock", Title: "Out of <stock>", Status: 409, Detail: `<b>"7"</b> left`, Instance: "/orders/1",
	}).With("left", 7).With("status", "never replaced").WithHeader("Retry-After", "120").Wrap(errBroken)
	app := newApp(t)
	app.Get("/problem", fails(problem))
	app.Get("/wrapped", fails(fmt.Errorf("buying: %w", problem)))
	app.Get("/teapot", fails(ishaa.StatusError(418, "I am %w", errors.New("short"))))
	app.Get("/boom", fails(errBroken))
	app.Get("/unencodable", fails(ishaa.BadRequest("x").With("bad", make(chan int))))

	golden := `{"type":"https://shop.example/out-of-stock","title":"Out of \u003cstock\u003e","status":409,` +
		`"detail":"\u003cb\u003e\"7\"\u003c/b\u003e left","instance":"/orders/1","left":7}`
	for _, path := range []string{"/problem", "/wrapped"} {
		do(t, app, "GET", path).wantBody(t, 409, golden).
			wantHeader(t, "Content-Type", typeProblem).wantHeader(t, "Cache-Control", "no-store").wantHeader(t, "Retry-After", "120")
	}
	html := do(t, app, "GET", "/problem", page).want(t, 409)
	html.wantHeader(t, "Content-Type", typeHTML).wantHeader(t, "Vary", "Accept").wantHeader(t, "Retry-After", "120")
	for _, want := range []string{"<h1>409 Out of &lt;stock&gt;</h1>", "<p>&lt;b&gt;&#34;7&#34;&lt;/b&gt; left</p>"} {
		if !strings.Contains(html.body, want) {
			t.Errorf("the page does not have %q:\n%s", want, html.body)
		}
	}
	do(t, app, "GET", "/teapot").wantBody(t, 418, `{"title":"I'm a teapot","status":418,"detail":"I am short"}`)
	do(t, app, "GET", "/boom").wantBody(t, 500, `{"title":"Internal Server Error","status":500}`)
	do(t, app, "GET", "/unencodable").wantBody(t, 500, "")
	for _, path := range []string{"/boom", "/none", "/%3Cscript%3Ealert(1)%3C/script%3E"} {
		for _, accept := range []string{"", "text/html", "application/json", "*/*", "<script>", "text/html;q=0.1,application/problem+json"} {
			res := do(t, app, "GET", path, withHeader("Accept", accept))
			if strings.Contains(res.body, "<script>") || strings.Contains(res.body, "hunter2") {
				t.Errorf("%s as %q says too much: %s", path, accept, res)
			}
			same(t, path+" as "+accept, strings.HasPrefix(res.header.Get("Content-Type"), "text/html"), accept == "text/html")
		}
	}
	do(t, app, "GET", "/none").wantBody(t, 404, `{"title":"Not Found","status":404,"detail":"there is nothing at this address"}`)
}
