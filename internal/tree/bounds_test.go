package tree

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestFortyParams(t *testing.T) {
	var pattern, path strings.Builder
	var want []string
	for i := range 40 {
		fmt.Fprintf(&pattern, "/<p%d>", i)
		fmt.Fprintf(&path, "/v%d", i)
		want = append(want, fmt.Sprintf("v%d", i))
	}
	tree := registered(t, nil, "GET "+pattern.String(), "GET "+pattern.String()+"/<int:last>")
	var ps Params
	for range 2 { // again with what the first match left
		if _, ok := tree.Match("GET", path.String(), &ps); !ok || !slices.Equal(texts(&ps), want) {
			t.Fatalf("got %q", texts(&ps))
		}
	}
	if _, ok := tree.Match("GET", path.String()+"/41", &ps); !ok || ps.Len() != 41 || ps.Int(40) != 41 {
		t.Errorf("got %q, last %d", texts(&ps), ps.Int(40))
	}
	if _, ok := tree.Match("GET", path.String()+"/x", &ps); ok || ps.Len() != 0 {
		t.Errorf("got %q for what matches nothing", texts(&ps))
	}
	fresh := New[int]()
	p, err := Parse(pattern.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Add("GET", p, 1); err != nil {
		t.Fatal(err)
	}
	// The list of those beyond the inline ones, and its header: a pointer keeps Params small for everybody else.
	if n := testing.AllocsPerRun(20, func() { fresh.Match("GET", path.String(), &ps) }); n > 2 {
		t.Errorf("40 parameters take %v allocations", n)
	}
}

func TestLongPaths(t *testing.T) {
	tree := registered(t, nil, "GET /f/<path:p>", "GET /<a>/<b>", "GET /s/"+strings.Repeat("s/", 3000), "GET /m/…")
	long := strings.Repeat("x/", 5000) + "x"
	for _, c := range []struct{ path, want string }{
		{"/f/" + long, "GET /f/<path:p>"},
		{"/" + long, ""},
		{"/s/" + strings.Repeat("s/", 3000), "GET /s/" + strings.Repeat("s/", 3000)},
		{"/s/" + strings.Repeat("s/", 2999), ""},
		{"/s/" + strings.Repeat("s/", 3001), ""},
		{strings.Repeat("/", 5000), ""},
		{"/m" + strings.Repeat("/", 5000), "GET /m/…"},
		{"/f/" + strings.Repeat("%41/", 5000), "GET /f/<path:p>"},
		{"/a/" + strings.Repeat("%25", 5000), "GET /<a>/<b>"},
		{"/f/" + strings.Repeat("../", 5000), ""},
		{"/a/" + strings.Repeat("x", 1<<20), "GET /<a>/<b>"},
	} {
		var ps Params
		if got, _ := tree.Match("GET", c.path, &ps); got != c.want {
			t.Errorf("%.20s… (%d bytes): got %.20q, want %.20q", c.path, len(c.path), got, c.want)
		}
	}
}

// Each node is visited once at most, however often the search goes back; a converter that counts how often it is
// asked shows it. The patterns are all combinations of three choices at each of six levels, which is the worst that a
// tree of their size can hold, then only as many patterns as there are levels, which must stay cheap at any depth.
func TestGoingBackIsBounded(t *testing.T) {
	asked := 0
	c := new(Converters)
	if err := c.Register(Converter{Name: "counted", Match: func(string) bool { asked++; return true }}); err != nil {
		t.Fatal(err)
	}
	var full []string
	var combine func(prefix string, level int)
	combine = func(prefix string, level int) {
		if level == 0 {
			full = append(full, "GET "+prefix+"/end")
			return
		}
		for _, choice := range []string{"7", "<int:i%d>", "<counted:c%d>"} {
			if strings.Contains(choice, "%") {
				choice = fmt.Sprintf(choice, level)
			}
			combine(prefix+"/"+choice, level-1)
		}
	}
	combine("", 6)
	var thin []string
	for level := range 60 {
		var pattern strings.Builder
		for i := range level {
			fmt.Fprintf(&pattern, "/<counted:c%d>", i)
		}
		thin = append(thin, "GET "+pattern.String()+"/7/<int:n>/end")
	}
	for _, c := range []struct {
		name  string
		tree  *Tree[string]
		path  string
		nodes int // how many nodes ask the converter at all
	}{
		{"all combinations", registered(t, c, full...), strings.Repeat("/7", 6) + "/nowhere", (729 - 1) / 2},
		{"a chain", registered(t, c, thin...), strings.Repeat("/7", 61) + "/nowhere", 59},
	} {
		asked = 0
		var ps Params
		if v, ok := c.tree.Match("GET", c.path, &ps); ok {
			t.Fatalf("%s matches %s", c.path, v)
		}
		if asked == 0 || asked > c.nodes {
			t.Errorf("%s: the converter was asked %d times, want %d at most", c.name, asked, c.nodes)
		}
		if asked = 0; len(c.tree.Methods(c.path)) != 0 || asked > 10*c.nodes {
			t.Errorf("%s: Methods asked the converter %d times", c.name, asked)
		}
	}
}

func TestNodeFillsALine(t *testing.T) {
	if size := reflect.TypeFor[node]().Size(); size != 64 {
		t.Errorf("a node takes %d bytes", size)
	}
}

// A node with many static children finds each of them, and nothing else, whatever their texts have in common.
func TestManyStaticChildren(t *testing.T) {
	var registrations []string
	for i := range 3000 {
		for _, form := range []string{"GET /%d", "GET /item%d", "GET /item-with-a-long-name-%d", "GET /%dtail", "GET /long-beginning-%d-long-end"} {
			registrations = append(registrations, fmt.Sprintf(form, i))
		}
	}
	for c := 'a'; c <= 'z'; c++ { // the same first and last eight bytes
		registrations = append(registrations, fmt.Sprintf("GET /sixteen-%c-sixteen", c), fmt.Sprintf("GET /sixteen-%c%c-sixteen", c, c))
	}
	for n := 1; n < 40; n++ {
		registrations = append(registrations, "GET /"+strings.Repeat("z", n))
	}
	tree := registered(t, nil, registrations...)
	var ps Params
	for _, r := range registrations {
		path := strings.TrimPrefix(r, "GET ")
		if got, ok := tree.Match("GET", path, &ps); !ok || got != r {
			t.Fatalf("%s: got %q", path, got)
		}
		for _, other := range []string{path + "!", "/!" + path[1:], path[:len(path)-1] + "!"} {
			if got, ok := tree.Match("GET", other, &ps); ok {
				t.Fatalf("%s: got %q", other, got)
			}
		}
	}
}
