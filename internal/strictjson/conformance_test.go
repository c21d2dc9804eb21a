package strictjson_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// JSONTestSuite: y_ must be accepted, n_ refused, i_ is the parser's choice. Two y_ files repeat a name, since RFC 8259
// allows it: those are well-formed (CheckSyntax) and refused all the same (Check).
func TestJSONTestSuite(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Conformance(t), "json", "cases", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 318 {
		t.Errorf("%d files, want 318", len(files))
	}
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		syntax, strict := strictjson.CheckSyntax(text, 0), strictjson.Check(text, 0)
		switch name[0] {
		case 'y':
			if syntax != nil {
				t.Errorf("%s refused: %v", name, syntax)
			}
			duplicate := strings.HasPrefix(name, "y_object_duplicated_key")
			if (strict != nil) != duplicate {
				t.Errorf("%s: Check says %v", name, strict)
			}
		case 'n':
			if syntax == nil || strict == nil {
				t.Errorf("%s accepted", name)
			}
		case 'i':
			if strings.Contains(name, "i_string") || strings.Contains(name, "surrogate") {
				if strict == nil {
					t.Errorf("%s accepted: not Unicode", name)
				}
			}
		}
	}
}
