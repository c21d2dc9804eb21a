package rmf_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/rmf"
)

// Premium users get the new recommendations; of the others nobody does, for now.
func Example() {
	app := ishaa.New("shop", ishaa.Config{Secret: "a secret of at least 32 characters"})
	app.Without(ishaa.DefaultAccessLog)
	realities := rmf.Enable(app, rmf.Options{})
	app.Get("/recommend", func(*ishaa.Request) (any, error) {
		return map[string]any{"algo": "classic"}, nil
	}, rmf.Reality("stable"))
	app.Get("/recommend", func(*ishaa.Request) (any, error) {
		return map[string]any{"algo": "neural"}, nil
	}, rmf.Reality("experimental", rmf.Traffic(0)))
	realities.BehaviorRule(func(r *ishaa.Request, names []string) string {
		if r.Header("X-User-Tier") == "premium" {
			return "experimental"
		}
		return ""
	})

	for _, tier := range []string{"", "premium"} {
		r := httptest.NewRequest("GET", "/recommend", nil)
		r.Header.Set("X-User-Tier", tier)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Body)
	}
	if err := app.Stop(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"algo":"classic"}
	// {"algo":"neural"}
}

// The bucket of a subject is the same in every language that has XXH64.
func ExampleBucket() {
	lot := rmf.Lot("GET /recommend#0")
	fmt.Println(rmf.Bucket(lot, "u:ada") < 2000) // in the first 20 %?
	// Output: false
}
