//go:build unix

package main

import (
	"slices"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// missingFeatures lists the checks that need a route which does not exist yet, by route. A feature that adds the
// route takes its checks off the list.
var missingFeatures = map[string][]string{
	"/_x/login and /_x/me": {
		"V3.3.4 session cookie HttpOnly",
		"V3.3.2 session cookie SameSite",
		"V3.3.1 session cookie __Host-/Secure (when TLS)",
		"V7.2.3 session id >=128 bit",
		"V7.2.4 session id rotates on login",
		"V7.2.4 fixation: client id not adopted",
		"V14.3.2 authenticated page no-store",
		"GHSA-68rp Vary: Cookie when session read",
		"V8.3 no session -> 401/302",
	},
	"/_x/ws": {
		"V4.4.2 same-origin WS ok",
	},
	"/_x/tpl": {
		"V1.2.1 template autoescape on by default",
		"V1.3.7 input not re-evaluated as template",
	},
}

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
