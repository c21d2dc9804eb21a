package routes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/routes"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The table is the published one less its 36 commented-out routes, all of a kind that the comment of GitHub names.
func TestGitHubIsThePublishedTable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testenv.Conformance(t), "routes", "api_sets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sets struct{ GitHub [][2]string }
	if err := json.Unmarshal(data, &sets); err != nil {
		t.Fatal(err)
	}
	left := map[routes.Route]bool{}
	for _, r := range sets.GitHub {
		left[routes.Route{Method: r[0], Pattern: r[1]}] = true
	}
	table := routes.GitHub()
	for _, r := range table {
		if !left[r] {
			t.Errorf("%s %s is not in the published table, or is twice in ours", r.Method, r.Pattern)
		}
		delete(left, r)
	}
	if len(table) != 203 || len(left) != 36 {
		t.Errorf("%d routes kept and %d left aside; want 203 and 36", len(table), len(left))
	}
	for r := range left {
		if r.Method != "PATCH" && !strings.Contains(r.Pattern, "*") && !besideParameter(r, table) {
			t.Errorf("%s %s is left aside without one of the stated reasons", r.Method, r.Pattern)
		}
	}
}

// besideParameter reports whether a pattern meets one of the table that has a parameter where it is static, or the reverse.
func besideParameter(r routes.Route, table []routes.Route) bool {
	ours := strings.Split(r.Pattern, "/")
	for _, other := range table {
		for i, theirs := range strings.Split(other.Pattern, "/") {
			if i >= len(ours) {
				break
			}
			if strings.HasPrefix(ours[i], ":") != strings.HasPrefix(theirs, ":") {
				return true
			}
			if ours[i] != theirs && !strings.HasPrefix(theirs, ":") {
				break
			}
		}
	}
	return false
}

func TestResources(t *testing.T) {
	for _, n := range []int{1, 100, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			seen := map[routes.Route]bool{}
			for _, r := range routes.Resources(n) {
				seen[r] = true
			}
			if len(seen) != n {
				t.Errorf("%d different routes, want %d", len(seen), n)
			}
			if some := routes.Spread(routes.Resources(n), 100); len(some) != min(n, 100) {
				t.Errorf("%d routes spread, want %d", len(some), min(n, 100))
			}
		})
	}
}

func Example() {
	r := routes.Route{Method: "GET", Pattern: "/users/:user/keys"}
	fmt.Println(r.Colons(), r.Braces(), r.Angles(), r.Path(), r.Params())
	// Output: /users/:user/keys /users/{user}/keys /users/<user>/keys /users/value00002/keys 1
}
