package tree

import (
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

// registered makes a tree of registrations as add takes them.
func registered(t testing.TB, c *Converters, registrations ...string) *Tree[string] {
	t.Helper()
	tree := New[string]()
	for _, r := range registrations {
		if err := add(t, tree, c, r); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
	}
	return tree
}

// texts returns the texts of all parameters and, of a mount, the rest.
func texts(ps *Params) []string {
	var out []string
	for i := range ps.Len() {
		out = append(out, ps.Text(i))
	}
	if ps.Rest() != "" {
		out = append(out, "…"+ps.Rest())
	}
	return out
}

func TestMatch(t *testing.T) {
	const uuid = "0190f5d2-7c3b-7def-8000-0123456789AB"
	precedence := []string{
		"GET /p/<rest_of_it>", "GET /p/<path:all>", "GET /p/static", "GET /p/<int:n>", "GET /p/<uuid:u>", "GET /p/<slug:s>",
		`GET /p/<re("[.a-z]+"):r>`, "GET /p/<float:f>", "GET /p/…",
	}
	methods := []string{
		"GET /users/<int:id>", "POST /users/<name>", "ANY /users/<slug:any>", "GET /both", "ANY /both", "HEAD /head", "GET /head",
		"PURGE /cache", "GET /only", "ANY /any", "ANY /any/<int:n>", "POST /any/<int:n>",
	}
	back := []string{
		"GET /a/<int:n>/x", "GET /a/<n>/y", "GET /a/7/z", "GET /<p>/7/w", "GET /a/<path:rest>", "GET /a/b/…",
		"GET /deep/<int:a>/<int:b>/<int:c>", "GET /deep/<a>/<int:b>/<float:c>", "GET /deep/<a>/<b>/<c>",
	}
	slashes := []string{"GET /a", "GET /a/", "GET /b", "GET /c/", "GET /<x>/d/", "GET /"}
	escapes := []string{
		"GET /über/<name>", "GET /a%2Fb", "GET /100%25", "GET /tags/<tag>", "GET /files/<path:p>", "GET /m/…", "GET /n/<int:n>",
		`GET /re/<re("a/b|%|é"):x>`, "GET /admin/<path:p>", "GET /sp ace",
	}
	mounts := []string{"ANY /legacy/…", "GET /legacy/new", "GET /t/<int:id>/…", "GET /t/<int:id>/<path:p>", "ANY /…", "POST /legacy/old/…"}

	for _, c := range []struct {
		name   string
		routes []string
		method string
		path   string
		want   string // the registration, "" for none
		params []string
	}{
		{"static before all", precedence, "GET", "/p/static", "GET /p/static", nil},
		{"int before float", precedence, "GET", "/p/-12", "GET /p/<int:n>", []string{"-12"}},
		{"int that is too large is a float", precedence, "GET", "/p/99999999999999999999", "GET /p/<float:f>", []string{"99999999999999999999"}},
		{"float before slug", precedence, "GET", "/p/1.5", "GET /p/<float:f>", []string{"1.5"}},
		{"a float that is too large is a slug", precedence, "GET", "/p/" + strings.Repeat("9", 400), "GET /p/<slug:s>", []string{strings.Repeat("9", 400)}},
		{"uuid before slug", precedence, "GET", "/p/" + uuid, "GET /p/<uuid:u>", []string{uuid}},
		{"slug before re", precedence, "GET", "/p/abc", "GET /p/<slug:s>", []string{"abc"}},
		{"re before str", precedence, "GET", "/p/a.b", `GET /p/<re("[.a-z]+"):r>`, []string{"a.b"}},
		{"re is anchored at both ends", precedence, "GET", "/p/a.b!", "GET /p/<rest_of_it>", []string{"a.b!"}},
		{"re does not match before a line end", precedence, "GET", "/p/a.b%0A", "GET /p/<rest_of_it>", []string{"a.b\n"}},
		{"str before path", precedence, "GET", "/p/A!", "GET /p/<rest_of_it>", []string{"A!"}},
		{"path takes several segments", precedence, "GET", "/p/static/x", "GET /p/<path:all>", []string{"static/x"}},
		{"path takes a slash at the end", precedence, "GET", "/p/x/", "GET /p/<path:all>", []string{"x/"}},
		{"mount takes what path does not", precedence, "GET", "/p/x//y", "GET /p/…", []string{"…x//y"}},
		{"mount takes the prefix", precedence, "GET", "/p/", "GET /p/…", nil},
		{"nothing without the slash", precedence, "GET", "/p", "", nil},
		{"case matters", precedence, "GET", "/P/static", "", nil},

		{"exact method", methods, "GET", "/users/7", "GET /users/<int:id>", []string{"7"}},
		{"a less specific pattern has the method", methods, "POST", "/users/x!", "POST /users/<name>", []string{"x!"}},
		{"any method on a pattern between", methods, "POST", "/users/7", "ANY /users/<slug:any>", []string{"7"}},
		{"HEAD takes GET", methods, "HEAD", "/users/7", "GET /users/<int:id>", []string{"7"}},
		{"HEAD takes HEAD", methods, "HEAD", "/head", "HEAD /head", nil},
		{"GET takes GET", methods, "GET", "/head", "GET /head", nil},
		{"GET before any", methods, "GET", "/both", "GET /both", nil},
		{"HEAD takes GET before any", methods, "HEAD", "/both", "GET /both", nil},
		{"any for the others", methods, "DELETE", "/both", "ANY /both", nil},
		{"any for methods never heard of", methods, "BREW", "/both", "ANY /both", nil},
		{"own before any", methods, "POST", "/any/1", "POST /any/<int:n>", []string{"1"}},
		{"any after own", methods, "PUT", "/any/1", "ANY /any/<int:n>", []string{"1"}},
		{"own methods", methods, "PURGE", "/cache", "PURGE /cache", nil},
		{"methods are case-sensitive", methods, "get", "/only", "", nil},
		{"lower case is any", methods, "get", "/any", "ANY /any", nil},
		{"empty method", methods, "", "/only", "", nil},
		{"empty method is any", methods, "", "/any", "ANY /any", nil},
		{"no value for the method", methods, "POST", "/only", "", nil},

		{"first choice", back, "GET", "/a/7/z", "GET /a/7/z", nil},
		{"back from static to int", back, "GET", "/a/7/x", "GET /a/<int:n>/x", []string{"7"}},
		{"back from int to str", back, "GET", "/a/7/y", "GET /a/<n>/y", []string{"7"}},
		{"path before a str further left", back, "GET", "/a/7/w", "GET /a/<path:rest>", []string{"7/w"}},
		{"the str further left", back, "GET", "/c/7/w", "GET /<p>/7/w", []string{"c"}},
		{"mount below static before path", back, "GET", "/a/b/c", "GET /a/b/…", []string{"…c"}},
		{"parameters of the first try", back, "GET", "/deep/1/2/3", "GET /deep/<int:a>/<int:b>/<int:c>", []string{"1", "2", "3"}},
		{"parameters of the second try", back, "GET", "/deep/1/2/3.5", "GET /deep/<a>/<int:b>/<float:c>", []string{"1", "2", "3.5"}},
		{"parameters of the third try", back, "GET", "/deep/1/2/x", "GET /deep/<a>/<b>/<c>", []string{"1", "2", "x"}},

		{"root", slashes, "GET", "/", "GET /", nil},
		{"without", slashes, "GET", "/a", "GET /a", nil},
		{"with", slashes, "GET", "/a/", "GET /a/", nil},
		{"only without", slashes, "GET", "/b/", "", nil},
		{"only with", slashes, "GET", "/c", "", nil},
		{"after a parameter", slashes, "GET", "/y/d/", "GET /<x>/d/", []string{"y"}},
		{"not after a parameter", slashes, "GET", "/y/d", "", nil},
		{"two at the end", slashes, "GET", "/a//", "", nil},
		{"two at the start", slashes, "GET", "//a", "", nil},
		{"two alone", slashes, "GET", "//", "", nil},
		{"an empty parameter", slashes, "GET", "//d/", "", nil},

		{"escaped UTF-8", escapes, "GET", "/%C3%BCber/x", "GET /über/<name>", []string{"x"}},
		{"escaped UTF-8, lower case", escapes, "GET", "/%c3%bcber/x", "GET /über/<name>", []string{"x"}},
		{"raw UTF-8", escapes, "GET", "/über/ö", "GET /über/<name>", []string{"ö"}},
		{"escaped letters", escapes, "GET", "/t%61gs/%78", "GET /tags/<tag>", []string{"x"}},
		{"escaped slash in static text", escapes, "GET", "/a%2fb", "GET /a%2Fb", nil},
		{"escaped slash separates nothing", escapes, "GET", "/a/b", "", nil},
		{"escaped percent in static text", escapes, "GET", "/100%25", "GET /100%25", nil},
		{"escaped slash in a parameter", escapes, "GET", "/tags/a%2Fb", "GET /tags/<tag>", []string{"a/b"}},
		{"decoded once", escapes, "GET", "/tags/%252F", "GET /tags/<tag>", []string{"%2F"}},
		{"plus is plus", escapes, "GET", "/tags/a+b", "GET /tags/<tag>", []string{"a+b"}},
		{"space", escapes, "GET", "/tags/%20", "GET /tags/<tag>", []string{" "}},
		{"space in static text", escapes, "GET", "/sp%20ace", "GET /sp ace", nil},
		{"line end", escapes, "GET", "/tags/x%0a", "GET /tags/<tag>", []string{"x\n"}},
		{"escaped digits", escapes, "GET", "/n/%37", "GET /n/<int:n>", []string{"7"}},
		{"re on the decoded slash", escapes, "GET", "/re/a%2Fb", `GET /re/<re("a/b|%|é"):x>`, []string{"a/b"}},
		{"re on the decoded percent sign", escapes, "GET", "/re/%25", `GET /re/<re("a/b|%|é"):x>`, []string{"%"}},
		{"re on UTF-8", escapes, "GET", "/re/é", `GET /re/<re("a/b|%|é"):x>`, []string{"é"}},
		{"path decodes", escapes, "GET", "/files/a%20b/%25/c", "GET /files/<path:p>", []string{"a b/%/c"}},
		{"path refuses an escaped slash", escapes, "GET", "/files/a%2Fb", "", nil},
		{"path refuses a lower-case one", escapes, "GET", "/files/x/a%2fb", "", nil},
		{"path refuses a backslash", escapes, "GET", `/files/a\b`, "", nil},
		{"path refuses an escaped one", escapes, "GET", "/files/a%5Cb", "", nil},
		{"path takes a doubly escaped slash", escapes, "GET", "/files/%252F", "GET /files/<path:p>", []string{"%2F"}},
		{"path refuses empty segments", escapes, "GET", "/files/a//b", "", nil},
		{"path refuses an empty one first", escapes, "GET", "/files//a", "", nil},
		{"path refuses two slashes at the end", escapes, "GET", "/files/a//", "", nil},
		{"path is not empty", escapes, "GET", "/files/", "", nil},
		{"the rest of a mount is raw", escapes, "GET", "/m/%41%2f//%5c", "GET /m/…", []string{"…%41%2f//%5c"}},
		{"the mount's prefix is decoded", escapes, "GET", "/%6D/x", "GET /m/…", []string{"…x"}},
		{"malformed escape", escapes, "GET", "/tags/%zz", "", nil},
		{"malformed escape at the end", escapes, "GET", "/tags/%4", "", nil},
		{"malformed escape in a mount", escapes, "GET", "/m/%", "", nil},
		{"malformed escape after a match", escapes, "GET", "/m/x%4g", "", nil},
		{"not UTF-8", escapes, "GET", "/tags/\xff", "", nil},
		{"not UTF-8, escaped", escapes, "GET", "/tags/%ff", "", nil},
		{"overlong UTF-8", escapes, "GET", "/tags/%c0%af", "", nil},
		{"surrogate", escapes, "GET", "/tags/%ed%a0%80", "", nil},
		{"a character across segments", escapes, "GET", "/tags/%c3/%bc", "", nil},
		{"not UTF-8 in a mount", escapes, "GET", "/m/abcdefgh\xff", "", nil},
		{"NUL", escapes, "GET", "/tags/a\x00", "", nil},
		{"NUL, escaped", escapes, "GET", "/tags/%00", "", nil},
		{"NUL in a mount", escapes, "GET", "/m/a\x00b", "", nil},
		{"dot", escapes, "GET", "/tags/.", "", nil},
		{"two dots", escapes, "GET", "/tags/..", "", nil},
		{"three dots", escapes, "GET", "/tags/...", "GET /tags/<tag>", []string{"..."}},
		{"hidden file", escapes, "GET", "/tags/.x", "GET /tags/<tag>", []string{".x"}},
		{"escaped dot", escapes, "GET", "/tags/%2e", "", nil},
		{"escaped dots", escapes, "GET", "/files/a/%2E%2e/b", "", nil},
		{"dots in a path", escapes, "GET", "/files/../admin/x", "", nil},
		{"dots at the end of a path", escapes, "GET", "/files/a/..", "", nil},
		{"dots in a mount", escapes, "GET", "/m/../admin/x", "", nil},
		{"dots deep in a mount", escapes, "GET", "/m//a/./x", "", nil},
		{"dots after a double slash", escapes, "GET", "/m//..", "", nil},
		{"doubly escaped dots are text", escapes, "GET", "/tags/%252e%252e", "GET /tags/<tag>", []string{"%2e%2e"}},
		{"relative path", escapes, "GET", "tags/x", "", nil},
		{"no path", escapes, "GET", "", "", nil},
		{"asterisk", escapes, "OPTIONS", "*", "", nil},

		{"mount itself", mounts, "PUT", "/legacy/", "ANY /legacy/…", nil},
		{"below", mounts, "PUT", "/legacy/a/b?", "ANY /legacy/…", []string{"…a/b?"}},
		{"pattern below", mounts, "GET", "/legacy/new", "GET /legacy/new", nil},
		{"pattern below without the method", mounts, "PUT", "/legacy/new", "ANY /legacy/…", []string{"…new"}},
		{"mount below", mounts, "POST", "/legacy/old/x", "POST /legacy/old/…", []string{"…x"}},
		{"mount below without the method", mounts, "GET", "/legacy/old/x", "ANY /legacy/…", []string{"…old/x"}},
		{"empty segment first", mounts, "GET", "/legacy//x", "ANY /legacy/…", []string{"…/x"}},
		{"back to the outer mount", mounts, "GET", "/t/x/y", "ANY /…", []string{"…t/x/y"}},
		{"mount after a parameter", mounts, "GET", "/t/7//", "GET /t/<int:id>/…", []string{"7", "…/"}},
		{"path before mount", mounts, "GET", "/t/7/a", "GET /t/<int:id>/<path:p>", []string{"7", "a"}},
		{"path does not fit", mounts, "GET", "/t/7/a%2fb", "GET /t/<int:id>/…", []string{"7", "…a%2fb"}},
		{"empty segment before a parameter", mounts, "GET", "/t//7/a", "ANY /…", []string{"…t//7/a"}},
		{"root mount", mounts, "GET", "//", "ANY /…", []string{"…/"}},
		{"root mount, root", mounts, "GET", "/", "ANY /…", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, order := range []func([]string){func([]string) {}, slices.Reverse[[]string], slices.Sort[[]string]} {
				routes := slices.Clone(c.routes)
				order(routes)
				tree := registered(t, nil, routes...)
				var ps Params
				tree.Match("GET", "/deep/9/9/9", &ps) // what was there before does not matter
				got, ok := tree.Match(c.method, c.path, &ps)
				if got != c.want || ok != (c.want != "") || !slices.Equal(texts(&ps), c.params) {
					t.Fatalf("%s %q: got %q %t %q, want %q %q", c.method, c.path, got, ok, texts(&ps), c.want, c.params)
				}
			}
		})
	}
}

func TestRank(t *testing.T) {
	c := new(Converters)
	vowel := func(s string) bool { return strings.ContainsAny(s, "aeiou") }
	for _, conv := range []Converter{{"high", 2, vowel}, {"low", -1, nil}, {"even", 1, func(s string) bool { return len(s)%2 == 0 }}} {
		if err := c.Register(conv); err != nil {
			t.Fatal(err)
		}
	}
	tree := registered(t, c, "GET /<str:x>", "GET /<low:x>", `GET /<re("[^!]+"):x>`, "GET /<even:x>", "GET /<high:x>", "GET /<slug:x>/s")
	for path, want := range map[string]string{
		"/xa": "GET /<high:x>", "/xx": "GET /<even:x>", "/xxx": `GET /<re("[^!]+"):x>`, "/x!x": "GET /<low:x>", "/a%2Fb": "GET /<high:x>",
		"/x%2Fx": `GET /<re("[^!]+"):x>`, "/%25%25": "GET /<even:x>", "/xa/s": "GET /<slug:x>/s",
	} {
		var ps Params
		if got, _ := tree.Match("GET", path, &ps); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestParamsAreConverted(t *testing.T) {
	tree := registered(t, nil, "GET /<int:a>/<float:b>/<c>", "GET /x/<float:f>")
	var ps Params
	if _, ok := tree.Match("GET", "/-9223372036854775808/-2.5/%37", &ps); !ok {
		t.Fatal("no match")
	}
	if ps.Len() != 3 || ps.Int(0) != math.MinInt64 || ps.Float(1) != -2.5 || ps.Text(1) != "-2.5" || ps.Text(2) != "7" {
		t.Errorf("got %d %d %v %q %q", ps.Len(), ps.Int(0), ps.Float(1), ps.Text(1), ps.Text(2))
	}
	for _, i := range []int{-1, 3, 6, 1 << 40} {
		if ps.Text(i) != "" || ps.Int(i) != 0 || ps.Float(i) != 0 {
			t.Errorf("parameter %d: %q %d %v", i, ps.Text(i), ps.Int(i), ps.Float(i))
		}
	}
	if tree.Match("GET", "/x/7", &ps); ps.Float(0) != 7 {
		t.Errorf("an int as float is %v", ps.Float(0))
	}
	ps.Reset()
	if ps.Len() != 0 || ps.Text(0) != "" || ps.Rest() != "" {
		t.Error("Reset leaves something")
	}
}

func TestCopyOfParamsKeepsItsTexts(t *testing.T) {
	tree := registered(t, nil, "GET /<a>/<b>/<c>/<d>/<e>/<f>/<g>/<h>")
	var ps Params
	tree.Match("GET", "/1/2/3/4/5/6/7/8", &ps)
	kept := ps
	tree.Match("GET", "/aa/bb/cc/dd/ee/ff/gg/hh", &ps)
	if got := strings.Join(texts(&kept), ""); got != "12345678" {
		t.Errorf("the copy is %s", got)
	}
}

func TestMethods(t *testing.T) {
	tree := registered(t, nil, "GET /users/<int:id>", "POST /users/<name>", "DELETE /users/7", "PURGE /users/<path:p>", "ANY /any/<x>", "PUT /any/x", "HEAD /h", "ANY /m/…")
	for _, c := range []struct {
		path string
		want []string
	}{
		{"/users/7", []string{"DELETE", "GET", "HEAD", "POST", "PURGE"}},
		{"/users/x", []string{"POST", "PURGE"}},
		{"/users/x/y", []string{"PURGE"}},
		{"/any/x", []string{"", "PUT"}},
		{"/any/%78", []string{"", "PUT"}},
		{"/any/y", []string{""}},
		{"/h", []string{"HEAD"}},
		{"/m/", []string{""}},
		{"/users", nil},
		{"/users/..", nil},
		{"/users/%", nil},
		{"", nil},
	} {
		if got := tree.Methods(c.path); !slices.Equal(got, c.want) {
			t.Errorf("Methods(%q) = %q, want %q", c.path, got, c.want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		path, want string
		ok         bool
	}{
		{"/a/b", "/a/b", true}, {"", "", true}, {"/%41", "/A", true}, {"/%2f%2F", "/%2F%2F", true}, {"/%25%2541", "/%25%2541", true},
		{"/%2e%2E", "/..", true}, {"/%5c", `/\`, true}, {"/%C3%BC", "/ü", true}, {"/ü", "/ü", true}, {"/%c3\xbc", "/ü", true},
		{"/%", "", false}, {"/%4", "", false}, {"/%4g", "", false}, {"/%g4", "", false}, {"/%%41", "", false}, {"/%00", "", false}, {"/\x00", "", false},
		{"/\xff", "", false}, {"/%ff", "", false}, {"/%c3/%bc", "", false}, {"/%f4%90%80%80", "", false},
	} {
		got, ok := Canonical(c.path)
		if got != c.want || ok != c.ok {
			t.Errorf("Canonical(%q) = %q, %t", c.path, got, ok)
		}
		if again, ok2 := Canonical(got); ok && (again != got || !ok2) {
			t.Errorf("Canonical(%q) = %q, %t: it is not a fixed point", got, again, ok2)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	tree := registered(t, nil, "GET /s/a/b", "GET /<int:a>/<float:b>/<uuid:c>/<slug:d>", `GET /r/<re("[a-z]+é?"):x>`, "GET /<a>/<b>/<c>/<d>",
		"GET /f/<path:p>", "GET /m/…", "GET /f/long-static-segment-of-many-bytes/<x>")
	for _, path := range []string{
		"/s/a/b", "/1/2.5/0190f5d2-7c3b-7def-8000-0123456789AB/a-b", "/r/xyz", "/r/xyzé", "/a/b/c/d", "/f/a/b/c/", "/f/js/app.min.js", "/m/a//b", "/m/.x",
		"/none/of/these/fits/at-all/", "/f/long-static-segment-of-many-bytes/x", "/é/b/c/ü",
	} {
		var ps Params
		if n := testing.AllocsPerRun(100, func() { tree.Match("GET", path, &ps) }); n != 0 {
			t.Errorf("%s allocates %v times", path, n)
		}
	}
}

// A tree that is built is read by many goroutines; the race detector watches.
func TestMatchConcurrently(t *testing.T) {
	tree := registered(t, nil, "GET /<int:a>/x", `GET /<re("[a-z]+"):a>/x`, "GET /<a>/y", "GET /m/…")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var ps Params
			for range 200 {
				for _, path := range []string{"/7/x", "/abc/x", "/%41/y", "/m/a/b"} {
					if _, ok := tree.Match("GET", path, &ps); !ok {
						t.Errorf("%s: no match", path)
					}
				}
			}
		})
	}
	wg.Wait()
}
