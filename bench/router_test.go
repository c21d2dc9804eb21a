package bench

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"github.com/ishaa-framework/ishaa/bench/gintree"
	"github.com/ishaa-framework/ishaa/bench/routes"
	"github.com/ishaa-framework/ishaa/internal/tree"
)

// A router under test is built from a table and then asked for one route at a time, by its bare lookup: contexts are
// made once, and no handler is called. What a whole request costs is in serve_test.go.
type router struct {
	name   string
	lookup func(table []routes.Route) func(*http.Request) bool
}

var routers = []router{
	{"ishaa", ishaaLookup},
	{"gin", ginLookup},
	{"echo", echoLookup},
	{"chi", chiLookup},
	{"nethttp", netHTTPLookup},
}

func ishaaLookup(table []routes.Route) func(*http.Request) bool {
	t := tree.New[int]()
	for i, r := range table {
		pattern, err := tree.Parse(r.Angles(), nil)
		if err != nil {
			panic(err)
		}
		if err := t.Add(r.Method, pattern, i); err != nil {
			panic(err)
		}
	}
	var params tree.Params
	return func(r *http.Request) bool {
		_, ok := t.Match(r.Method, r.URL.Path, &params)
		return ok
	}
}

func ginLookup(table []routes.Route) func(*http.Request) bool {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	for _, r := range table {
		engine.Handle(r.Method, r.Colons(), func(*gin.Context) {})
	}
	t, err := gintree.Of(engine)
	if err != nil {
		panic(err)
	}
	return func(r *http.Request) bool { return t.Find(r.Method, r.URL.Path) != "" }
}

func echoLookup(table []routes.Route) func(*http.Request) bool {
	e := echo.New()
	for _, r := range table {
		e.Add(r.Method, r.Colons(), func(echo.Context) error { return nil })
	}
	router, c := e.Router(), e.NewContext(nil, nil)
	return func(r *http.Request) bool {
		c.Reset(nil, nil) // Find only adds to what a context has
		router.Find(r.Method, r.URL.Path, c)
		return c.Path() != ""
	}
}

func chiLookup(table []routes.Route) func(*http.Request) bool {
	mux := chi.NewRouter()
	for _, r := range table {
		mux.MethodFunc(r.Method, r.Braces(), func(http.ResponseWriter, *http.Request) {})
	}
	c := chi.NewRouteContext()
	return func(r *http.Request) bool {
		c.Reset()
		return mux.Match(c, r.Method, r.URL.Path)
	}
}

func netHTTPLookup(table []routes.Route) func(*http.Request) bool {
	mux := http.NewServeMux()
	for _, r := range table {
		mux.HandleFunc(r.Method+" "+r.Braces(), func(http.ResponseWriter, *http.Request) {})
	}
	return func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return pattern != ""
	}
}

// requests makes one request for each route.
func requests(table []routes.Route) []*http.Request {
	rs := make([]*http.Request, len(table))
	for i, route := range table {
		r, err := http.NewRequest(route.Method, route.Path(), nil)
		if err != nil {
			panic(err)
		}
		r.RequestURI = route.Path()
		rs[i] = r
	}
	return rs
}

// BenchmarkGitHub looks up each of the 203 routes once in a round; the ns/lookup column is a round's 203rd part.
func BenchmarkGitHub(b *testing.B) {
	table := routes.GitHub()
	for _, router := range routers {
		b.Run(router.name, func(b *testing.B) {
			lookUp(b, router.lookup(table), requests(table))
		})
	}
}

// BenchmarkSize compares tables of 100 and of 10,000 routes: a hundred routes spread over the table, as traffic has
// its favourites, and all of them in turn, which no cache holds.
func BenchmarkSize(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		table := routes.Resources(n)
		for _, router := range routers {
			lookup := router.lookup(table)
			b.Run(fmt.Sprintf("routes=%d/favourites/%s", n, router.name), func(b *testing.B) {
				lookUp(b, lookup, requests(routes.Spread(table, 100)))
			})
			b.Run(fmt.Sprintf("routes=%d/all/%s", n, router.name), func(b *testing.B) {
				lookUp(b, lookup, requests(table))
			})
		}
	}
}

// lookUp asks for all requests in each round.
func lookUp(b *testing.B, lookup func(*http.Request) bool, all []*http.Request) {
	for _, r := range all {
		if !lookup(r) {
			b.Fatalf("%s %s is not found", r.Method, r.URL.Path)
		}
	}
	b.ReportAllocs()
	rounds := 0
	for b.Loop() {
		for _, r := range all {
			lookup(r)
		}
		rounds++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rounds*len(all)), "ns/lookup")
}

// Every router must find every route, or its time means nothing; and none may find what is not there.
func TestRouters(t *testing.T) {
	table := routes.GitHub()
	missing, err := http.NewRequest(http.MethodGet, "/no/such/route/anywhere/in/the/table", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, router := range routers {
		t.Run(router.name, func(t *testing.T) {
			lookup := router.lookup(table)
			for _, r := range requests(table) {
				if !lookup(r) {
					t.Errorf("%s %s is not found", r.Method, r.URL.Path)
				}
			}
			if lookup(missing) {
				t.Errorf("%s is found", missing.URL.Path)
			}
		})
	}
}
