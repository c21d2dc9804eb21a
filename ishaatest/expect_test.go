package ishaatest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// order is the input of a typed route.
type order struct {
	Page int `query:"page" minimum:"1"`
	Body struct {
		Items []struct {
			Name string `json:"name" minLength:"2"`
		} `json:"items" minItems:"1"`
	}
}

// shop answers with one of everything that a check is about.
func shop() *ishaa.App {
	app := newApp()
	app.Get("/json", func(*ishaa.Request) (any, error) {
		return ishaa.JSON(json.RawMessage(`{"items":[{"name":"chair","price":1.50},{"name":"desk","price":12345678901234567890}],"a/b":{"~":null},"ok":true}`)), nil
	})
	app.Get("/page", func(r *ishaa.Request) (any, error) {
		r.Response().SetCookie(&http.Cookie{Name: "seen", Value: "1"})
		return "<h1>Hello</h1>", nil
	})
	app.Get("/old", hop(301, "/page?x=1"))
	app.Get("/bytes", func(*ishaa.Request) (any, error) {
		return []byte(strings.Repeat("\x00\xff", 200)), nil
	})
	app.Get("/long", func(*ishaa.Request) (any, error) {
		return ishaa.Text(strings.Repeat("é", 1500)), nil
	})
	app.Get("/json-in-name-only", func(*ishaa.Request) (any, error) {
		return ishaa.Bytes("application/json", []byte(`{"a":1} x`)), nil
	})
	app.Get("/gone", func(*ishaa.Request) (any, error) {
		return nil, ishaa.Gone("the chair was sold").With("sku", 7)
	})
	app.Get("/liar", func(*ishaa.Request) (any, error) {
		return ishaa.Bytes("application/problem+json", []byte(`{"status":400}`)).WithStatus(409), nil
	})
	app.Get("/empty-location", func(*ishaa.Request) (any, error) { return ishaa.Text("").WithStatus(303), nil })
	ishaa.Post(app, "/orders", func(context.Context, *order) (struct{}, error) { return struct{}{}, nil })
	return app
}

// A check of a result: the calls that hold, those that do not, and what the message
// of each of these says beside method, path and status.
var checks = []struct {
	name    string
	request func(c *ishaatest.Client) *ishaatest.Result
	holds   func(r *ishaatest.Result)
	broken  []broken
}{
	{"Status", get("/json"), func(r *ishaatest.Result) { r.Status(200) }, []broken{
		{"another", func(r *ishaatest.Result) { r.Status(201) }, []string{"GET /json: status 200, want 201", "HTTP/1.1 200 OK", "Content-Type: application/json", `{"items":[{"name":"chair"`}},
	}},
	{"Header", get("/page"), func(r *ishaatest.Result) {
		r.Header("content-type", "text/html; charset=utf-8").Header("X-Missing", "")
	}, []broken{
		{"other value", func(r *ishaatest.Result) { r.Header("Content-Type", "text/html") }, []string{`header Content-Type is "text/html; charset=utf-8", want "text/html"`}},
		{"absent", func(r *ishaatest.Result) { r.Header("X-Missing", "1") }, []string{`there is no header X-Missing, want "1"`}},
		{"unwanted", func(r *ishaatest.Result) { r.Header("Content-Type", "") }, []string{`header Content-Type is "text/html; charset=utf-8", want none`}},
	}},
	{"Contains", get("/json"), func(r *ishaatest.Result) { r.Contains("chair", "desk") }, []broken{
		{"a part", func(r *ishaatest.Result) { r.Contains("chair", "sofa") }, []string{`does not contain "sofa"`}},
	}},
	{"HTML", get("/page"), func(r *ishaatest.Result) { r.HTML().HTML("<h1>", "Hello") }, []broken{
		{"a part", func(r *ishaatest.Result) { r.HTML("Goodbye") }, []string{`does not contain "Goodbye"`, "<h1>Hello</h1>"}},
	}},
	{"HTML of something else", get("/json"), func(*ishaatest.Result) {}, []broken{
		{"the type", func(r *ishaatest.Result) { r.HTML("chair") }, []string{`not an HTML page: its Content-Type is "application/json`}},
	}},
	{"Redirect", get("/old"), func(r *ishaatest.Result) {
		r.Redirect("/page?x=1").Redirect("page?x=1")
	}, []broken{
		{"elsewhere", func(r *ishaatest.Result) { r.Redirect("/page") }, []string{"leads to /page?x=1, want /page", "301 Moved Permanently"}},
		{"a target that is none", func(r *ishaatest.Result) { r.Redirect("http://[") }, []string{`Redirect("http://[")`}},
	}},
	{"Redirect of another status", get("/page"), func(*ishaatest.Result) {}, []broken{
		{"the status", func(r *ishaatest.Result) { r.Redirect("/page") }, []string{"status 200, want a redirect to /page"}},
	}},
	{"Redirect without Location", get("/empty-location"), func(*ishaatest.Result) {}, []broken{
		{"the header", func(r *ishaatest.Result) { r.Redirect("/page") }, []string{"the redirect has no Location"}},
	}},
	{"Cookie", get("/page"), func(r *ishaatest.Result) {
		if r.Cookie("seen").Value != "1" {
			panic("the cookie is not the one that was set")
		}
	}, []broken{
		{"absent", func(r *ishaatest.Result) { r.Cookie("session") }, []string{"does not set the cookie session", "Set-Cookie: seen=1"}},
	}},
	{"JSON", get("/json"), func(r *ishaatest.Result) {
		var v struct{ OK bool }
		if r.JSON(&v); !v.OK {
			panic("JSON did not decode")
		}
	}, []broken{
		{"a misfit", func(r *ishaatest.Result) { r.JSON(new([]int)) }, []string{"does not decode into *[]int", "cannot unmarshal object"}},
	}},
	{"JSON of something else", get("/page"), func(*ishaatest.Result) {}, []broken{
		{"the type", func(r *ishaatest.Result) { r.JSON(new(any)) }, []string{`not JSON: its Content-Type is "text/html`}},
		{"the type, for JSONEqual", func(r *ishaatest.Result) { r.JSONEqual(1) }, []string{`not JSON: its Content-Type is "text/html`}},
		{"the type, for JSONAt", func(r *ishaatest.Result) { r.JSONAt("", 1) }, []string{`not JSON: its Content-Type is "text/html`}},
	}},
	{"JSON that is none", get("/json-in-name-only"), func(*ishaatest.Result) {}, []broken{
		{"JSON", func(r *ishaatest.Result) { r.JSON(new(any)) }, []string{"does not decode"}},
		{"JSONEqual", func(r *ishaatest.Result) { r.JSONEqual(map[string]int{"a": 1}) }, []string{"the body is not JSON: something follows the value"}},
	}},
	{"JSONEqual", get("/json"), func(r *ishaatest.Result) {
		r.JSONEqual(json.RawMessage(`{"ok":true, "a/b":{"~":null}, "items":[{"price":1.5,"name":"chair"},{"name":"desk","price":12345678901234567890}]}`))
	}, []broken{
		{"many places", func(r *ishaatest.Result) {
			r.JSONEqual(json.RawMessage(`{"ok":false,"a/b":{"~":1},"more":[],"items":[{"name":"chair","price":1.5},{"name":"desk","price":12345678901234567891},{"name":"sofa"}]}`))
		}, []string{
			"the JSON is not as wanted:",
			"\n  /a~1b/~0: got null, want 1",
			"\n  /items/1/price: got 12345678901234567890, want 12345678901234567891",
			"\n  /items/2: got nothing, want {\"name\":\"sofa\"}",
			"\n  /more: got nothing, want []",
			"\n  /ok: got true, want false",
		}},
		{"more than wanted", func(r *ishaatest.Result) {
			r.JSONEqual(map[string]any{"ok": true, "items": []int{}})
		}, []string{"/a~1b: got {\"~\":null}, want nothing", "/items/0: got {", "/items/1: got {"}},
		{"the whole", func(r *ishaatest.Result) { r.JSONEqual([]int{1}) }, []string{"the value: got {", "want [1]"}},
		{"text for a value", func(r *ishaatest.Result) { r.JSONEqual(`{"ok":true}`) }, []string{"for JSON text give json.RawMessage"}},
		{"a value that is no JSON", func(r *ishaatest.Result) { r.JSONEqual(make(chan int)) }, []string{"what is wanted is not JSON", "chan int"}},
	}},
	{"JSONAt", get("/json"), func(r *ishaatest.Result) {
		r.JSONAt("/items/0/name", "chair").JSONAt("/items/0/price", 1.5).JSONAt("/a~1b/~0", nil).
			JSONAt("/items/0", map[string]any{"name": "chair", "price": 1.5}).JSONAt("/ok", true)
	}, []broken{
		{"another value", func(r *ishaatest.Result) { r.JSONAt("/items/0/name", "desk") }, []string{`/items/0/name: got "chair", want "desk"`}},
		{"another type", func(r *ishaatest.Result) { r.JSONAt("/items/0/price", "1.5") }, []string{`/items/0/price: got 1.50, want "1.5"`}},
		{"within", func(r *ishaatest.Result) { r.JSONAt("/items/0", map[string]any{"name": "chair"}) }, []string{"/items/0/price: got 1.50, want nothing"}},
		{"no such member", func(r *ishaatest.Result) { r.JSONAt("/items/0/colour", "red") }, []string{"there is nothing at /items/0/colour", `at /items/0 is {"name":"chair"`, `want "red"`}},
		{"no such element", func(r *ishaatest.Result) { r.JSONAt("/items/2", 1) }, []string{"there is nothing at /items/2; at /items is ["}},
		{"an index that is none", func(r *ishaatest.Result) { r.JSONAt("/items/00", 1) }, []string{"there is nothing at /items/00"}},
		{"below a scalar", func(r *ishaatest.Result) { r.JSONAt("/ok/x", 1) }, []string{"there is nothing at /ok/x; at /ok is true"}},
		{"not a pointer", func(r *ishaatest.Result) { r.JSONAt("items", 1) }, []string{`"items" is no JSON pointer`}},
		{"a value that is no JSON", func(r *ishaatest.Result) { r.JSONAt("/ok", func() {}) }, []string{"what is wanted is not JSON"}},
	}},
	{"Problem", get("/gone"), func(r *ishaatest.Result) {
		r.Problem(410).Problem(410, "chair", "sold")
		var sku int
		p := r.ProblemDocument()
		if err := p.Member("sku", &sku); err != nil || sku != 7 || p.Title != "Gone" || p.Status != 410 || p.Detail != "the chair was sold" {
			panic("the document does not read as it was written")
		}
		if p.Member("size", &sku) == nil {
			panic("a member that is missing has no error")
		}
	}, []broken{
		{"status", func(r *ishaatest.Result) { r.Problem(404) }, []string{"status 410, want 404", "the chair was sold"}},
		{"detail", func(r *ishaatest.Result) { r.Problem(410, "chair", "stolen") }, []string{`detail is "the chair was sold", want one with "stolen"`}},
		{"violation", func(r *ishaatest.Result) { r.Violation("/query/page", "minimum") }, []string{"no violation /query/page minimum; there are: none"}},
	}},
	{"Problem of something else", get("/page"), func(*ishaatest.Result) {}, []broken{
		{"the type", func(r *ishaatest.Result) { r.Problem(200) }, []string{`not a problem document: its Content-Type is "text/html`}},
		{"the type, for ProblemDocument", func(r *ishaatest.Result) { r.ProblemDocument() }, []string{"not a problem document"}},
	}},
	{"Problem that lies", get("/liar"), func(r *ishaatest.Result) { r.Status(409) }, []broken{
		{"its status", func(r *ishaatest.Result) { r.Problem(409) }, []string{"the problem says status 400, the answer 409"}},
	}},
	{"Violation", func(c *ishaatest.Client) *ishaatest.Result {
		return c.Post("/orders?page=0", ishaatest.JSON(json.RawMessage(`{"items":[{"name":"x"}]}`)))
	}, func(r *ishaatest.Result) {
		r.Problem(422).Violation("/query/page", "minimum").Violation("/body/items/0/name", "minLength")
	}, []broken{
		{"another rule", func(r *ishaatest.Result) { r.Violation("/query/page", "maximum") }, []string{
			"POST /orders?page=0: no violation /query/page maximum; there are: ", "/query/page minimum", "/body/items/0/name minLength",
		}},
	}},
	{"long text", get("/long"), func(*ishaatest.Result) {}, []broken{
		{"is cut between characters", func(r *ishaatest.Result) { r.Status(404) }, []string{strings.Repeat("é", 1024) + " … (3000 bytes in all)"}},
	}},
	{"binary", get("/bytes"), func(*ishaatest.Result) {}, []broken{
		{"is quoted", func(r *ishaatest.Result) { r.Status(404) }, []string{strings.Repeat(`\x00\xff`, 128) + `" … (400 bytes in all)`}},
	}},
}

type broken struct {
	name  string
	check func(r *ishaatest.Result)
	want  []string
}

func get(path string) func(c *ishaatest.Client) *ishaatest.Result {
	return func(c *ishaatest.Client) *ishaatest.Result { return c.Get(path) }
}

func TestChecks(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		client := ishaatest.New(t, shop(), how...)
		for _, check := range checks {
			t.Run(check.name, func(t *testing.T) {
				res := check.request(client.For(t))
				passes(t, func(t testing.TB) { check.holds(check.request(client.For(t))) })
				for _, b := range check.broken {
					t.Run(b.name, func(t *testing.T) {
						want := append([]string{res.Path() + ": ", "HTTP/1.1 "}, b.want...)
						fails(t, func(t testing.TB) { b.check(check.request(client.For(t))) }, want...)
					})
				}
			})
		}
	})
}

func TestAssertions(t *testing.T) {
	client := ishaatest.New(t, shop())
	page, data, old := client.Get("/page"), client.Get("/json"), client.Get("/old")
	passes(t, func(t testing.TB) {
		ishaatest.AssertStatus(t, page, 200)
		ishaatest.AssertHTML(t, page, "<h1>", "Hello")
		ishaatest.AssertJSON(t, data, json.RawMessage(data.Text()))
		ishaatest.AssertRedirect(t, old, "/page?x=1")
	})
	fails(t, func(t testing.TB) { ishaatest.AssertStatus(t, page, 404) }, "GET /page: status 200, want 404", "<h1>Hello</h1>")
	fails(t, func(t testing.TB) { ishaatest.AssertHTML(t, page, "<h2>") }, "GET /page: ", `"<h2>"`)
	fails(t, func(t testing.TB) { ishaatest.AssertJSON(t, data, map[string]any{"ok": true}) }, "GET /json: ", "/items: got [")
	fails(t, func(t testing.TB) { ishaatest.AssertRedirect(t, old, "/login") }, "GET /old: ", "leads to /page?x=1, want /login")
}
