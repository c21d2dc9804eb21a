package auth

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// docs/security.md names the tests that show what it says: they exist.
func TestTheSecurityDocumentNamesTestsThatExist(t *testing.T) {
	document := made(os.ReadFile(filepath.Join(testenv.Root(), "docs", "security.md")))
	var sources []byte
	for _, folder := range []string{"", "auth", "session"} {
		for _, name := range made(filepath.Glob(filepath.Join(testenv.Root(), folder, "*_test.go"))) {
			sources = append(sources, made(os.ReadFile(name))...)
		}
	}
	exists := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllSubmatch(sources, -1) {
		exists[string(match[1])] = true
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllSubmatch(document, -1)
	if len(named) < 60 {
		t.Errorf("the document names %d tests", len(named))
	}
	for _, match := range named {
		if !exists[string(match[1])] {
			t.Errorf("there is no %s", match[1])
		}
	}
}
