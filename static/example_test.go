package static_test

import (
	"fmt"
	"log/slog"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/static"
)

func Example() {
	site := fstest.MapFS{"app.css": {Data: []byte("body { margin: 0 }")}} // an embed.FS, or static.Dir("assets", "/static")
	assets := static.FS(site, "/static")

	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(assets)
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.HTMLf(`<link rel="stylesheet" href="%s">`, assets.URL("app.css")), nil
	})

	fmt.Println(get(app, "/").Body)
	for _, path := range []string{"/static/app.css", assets.URL("app.css"), "/static/.env"} {
		res := get(app, path)
		fmt.Println(res.Code, res.Header().Get("Cache-Control"))
	}
	// Output:
	// <link rel="stylesheet" href="/static/app.997faceca2605a98.css">
	// 200 no-cache
	// 200 public, max-age=31536000, immutable
	// 404 no-store
}

// A single-page application, with the names of its build tool kept for a year.
func ExampleOptions() {
	site := fstest.MapFS{"index.html": {Data: []byte("<div id=app></div>")}, "assets/index-D3b1.js": {Data: []byte("start()")}}
	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(static.FS(site, "/", static.Options{
		Fallback:  "index.html",
		Immutable: func(name string) bool { return len(name) > 7 && name[:7] == "assets/" },
	}))

	fmt.Println(get(app, "/orders/7", "Accept: text/html").Body)
	fmt.Println(get(app, "/assets/index-D3b1.js").Header().Get("Cache-Control"))
	fmt.Println(get(app, "/orders/7", "Accept: application/json").Code)
	// Output:
	// <div id=app></div>
	// public, max-age=31536000, immutable
	// 404
}
