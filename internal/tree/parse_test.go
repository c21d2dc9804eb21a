package tree

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// hexConverters are the built-in converters and two more.
func hexConverters(t testing.TB) *Converters {
	t.Helper()
	c := new(Converters)
	for _, conv := range []Converter{
		{Name: "hex", Match: func(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }},
		{Name: "anything", Rank: -1},
	} {
		if err := c.Register(conv); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestParse(t *testing.T) {
	const static = -1
	for _, c := range []struct {
		text     string
		segments []Segment
		params   []Param
		slash    bool
	}{
		{"/", nil, nil, true},
		{"/users", []Segment{{"users", static}}, nil, false},
		{"/users/", []Segment{{"users", static}}, nil, true},
		{"/<name>", []Segment{{"", 0}}, []Param{{"name", "str", ""}}, false},
		{"/<str:name>/", []Segment{{"", 0}}, []Param{{"name", "str", ""}}, true},
		{"/users/<int:id>/posts/<slug>", []Segment{{"users", static}, {"", 0}, {"posts", static}, {"", 1}},
			[]Param{{"id", "int", ""}, {"slug", "str", ""}}, false},
		{"/<float:x>/<uuid:u>/<slug:s>/<path:p>", []Segment{{"", 0}, {"", 1}, {"", 2}, {"", 3}},
			[]Param{{"x", "float", ""}, {"u", "uuid", ""}, {"s", "slug", ""}, {"p", "path", ""}}, false},
		{`/<re("[a-z]{2}"):lang>`, []Segment{{"", 0}}, []Param{{"lang", "re", "[a-z]{2}"}}, false},
		{"/<re(`\\d+`):n>", []Segment{{"", 0}}, []Param{{"n", "re", `\d+`}}, false},
		{`/<re("\\d+"):n>`, []Segment{{"", 0}}, []Param{{"n", "re", `\d+`}}, false},
		{`/<re("a/b"):x>/c`, []Segment{{"", 0}, {"c", static}}, []Param{{"x", "re", "a/b"}}, false},
		{`/<re("<[^>]*>:\"(){}"):x>`, []Segment{{"", 0}}, []Param{{"x", "re", `<[^>]*>:"(){}`}}, false},
		{"/<re(`\"\\):x>`):y>", []Segment{{"", 0}}, []Param{{"y", "re", `"\):x>`}}, false},
		{`/<re("\u00e9"):x>`, []Segment{{"", 0}}, []Param{{"x", "re", "é"}}, false},
		{"/<hex:digest>", []Segment{{"", 0}}, []Param{{"digest", "hex", ""}}, false},
		{"/<_>/<größe>/<x2>", []Segment{{"", 0}, {"", 1}, {"", 2}}, []Param{{"_", "str", ""}, {"größe", "str", ""}, {"x2", "str", ""}}, false},
		{"/<int>", []Segment{{"", 0}}, []Param{{"int", "str", ""}}, false}, // a parameter may have a converter's name
		{"/über/日本", []Segment{{"über", static}, {"日本", static}}, nil, false},
		{"/%C3%BCber", []Segment{{"über", static}}, nil, false},
		{"/a%2fb", []Segment{{"a/b", static}}, nil, false},
		{"/100%25", []Segment{{"100%", static}}, nil, false},
		{"/%2541", []Segment{{"%41", static}}, nil, false},
		{"/%3Cid%3E", []Segment{{"<id>", static}}, nil, false},
		{"/%3Aid/%2Aall/%7Bid%7D", []Segment{{":id", static}, {"*all", static}, {"{id}", static}}, nil, false},
		{"/things:cancel", []Segment{{"things:cancel", static}}, nil, false},
		{"/:/*/{}", []Segment{{":", static}, {"*", static}, {"{}", static}}, nil, false},
		{"/...", []Segment{{"...", static}}, nil, false},
		{"/.well-known/x.y", []Segment{{".well-known", static}, {"x.y", static}}, nil, false},
		{"/a b?c#d", []Segment{{"a b?c#d", static}}, nil, false},
		{"/\uFFFD", []Segment{{"\uFFFD", static}}, nil, false},
	} {
		t.Run(c.text, func(t *testing.T) {
			p, err := Parse(c.text, hexConverters(t))
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != c.text {
				t.Errorf("String() = %q", p.String())
			}
			if got := p.Segments(); !slices.Equal(got, c.segments) {
				t.Errorf("Segments() = %v, want %v", got, c.segments)
			}
			if got := p.Params(); !slices.Equal(got, c.params) {
				t.Errorf("Params() = %v, want %v", got, c.params)
			}
			if p.TrailingSlash() != c.slash || p.IsRest() {
				t.Errorf("TrailingSlash() = %t, IsRest() = %t", p.TrailingSlash(), p.IsRest())
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
		want   string // part of the message
	}{
		{"", 1, `write "/"`},
		{"users", 1, `write "/users"`},
		{"<id>", 1, "must start with a slash"},
		{"//", 2, "empty segment"},
		{"/a//b", 4, "write one slash"},
		{"//a", 2, "empty segment"},
		{"/.", 2, "can never be matched"},
		{"/a/../b", 4, `".." can never be matched`},
		{"/%2e%2E/b", 2, "can never be matched"},
		{"/50%", 4, "write %25"},
		{"/a%2", 3, "write %25"},
		{"/a%zzb", 3, "write %25"},
		{"/ok%41%", 7, "write %25"},
		{"/a%00", 3, "can never be matched"},
		{"/a%FF", 3, "not UTF-8"},
		{"/a\x00b", 3, "NUL can never be matched"},
		{"/ü/\xff", 4, "save the source file as UTF-8"},
		{"/<>", 3, `"" is not a name`},
		{"/<1st>", 3, `"1st" is not a name`},
		{"/<a-b>", 3, `"a-b" is not a name`},
		{"/<int: id>", 7, `" id" is not a name`},
		{"/<int:>", 7, `"" is not a name`},
		{"/<:id>", 3, "write <name>"},
		{"/<id", 2, "not closed"},
		{"/<int:id/x", 2, "not closed"},
		{"/<int:id:x>", 9, `":" cannot stand in a parameter`},
		{"/<a<b>", 4, `"<" cannot stand`},
		{"/a>b", 3, "write %3E"},
		{"/a>/<b>", 3, "write %3E"},
		{"/<id>/<id>", 7, `two parameters called "id"`},
		{"/<path:p>/x", 10, "must be the last segment"},
		{"/<path:p>/<path:q>", 10, "must be the last segment"},
		{"/<path:p>/", 10, "leave the slash out"},
		{"/<itn:id>", 3, `did you mean "int"?`},
		{"/<Int:id>", 3, `did you mean "int"?`},
		{"/<string:id>", 3, `did you mean "str"?`},
		{"/<integer:id>", 3, `did you mean "int"?`},
		{"/<guid:id>", 3, `did you mean "uuid"?`},
		{"/<regex:id>", 3, `did you mean "re"?`},
		{"/<hx:id>", 3, `did you mean "hex"?`},
		{"/<sulg:id>", 3, `did you mean "slug"?`},
		{"/<zebra:id>", 3, "the converters are anything, float, hex, int, path, re, slug, str, uuid"},
		{"/ü/<itn:id>", 5, "no converter is called"},
		{"/<re:lang>", 3, `write <re("[a-z]+"):name>`},
		{"/<re():x>", 6, "Go string literal"},
		{"/<re([a-z]):x>", 6, "Go string literal"},
		{"/<re('x'):x>", 6, "Go string literal"},
		{`/<re("\d"):x>`, 6, "a backslash is written twice"},
		{`/<re("x):y>`, 6, "Go string literal"},
		{`/<re("x":y>`, 5, "write ) after the closing quote"},
		{`/<re("x")>`, 10, `write <re("x"):name>`},
		{`/<re("x"):>`, 11, "is not a name"},
		{`/<re("(x"):y>`, 3, "does not compile"},
		{`/<re("a)(b"):y>`, 3, "does not compile"},
		{`/<re("(?=x)"):y>`, 3, "RE2"},
		{`/<int("x"):y>`, 3, "only re does"},
		{`/<nope("x"):y>`, 3, `no converter is called "nope"`},
		{"/v<int:n>", 2, `write <re("v(?:-?[0-9]+)"):n>`},
		{"/<name>.json", 2, "write <re(`(?:.+)\\.json`):name>"},
		{"/a.<slug:s>.b", 2, "write <re(`a\\.(?:[A-Za-z0-9_-]+)\\.b`):s>"},
		{"/%20<int:n>", 2, `write <re(" (?:-?[0-9]+)"):n>`},
		{`/x<re("[a-z]"):l>`, 2, `write <re("x(?:[a-z])"):l>`},
		{"/x<itn:n>", 4, `did you mean "int"?`},
		{"/<a>-<b>", 2, "one parameter only"},
		{"/<a><b>", 2, "one parameter only"},
		{"/:id", 2, "write <id>, or %3Aid"},
		{"/users/:id/x", 8, "write <id>"},
		{"/*rest", 2, "write <path:rest>, or %2Arest"},
		{"/{id}", 2, "write <id>, or %7Bid}"},
		{"/{rest...}", 2, "write <path:rest>"},
	} {
		t.Run(c.text, func(t *testing.T) {
			_, err := Parse(c.text, hexConverters(t))
			var pe *ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("error is %v", err)
			}
			if pe.Column != c.column || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want column %d and %q", err, c.column, c.want)
			}
		})
	}
}

// What a message proposes for text beside a parameter must parse, and match what was meant.
func TestMixedSegmentAdvice(t *testing.T) {
	for _, c := range []struct{ text, path string }{
		{"/v<int:n>", "/v12"}, {"/<name>.json", "/report.json"}, {"/a.<slug:s>.b", "/a.x-y.b"},
		{"/%5B<float:x>]", "/%5B1.5%5D"}, {`/x<re("a|b"):l>y`, "/xby"}, {"/u-<uuid:u>", "/u-00000000-0000-4000-8000-000000000000"},
	} {
		_, err := Parse(c.text, nil)
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Fatalf("%s: error is %v", c.text, err)
		}
		p, err := Parse("/"+strings.TrimPrefix(pe.Fix, "write "), nil)
		if err != nil {
			t.Errorf("%s: the advice %q does not parse: %v", c.text, pe.Fix, err)
		} else if !p.matches(c.path) {
			t.Errorf("%s: the advice %q does not match %s", c.text, pe.Fix, c.path)
		}
	}
}

func TestRestPrefix(t *testing.T) {
	p, err := Rest("/legacy/<int:version>/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if !p.IsRest() || !p.TrailingSlash() || p.String() != "/legacy/<int:version>/" || len(p.Params()) != 1 {
		t.Errorf("got %+v", p)
	}
	for _, c := range []struct{ prefix, want string }{
		{"/legacy", `write "/legacy/"`},
		{"legacy/", "must start with a slash"},
		{"/<path:p>/", "leave the slash out"},
		{"/<path:p>", "must end in a slash"},
		{"/a//", "empty segment"},
	} {
		if _, err := Rest(c.prefix, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Rest(%q): %v, want %q", c.prefix, err, c.want)
		}
	}
}

func TestConverters(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", "lower-case letter"}, {"Hex", "lower-case letter"}, {"9x", "lower-case letter"}, {"_x", "lower-case letter"},
		{"a-b", "lower-case letter"}, {"é", "lower-case letter"}, {"int", "built in"}, {"re", "built in"}, {"path", "built in"},
		{"hex", "already registered"},
	} {
		if err := hexConverters(t).Register(Converter{Name: c.name}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Register(%q): %v, want %q", c.name, err, c.want)
		}
	}
	var none *Converters
	if err := none.Register(Converter{Name: "x"}); err == nil {
		t.Error("a nil *Converters takes a converter")
	}
	if got := none.Names(); !slices.Equal(got, []string{"float", "int", "path", "re", "slug", "str", "uuid"}) {
		t.Errorf("built in are %v", got)
	}
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"int", "0", true}, {"int", "-12", true}, {"int", "007", true}, {"int", "-0", true}, {"int", "9223372036854775807", true},
		{"int", "-9223372036854775808", true}, {"int", "9223372036854775808", false}, {"int", "-9223372036854775809", false},
		{"int", "18446744073709551616", false}, {"int", "00000000000000000000000000000001", true}, {"int", "+1", false},
		{"int", "-", false}, {"int", "--1", false}, {"int", "1_0", false}, {"int", "0x1", false}, {"int", "١", false}, {"int", "1.0", false},
		{"float", "1", true}, {"float", "-1.50", true}, {"float", "1.", false}, {"float", ".5", false}, {"float", "-.5", false},
		{"float", "1.2.3", false}, {"float", "1e5", false}, {"float", "NaN", false}, {"float", "Inf", false}, {"float", "-", false},
		{"float", strings.Repeat("9", 400), false}, {"float", "99999999999999999999", true}, {"float", "", false},
		{"uuid", "0190f5d2-7c3b-7def-8000-0123456789AB", true}, {"uuid", "0190f5d27c3b7def80000123456789ab", false},
		{"uuid", "0190f5d2-7c3b-7def-8000-0123456789ag", false}, {"uuid", "0190f5d2-7c3b-7def-80000-123456789ab", false},
		{"uuid", "{190f5d2-7c3b-7def-8000-0123456789ab", false},
		{"slug", "a-B_9", true}, {"slug", "a.b", false}, {"slug", "é", false}, {"slug", "", false}, {"slug", "a/b", false},
		{"str", "a/b é", true}, {"str", "", false},
		{"path", "a", true}, {"path", "a/b/", true}, {"path", "/a", false}, {"path", "a//b", false}, {"path", "a//", false},
		{"path", `a\b`, false}, {"path", "", false},
		{"hex", "beef", true}, {"hex", "beer", false}, {"hex", "", false}, {"anything", "x", true}, {"anything", "", false}, {"re", "x", false},
	} {
		conv, ok := hexConverters(t).Lookup(c.name)
		if !ok || conv.Name != c.name {
			t.Fatalf("Lookup(%q) = %v, %t", c.name, conv, ok)
		}
		if got := conv.Match(c.text); got != c.want {
			t.Errorf("%s matches %q: %t", c.name, c.text, got)
		}
	}
	if _, ok := none.Lookup("hex"); ok {
		t.Error("a nil *Converters has hex")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/", "/a/<int:id>/", `/<re("[a-z]{2}"):lang>`, "/<re(`>\"`):x>/b", "/%C3%BC/<path:rest>", "/v<int:n>.x", "/<a>/<a>", "/<sttr:x>",
		"/:id", "/{a...}", "/a//b", "/%2e", "/<re(\"a\"):x", "/\xff", `/<re("(a|b)*?[^c]\\b"):x>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text, nil)
		if err != nil {
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Column < 1 || pe.Column > utf8.RuneCountInString(text)+1 || pe.Problem == "" || pe.Fix == "" {
				t.Fatalf("Parse(%q): %#v", text, err)
			}
			return
		}
		if p.String() != text {
			t.Fatalf("Parse(%q).String() = %q", text, p)
		}
		if path, ok := p.example(); ok && !p.matches(path) {
			t.Fatalf("%q does not match its example %q", text, path)
		}
		params := 0
		for _, s := range p.Segments() {
			if s.Param >= 0 {
				params++
			} else if s.Text == "" {
				t.Fatalf("Parse(%q) has an empty segment", text)
			}
		}
		if params != len(p.Params()) {
			t.Fatalf("Parse(%q): %d parameters in segments, %d in Params", text, params, len(p.Params()))
		}
	})
}
