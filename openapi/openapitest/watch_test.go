package openapitest_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/openapi/openapitest"
)

// listener is a test that only listens to what it is told.
type listener struct {
	testing.TB
	mu     sync.Mutex
	faults []string
}

func (l *listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

type order struct {
	Item  string `json:"item" required:"true" minLength:"2"`
	Count int    `json:"count" minimum:"1" default:"1"`
}

func newApp() *ishaa.App {
	app := ishaa.New("watched")
	ishaa.Post(app, "/orders", func(_ context.Context, in *struct{ Body order }) (*order, error) {
		if in.Body.Item == "gone" {
			return nil, ishaa.Gone("it is gone")
		}
		if in.Body.Item == "short" {
			return &order{Item: "x", Count: 1}, nil
		}
		return &in.Body, nil
	})
	ishaa.Get(app, "/orders/<int:id>", func(_ context.Context, in *struct {
		ID int `path:"id"`
	}) (*order, error) {
		switch in.ID {
		case 1:
			return nil, nil
		case 2:
			return nil, fmt.Errorf("broken")
		}
		return &order{Item: "book", Count: 1}, nil
	})
	ishaa.Get(app, "/stream", func(_ context.Context, in *struct {
		Item string `query:"item"`
	}) (iter.Seq[order], error) {
		return func(yield func(order) bool) { _ = yield(order{"book", 1}) && yield(order{in.Item, 1}) }, nil
	})
	app.Get("/html", func(*ishaa.Request) (any, error) { return ishaa.Text("a text"), nil }, openapi.Answer[string](200, "a page"))
	app.Get("/strict", func(*ishaa.Request) (any, error) { return "<p>yes</p>", nil }, openapi.Answer[string](200, ""),
		ishaa.Middleware{Name: "lax", Before: func(r *ishaa.Request) (any, error) { return nil, nil }})
	app.Get("/hidden", func(*ishaa.Request) (any, error) { return nil, ishaa.StatusError(http.StatusTeapot, "tea") }, openapi.Hidden())
	return app
}

func TestWatch(t *testing.T) {
	accept := func(mediaType string) ishaatest.RequestOption { return ishaatest.Header("Accept", mediaType) }
	for name, c := range map[string]struct {
		ask  func(*ishaatest.Client)
		want string // "" for nothing to say
	}{
		"as documented":            {func(c *ishaatest.Client) { c.Post("/orders", ishaatest.JSON(order{"book", 2})).Status(200) }, ""},
		"a documented 422":         {func(c *ishaatest.Client) { c.Post("/orders", ishaatest.JSON(order{"b", 2})).Status(422) }, ""},
		"an unknown status":        {func(c *ishaatest.Client) { c.Post("/orders", ishaatest.JSON(order{"gone", 2})) }, "POST /orders: answer 410: the document has 200, 400, 403, 413, 415, 422"},
		"content":                  {func(c *ishaatest.Client) { c.Post("/orders", ishaatest.JSON(order{"short", 2})) }, `POST /orders: answer 200: application/json: at '/item'`},
		"an undocumented 204":      {func(c *ishaatest.Client) { c.Get("/orders/1") }, "GET /orders/{id}: answer 204"},
		"a failure":                {func(c *ishaatest.Client) { c.Get("/orders/2") }, "GET /orders/{id}: answer 500"},
		"a path that no route has": {func(c *ishaatest.Client) { c.Get("/orders/x").Status(404) }, ""},
		"HEAD and OPTIONS":         {func(c *ishaatest.Client) { c.Head("/orders/3").Status(200); c.Options("/orders/3") }, ""},
		"an array of a stream":     {func(c *ishaatest.Client) { c.Get("/stream?item=x") }, `application/json: at '/1/item'`},
		"lines of a stream":        {func(c *ishaatest.Client) { c.Get("/stream?item=x", accept("application/x-ndjson")) }, `line 2: at '/item'`},
		"events of a stream":       {func(c *ishaatest.Client) { c.Get("/stream?item=x", accept("text/event-stream")) }, `event 2: at '/item'`},
		"a stream as documented":   {func(c *ishaatest.Client) { c.Get("/stream?item=xy", accept("text/event-stream")) }, ""},
		"another media type":       {func(c *ishaatest.Client) { c.Get("/html") }, `its type is "text/plain`},
		"an error page":            {func(c *ishaatest.Client) { c.Post("/orders", ishaatest.JSON(order{}), accept("text/html")).Status(422) }, ""},
		"a hidden route":           {func(c *ishaatest.Client) { c.Get("/hidden").Status(418) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := newApp()
			l := &listener{TB: t}
			openapitest.Watch(l, app)
			c.ask(ishaatest.New(t, app))
			l.mu.Lock()
			defer l.mu.Unlock()
			got := strings.Join(l.faults, "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
