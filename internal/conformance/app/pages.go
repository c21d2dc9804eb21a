package main

import "github.com/ishaa-framework/ishaa"

// addPages adds the start page, a handler that panics and one that sets a header to what the client says.
func addPages(app *ishaa.App, o options) {
	if !o.echo { // there every path but those below /_x/ is an echo
		app.Get("/", func(*ishaa.Request) (any, error) {
			return ishaa.HTML("<!DOCTYPE html>\n<title>Conformance</title>\n<h1>Conformance</h1>\n"), nil
		})
	}
	app.Get("/_x/boom", func(*ishaa.Request) (any, error) {
		panic("secret-detail-42")
	})
	app.Get("/_x/hdr", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("X-V is set\n").WithHeader("X-V", r.Query("v")), nil
	})
}
