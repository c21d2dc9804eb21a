package inproc

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"

	"github.com/ishaa-framework/ishaa/bench/gintree"
	"github.com/ishaa-framework/ishaa/bench/routes"
	"github.com/ishaa-framework/ishaa/internal/tree"
)

// A router under test is built from a table and then asked for one route at a time, by its bare lookup: contexts are
// made once, and no handler is called. What a whole request costs is in serve.go.
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

// lookups returns the groups of router lookups: GitHub's 203 routes; and tables of 100 and of 10,000 routes, of which
// either a hundred are asked for, spread over the table, as traffic has its favourites, or all in turn, which no cache
// holds.
func lookups() []Group {
	groups := []Group{lookup("lookup/github", routes.GitHub(), routes.GitHub())}
	for _, n := range []int{100, 10_000} {
		table := routes.Resources(n)
		groups = append(groups,
			lookup(fmt.Sprintf("lookup/favourites/routes=%d", n), table, routes.Spread(table, 100)),
			lookup(fmt.Sprintf("lookup/all/routes=%d", n), table, table))
	}
	return groups
}

// Growth returns the groups that compare one router with itself: its table of 10,000 routes against that of 100. The
// case of the large table has the router's name. It returns none for a router that is not known.
func Growth(router string) []Group {
	var groups []Group
	for _, asked := range []string{"favourites", "all"} {
		g := Group{Name: "growth/" + asked}
		for _, n := range []int{100, 10_000} {
			table, name := routes.Resources(n), router
			if n == 100 {
				name = router + ", 100 routes"
			}
			some := table
			if asked == "favourites" {
				some = routes.Spread(table, 100)
			}
			for _, c := range lookup("", table, some).Cases {
				if c.Name == router {
					g.Cases = append(g.Cases, Case{Name: name, Build: c.Build})
				}
			}
		}
		if len(g.Cases) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func lookup(name string, table, asked []routes.Route) Group {
	g := Group{Name: name}
	for _, r := range routers {
		g.Cases = append(g.Cases, Case{Name: r.name, Build: func() (func() error, int) {
			find, all := r.lookup(table), requests(asked)
			return func() error {
				for _, r := range all {
					if !find(r) {
						return fmt.Errorf("%s %s is not found", r.Method, r.URL.Path)
					}
				}
				return nil
			}, len(all)
		}})
	}
	return g
}
