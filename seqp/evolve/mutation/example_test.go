package mutation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ishaa-framework/ishaa/seqp/evolve/mutation"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"go.mod":      "module example.com/age\n\ngo 1.26\n",
		"age.go":      "package age\n\nfunc Adult(age int) bool { return age >= 18 }\n",
		"age_test.go": "package age\n\nimport \"testing\"\n\nfunc TestAdult(t *testing.T) {\n\tif !Adult(40) || Adult(4) {\n\t\tt.Fail()\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	report, err := mutation.Run(context.Background(), mutation.Options{Dir: dir})
	if err != nil {
		panic(err)
	}
	fmt.Println(report.Killed(), "killed,", report.Lived(), "lived")
	for _, m := range report.Survivors() {
		fmt.Printf("%s:%d: %s could be %s\n", m.File, m.Line, m.Original, m.Mutated)
	}
	// Output:
	// 1 killed, 1 lived
	// age.go:3: age >= 18 could be age > 18
}
