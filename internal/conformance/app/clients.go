package main

import "github.com/ishaa-framework/ishaa"

// addClients adds where a client comes from and where it is sent.
func addClients(app *ishaa.App, _ options) {
	app.Get("/_x/go", func(r *ishaa.Request) (any, error) {
		return ishaa.RedirectLocal(r.Query("next"), "/"), nil
	})
	app.Get("/_x/ip", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(r.Client().Addr().String()), nil
	})
}
