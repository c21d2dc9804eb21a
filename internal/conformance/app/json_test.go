//go:build unix

package main

import (
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The suite holds that a name may occur twice in an object (RFC 8259 §4), and a handler that takes the JSON as it is gets
// it so. Into anything else repeated names are refused: two programs that read different ones of a pair can be played
// against each other.
func TestJSONTestSuite(t *testing.T) {
	testenv.Python(t)
	testenv.Conformance(t)
	output := battery(t, "json/run.py", start(t).URL("http")+"/_x/json")
	expectFailures(t, output, nil, 318)
}
