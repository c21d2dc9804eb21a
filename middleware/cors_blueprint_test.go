package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// CORS on a blueprint is all that the blueprint needs, next to the defaults: its
// preflights are answered, the origins that it names read and write, on a real
// socket.
func TestCORSOnABlueprint(t *testing.T) {
	app, _ := newApp(t)
	api := ishaa.NewBlueprint("api", "/api", middleware.CORS(middleware.CORSOptions{Origins: []string{shop}, Credentials: true}))
	api.Put("/items/<int:id>", text("put"))
	api.Get("/items", text("items"))
	inner := ishaa.NewBlueprint("inner", "/inner")
	inner.Delete("/items", text("deleted"))
	api.Register(inner)
	app.Register(api)
	app.Put("/site", text("put"))
	server := serve(t, app)

	ask := func(t *testing.T, method, path, origin, requested string) (*http.Response, string) {
		t.Helper()
		request, err := http.NewRequest(method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		if requested != "" {
			request.Header.Set("Access-Control-Request-Method", requested)
		} else {
			request.Header.Set("Cookie", "session=1")
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	for _, c := range []struct {
		name, method, path, origin string
		preflight, status          int // of the request, which is sent whatever the preflight says
		allowed                    string
	}{
		{"a named origin", "PUT", "/api/items/7", shop, 204, 200, shop},
		{"another", "PUT", "/api/items/7", evil, 204, 403, ""},
		{"a blueprint within", "DELETE", "/api/inner/items", shop, 204, 200, shop},
		{"a method that the path does not have", "PATCH", "/api/items", shop, 204, 405, shop},
		{"a path outside", "PUT", "/site", shop, 204, 403, ""},
		{"a path that nobody has", "PUT", "/nothing", shop, 404, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			preflight, _ := ask(t, "OPTIONS", c.path, c.origin, c.method)
			if preflight.StatusCode != c.preflight {
				t.Errorf("the preflight's status is %d, want %d", preflight.StatusCode, c.preflight)
			}
			methods := preflight.Header.Get("Access-Control-Allow-Methods")
			if strings.Contains(methods, c.method) != (c.allowed != "") {
				t.Errorf("the preflight allows %q", methods)
			}
			answer, body := ask(t, c.method, c.path, c.origin, "")
			if answer.StatusCode != c.status {
				t.Errorf("status %d, want %d: %s", answer.StatusCode, c.status, body)
			}
			wantHeader(t, preflight.Header, "Access-Control-Allow-Origin", oneOrNone(c.allowed)...)
			wantHeader(t, answer.Header, "Access-Control-Allow-Origin", oneOrNone(c.allowed)...)
		})
	}
}

func oneOrNone(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
