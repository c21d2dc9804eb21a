package template

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// What the oracle compares of two pages, read by an HTML parser.

// skeleton is what must not depend on data.
type skeleton struct {
	shape []string // elements with their attributes, tokens of scripts and styles, in order
	urls  []string // the scheme of every URL
	texts string   // what stands between tags and in plain attributes
}

func (s *skeleton) differs(want *skeleton) string {
	if a, b := strings.Join(s.shape, " "), strings.Join(want.shape, " "); a != b {
		return fmt.Sprintf("the shape is\n  %s\nwant\n  %s", a, b)
	}
	for i, scheme := range s.urls {
		if !harmlessScheme(scheme) && (i >= len(want.urls) || want.urls[i] != scheme) {
			return fmt.Sprintf("the scheme of URL %d is %q", i, scheme)
		}
	}
	return ""
}

// weakerThan compares with the skeleton of another engine's page, which keeps neither comments nor event handlers'
// spaces. Nothing that is dangerous may be in the one and not in the other.
func (s *skeleton) weakerThan(other *skeleton) string {
	count := map[string]int{}
	for _, scheme := range other.urls {
		count[scheme]++
	}
	for _, scheme := range s.urls {
		if count[scheme]--; !harmlessScheme(scheme) && count[scheme] < 0 {
			return fmt.Sprintf("a URL has the scheme %q", scheme)
		}
	}
	elements := func(s *skeleton) []string {
		var out []string
		for _, part := range s.shape {
			if len(part) > 1 && part[0] == '<' && part != "<!--" {
				out = append(out, part)
			}
		}
		return out
	}
	if a, b := elements(s), elements(other); !slices.Equal(a, b) {
		return fmt.Sprintf("the elements are\n  %s\nthere\n  %s", a, b)
	}
	return ""
}

func harmlessScheme(s string) bool {
	switch s {
	case "", "http", "https", "mailto", "tel", "sms", "ftp", "about":
		return true
	}
	return false
}

func skeletonOf(page string) *skeleton {
	s := &skeleton{}
	doc, err := html.Parse(strings.NewReader("<!DOCTYPE html><html><head></head><body>" + page))
	if err != nil {
		panic(err)
	}
	s.walk(doc)
	return s
}

func (s *skeleton) walk(n *html.Node) {
	switch n.Type {
	case html.CommentNode:
		s.shape = append(s.shape, "<!--")
	case html.TextNode:
		if !slices.Contains([]string{"script", "style", "xmp", "noembed", "noscript", "iframe"}, n.Parent.Data) {
			s.text(n.Data)
		}
	case html.ElementNode:
		s.element(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		s.walk(c)
	}
	if n.Type == html.ElementNode {
		s.shape = append(s.shape, "</"+n.Data+">")
	}
}

func (s *skeleton) element(n *html.Node) {
	tag := "<" + n.Data
	var names []string
	for _, a := range n.Attr {
		name := strings.ToLower(a.Key)
		if a.Namespace != "" {
			name = a.Namespace + ":" + name
		}
		plain := kindOf(n.Data, name) == attrPlain
		if plain && (strings.HasPrefix(name, "data-") || !oracleNames[name]) {
			continue // a name that data may give
		}
		names = append(names, name)
	}
	slices.Sort(names)
	s.shape = append(s.shape, tag+" "+strings.Join(names, ",")+">")
	for _, a := range n.Attr {
		s.attribute(n, strings.ToLower(a.Key), a.Val)
	}
	if n.FirstChild == nil || n.FirstChild.Type != html.TextNode {
		return
	}
	var text strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		text.WriteString(c.Data)
	}
	switch n.Data {
	case "script":
		kind := ""
		for _, a := range n.Attr {
			if a.Key == "type" {
				kind = a.Val
			}
		}
		if isJSType(kind) {
			s.shape = append(s.shape, jsTokens(text.String())...)
		}
	case "style":
		s.style(text.String())
	}
}

// oracleNames are plain attributes that the templates have.
var oracleNames = map[string]bool{"title": true, "class": true, "id": true, "alt": true, "value": true, "aria-label": true, "type": true, "name": true, "http-equiv": true, "content": true, "accesskey": true, "nonce": true, "rel": true}

func (s *skeleton) attribute(n *html.Node, name, value string) {
	if slices.Contains([]string{"title", "class", "alt", "value", "aria-label", "nonce"}, name) {
		s.text(value)
	}
	_, local, ok := strings.Cut(name, ":")
	if !ok {
		local = name
	}
	local = strings.TrimPrefix(local, "data-")
	switch {
	case strings.HasPrefix(local, "on"):
		s.shape = append(s.shape, jsTokens(value)...)
	case local == "style":
		s.style(value)
	case strings.Contains(local, "srcset"):
		for _, candidate := range strings.Split(value, ",") {
			s.urls = append(s.urls, schemeOf(candidate))
		}
	case local == "srcdoc":
		inner := skeletonOf(value)
		for _, part := range inner.shape {
			s.shape = append(s.shape, "srcdoc:"+part)
		}
		s.urls = append(s.urls, inner.urls...)
	case n.Data == "meta" && local == "content" && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return strings.EqualFold(a.Key, "http-equiv") }):
		s.urls = append(s.urls, schemeOf(refreshURL(value)))
	case n.Data == "animate" && local == "values":
		for _, v := range strings.Split(value, ";") {
			s.urls = append(s.urls, schemeOf(v))
		}
	case slices.Contains([]string{"href", "src", "action", "formaction", "cite", "poster", "data", "background", "ping", "my-uri", "hx-get", "to"}, local):
		s.urls = append(s.urls, schemeOf(value))
	}
}

func (s *skeleton) text(t string) {
	s.texts += strings.Join(strings.Fields(t), "")
}

// schemeOf reads a URL's scheme as browsers do (WHATWG URL, "basic URL parser").
func schemeOf(u string) string {
	u = strings.TrimFunc(u, func(r rune) bool { return r <= ' ' })
	u = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(u)
	for i := range len(u) {
		c := u[i] | 0x20
		switch {
		case c >= 'a' && c <= 'z':
		case i > 0 && (u[i] >= '0' && u[i] <= '9' || strings.IndexByte("+-.", u[i]) >= 0):
		case i > 0 && u[i] == ':':
			return strings.ToLower(u[:i])
		default:
			return ""
		}
	}
	return ""
}

// refreshURL reads what <meta http-equiv=refresh> leads to, as the HTML standard has it ("shared declarative refresh
// steps").
func refreshURL(s string) string {
	s = strings.TrimLeft(s, " \t\n\r\f")
	rest := strings.TrimLeft(s, "0123456789")
	if rest == s && !strings.HasPrefix(s, ".") {
		return ""
	}
	rest = strings.TrimLeft(rest, "0123456789.")
	if rest == "" || !strings.ContainsAny(rest[:1], ";, \t\n\r\f") {
		return ""
	}
	rest = strings.TrimLeft(rest, " \t\n\r\f")
	if rest != "" && (rest[0] == ';' || rest[0] == ',') {
		rest = rest[1:]
	}
	rest = strings.TrimLeft(rest, " \t\n\r\f")
	if len(rest) >= 3 && strings.EqualFold(rest[:3], "url") {
		after := strings.TrimLeft(rest[3:], " \t\n\r\f")
		if strings.HasPrefix(after, "=") {
			rest = strings.TrimLeft(after[1:], " \t\n\r\f")
		}
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest, _, _ = strings.Cut(rest[1:], rest[:1])
	}
	return rest
}
