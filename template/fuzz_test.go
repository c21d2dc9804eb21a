package template

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzRender gives any text to the lexer, the parser, the compiler and the renderer: nothing may panic, hang or grow.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		`{% for x in l recursive %}{{ loop(x) }}{% endfor %}`, `{% macro m(a, b=1) %}{{ varargs }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}`,
		`<a href="{{ s|upper }}" onclick='f({{ n }})' style=a:{{ s }}>{{ d.k ~ l[1:] }}</a><script>var a = "{{ s }}"/2;</script>`,
		`{% extends "base" %}{% block b %}{{ super() }}{{ self.b() }}{% endblock %}`, `{% set ns = namespace(a=1) %}{% set ns.a = ns.a ** 3 %}{{ ns }}`,
		`{% raw %}{{{% endraw %}{# c #}{%- if a is b -%}{%+ endif +%}`, `{{ '%5d'|format(n) }}{{ s|truncate(3)|urlize|xmlattr }}{{ l|groupby('x')|tojson(2) }}`,
		`{% include ["fuzz", "base"] ignore missing %}{% import "base" as b %}{{ b.x }}`, `<svg><style>a{background:url({{ s }})}</style><!-- {{ s }} -->`,
		`{% set l2 = [] %}{% do l2.append(l2) %}{{ l2 }}`, `{{ range(99999999) }}{{ s * 99999999 }}{{ lipsum(999) }}{{ s|center(2000000000) }}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := New(fstest.MapFS{"fuzz": {Data: []byte(text)}, "base": {Data: []byte(`<p>{% block b %}x{% endblock %}{% set x = 1 %}`)}},
			Options{Limits: Limits{MaxOutput: 1 << 16, MaxLoops: 2000, MaxDepth: 20}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var out strings.Builder
		err := e.RenderContext(ctx, &out, "fuzz", map[string]any{"s": "<\"'&javascript:", "n": 3, "l": []any{1, "b", nil}, "d": map[string]int{"k": 1}})
		if err != nil && (out.Len() > 0 || err.Error() == "") {
			t.Errorf("%q: %d bytes with the error %v", text, out.Len(), err)
		}
		if ctx.Err() != nil {
			t.Errorf("%q took more than 5 seconds", text)
		}
	})
}
