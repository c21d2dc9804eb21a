package risk_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"go.mod": "module example.com/age\n\ngo 1.26\n",
		"age.go": "package age\n\nfunc Price(age int) int {\n\tif age < 6 || age > 90 {\n\t\treturn 0\n\t}\n\treturn 12\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	report, err := risk.AnalyzeFile(context.Background(), filepath.Join(dir, "age.go"))
	if err != nil {
		panic(err)
	}
	fmt.Println(report.RiskLevel, report.CyclomaticComplexity, report.SecuritySensitive)
	// Output: low 3 false
}
