package tree

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

type route struct{ method, pattern, path string }

// githubRoutes are the 203 routes of GitHub's API that the usual benchmark of routers has in use, in this package's
// notation. It leaves out those that the first routers it compared could not tell apart.
func githubRoutes(t testing.TB) []route {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv.Conformance(t), "routes", "api_sets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string][][2]string
	if err := json.Unmarshal(data, &sets); err != nil {
		t.Fatal(err)
	}
	var out []route
	for _, r := range sets["github"] {
		if commentedOut(r[0], r[1]) {
			continue
		}
		parts := strings.Split(r[1], "/")
		path := strings.Split(r[1], "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i], path[i] = "<"+name+">", name
			}
		}
		out = append(out, route{r[0], strings.Join(parts, "/"), strings.Join(path, "/")})
	}
	if len(out) != 203 {
		t.Fatalf("%d routes, want 203", len(out))
	}
	return out
}

func commentedOut(method, path string) bool {
	switch path {
	case "/authorizations/clients/:client_id", "/gists/public", "/gists/starred", "/repos/:owner/:repo/:archive_format/:ref":
		return true
	}
	return method == "PATCH" || strings.Contains(path, "*") || strings.Contains(path, "/issues/comments") ||
		strings.Contains(path, "/issues/events") || strings.Contains(path, "/pulls/comments")
}

func build(t testing.TB, routes []route) *Tree[*route] {
	t.Helper()
	tree := New[*route]()
	for i := range routes {
		p, err := Parse(routes[i].pattern, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Add(routes[i].method, p, &routes[i]); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestGitHub(t *testing.T) {
	routes := githubRoutes(t)
	tree := build(t, routes)
	var ps Params
	for i := range routes {
		r := &routes[i]
		if got, ok := tree.Match(r.method, r.path, &ps); !ok || got != r {
			t.Errorf("%s %s: got %v, want %v", r.method, r.path, got, r)
		}
	}
	if allocs := testing.AllocsPerRun(10, func() {
		for i := range routes {
			tree.Match(routes[i].method, routes[i].path, &ps)
		}
	}); allocs != 0 {
		t.Errorf("looking up all routes allocates %v times", allocs)
	}
}

// BenchmarkGitHub looks all 203 routes up in each round; ns/op is for all of them.
func BenchmarkGitHub(b *testing.B) {
	routes := githubRoutes(b)
	tree := build(b, routes)
	var ps Params
	b.ReportAllocs()
	for b.Loop() {
		for i := range routes {
			if _, ok := tree.Match(routes[i].method, routes[i].path, &ps); !ok {
				b.Fatal(routes[i])
			}
		}
	}
}

// many returns n routes of an API with n/4 kinds of things.
func many(n int) []route {
	out := make([]route, 0, n)
	for i := 0; len(out) < n; i++ {
		base := fmt.Sprintf("/api/v1/area%d/things%d", i%23, i)
		out = append(out,
			route{"GET", base, base},
			route{"POST", base, base},
			route{"GET", base + "/<int:id>", base + "/12345"},
			route{"GET", base + "/<int:id>/parts/<name>", base + "/12345/parts/wheel"})
	}
	return out[:n]
}

// BenchmarkSize looks up a route in each round: all in turn, at random, and a hundred of them again and again. The
// random requests are as many whatever the number of routes, so that branches are as hard to predict, and lie in one
// buffer, as a request that is being read is in the cache: only what the tree costs may differ.
func BenchmarkSize(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		routes := many(n)
		tree := build(b, routes)
		random := make([]route, 10_000)
		var buffer strings.Builder
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range random {
			random[i] = routes[rng.IntN(n)]
			buffer.WriteString(random[i].path)
		}
		for i, paths := 0, buffer.String(); i < len(random); i++ {
			length := len(random[i].path)
			random[i].path, paths = paths[:length], paths[length:]
		}
		for _, c := range []struct {
			name string
			ask  []route
		}{{"in turn", routes}, {"random", random}, {"hundred", random[:100]}} {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				var ps Params
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := tree.Match(c.ask[i].method, c.ask[i].path, &ps); !ok {
						b.Fatal(c.ask[i])
					}
					if i++; i == len(c.ask) {
						i = 0
					}
				}
			})
		}
	}
}
