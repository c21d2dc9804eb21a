package risk_test

import (
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

// Whatever a pattern is, its parameters are parts of it.
func FuzzParameters(f *testing.F) {
	for _, pattern := range []string{"/", "/users/<int:id>", "/<a>/<b>", `/x/<re("[a-z:]+"):name>`, "/<", "/<>", "/<a:b", "<int:>"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		for _, p := range risk.Parameters(pattern) {
			if !strings.Contains(pattern, p.Name) || p.Converter != "str" && p.Converter != "re" && !strings.Contains(pattern, p.Converter) {
				t.Errorf("%q has no %+v", pattern, p)
			}
		}
	})
}
