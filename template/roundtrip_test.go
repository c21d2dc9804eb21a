package template

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// What a browser reads out of an escaped value is the value.
func TestEscapedValuesComeBack(t *testing.T) {
	const text = `<p id="{{ x }}" title='{{ x }}' lang={{ x }}>{{ x }}</p><textarea>{{ x }}</textarea><a href="/?q={{ x }}">l</a>` +
		`<script>[{{ x }}, "{{ x }}", '{{ x }}']</script><b onclick="[{{ x }}, '{{ x }}']">b</b><style>a{content:"{{ x }}"}</style>`
	e := contextualEngine(text)
	values := append([]string{"plain", "ä ö", "\\u0041", "a\u2028b\u2029c", "\x7f\x1b"}, attacks...)
	for i := range attacks {
		values = append(values, attacks[i]+attacks[(i*13+5)%len(attacks)])
	}
	for _, x := range values {
		if strings.ContainsAny(x, "\x00\r") || !utf8.ValidString(x) {
			continue // HTML and JSON have no NUL, no bytes that are not UTF-8, and HTML makes "\n" of "\r"
		}
		var page strings.Builder
		if err := e.Render(&page, "page", map[string]any{"x": x}); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(strings.NewReader(page.String()))
		if err != nil {
			t.Fatal(err)
		}
		found := readBack(t, doc)
		if len(found) != 12 {
			t.Fatalf("%q: %d places in %s", x, len(found), page.String())
		}
		for place, got := range found {
			if got != x {
				t.Errorf("%s: %q comes back as %q from\n%s", place, x, got, page.String())
			}
		}
	}
}

// readBack finds the values in the page, by their places.
func readBack(t *testing.T, doc *html.Node) map[string]string {
	t.Helper()
	found := map[string]string{}
	script := func(place, text string) {
		text = strings.Trim(text, "[]")
		for i, tok := range scriptStrings(text) {
			var s string
			if err := json.Unmarshal([]byte(`"`+tok+`"`), &s); err != nil {
				t.Errorf("%s: %s is no string: %v", place, tok, err)
			}
			found[place+string(rune('0'+i))] = s
		}
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch a.Key {
			case "id", "title", "lang":
				found[a.Key] = a.Val
			case "href":
				_, q, _ := strings.Cut(a.Val, "?q=")
				found["query"], _ = url.QueryUnescape(q)
			case "onclick":
				script("onclick", a.Val)
			}
		}
		inside := ""
		if n.FirstChild != nil {
			inside = n.FirstChild.Data
		}
		switch n.Data {
		case "p", "textarea":
			found[n.Data] = inside
		case "script":
			script("script", inside)
		case "style":
			found["style"], _ = cssStringToken(strings.TrimPrefix(inside, "a{content:"))
		}
	}
	return found
}

// scriptStrings lists the strings of a script, without their quotes.
func scriptStrings(s string) []string {
	var out []string
	for i := 0; i < len(s); i++ {
		if s[i] != '"' && s[i] != '\'' {
			continue
		}
		start := i + 1
		for i++; i < len(s) && s[i] != s[start-1]; i++ {
			if s[i] == '\\' {
				i++
			}
		}
		out = append(out, s[start:min(i, len(s))])
	}
	return out
}
