package labels_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/labels"
)

func TestLabels(t *testing.T) {
	app := ishaa.New("test")
	nothing := func(*ishaa.Request) (any, error) { return nil, nil }
	for _, c := range []struct {
		route               *ishaa.Route
		method, label, text string
	}{
		{app.Get("/users/<int:id>", nothing), "GET", "GET", "/users/<int:id>"},
		{app.Any("/any", nothing), "PROPFIND", "_OTHER", "/any"},
		{app.Route("/dav", nothing, ishaa.Methods("PROPFIND")), "PROPFIND", "PROPFIND", "/dav"},
		{app.Get("/", nothing, ishaa.Host("<tenant>.example.com")), "HEAD", "HEAD", "<tenant>.example.com/"},
		{&ishaa.Route{}, "get", "_OTHER", ""},
	} {
		if got := labels.Method(c.route, c.method); got != c.label {
			t.Errorf("Method(%s, %s) is %q, want %q", c.route, c.method, got, c.label)
		}
		if got := labels.Route(c.route); got != c.text {
			t.Errorf("Route(%s) is %q, want %q", c.route, got, c.text)
		}
	}
}
