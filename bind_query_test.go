package ishaa

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// Reading a query in one pass gives what parsing it gives, in whatever order its
// parameters come, and hands on every query in which something is escaped.
func TestScanQueryIsParseQuery(t *testing.T) {
	pieces := []string{"a", "b", "ab", "a.b", "limit", "limits", "=", "=", "==", "&", "&", "&&", "7", "x", "%41", "+", ";", "é", "\x00"}
	random := rand.New(rand.NewPCG(1, 2))
	escaped, found := 0, 0
	for range 60_000 {
		plan := &bindPlan{}
		for range 1 + random.IntN(4) {
			plan.queries = append(plan.queries, []string{"a", "b", "ab", "limit", "a=b", "%41", "é"}[random.IntN(7)])
		}
		plan.distinct = plainNames(plan.queries)
		var query strings.Builder
		for range random.IntN(12) {
			query.WriteString(pieces[random.IntN(len(pieces))])
		}
		raw := query.String()
		into := make([]parameter, len(plan.queries))
		if !plan.scanQuery(raw, into) {
			if escaped++; !isEscaped(raw) {
				t.Fatalf("%q has nothing escaped and was not read", raw)
			}
			for _, got := range into {
				if got != (parameter{}) {
					t.Fatalf("%q left %v behind", raw, into)
				}
			}
			continue
		}
		want, err := url.ParseQuery(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		for i, name := range plan.queries {
			first, count := "", len(want[name])
			if count > 0 {
				first = want[name][0]
				found++
			}
			if into[i] != (parameter{first, count}) {
				t.Fatalf("%q, %q of %q: got %v, want %q %d times", raw, name, plan.queries, into[i], first, count)
			}
		}
	}
	if escaped < 1000 || found < 1000 {
		t.Errorf("%d queries with escapes and %d parameters are too few to show anything", escaped, found)
	}
}
