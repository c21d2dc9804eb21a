package template

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

var fuzzSeeds = []string{
	`{% for x in l recursive %}{{ loop(x) }}{% else %}{{ loop.index }}{% endfor %}`, `{% macro m(a, b=1) %}{{ varargs }}{{ caller() }}{% endmacro %}{% call m(1) %}x{% endcall %}`,
	`<a href="{{ s|upper }}" onclick='f({{ n }})' style=a:{{ s }}>{{ d.k ~ l[1:] }}</a><script>var a = "{{ s }}"/2;</script>`,
	`{% extends "base" %}{% block b %}{{ super() }}{{ self.b() }}{% endblock %}`, `{% set ns = namespace(a=1) %}{% set ns.a = ns.a ** 3 %}{{ ns }}`,
	`{% raw %}{{{% endraw %}{# c #}{%- if a is b -%}{%+ endif +%}`, `{{ '%5d'|format(n) }}{{ s|truncate(3)|urlize|xmlattr }}{{ l|groupby('x')|tojson(2) }}`,
	`{% include ["fuzz", "base"] ignore missing %}{% import "base" as b %}{{ b.x }}`, `<svg><style>a{background:url({{ s }})}</style><!-- {{ s }} -->`,
	`{% set l2 = [] %}{% do l2.append(l2) %}{{ l2 }}`, `{{ range(99999999) }}{{ s * 99999999 }}{{ lipsum(999) }}{{ s|center(2000000000) }}`,
	`<meta content="{{ n }};url={{ s }}" http-equiv=refresh><iframe srcdoc="<p onclick='{{ s }}'>{{ s }}"></iframe><h{{ n }}>{% for x in l %}<a href="{% for y in l %}{{ y }}/{% endfor %}">{% endfor %}`,
	"# for x in l:\n{{ x }} ## c\n# endfor\n", `{% filter wordwrap(3)|e %}{{ "{:>8.2f} {0[a].b!r}".format(1.5) }}{% endfilter %}{{ 1 if x.y is not defined else [1, (2,), {3: 4}][::-1] }}`,
	`{% set a = [1] %}{% set b = [a, a] %}{% set c = [b, b] %}{{ c == [b, b] }}{{ c }}{{ c|tojson }}{{ "\u00e9\x41\n" }}{{ 1_000.5e-3 // -2 }}`,
	`{% with a = 1, b = 2 %}{% trans x=a %}{{ x }}{% endtrans %}{% endwith %}{% autoescape false %}{{ s }}{% endautoescape %}{% from "base" import x as y without context %}`,
	`{{ l|map("upper")|select("in", "AB")|batch(2, 0)|list|sort(reverse=true)|join(",", attribute="a.0")|default("x", true) }}{{ d|dictsort|urlencode }}{{ cycler(1, 2).next() }}`,
}

// fuzzSyntaxes are the delimiters that the lexer is given: Jinja's, those with lines, and others that overlap.
var fuzzSyntaxes = []Syntax{
	{},
	{TrimBlocks: true, LstripBlocks: true, KeepTrailingNewline: true, LineStatement: "#", LineComment: "##"},
	{BlockStart: "<%", BlockEnd: "%>", VariableStart: "<%=", VariableEnd: "%>", CommentStart: "<%#", CommentEnd: "%>", LineStatement: "%"},
	{BlockStart: "<", BlockEnd: ">", VariableStart: "<<", VariableEnd: ">", CommentStart: "<!--", CommentEnd: "-->"},
}

// FuzzLex cuts any text into tokens. They are in the order of the text and in it, and their number is bounded by its
// length.
func FuzzLex(f *testing.F) {
	for i, seed := range fuzzSeeds {
		f.Add(seed, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, syntax uint8) {
		src := &source{"fuzz", text}
		var err error
		var tokens []token
		func() {
			defer func() { caught(recover(), &err, &position{src, 1, 1}) }()
			tokens = lex(src, fuzzSyntaxes[int(syntax)%len(fuzzSyntaxes)].withDefaults())
		}()
		if err != nil {
			checkFuzzError(t, text, err)
			return
		}
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		lines := int32(strings.Count(text, "\n") + 1)
		if len(tokens) == 0 || tokens[len(tokens)-1].kind != tokEOF || len(tokens) > 3*len(text)+3 {
			t.Fatalf("%q gave %d tokens", text, len(tokens))
		}
		last := position{line: 1, col: 1}
		for _, tok := range tokens {
			p := tok.at
			if p.line < last.line || p.line == last.line && p.col < last.col || p.line > lines {
				t.Fatalf("%q: the token %q is at %d:%d, behind %d:%d of %d lines", text, tok.text, p.line, p.col, last.line, last.col, lines)
			}
			last = *p
			if tok.kind == tokText && !strings.Contains(text, tok.text) {
				t.Fatalf("%q has no text %q", text, tok.text)
			}
		}
	})
}

func checkFuzzError(t *testing.T, text string, err error) {
	t.Helper()
	var e *Error
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Line > strings.Count(text, "\n")+1 || e.Message == "" {
		t.Errorf("%q gave the error %#v", text, err)
	}
}

// FuzzParse parses and compiles any text in each of the three ways to escape, also its blocks on their own.
func FuzzParse(f *testing.F) {
	for i, seed := range fuzzSeeds {
		f.Add(seed, uint8(i))
	}
	f.Fuzz(func(t *testing.T, text string, how uint8) {
		if len(text) > 4096 {
			return
		}
		e := New(fstest.MapFS{}, Options{Syntax: fuzzSyntaxes[int(how/3)%len(fuzzSyntaxes)], Escape: escaping(Escape(how % 3))})
		spent := testenv.Spent(func() {
			compiled, err := e.parse("fuzz", text)
			if err != nil {
				checkFuzzError(t, text, err)
				return
			}
			for _, u := range compiled.blocks {
				if _, err := u.in(escContext{}); err != nil {
					checkFuzzError(t, text, err)
				}
			}
		})
		if spent > 5*time.Second {
			t.Errorf("%q took more than 5 seconds", text)
		}
	})
}

// FuzzRender renders any text as a page: it ends, its output is bounded, and nothing is written of a page that fails.
func FuzzRender(f *testing.F) {
	for _, seed := range fuzzSeeds {
		f.Add(seed, "<\"'&javascript:")
	}
	f.Fuzz(func(t *testing.T, text, s string) {
		if len(text) > 4096 {
			return
		}
		limits := Limits{MaxOutput: 1 << 16, MaxLoops: 2000, MaxDepth: 20}
		e := New(fstest.MapFS{"fuzz": {Data: []byte(text)}, "base": {Data: []byte(`<p>{% block b %}x{% endblock %}{% set x = 1 %}`)}}, Options{Limits: limits})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		data := map[string]any{"s": s, "n": 3, "l": []any{1, "b", nil}, "d": map[string]int{"k": 1}, "p": &person{}}
		var out strings.Builder
		err := e.RenderContext(ctx, &out, "fuzz", data)
		if err != nil && (out.Len() > 0 || err.Error() == "") || out.Len() > limits.MaxOutput {
			t.Errorf("%q: %d bytes with the error %v", text, out.Len(), err)
		}
		_ = e.RenderBlock(ctx, io.Discard, "fuzz", "b", data)
		if ctx.Err() != nil {
			t.Errorf("%q took more than 5 seconds", text)
		}
	})
}
