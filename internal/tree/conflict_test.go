package tree

import (
	"errors"
	"strings"
	"testing"
)

// add registers "METHOD pattern" under its own text; a pattern that ends in "…" is a mount, "ANY" the empty method.
func add(t testing.TB, tree *Tree[string], c *Converters, registration string) error {
	t.Helper()
	method, text, _ := strings.Cut(registration, " ")
	if method == "ANY" {
		method = ""
	}
	parse := Parse
	if prefix, ok := strings.CutSuffix(text, "…"); ok {
		parse, text = Rest, prefix
	}
	p, err := parse(text, c)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Add(method, p, registration)
}

func TestConflicts(t *testing.T) {
	converters := new(Converters)
	for _, conv := range []Converter{
		{Name: "hex", Match: func(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }},
		{Name: "even", Match: func(s string) bool { return len(s)%2 == 0 }},
		{Name: "first", Rank: 1},
		{Name: "never", Match: func(string) bool { return false }},
	} {
		if err := converters.Register(conv); err != nil {
			t.Fatal(err)
		}
	}
	const fine = ""
	for _, c := range []struct{ a, b, want string }{
		{"GET /", "GET /", "GET / and GET / match the same requests, such as GET /;"},
		{"GET /a", "GET /a", "such as GET /a;"},
		{"GET /a", "GET /a/", fine},
		{"GET /a", "GET /A", fine},
		{"GET /a", "POST /a", fine},
		{"GET /a", "HEAD /a", fine},
		{"GET /a", "ANY /a", fine},
		{"ANY /a", "ANY /a", "(any method) /a and (any method) /a match the same requests, such as GET /a;"},
		{"PURGE /a", "PURGE /a", "such as PURGE /a;"},
		{"GET /a%62", "GET /ab", "match the same requests"},
		{"GET /%C3%BC", "GET /ü", "such as GET /%C3%BC;"},
		{"GET /a%2fb", "GET /a%2Fb", "such as GET /a%2Fb;"},
		{"GET /a%2Fb", "GET /a/b", fine},
		{"GET /<a>", "GET /<b>", "GET /<b> and GET /<a> match the same requests, such as GET /x;"},
		{"GET /<a>", "GET /<str:b>", "match the same requests"},
		{"GET /<a>/x", "GET /<b>/y", fine},
		{"GET /<a>/x", "GET /<b>/x", "such as GET /x/x;"},
		{"GET /<int:a>", "GET /<int:b>", "such as GET /7;"},
		{"GET /<float:a>", "GET /<float:b>", "such as GET /7;"},
		{"GET /<uuid:a>", "GET /<uuid:b>", "such as GET /00000000-"},
		{"GET /<slug:a>/", "GET /<slug:b>/", "such as GET /x/;"},
		{"GET /<path:a>", "GET /<path:b>", "such as GET /x;"},
		{"POST /f/<path:a>", "GET /f/<path:b>", fine},
		{"GET /<int:a>", "GET /<float:a>", fine},
		{"GET /<int:a>", "GET /<a>", fine},
		{"GET /<a>", "GET /<path:a>", fine},
		{"GET /a", "GET /<a>", fine},
		{"GET /<a>/b", "GET /a/<b>", fine}, // static first: /a/b is the second's
		{"GET /m/…", "GET /m/…", "GET /m/… (mount) and GET /m/… (mount) match the same requests, such as GET /m/;"},
		{"ANY /m/…", "GET /m/…", fine},
		{"ANY /m/…", "ANY /m/", fine},
		{"ANY /m/…", "ANY /m/<path:p>", fine},
		{"ANY /<a>/…", "ANY /<b>/…", "such as GET /x/;"},
		{"GET /<hex:a>", "GET /<hex:b>", "match the same requests, such as GET /7;"},
		{"GET /<never:a>", "GET /<never:b>", "match the same requests; remove one"},
		{`GET /<re("a|b"):x>`, `GET /<re("a|b"):y>`, "match the same requests, such as GET /a;"},
		{"GET /<re(`a|b`):x>", `GET /<re("a|b"):y>`, "match the same requests"},
		{`GET /<re("[a-z]+"):x>`, `GET /<re("[a-c]+"):y>`,
			`are equally specific: in segment 1, re("[a-c]+") and re("[a-z]+") have the same rank (0), and GET /a fits both;`},
		{`GET /p/<re("[a-z]{3}"):x>/q`, `GET /p/<re("abc"):y>/q`, "in segment 2, "},
		{`GET /p/<re("[a-z]{3}"):x>/q`, `GET /p/<re("abc"):y>/q`, "and GET /p/abc/q fits both;"},
		{`GET /<re("a+"):x>/q`, `GET /<re("[ab]"):y>/r`, `and both accept "a";`},
		{`GET /<re("a+"):x>`, `GET /<re("b+"):y>`, "whether a segment fits both cannot be decided; use one converter in both"},
		{`GET /<re("a"):x>`, `POST /<re("[ab]"):y>`, fine},
		{`GET /<re("a"):x>`, `HEAD /<re("[ab]"):y>`, "and HEAD /a fits both"},
		{`HEAD /<re("a"):x>`, `GET /<re("[ab]"):y>`, "and HEAD /a fits both"},
		{`ANY /<re("a"):x>`, `POST /<re("[ab]"):y>`, "and POST /a fits both"},
		{`PUT /<re("a"):x>`, `ANY /<re("[ab]"):y>`, "and PUT /a fits both"},
		{`GET /<re("a"):x>`, `GET /<int:y>`, fine},
		{`GET /<re("a"):x>`, `GET /<y>`, fine},
		{`GET /<re("a"):x>`, `GET /<hex:y>`, `in segment 1, hex and re("a") have the same rank (0), and GET /a fits both`},
		{"GET /<hex:x>", "GET /<even:y>", "and GET /ab fits both"},
		{"GET /<hex:x>", "GET /<first:y>", fine},
		{`GET /<re("a"):x>`, "GET /<first:y>", fine},
		{`GET /a/<re("a"):x>`, `GET /b/<re("b"):x>`, fine},
		{`GET /<int:n>/<re("a"):x>`, `GET /<n>/<re("b"):x>`, fine},
	} {
		t.Run(c.a+" and "+c.b, func(t *testing.T) {
			tree := New[string]()
			if err := add(t, tree, converters, c.a); err != nil {
				t.Fatal(err)
			}
			err := add(t, tree, converters, c.b)
			if c.want == fine {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			var conflict *ConflictError[string]
			if !errors.As(err, &conflict) {
				t.Fatalf("error is %v", err)
			}
			if conflict.Other != c.a || !strings.Contains(err.Error(), c.want) {
				t.Errorf("with %s: %v; want %q", conflict.Other, err, c.want)
			}
		})
	}
}

// A refused registration must leave nothing behind.
func TestConflictChangesNothing(t *testing.T) {
	tree := New[string]()
	for _, r := range []string{`GET /<re("a+"):x>/y`, "ANY /<n>"} {
		if err := add(t, tree, nil, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := add(t, tree, nil, `GET /<re("[a-z]+"):x>/z/<more>`); err == nil {
		t.Fatal("not refused")
	}
	if err := add(t, tree, nil, "ANY /<other>"); err == nil {
		t.Fatal("not refused")
	}
	var ps Params
	if v, ok := tree.Match("GET", "/b/z/more", &ps); ok {
		t.Errorf("a refused pattern matches: %s", v)
	}
	if v, _ := tree.Match("GET", "/x", &ps); v != "ANY /<n>" {
		t.Errorf("GET /x is %q", v)
	}
	if err := add(t, tree, nil, `POST /<re("[a-z]+"):x>/z`); err != nil {
		t.Errorf("refused because of what was refused: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	p, err := Parse("/", nil)
	if err != nil {
		t.Fatal(err)
	}
	tree := New[int]()
	for _, method := range []string{"GET /", "GÉT", "a\nb", " "} {
		if err := tree.Add(method, p, 1); err == nil || !strings.Contains(err.Error(), "RFC 9110") {
			t.Errorf("method %q: %v", method, err)
		}
	}
	if err := tree.Add("GET", nil, 1); err == nil {
		t.Error("a nil pattern is taken")
	}
	if got := tree.Methods("/"); len(got) != 0 {
		t.Errorf("methods are %q", got)
	}
}
