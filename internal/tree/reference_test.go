package tree

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The reference matcher is what the package comment says, and nothing else: take every pattern by itself, see whether
// it matches the decoded segments, and of those that do choose the one whose segments rank first from left to right.
// It shares no code with the tree, and does not parse patterns: they are made together with their text.

type refSegment struct {
	converter string // "" for static text, "rest" for a mount's
	text      string // static text, decoded
	expr      *regexp.Regexp
	rank      int
	written   string
}

type refRoute struct {
	method   string
	segments []refSegment // with a path or rest at the end if there is one
	slash    bool
}

func (r refRoute) String() string {
	var out strings.Builder
	for _, s := range r.segments {
		if out.WriteByte('/'); s.converter != "rest" {
			out.WriteString(s.written)
		}
	}
	if r.slash {
		out.WriteByte('/')
	}
	return out.String()
}

func (r refRoute) mounted() bool {
	return len(r.segments) > 0 && r.segments[len(r.segments)-1].converter == "rest"
}

var refOrder = []string{"end", "", "int", "float", "uuid", "slug", "custom", "str", "path", "rest"}

// place is the rank of a segment: the smaller goes first.
func (s refSegment) place() [2]int {
	switch s.converter {
	case "re", "even":
		return [2]int{slices.Index(refOrder, "custom"), -s.rank}
	}
	return [2]int{slices.Index(refOrder, s.converter)}
}

var (
	refInt   = regexp.MustCompile(`\A-?[0-9]+\z`)
	refFloat = regexp.MustCompile(`\A-?[0-9]+(\.[0-9]+)?\z`)
	refUUID  = regexp.MustCompile(`(?i)\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\z`)
	refSlug  = regexp.MustCompile(`\A[A-Za-z0-9_-]+\z`)
)

// takes reports whether a segment of a pattern takes one decoded segment of a request.
func (s refSegment) takes(text string) bool {
	if text == "" {
		return false
	}
	switch s.converter {
	case "":
		return s.text == text
	case "int":
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil && refInt.MatchString(text)
	case "float":
		_, err := strconv.ParseFloat(text, 64)
		return err == nil && refFloat.MatchString(text)
	case "uuid":
		return refUUID.MatchString(text)
	case "slug":
		return refSlug.MatchString(text)
	case "re":
		return s.expr.FindString(text) == text && s.expr.MatchString(text)
	case "even":
		return len(text)%2 == 0
	}
	return true
}

// match reports whether a route matches the raw and decoded segments of a path, ranks its segments and returns the
// values of its parameters, the rest of a mount last.
func (r refRoute) match(raw, decoded []string) (places [][2]int, values []string, ok bool) {
	for i, s := range r.segments {
		places = append(places, s.place())
		switch {
		case i >= len(decoded):
			return nil, nil, false
		case s.converter == "rest":
			if rest := strings.Join(raw[i:], "/"); rest != "" {
				values = append(values, "…"+rest)
			}
			return places, values, true
		case s.converter == "path":
			for j, text := range decoded[i:] {
				last := i+j == len(decoded)-1
				if strings.ContainsAny(text, `/\`) || text == "" && (j == 0 || !last) {
					return nil, nil, false
				}
			}
			return places, append(values, strings.Join(decoded[i:], "/")), true
		case !s.takes(decoded[i]):
			return nil, nil, false
		case s.converter != "":
			values = append(values, decoded[i])
		}
	}
	places = append(places, [2]int{0})
	left := decoded[len(r.segments):]
	if r.slash {
		return places, values, len(left) == 1 && left[0] == ""
	}
	return places, values, len(left) == 0
}

// refMatch returns the index of the route for a request, or -1, and the values of its parameters.
func refMatch(routes []refRoute, method, path string) (int, []string) {
	if !strings.HasPrefix(path, "/") {
		return -1, nil
	}
	raw := strings.Split(path[1:], "/")
	decoded := make([]string, len(raw))
	for i := range raw {
		text, err := url.PathUnescape(raw[i])
		if err != nil || !utf8.ValidString(text) || strings.Contains(text, "\x00") || text == "." || text == ".." {
			return -1, nil
		}
		decoded[i] = text
	}
	best, bestValues := -1, []string(nil)
	var bestKey [][2]int
	for i, r := range routes {
		preference := map[string]int{r.method: 0}
		if method == "HEAD" && r.method == "GET" {
			preference[method] = 1
		}
		if r.method == "" {
			preference[method] = 2
		}
		own, has := preference[method]
		places, values, ok := r.match(raw, decoded)
		if !ok || !has {
			continue
		}
		key := append(places, [2]int{own})
		if best < 0 || slices.CompareFunc(key, bestKey, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }) < 0 {
			best, bestValues, bestKey = i, values, key
		}
	}
	return best, bestValues
}

// refConflict reports whether two routes compete.
func refConflict(a, b refRoute) bool {
	meet := a.method == b.method || a.method == "" || b.method == "" || a.method+b.method == "GETHEAD" || a.method+b.method == "HEADGET"
	for i := range min(len(a.segments), len(b.segments)) {
		s, t := a.segments[i], b.segments[i]
		if s.converter == t.converter && s.text == t.text && (s.converter != "re" || s.expr.String() == t.expr.String()) {
			continue
		}
		return meet && s.place() == t.place() && s.converter != ""
	}
	return len(a.segments) == len(b.segments) && a.slash == b.slash && a.method == b.method
}

// randomRoute makes a route from few parts, so that routes overlap.
func randomRoute(rng *rand.Rand) refRoute {
	statics := [][2]string{{"a", "a"}, {"b", "b"}, {"7", "7"}, {"1.5", "1.5"}, {"ab", "ab"}, {"ab", "%61b"}, {"ü", "ü"}, {"ü", "%c3%bc"}, {"a/b", "a%2Fb"},
		{"%", "%25"}, {"%2F", "%252F"}, {`\`, `\`}, {"eightlet", "eightlet"}, {"eightleteightlet", "eightleteightlet"},
		{"a segment of many bytes: 1", "a segment of many bytes: 1"}, {"a segment of many bytes? 1", "a segment of many bytes? 1"}}
	exprs := []string{"[a-z]+", ".", "a/b|%", "(?s).*", "[0-9]{1,3}", "ü*"}
	r := refRoute{method: []string{"GET", "GET", "POST", "HEAD", "", "PURGE"}[rng.IntN(6)]}
	for i := range rng.IntN(5) {
		s := refSegment{converter: []string{"", "", "", "int", "float", "uuid", "slug", "re", "even", "str", "str", "path"}[rng.IntN(12)]}
		switch s.converter {
		case "":
			text := statics[rng.IntN(len(statics))]
			s.text, s.written = text[0], text[1]
		case "re":
			expr := exprs[rng.IntN(len(exprs))]
			s.expr = regexp.MustCompile(`\A(?:` + expr + `)\z`)
			s.written = fmt.Sprintf("<re(%q):p%d>", expr, i)
		default:
			if s.written = fmt.Sprintf("<%s:p%d>", s.converter, i); s.converter == "even" {
				s.rank = 1
			}
		}
		if r.segments = append(r.segments, s); s.converter == "path" {
			return r
		}
	}
	if r.slash = len(r.segments) == 0 || rng.IntN(4) == 0; r.slash && rng.IntN(3) == 0 {
		r.segments, r.slash = append(r.segments, refSegment{converter: "rest"}), false
	}
	return r
}

// randomPath makes a path that the routes of randomRoute often match.
func randomPath(rng *rand.Rand) string {
	segments := []string{"a", "b", "7", "%37", "1.5", "-3", "ab", "a%62", "ü", "%C3%BC", "a%2fb", "%25", "%252F", `\`, "%5C", "x!", "%61",
		"eightlet", "eightleteightlet", "a segment of many bytes: 1", "a%20segment%20of%20many%20bytes%3f 1", "00000000-0000-4000-8000-00000000000A",
		"123456789012345678901", "999", "", ".", "..", "%2e", "%", "\xff", "%00", "ü%2F", "abcdefgh%2F", "eightlet.", "a+b"}
	var out strings.Builder
	for range 1 + rng.IntN(5) {
		n := len(segments)
		if rng.IntN(3) > 0 {
			n = 12 // mostly those that match
		}
		out.WriteString("/" + segments[rng.IntN(n)])
	}
	if rng.IntN(4) == 0 {
		out.WriteByte('/')
	}
	return out.String()
}

// buildBoth registers random routes that do not conflict with a tree, and checks that those that do are refused.
func buildBoth(t *testing.T, rng *rand.Rand) (*Tree[int], []refRoute) {
	converters := new(Converters)
	if err := converters.Register(Converter{Name: "even", Rank: 1, Match: func(s string) bool { return len(s)%2 == 0 }}); err != nil {
		t.Fatal(err)
	}
	tree := New[int]()
	var routes []refRoute
	for range 1 + rng.IntN(40) {
		r := randomRoute(rng)
		parse := Parse
		if r.mounted() {
			parse = Rest
		}
		p, err := parse(r.String(), converters)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		conflict := slices.ContainsFunc(routes, func(other refRoute) bool { return refConflict(r, other) })
		if err := tree.Add(r.method, p, len(routes)); (err != nil) != conflict {
			t.Fatalf("%q %s among %v: error %v, want a conflict: %t", r.method, r, routes, err, conflict)
		}
		if !conflict {
			routes = append(routes, r)
		}
	}
	return tree, routes
}

// compare checks that tree and reference agree on a path, for all methods.
func compare(t *testing.T, tree *Tree[int], routes []refRoute, path string) (matched bool) {
	var ps Params
	var methods []string
	for _, method := range []string{"GET", "HEAD", "POST", "PURGE", "BREW"} {
		want, values := refMatch(routes, method, path)
		got, ok := tree.Match(method, path, &ps)
		if !ok {
			got = -1
		}
		if got != want || !slices.Equal(texts(&ps), values) {
			t.Fatalf("%s %q among\n%v\ngot %d %q, want %d %q", method, path, routes, got, texts(&ps), want, values)
		}
		if want < 0 {
			continue
		}
		matched = true
		if routes[want].method == "" {
			method = ""
		}
		methods = append(methods, method)
		i := 0
		for _, s := range routes[want].segments {
			switch number, _ := strconv.ParseFloat(cmp.Or(ps.Text(i), "0"), 64); s.converter {
			case "int":
				if integer, _ := strconv.ParseInt(ps.Text(i), 10, 64); ps.Int(i) != integer {
					t.Fatalf("%s: %d is %d", path, i, ps.Int(i))
				}
			case "float":
				if ps.Float(i) != number {
					t.Fatalf("%s: %d is %v", path, i, ps.Float(i))
				}
			}
			if s.converter != "" {
				i++
			}
		}
	}
	slices.Sort(methods)
	if methods = slices.Compact(methods); !slices.Equal(tree.Methods(path), methods) {
		t.Fatalf("%q among\n%v\nMethods is %q, want %q", path, routes, tree.Methods(path), methods)
	}
	return matched
}

func TestMatchEqualsReference(t *testing.T) {
	matched, all := 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 0))
		tree, routes := buildBoth(t, rng)
		for range 40 {
			if all++; compare(t, tree, routes, randomPath(rng)) {
				matched++
			}
		}
	}
	if matched < all/10 {
		t.Errorf("only %d of %d paths match anything", matched, all)
	}
}

func FuzzMatch(f *testing.F) {
	for i, path := range []string{"/", "/a/7/ab", "/a%2Fb/", "//a", "/ü/%C3%BC", "/a/../b", "/%2e", "/%", "/a/b/\\", "/eightleteightlet/x", "/\x00\xff"} {
		f.Add(uint64(i), path)
	}
	f.Fuzz(func(t *testing.T, seed uint64, path string) {
		rng := rand.New(rand.NewPCG(seed, 1))
		tree, routes := buildBoth(t, rng)
		compare(t, tree, routes, path)
		for range 5 {
			compare(t, tree, routes, randomPath(rng))
		}
	})
}
