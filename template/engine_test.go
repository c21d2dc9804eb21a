package template

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

type address struct{ City string }

type person struct {
	address
	*Home
	FullName string
	UserID   int
	secret   string
	Tags     []string
}

type Home struct{ Street string }

func (p *person) Greeting() string         { return "hello " + p.FullName }
func (p person) Initials(n int) string     { return p.FullName[:n] }
func (p person) Fail() (string, error)     { return p.secret, errors.New("no luck") }
func (p person) Letters() iter.Seq[string] { return slices.Values([]string{"a", "b"}) }
func (p person) Pairs() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) { yield("k", 1) }
}

func TestGoValuesReadNaturally(t *testing.T) {
	p := &person{address{"Köln"}, &Home{"Ring"}, "Ada Lovelace", 7, "s", []string{"x", "y"}}
	data := map[string]any{"p": p, "m": map[string]int{"b": 2, "a": 1}, "f": func(n int) int { return n * 2 }, "t": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), "n": (*person)(nil)}
	for _, c := range []struct{ name, text, want string }{
		{"field", `{{ p.FullName }}`, "Ada Lovelace"},
		{"field in snake case", `{{ p.full_name }} {{ p.user_id }}`, "Ada Lovelace 7"},
		{"promoted field", `{{ p.street }}`, "Ring"},
		{"field of an unexported struct", `{{ p.City is defined }}`, "False"},
		{"unexported field", `{{ p.secret is defined }}`, "False"},
		{"method", `{{ p.greeting }} {{ p.greeting() }} {{ p.initials(3) }}`, "hello Ada Lovelace hello Ada Lovelace Ada"},
		{"map in the order of its keys", `{% for k, v in m.items() %}{{ k }}{{ v }}{% endfor %}`, "a1b2"},
		{"slice", `{{ p.tags[-1] }}{{ p.tags|length }}{{ "x" in p.tags }}`, "y2True"},
		{"iterator", `{% for l in p.letters() %}{{ l }}{{ loop.last }}{% endfor %}`, "aFalsebTrue"},
		{"iterator of pairs", `{% for k, v in p.pairs %}{{ k }}{{ v }}{% endfor %}`, "k1"},
		{"function", `{{ f(4) }}`, "8"},
		{"Stringer and method", `{{ t.year }} {{ t > t }}`, "2026 False"},
		{"nil", `{{ n is none }}`, "True"},
		{"list of a Go type", `{{ p.tags|join("-") }}`, "x-y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := contextual(t, c.text, data); got != c.want || err != nil {
				t.Errorf("%s gave %q, %v, want %q", c.text, got, err, c.want)
			}
		})
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"undefined", "a\n  {{ usr.name }}", "main template:2:10: \"usr\" is undefined\n      {{ usr.name }}\n             ^"},
		{"tag", "{% fro x in y %}", `unknown tag "fro", did you mean "for"?`},
		{"filter", "{{ x|uper }}", `unknown filter "uper", did you mean "upper"?`},
		{"parameter of a filter", `{{ "x"|truncate(lenght=3) }}`, `truncate has no parameter "lenght", did you mean "length"?`},
		{"field", "{{ p.FulName.x }}", `did you mean "FullName"?`},
		{"failing method", "{{ p.fail }}", "main template:1:6: no luck"},
		{"not closed", "{% if x %}", `"if" is not closed`},
		{"wrong end", "{% for a in b %}{% endif %}", `unknown tag "endif", "endfor" was expected`},
		{"include", `{% include "mian template" %}`, "there is no template"},
		{"long chain", "{{ 1" + strings.Repeat("+1", 6000) + " }}", "operators in a row"},
		{"deep nesting", "{{ " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + " }}", "nested more than"},
		{"required block", `{% block a required %}{% endblock %}`, "is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := contextual(t, c.text, map[string]any{"p": &person{}})
			var e *Error
			if !errors.As(err, &e) || e.Name != "main template" || !strings.Contains(err.Error(), c.want) || got != "" {
				t.Errorf("%q gave %q, %v, want %q", c.text, got, err, c.want)
			}
		})
	}
}

func TestLimitsStopARender(t *testing.T) {
	doubled := `{% set n = namespace(a=[], b=[]) %}{% for i in range(40) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}`
	for _, c := range []struct{ name, text string }{
		{"lists that hold others twice, compared", doubled + `{{ n.a == n.b }}`},
		{"ordered", doubled + `{{ n.a < n.b }}`},
		{"looked for", doubled + `{{ n.a in [1, n.b] }}`},
		{"written", doubled + `{{ n.a }}`},
		{"as a key", doubled + `{{ {(n.a, 1): 2} }}`},
		{"as JSON", doubled + `{{ n.a|tojson }}`},
		{"format", `{{ "{:99999}".format(1) }}`},
		{"verb", `{{ "%99999d" % 1 }}`},
		{"loops", `{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}`},
		{"range", `{{ range(1000000) }}`},
		{"repetition", `{{ "x" * 1000000000 }}`},
		{"width", `{{ "x"|center(1000000000) }}`},
		{"recursion", `{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}`},
		{"include", `{% include "main template" %}`},
		{"output", `{% for a in range(1000) %}{{ "x" * 10000 }}{% endfor %}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := renderText(nil, c.text, none, Options{Limits: Limits{MaxLoops: 10_000, MaxOutput: 1 << 20, MaxDepth: 30}})
			if !IsLimit(err) {
				t.Errorf("%s gave %v", c.text, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := New(fstest.MapFS{"a.html": {Data: []byte("x")}})
	if err := e.RenderContext(ctx, io.Discard, "a.html", nil); !IsLimit(err) || !strings.Contains(err.Error(), "canceled") {
		t.Errorf("a cancelled context gave %v", err)
	}
}

func TestOwnFiltersTestsAndGlobals(t *testing.T) {
	got, err := renderText(nil, `{{ "a"|twice(3) }} {{ 4 is big }} {{ site }} {{ bold("<") }}`, none, Options{
		Filters: map[string]any{"twice": func(s string, n int) string { return strings.Repeat(s, n) }},
		Tests:   map[string]any{"big": func(n int) bool { return n > 3 }},
		Globals: map[string]any{"site": "Shop", "bold": func(s string) HTML { return "<b></b>" }},
	})
	if want := "aaa True Shop <b></b>"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestCheckFindsMistakesInAllTemplates(t *testing.T) {
	e := New(fstest.MapFS{
		"good.html": {Data: []byte("{{ x }}")}, "a.html": {Data: []byte("{% if %}")}, "b/c.html": {Data: []byte("{{ x|nope }}")},
		"layout.html": {Data: []byte(`<script>{% block js %}{% endblock %}</script>`)},
		"child.html":  {Data: []byte(`{% extends "layout.html" %}{% block js %}a = /{{ x }}/{% endblock %}`)},
	})
	err := e.Check()
	for _, want := range []string{"a.html:1:", "b/c.html:1:", "child.html:1:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check gave %v, want %s", err, want)
		}
	}
	if err := e.Render(io.Discard, "none.html", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing template gave %v", err)
	}
	if err := e.Render(io.Discard, "../x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name outside gave %v", err)
	}
}

func TestBlocksAreEscapedForWhereTheLayoutPutsThem(t *testing.T) {
	e := New(fstest.MapFS{
		"layout.html": {Data: []byte(`<script>{% block js %}f({{ x }}){% endblock %}</script><a href="{% block u %}{% endblock %}">`)},
		"child.html":  {Data: []byte(`{% extends "layout.html" %}{% block js %}{{ super() }};g("{{ x }}"){% endblock %}{% block u %}{{ x }}{% endblock %}`)},
	})
	var b strings.Builder
	err := e.Render(&b, "child.html", map[string]any{"x": `javascript:"`})
	if want := `<script>f("javascript:\"");g("javascript:\u0022")</script><a href="` + Blocked + `">`; b.String() != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", b.String(), err, want)
	}
}
