// Package sample is an API with every feature that a document can show, for the tests
// of package openapi and for the tools that its document is tried with.
package sample

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/schema"
)

// Info describes the API.
var Info = openapi.Info{
	Title: "Sample", Version: "1.2.3", Summary: "Everything at once", Description: "An API that uses *every* feature.",
	Terms:   "https://example.com/terms",
	Contact: openapi.Contact{Name: "Support", URL: "https://example.com/help", Email: "help@example.com"},
	License: openapi.License{Name: "Apache 2.0", Identifier: "Apache-2.0"},
	Tags:    []openapi.Tag{{Name: "api.things", Description: "Things of every kind."}, {Name: "streams", Description: "What comes as it goes."}},
}

// New returns the application. Its handlers answer with values that their types allow.
func New() *ishaa.App {
	app := ishaa.New("sample", ishaa.Config{LogLevel: slog.LevelError})
	err := schema.RegisterOneOf(app.Schemas(), "kind", map[string]Shape{"circle": Circle{}, "square": &Square{}})
	if err != nil {
		panic(err)
	}
	app.Converter("hex", 1, func(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" })
	api := ishaa.NewBlueprint("api", "/api")
	things := ishaa.NewBlueprint("things", "/things")
	addThings(app, things)
	api.Register(things)
	app.Register(api)
	addGuarded(app)
	addStreams(app)
	addUntyped(app)
	openapi.Mount(app, Info)
	return app
}

func addThings(app *ishaa.App, r *ishaa.Blueprint) {
	ishaa.Get(r, "", search, ishaa.Name("search"), openapi.Summary("Search things"), openapi.Description("By *many* parameters."))
	ishaa.Post(r, "/everything", func(_ context.Context, in *struct{ Body Everything }) (*Everything, error) {
		return &in.Body, nil
	}, ishaa.Status(201), openapi.OperationID("createEverything"), openapi.Problems(409))
	ishaa.Post(r, "/shapes", func(_ context.Context, in *struct{ Body Shape }) (Shape, error) { return in.Body, nil })
	ishaa.Get(r, "/<slug:section>/<int:id>/<float:ratio>", byPath)
	ishaa.Put(r, "/items/<uuid:id>", putItem)
	ishaa.Delete(r, "/items/<uuid:key>", func(context.Context, *struct {
		Key string `path:"key"`
	}) (struct{}, error) {
		return struct{}{}, nil
	}, openapi.Deprecated())
	ishaa.Get(r, "/digests/<hex:digest>", nothing, openapi.Answer[struct{}](204, "there is no such thing yet"))
	ishaa.Get(r, `/codes/<re("[A-Z]{2}[0-9]"):code>`, example[struct {
		Code string `path:"code"`
	}, []Address](app))
	ishaa.Get(r, "/problems", example[struct{}, Page[*Problem]](app))
	ishaa.Get(r, "/places", example[struct{}, map[string]Address](app))
	ishaa.Post(r, "/login", example[Login, Uploaded](app))
	ishaa.Post(r, "/uploads", upload)
	ishaa.Post(r, "/notes", func(_ context.Context, in *Note) (string, error) { return "<p>ok</p>", nil })
	ishaa.Post(r, "/blobs", func(_ context.Context, in *Blob) ([]byte, error) { return in.Body, nil })
	ishaa.Patch(r, "/optional", func(_ context.Context, in *struct{ Body *Address }) (*Address, error) {
		if in.Body == nil {
			return &Address{}, nil
		}
		return in.Body, nil
	})
}

func addGuarded(app *ishaa.App) {
	guard := func(schemes ...ishaa.Security) ishaa.RouteOption {
		return ishaa.Options(ishaa.SecurityScheme.On(schemes), ishaa.Middleware{Name: "login-required", Before: func(r *ishaa.Request) (any, error) {
			if r.Header("Authorization") == "" && r.Header("X-Key") == "" {
				return nil, ishaa.Unauthorized("sign in first")
			}
			return nil, nil
		}})
	}
	bearer := ishaa.Security{Name: "bearer", Type: "http", Scheme: "bearer", Format: "JWT", Description: "a token of ours", Scopes: []string{"admin", "editor"}}
	key := ishaa.Security{Name: "key", Type: "apiKey", In: "header", Parameter: "X-Key"}
	oidc := ishaa.Security{Name: "oidc", Type: "openIdConnect", URL: "https://id.example.com/.well-known/openid-configuration", Scopes: []string{"profile"}}
	oauth := ishaa.Security{Name: "oauth", Type: "oauth2", URL: "https://id.example.com/authorize", TokenURL: "https://id.example.com/token", Scopes: []string{"read"}}
	ishaa.Get(app, "/account", example[struct{}, Address](app), guard(bearer, key))
	ishaa.Get(app, "/profile", example[struct{}, *Address](app), guard(oidc, oauth))
}

func addStreams(app *ishaa.App) {
	ishaa.Get(app, "/ticks", ticks, openapi.Tags("streams"))
	ishaa.Get(app, "/events", func(context.Context, *struct{}) (iter.Seq2[ishaa.Event, error], error) {
		return func(yield func(ishaa.Event, error) bool) { yield(ishaa.Event{ID: "1", Data: "hello"}, nil) }, nil
	}, openapi.Tags("streams"))
	ishaa.Get(app, "/download", func(context.Context, *struct{}) (io.Reader, error) { return strings.NewReader("octets"), nil })
}

func addUntyped(app *ishaa.App) {
	app.Get("/pages/<path:rest>", func(r *ishaa.Request) (any, error) { return "<p>a page</p>", nil },
		openapi.Answer[string](200, "the page"), openapi.Summary("Show a page"))
	app.Any("/any", func(*ishaa.Request) (any, error) { return map[string]int{"a": 1}, nil })
	app.Route("/both", func(*ishaa.Request) (any, error) { return ishaa.Text("both"), nil }, ishaa.Methods("GET", "POST"),
		ishaa.Name("both"), openapi.Answer[string](200, "a text", "text/plain"))
	app.Get("/hosted", func(*ishaa.Request) (any, error) { return nil, nil }, ishaa.Host("<tenant>.shops.test"))
	app.Get("/secret", func(*ishaa.Request) (any, error) { return nil, nil }, openapi.Hidden())
	app.Mount("/legacy/", http.NotFoundHandler())
}

func search(_ context.Context, in *Filter) (*Page[Address], error) {
	return &Page[Address]{Items: []Address{{Street: in.Word}}, Total: in.Page}, nil
}

func byPath(_ context.Context, in *ByPath) (*Tick, error) {
	return &Tick{N: in.ID, At: time.Unix(0, 0).UTC()}, nil
}

func putItem(_ context.Context, in *PutItem) (*Put, error) {
	return &Put{Location: "/api/things/items/" + in.ID, Body: &in.Body}, nil
}

func nothing(context.Context, *struct {
	Digest string `path:"digest"`
}) (*Address, error) {
	return nil, nil
}

func upload(_ context.Context, in *Upload) (*Uploaded, error) {
	return &Uploaded{Title: in.Title, Bytes: in.Cover.Size(), Pages: len(in.Pages)}, nil
}

func ticks(_ context.Context, in *struct {
	Count int `query:"count" minimum:"1" maximum:"5" default:"3"`
}) (iter.Seq[Tick], error) {
	return func(yield func(Tick) bool) {
		for n := range in.Count {
			if !yield(Tick{N: n, At: time.Unix(int64(n), 0).UTC()}) {
				return
			}
		}
	}, nil
}

// example makes a handler that answers with a value that its output type allows.
func example[In, Out any](app *ishaa.App) ishaa.TypedHandler[In, Out] {
	return func(context.Context, *In) (Out, error) {
		var out Out
		t := reflect.TypeFor[Out]()
		described, err := app.Schemas().Of(t)
		if err != nil {
			return out, err
		}
		text := described.Example(1)
		if text == nil {
			return out, fmt.Errorf("there is no example of %s", t)
		}
		return out, json.Unmarshal(text, &out)
	}
}
