package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

// addStatic serves the folder of -dir.
func addStatic(app *ishaa.App, o options) {
	if o.dir != "" {
		app.Install(static.Dir(o.dir, "/_x/files"))
	}
}
