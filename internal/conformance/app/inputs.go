package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/ishaa-framework/ishaa"
)

// seen is a request as it reached the handler.
type seen struct {
	Method   string      `json:"method"`
	Target   string      `json:"target"` // the request line's, as it was sent
	Path     string      `json:"path"`   // decoded
	Query    string      `json:"query"`  // as it was sent
	Host     string      `json:"host"`
	Headers  http.Header `json:"headers"`
	Body     string      `json:"body_b64"`
	Trailers http.Header `json:"trailers"`
}

// addInputs adds what gives a request back: as it was understood, and its JSON.
func addInputs(app *ishaa.App, _ options) {
	app.Any("/_x/echo", showRequest)
	app.Post("/_x/json", func(r *ishaa.Request) (any, error) {
		var body json.RawMessage // the same out: numbers keep their digits, members their order
		if err := r.DecodeJSON(&body); err != nil {
			return nil, err
		}
		return body, nil
	})
}

func showRequest(r *ishaa.Request) (any, error) {
	body, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	raw := r.HTTP() // after the body, which the trailers follow
	return seen{
		Method:   r.Method(),
		Target:   raw.RequestURI,
		Path:     r.Path(),
		Query:    raw.URL.RawQuery,
		Host:     r.Host(),
		Headers:  raw.Header,
		Body:     base64.StdEncoding.EncodeToString(body),
		Trailers: raw.Trailer,
	}, nil
}
