package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
)

// addOpenAPI adds the document of all these routes, and pages to read it.
func addOpenAPI(app *ishaa.App, _ options) {
	openapi.Mount(app, openapi.Info{Title: "Conformance", Version: "1.0.0", Description: "What the batteries talk to."})
}
