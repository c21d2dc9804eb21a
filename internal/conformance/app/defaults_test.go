//go:build unix

package main

import (
	"slices"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// missingFeatures lists the checks that need a route which does not exist yet, by route. A feature that adds the
// route takes its checks off the list.
var missingFeatures = map[string][]string{}

func TestSecureDefaults(t *testing.T) {
	testenv.Python(t)
	testenv.Conformance(t)
	var known []string
	for _, checks := range missingFeatures {
		known = append(known, checks...)
	}
	slices.Sort(known)
	output := battery(t, "defaults/run.py", start(t, "-dir", servedFolder(t)).URL("http"))
	expectFailures(t, output, known, 48)
}
