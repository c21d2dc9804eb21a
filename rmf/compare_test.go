package rmf

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/effect"
)

func defaultComparison() *comparison {
	return &comparison{headers: []string{"Content-Type", "Location"}, tolerance: 1e-9}
}

func bodyDifferences(c *comparison, was, is string) []string {
	d := differ{c: c}
	d.bodies([]byte(was), []byte(is), true)
	var list []string
	for _, f := range d.found {
		list = append(list, f.path+" "+f.kind)
	}
	return list
}

func TestBodies(t *testing.T) {
	for _, c := range []struct {
		name, was, is string
		want          []string
	}{
		{"the same", `{"a":1}`, `{"a":1}`, nil},
		{"order of members and white space", `{"a":1,"b":2}`, `{ "b": 2, "a": 1 }`, nil},
		{"value", `{"a":1}`, `{"a":2}`, []string{"$.a value"}},
		{"the same number", `{"a":1.0}`, `{"a":1}`, nil},
		{"within the tolerance", `{"a":1.0000000000001}`, `{"a":1.0}`, nil},
		{"beyond it", `{"a":1.00001}`, `{"a":1.0}`, []string{"$.a value"}},
		{"ten times", `{"a":1}`, `{"a":10}`, []string{"$.a magnitude"}},
		{"sign", `{"a":1}`, `{"a":-1}`, []string{"$.a magnitude"}},
		{"large integers", `{"a":9007199254740993}`, `{"a":9007199254740992}`, []string{"$.a value"}},
		{"type", `{"a":1}`, `{"a":"1"}`, []string{"$.a type"}},
		{"null", `{"a":null}`, `{"a":0}`, []string{"$.a type"}},
		{"null and nothing", `{"a":null}`, `{}`, []string{"$.a missing"}},
		{"missing", `{"a":1,"b":{"c":1}}`, `{"a":1,"b":{}}`, []string{"$.b.c missing"}},
		{"added", `{"a":1}`, `{"a":1,"b":1}`, []string{"$.b added"}},
		{"nested list", `{"i":[{"v":[{"p":1}]},{"v":[{"p":2}]}]}`, `{"i":[{"v":[{"p":1}]},{"v":[{"p":3}]}]}`, []string{"$.i[].v[].p value"}},
		{"once a path", `[1,2,3]`, `[4,5,6]`, []string{"$[] value"}},
		{"length", `[1,2]`, `[1]`, []string{"$ length"}},
		{"order", `[{"a":1},{"a":2}]`, `[{"a":2},{"a":1}]`, []string{"$ order"}},
		{"names with other letters", `{"a b":{"":1}}`, `{"a b":{"":2}}`, []string{`$["a b"][""] value`}},
		{"no JSON", `{"a":`, `{"a":1}`, []string{"body octets"}},
		{"top-level type", `[]`, `{}`, []string{"$ type"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := bodyDifferences(defaultComparison(), c.was, c.is); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestIgnore(t *testing.T) {
	type item struct {
		ID    string `json:"id" rmf:"ignore"`
		Price float64
	}
	type base struct {
		Made string `json:"made" rmf:"ignore"`
	}
	type out struct {
		base
		Items []*item `json:"items"`
		Self  *out    `json:"self"`
		Skip  int     `json:"-" rmf:"ignore"`
	}
	if got, want := ignoredByType(reflect.TypeFor[[]out]()), []string{"$[].made", "$[].items[].id"}; !slices.Equal(got, want) {
		t.Errorf("paths %q, want %q", got, want)
	}
	c := defaultComparison()
	c.ignore = []string{"$.a.b", "$.l[].id", "header X"}
	if got := bodyDifferences(c, `{"a":{"b":{"c":1},"bc":1},"l":[{"id":1,"idx":1}]}`, `{"a":{"b":2,"bc":2},"l":[{"id":2,"idx":2}]}`); !slices.Equal(got, []string{"$.a.bc value", "$.l[].idx value"}) {
		t.Errorf("%q", got)
	}
}

// Reports give no values away unless they are asked to.
func TestRedacted(t *testing.T) {
	for _, c := range []struct{ json, want string }{
		{`"ada@example.com"`, "text of 15 octets"}, {`true`, "true"}, {`null`, "null"}, {`7.5`, "7.5"}, {`-999`, "-999"},
		{`4929123412341234`, "about 5e+15"}, {`["ada"]`, "a list of 1"}, {`{"ada":1}`, "an object of 1 members"},
	} {
		v, err := decode([]byte(c.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := redacted(v, false); got != c.want {
			t.Errorf("%s is shown as %q, want %q", c.json, got, c.want)
		}
		if got := redacted(v, true); got != c.json {
			t.Errorf("%s is revealed as %q", c.json, got)
		}
	}
	if got := redacted(absent{}, true); got != "nothing" {
		t.Errorf("%q", got)
	}
}

func TestIntents(t *testing.T) {
	mail := func(to string) effect.Intent { return effect.Intent{Kind: "mail", Target: to, Detail: "d"} }
	for _, c := range []struct {
		name    string
		was, is []effect.Intent
		want    string
	}{
		{"none", nil, nil, "[]"},
		{"the same", []effect.Intent{mail("a")}, []effect.Intent{mail("a")}, "[]"},
		{"one more kind", nil, []effect.Intent{mail("a")}, "[effects.mail added]"},
		{"one kind less", []effect.Intent{mail("a")}, nil, "[effects.mail missing]"},
		{"twice", []effect.Intent{mail("a")}, []effect.Intent{mail("a"), mail("a")}, "[effects.mail length]"},
		{"to somebody else", []effect.Intent{mail("a")}, []effect.Intent{mail("b")}, "[effects.mail[].target value]"},
	} {
		var got []string
		for _, d := range compareIntents(c.was, c.is) {
			got = append(got, d.path+" "+d.kind)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// catalogue is what the endpoints of the next test answer with.
type catalogue struct {
	Items  []product      `json:"items"`
	Total  int            `json:"total"`
	Page   map[string]any `json:"page"`
	Facets map[string]int `json:"facets"`
	Note   *string        `json:"note"`
	At     int64          `json:"at"`
	Sale   bool           `json:"sale"`
}

type product struct {
	ID     int      `json:"id"`
	Name   string   `json:"name"`
	Price  float64  `json:"price"`
	Tags   []string `json:"tags"`
	Offers []offer  `json:"offers"`
}

type offer struct {
	Shop  string  `json:"shop"`
	Price float64 `json:"price"`
	Stock int     `json:"stock"`
}

// answerTo is what stable answers to a request: a function of the request alone.
func answerTo(request int) *catalogue {
	r := rand.New(rand.NewPCG(uint64(request), 7))
	note := "note"
	c := &catalogue{Total: 10 + r.IntN(90), Page: map[string]any{"size": 3, "next": fmt.Sprint(r.IntN(1000))}, Facets: map[string]int{"rock": r.IntN(9), "jazz": r.IntN(9)}, Note: &note, At: 1_780_000_000 + int64(request), Sale: request%2 == 0}
	for i := range 3 {
		p := product{ID: i*1000 + r.IntN(1000), Name: fmt.Sprint("name ", r.IntN(1000)), Price: float64(r.IntN(5000)) / 100, Tags: []string{"a", "b", fmt.Sprint(r.IntN(10))}}
		for range 2 {
			p.Offers = append(p.Offers, offer{fmt.Sprint("shop ", r.IntN(50)), float64(r.IntN(5000)) / 100, 1 + r.IntN(20)})
		}
		c.Items = append(c.Items, p)
	}
	return c
}

// 40 changes of meaning that a rewrite may bring, each with the path at which it shows.
var seeded = []struct {
	path   string
	change func(c *catalogue, r *rand.Rand)
}{
	{"$.items[].price", func(c *catalogue, _ *rand.Rand) { c.Items[2].Price += .01 }},
	{"$.items[].price", func(c *catalogue, _ *rand.Rand) { c.Items[0].Price *= 1.19 }},
	{"$.items[].price", func(c *catalogue, _ *rand.Rand) { c.Items[1].Price = -c.Items[1].Price - 1 }},
	{"$.items[].price", func(c *catalogue, r *rand.Rand) { c.Items[0].Price = float64(int(c.Items[0].Price)) - 1 }},
	{"$.items[].offers[].price", func(c *catalogue, _ *rand.Rand) { c.Items[2].Offers[1].Price += .5 }},
	{"$.items[].offers[].stock", func(c *catalogue, _ *rand.Rand) { c.Items[0].Offers[0].Stock-- }},
	{"$.items[].offers[].stock", func(c *catalogue, r *rand.Rand) {
		if r.IntN(4) == 0 {
			c.Items[1].Offers[1].Stock = 0
		}
	}},
	{"$.items[].offers[].shop", func(c *catalogue, _ *rand.Rand) {
		c.Items[0].Offers[1].Shop = strings.ToUpper(c.Items[0].Offers[1].Shop)
	}},
	{"$.items[].offers[].shop", func(c *catalogue, _ *rand.Rand) { c.Items[0].Offers[1].Shop = "" }},
	{"$.items[].offers", func(c *catalogue, _ *rand.Rand) { c.Items[0].Offers = c.Items[0].Offers[:1] }},
	{"$.items[].offers", func(c *catalogue, _ *rand.Rand) { c.Items[2].Offers = nil }},
	{"$.items[].offers", func(c *catalogue, _ *rand.Rand) {
		c.Items[1].Offers[0], c.Items[1].Offers[1] = c.Items[1].Offers[1], c.Items[1].Offers[0]
	}},
	{"$.items[].name", func(c *catalogue, _ *rand.Rand) { c.Items[0].Name += " " }},
	{"$.items[].name", func(c *catalogue, _ *rand.Rand) { c.Items[0].Name = strings.ToTitle(c.Items[0].Name) }},
	{"$.items[].name", func(c *catalogue, _ *rand.Rand) { c.Items[2].Name = c.Items[2].Name[:4] }},
	{"$.items[].name", func(c *catalogue, _ *rand.Rand) { c.Items[1].Name = "&lt;" + c.Items[1].Name }},
	{"$.items[].id", func(c *catalogue, _ *rand.Rand) { c.Items[1].ID++ }},
	{"$.items[].id", func(c *catalogue, r *rand.Rand) {
		if r.IntN(3) == 0 {
			c.Items[0].ID = 0
		}
	}},
	{"$.items[].tags", func(c *catalogue, _ *rand.Rand) { slices.Reverse(c.Items[0].Tags) }},
	{"$.items[].tags", func(c *catalogue, _ *rand.Rand) { c.Items[0].Tags = c.Items[0].Tags[:2] }},
	{"$.items[].tags", func(c *catalogue, _ *rand.Rand) { c.Items[2].Tags = append(c.Items[2].Tags, "new") }},
	{"$.items[].tags[]", func(c *catalogue, _ *rand.Rand) { c.Items[2].Tags[0] = "A" }},
	{"$.items", func(c *catalogue, _ *rand.Rand) { c.Items = c.Items[:2] }},
	{"$.items", func(c *catalogue, _ *rand.Rand) { slices.Reverse(c.Items) }},
	{"$.items", func(c *catalogue, _ *rand.Rand) { c.Items = append(c.Items, c.Items[0]) }},
	{"$.items", func(c *catalogue, r *rand.Rand) {
		if r.IntN(3) == 0 {
			c.Items = c.Items[1:]
		}
	}},
	{"$.items", func(c *catalogue, _ *rand.Rand) { c.Items = nil }},
	{"$.total", func(c *catalogue, _ *rand.Rand) { c.Total++ }},
	{"$.total", func(c *catalogue, _ *rand.Rand) { c.Total = len(c.Items) }},
	{"$.total", func(c *catalogue, r *rand.Rand) {
		if r.IntN(5) == 0 {
			c.Total = 0
		}
	}},
	{"$.page.size", func(c *catalogue, _ *rand.Rand) { c.Page["size"] = "3" }},
	{"$.page.size", func(c *catalogue, _ *rand.Rand) { delete(c.Page, "size") }},
	{"$.page.next", func(c *catalogue, _ *rand.Rand) { c.Page["next"] = nil }},
	{"$.page.prev", func(c *catalogue, _ *rand.Rand) { c.Page["prev"] = "1" }},
	{"$.facets.rock", func(c *catalogue, _ *rand.Rand) { delete(c.Facets, "rock") }},
	{"$.facets.jazz", func(c *catalogue, _ *rand.Rand) { c.Facets["jazz"] += 2 }},
	{"$.facets.pop", func(c *catalogue, _ *rand.Rand) { c.Facets["pop"] = 1 }},
	{"$.note", func(c *catalogue, _ *rand.Rand) { c.Note = nil }},
	{"$.at", func(c *catalogue, _ *rand.Rand) { c.At *= 1000 }},
	{"$.sale", func(c *catalogue, _ *rand.Rand) { c.Sale = !c.Sale }},
}

// noises are what two runs of the same code may differ by.
var noises = []func(c *catalogue, r *rand.Rand){
	func(c *catalogue, r *rand.Rand) { c.Page["request"] = fmt.Sprintf("%016x", r.Uint64()) },
	func(c *catalogue, r *rand.Rand) { c.At += r.Int64N(3) },
	func(c *catalogue, r *rand.Rand) { c.Page["took"] = r.Float64() },
	func(c *catalogue, r *rand.Rand) {
		r.Shuffle(len(c.Items[0].Tags), func(i, j int) {
			c.Items[0].Tags[i], c.Items[0].Tags[j] = c.Items[0].Tags[j], c.Items[0].Tags[i]
		})
	},
	func(c *catalogue, r *rand.Rand) {
		if r.IntN(10) == 0 { // an eleventh hour's cache
			c.Items[1].Offers[0].Stock = 99
		}
	},
}

// trialOf compares a candidate with stable over simulations, with noise in every run.
func trialOf(t *testing.T, seed uint64, runs int, noise []func(*catalogue, *rand.Rand), change func(*catalogue, *rand.Rand)) Simulation {
	r := rand.New(rand.NewPCG(seed, 11))
	s := newStrain()
	body := func(request int, change func(*catalogue, *rand.Rand)) []byte {
		c := answerTo(request)
		for _, n := range noise {
			n(c, r)
		}
		if change != nil {
			change(c, r)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for i := range runs {
		sim := &simulation{noise: r.Float64() < noiseShare, status: http.StatusOK}
		with := change
		if sim.noise {
			with = nil
		}
		d := differ{c: defaultComparison()}
		d.bodies(body(i, nil), body(i, with), true)
		s.add(d.found, sim, nil, false, 0)
	}
	return s.report()
}

// Of 40 seeded differences in meaning, hidden among ids, times, shuffled lists and a cache, nearly all are found, at
// their path; and 20 endpoints that are noisy and equal are not accused.
func TestSeededDifferences(t *testing.T) {
	if racing {
		t.Skip("simulations run without the race detector")
	}
	const runs = 500
	if len(seeded) != 40 {
		t.Fatalf("%d differences", len(seeded))
	}
	found, elsewhere := 0, 0
	for i, c := range seeded {
		report := trialOf(t, uint64(i), runs, noises, c.change)
		ok := false
		for _, d := range report.Differences {
			if d.Found && d.Path == c.path {
				ok = true
			} else if d.Found {
				elsewhere++
				t.Logf("%d: %s is reported at %s (%s, %.2f against %.2f)", i, c.path, d.Path, d.Kind, d.Rate, d.Noise)
			}
		}
		if ok {
			found++
		} else {
			t.Logf("%d at %s is not found: %+v", i, c.path, report.Differences)
		}
	}
	wrong := 0
	for i := range 20 {
		r := rand.New(rand.NewPCG(uint64(i), 1))
		noise := slices.Clone(noises)
		r.Shuffle(len(noise), func(a, b int) { noise[a], noise[b] = noise[b], noise[a] })
		for _, d := range trialOf(t, uint64(100+i), runs, noise[:1+i%len(noise)], nil).Differences {
			if d.Found {
				wrong++
				t.Logf("noisy endpoint %d: %s is reported (%.2f against %.2f)", i, d.Path, d.Rate, d.Noise)
			}
		}
	}
	t.Logf("%d of 40 differences found in %d simulations each, %d false paths on 20 noisy endpoints", found, runs, wrong)
	if found < 38 || wrong > 1 {
		t.Errorf("%d of 40 found, %d false paths", found, wrong)
	}
}

func FuzzDifferences(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, `{"a":[1,{"b":2}]}`)
	f.Fuzz(func(t *testing.T, was, is string) {
		if got := bodyDifferences(defaultComparison(), was, was); got != nil {
			t.Fatalf("%q differs from itself: %q", was, got)
		}
		// What differs one way differs the other way.
		if a, b := bodyDifferences(defaultComparison(), was, is), bodyDifferences(defaultComparison(), is, was); len(a) != len(b) {
			t.Fatalf("%q and %q: %q, the other way %q", was, is, a, b)
		}
	})
}
