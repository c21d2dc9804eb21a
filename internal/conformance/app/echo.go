package main

import (
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// addEcho makes every path outside /_x/ answer with the body of its request, which the raw-request battery needs. Paths
// that no pattern ever matches, those with dot segments for one, stay 404.
func addEcho(app *ishaa.App, o options) {
	if !o.echo {
		return
	}
	echo := func(r *ishaa.Request) (any, error) {
		if strings.HasPrefix(r.Path(), "/_x/") {
			return nil, ishaa.NotFound("there is nothing at this address")
		}
		body, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		return ishaa.Bytes("application/octet-stream", body), nil
	}
	app.Any("/", echo)
	app.Any("/<path:rest>", echo)
}
