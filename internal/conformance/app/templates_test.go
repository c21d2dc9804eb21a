//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

func TestRenderingOfGivenTemplates(t *testing.T) {
	render := renderer(t)
	for _, c := range []struct{ name, request, want string }{
		{"a value", `{"template": "{{ a }}", "context": {"a": 1}}`, `{"output":"1"}`},
		{"nothing", `{"template": ""}`, `{"output":""}`},
		{"a number with a point", `{"template": "{{ a }} {{ b }}", "context": {"a": 1.0, "b": [1, {"c": 2}]}}`, `{"output":"1.0 [1, {&#39;c&#39;: 2}]"}`},
		{"without options it is escaped", `{"template": "{{ a }}", "context": {"a": "<"}}`, `{"output":"\u0026lt;"}`},
		{"with Jinja's options it is not", `{"template": "{{ a }}", "context": {"a": "<"}, "opts": {}}`, `{"output":"\u003c"}`},
		{"with autoescape it is", `{"template": "{{ a }}", "context": {"a": "<"}, "opts": {"autoescape": true}}`, `{"output":"\u0026lt;"}`},
		{"other templates", `{"template": "{% extends \"/base\" %}{% block b %}x{% endblock %}", "templates": {"base": "[{% block b %}{% endblock %}]"}}`, `{"output":"[x]"}`},
		{"one of the others", `{"main": "a", "templates": {"a": "{% include \"b\" %}", "b": "b"}}`, `{"output":"b"}`},
		{"a script's value by its place", `{"template": "<a href=\"{{ u }}\">", "context": {"u": "javascript:alert(1)"}}`, `{"output":"<a href=\"about:invalid#blocked\">"}`},
	} {
		if got := render(t, c.request); !sameJSON(got, c.want) {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	for request, class := range map[string]string{
		`{"template": "{% if %}"}`:                             "TemplateSyntaxError",
		`{"template": "{{ a.b.c }}"}`:                          "UndefinedError",
		`{"template": "{{ 1 // 0 }}"}`:                         "TemplateRuntimeError",
		`{"main": "none"}`:                                     "TemplateNotFound",
		`{"template": "{% include \"../../etc/hostname\" %}"}`: "TemplateRuntimeError",
		`{"template": "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"}`: "TemplateRuntimeError",
	} {
		var got rendered
		if err := json.Unmarshal([]byte(render(t, request)), &got); err != nil || got.Error != class || got.Message == "" || got.Output != nil {
			t.Errorf("%s: %+v, %v, want %s", request, got, err, class)
		}
	}
}

// What Jinja makes of the same templates, asked for over a socket.
func TestRenderingAsJinja(t *testing.T) {
	dir := filepath.Join(testenv.Conformance(t), "jinja")
	read := func(name string, into any) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	render := renderer(t)
	ask := func(request any) (got rendered) {
		body, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(render(t, string(body))), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	var probe struct {
		Files map[string]string
		Cases []struct{ Name, Src, Want string }
	}
	read("jinja_probe.json", &probe)
	for _, c := range probe.Cases {
		got := ask(map[string]any{"template": c.Src, "templates": probe.Files, "context": probeContext})
		if c.Want == "ERR" && got.Error != "" || got.Output != nil && *got.Output == c.Want {
			continue
		}
		t.Errorf("%s: %s\ngave %+v, want %q", c.Name, c.Src, got, c.Want)
	}

	var corpus []map[string]any
	read("jinja_corpus.json", &corpus)
	total, good := 0, 0
	for _, c := range corpus {
		total++
		got := ask(c)
		want, gives := c["output"].(string)
		switch {
		case gives && got.Output != nil && *got.Output == want, !gives && got.Error != "":
			good++
		default:
			t.Logf("%s: %v\ngave %+v, want %q", c["test"], c["template"], got, want)
		}
	}
	t.Logf("%d of the probe's cases, %d of %d of the corpus", len(probe.Cases), good, total)
	if good*100 < total*95 {
		t.Errorf("%d of %d of the corpus are right: fewer than 95 %%", good, total)
	}
}

// probeContext is what the probe's templates are given.
var probeContext = json.RawMessage(`{"n": 4, "name": "world", "d": {"a": 1}, "users": [{"Name": "Ann", "Age": 20}, {"Name": "Bob", "Age": 40}],
	"tree": [{"v": 1, "c": [{"v": 2, "c": []}]}]}`)

// renderer starts the program; what it returns posts a request for a template over one connection and returns the answer.
func renderer(t *testing.T) func(*testing.T, string) string {
	t.Helper()
	target := start(t).URL("http") + "/_x/render"
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Timeout: launch.Patience, Transport: transport}
	return func(t *testing.T, request string) string {
		t.Helper()
		res, err := c.Post(target, "application/json", strings.NewReader(request))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %d %s %v", request, res.StatusCode, body, err)
		}
		return string(body)
	}
}

func sameJSON(a, b string) bool {
	canonical := func(text string) []byte {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return []byte(text)
		}
		out, _ := json.Marshal(v)
		return out
	}
	return bytes.Equal(canonical(a), canonical(b))
}

func TestPageWithAValue(t *testing.T) {
	base := start(t).URL("http")
	for query, want := range map[string]string{
		"":                     "<p></p>",
		"?q=Miles":             "<p>Miles</p>",
		"?q=%3Cb%3E%22%27%26":  "<p>&lt;b&gt;&#34;&#39;&amp;</p>",
		"?q=%7B%7B+7*7+%7D%7D": "<p>{{ 7*7 }}</p>",
	} {
		req, err := http.NewRequest("GET", base+"/_x/tpl"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		res := do(t, client(), req)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(res.body, want) {
			t.Errorf("%s: %d %s %s", query, res.StatusCode, res.Header.Get("Content-Type"), res.body)
		}
	}
}
