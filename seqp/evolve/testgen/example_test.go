package testgen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ishaa-framework/ishaa/seqp/evolve/testgen"
)

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		panic(err)
	}
	_, err = testgen.Generate(context.Background(), testgen.Options{Dir: dir})
	fmt.Println(errors.Is(err, testgen.ErrNoSetup)) // the error says which function to write
	// Output: true
}
