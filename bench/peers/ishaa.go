package peers

import (
	"context"
	"io"
	"net/http"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
)

// ishaaPeer is Ishaa without its secure defaults, as the others have none.
func ishaaPeer() Peer {
	return Peer{Name: "ishaa", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			app := bareIshaa()
			app.Get("/plain", ishaaPlain)
			return app
		},
		Param: func() http.Handler {
			app := bareIshaa()
			app.Get("/users/<name>", func(r *ishaa.Request) (any, error) {
				return ishaa.Text("Hello, " + r.Param("name")), nil
			})
			return app
		},
		Typed: func() http.Handler {
			app := bareIshaa()
			ishaa.Get(app, "/artists/<id>/albums", ishaaAlbums)
			return app
		},
		Five: func() http.Handler {
			headers := Secured()
			app := quietIshaa()
			app.Without(ishaa.DefaultCSRF, ishaa.DefaultBodyLimit) // the others of the five come by themselves
			app.Use(
				middleware.SecurityHeaders(middleware.SecurityHeaderOptions{
					CSP:            headers["Content-Security-Policy"],
					ReferrerPolicy: headers["Referrer-Policy"],
					OpenerPolicy:   middleware.HeaderOff,
					Extra:          map[string]string{"X-Frame-Options": headers["X-Frame-Options"]},
				}),
				middleware.CORS(middleware.CORSOptions{Origins: []string{origin}}),
			)
			app.Get("/plain", ishaaPlain)
			return app
		},
	}}
}

type albumsInput struct {
	Artist int    `path:"id" minimum:"1"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Sort   string `query:"sort" enum:"title,year" default:"title"`
}

func ishaaAlbums(_ context.Context, in *albumsInput) (*Albums, error) {
	return albums(in.Artist, in.Limit, in.Sort), nil
}

// ishaaSecure is Ishaa as it comes: recover, request id, an access log (to nowhere), security headers, refusal of
// cross-origin writes, body limits. No other row has all of it; Five comes closest.
func ishaaSecure() Peer {
	return Peer{Name: "ishaa-secure", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			app := quietIshaa()
			app.Get("/plain", ishaaPlain)
			return app
		},
	}}
}

func ishaaPlain(*ishaa.Request) (any, error) { return ishaa.Text(greeting), nil }

// quietIshaa is a new application whose log goes nowhere, but is written.
func quietIshaa() *ishaa.App {
	return ishaa.New("bench", ishaa.Config{LogTo: io.Discard})
}

func bareIshaa() *ishaa.App {
	app := quietIshaa()
	app.Without(ishaa.DefaultRecover, ishaa.DefaultRequestID, ishaa.DefaultAccessLog,
		ishaa.DefaultSecurityHeaders, ishaa.DefaultCSRF, ishaa.DefaultBodyLimit)
	return app
}
