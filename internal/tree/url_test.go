package tree

import (
	"slices"
	"strings"
	"testing"
)

// valuesOf takes values from "name=value" pairs.
func valuesOf(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, pair := range pairs {
			if n, v, _ := strings.Cut(pair, "="); n == name {
				return v, true
			}
		}
		return "", false
	}
}

func TestURL(t *testing.T) {
	for _, c := range []struct {
		pattern string
		values  []string
		want    string // a path, or part of the error
	}{
		{"/", nil, "/"},
		{"/users/<int:id>", []string{"id=7"}, "/users/7"},
		{"/users/<int:id>/", []string{"id=-7"}, "/users/-7/"},
		{"/<a>/<b>", []string{"b=2", "a=1"}, "/1/2"},
		{"/<a>", []string{"a=ü/% ?#;,\"<>\\"}, "/%C3%BC%2F%25%20%3F%23;,%22%3C%3E%5C"},
		{"/<a>", []string{"a=-._~!$&'()*+,;=:@"}, "/-._~!$&'()*+,;=:@"},
		{"/<a>", []string{"a=..."}, "/..."},
		{"/<a>", []string{"a=%2e"}, "/%252e"},
		{"/<a>", []string{"a=\n"}, "/%0A"},
		{"/ü/a%2fb/100%25/<a>", []string{"a=x"}, "/%C3%BC/a%2Fb/100%25/x"},
		{"/a b?", nil, "/a%20b%3F"},
		{"/f/<path:p>", []string{"p=a/b c/d"}, "/f/a/b%20c/d"},
		{"/f/<path:p>", []string{"p=a/"}, "/f/a/"},
		{"/f/<path:p>", []string{"p=100%/x"}, "/f/100%25/x"},
		{`/<re("[a-z]{2}"):lang>`, []string{"lang=en"}, "/en"},
		{`/<re("a/b"):x>`, []string{"x=a/b"}, "/a%2Fb"},
		{"/<hex:d>", []string{"d=beef"}, "/beef"},
		{"/<float:x>/<uuid:u>/<slug:s>", []string{"x=-1.50", "u=00000000-0000-4000-8000-000000000000", "s=a_b"}, "/-1.50/00000000-0000-4000-8000-000000000000/a_b"},
		{"/m/<int:n>/…", []string{"n=1"}, "/m/1/"},
		{"/<a>/<b>", []string{"a=1"}, `no value for the parameter "b"`},
		{"/<int:id>", []string{"id=x"}, `the value "x" of the parameter "id" is not accepted by its converter int`},
		{"/<int:id>", []string{"id=9223372036854775808"}, "is not accepted by its converter int"},
		{"/<float:x>", []string{"x=1e5"}, "converter float"},
		{"/<uuid:x>", []string{"x=1"}, "converter uuid"},
		{"/<slug:x>", []string{"x=a.b"}, "converter slug"},
		{`/<re("[a-z]{2}"):lang>`, []string{"lang=eng"}, `converter re("[a-z]{2}")`},
		{"/<hex:d>", []string{"d=beer"}, "converter hex"},
		{"/<a>", []string{"a="}, `the value "" of the parameter "a" is empty`},
		{"/<a>", []string{"a=."}, "clients resolve"},
		{"/<a>", []string{"a=.."}, "clients resolve"},
		{"/<a>", []string{"a=\xff"}, "not UTF-8"},
		{"/<a>", []string{"a=\x00"}, "NUL"},
		{"/<path:p>", []string{"p="}, "is empty"},
		{"/<path:p>", []string{"p=/"}, "relative path"},
		{"/<path:p>", []string{"p=/a"}, "relative path"},
		{"/<path:p>", []string{"p=a//b"}, "relative path"},
		{"/<path:p>", []string{"p=a//"}, "relative path"},
		{"/<path:p>", []string{`p=a\b`}, "relative path"},
		{"/<path:p>", []string{"p=a/../b"}, "clients resolve"},
		{"/<path:p>", []string{"p=./b"}, "clients resolve"},
	} {
		parse, text := Parse, c.pattern
		if prefix, ok := strings.CutSuffix(text, "…"); ok {
			parse, text = Rest, prefix
		}
		p, err := parse(text, hexConverters(t))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.URL(valuesOf(c.values...))
		if err != nil {
			got = err.Error()
			if strings.HasPrefix(c.want, "/") || !strings.Contains(got, c.want) {
				t.Errorf("%s with %q: %v, want %s", c.pattern, c.values, err, c.want)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.pattern, c.values, got, c.want)
		}
		if !p.matches(got) {
			t.Errorf("%s with %q: %s is not matched", c.pattern, c.values, got)
		}
	}
}

// What URL builds, the pattern matches, and gives back the same values; what it refuses, no path could carry.
func FuzzURL(f *testing.F) {
	f.Add(uint8(0), "a b", "c")
	f.Add(uint8(1), "a/b/", "%2F")
	f.Add(uint8(2), "-7", "ü")
	f.Add(uint8(3), "1.5", "..")
	f.Add(uint8(4), "a-b", "\\")
	patterns := []string{"/s%2F ü/<a>/<b>", "/<b>/<path:a>", "/<int:a>/<b>/", "/<float:a>/x/<b>", `/<re("[^b]+"):a>/<b>`, "/<slug:a>/<b>", "/<uuid:a>/<b>"}
	f.Fuzz(func(t *testing.T, which uint8, a, b string) {
		p, err := Parse(patterns[int(which)%len(patterns)], nil)
		if err != nil {
			t.Fatal(err)
		}
		path, err := p.URL(func(name string) (string, bool) {
			if name == "a" {
				return a, true
			}
			return b, true
		})
		if err != nil {
			return
		}
		tree := New[int]()
		if err := tree.Add("GET", p, 1); err != nil {
			t.Fatal(err)
		}
		var ps Params
		if _, ok := tree.Match("GET", path, &ps); !ok {
			t.Fatalf("%s does not match its URL %s for %q and %q", p, path, a, b)
		}
		want := []string{a, b}
		if p.Params()[0].Name == "b" {
			want = []string{b, a}
		}
		if !slices.Equal(texts(&ps), want) {
			t.Fatalf("%s: %s gives %q, want %q", p, path, texts(&ps), want)
		}
	})
}
