package threats_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// docs/security.md says by which tests each threat is met, with their packages: they are there.
func TestTheTableOfThreatsNamesTestsThatExist(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(testenv.Root(), "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{} // of a folder
	named := regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)\\w+)`").FindAllSubmatch(document, -1)
	if len(named) < 80 {
		t.Errorf("the document names %d tests", len(named))
	}
	for _, match := range named {
		folder, test := string(match[1]), string(match[2])
		if tests[folder] == nil {
			tests[folder] = testsIn(t, strings.TrimPrefix(folder, "ishaa"))
		}
		if !tests[folder][test] {
			t.Errorf("there is no %s.%s", folder, test)
		}
	}
}

func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(testenv.Root(), filepath.FromSlash(folder), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(text, -1) {
			found[string(match[1])] = true
		}
	}
	return found
}
