// Command document reads OpenAPI documents with libopenapi, builds their whole model
// and holds them against the meta-schema of their version. It fails on any error.
package main

import (
	"fmt"
	"os"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
)

func main() {
	failed := false
	for _, name := range os.Args[1:] {
		if err := check(name); err != nil {
			failed = true
			fmt.Printf("%s: %v\n", name, err)
			continue
		}
		fmt.Printf("%s: libopenapi has no error\n", name)
	}
	if failed {
		os.Exit(1)
	}
}

func check(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	document, err := libopenapi.NewDocument(text)
	if err != nil {
		return err
	}
	if _, err := document.BuildV3Model(); err != nil {
		return err
	}
	checker, errs := validator.NewValidator(document)
	if len(errs) > 0 {
		return errs[0]
	}
	if valid, faults := checker.ValidateDocument(); !valid {
		for _, fault := range faults {
			fmt.Printf("%s: %s: %s\n", name, fault.Message, fault.Reason)
			for _, at := range fault.SchemaValidationErrors {
				fmt.Printf("  %s: %s\n", at.KeywordLocation, at.Reason)
			}
		}
		return fmt.Errorf("%d faults", len(faults))
	}
	return nil
}
