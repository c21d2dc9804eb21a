package callsite_test

import (
	"regexp"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/callsite"
)

func TestOutside(t *testing.T) {
	here := regexp.MustCompile(`^callsite/callsite_test\.go:\d+$`)
	if got := callsite.Outside("github.com/ishaa-framework/ishaa/internal/callsite"); !here.MatchString(got) {
		t.Errorf("a package's test is outside: %s", got)
	}
	if got := callsite.Outside("github.com/somebody/else"); !here.MatchString(got) {
		t.Errorf("the direct caller is outside of another package: %s", got)
	}
}
