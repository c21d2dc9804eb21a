package cache_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/store"
)

func ExampleRemember() {
	st, _ := store.Open("memory://")
	defer st.Close()
	c := cache.New(st, cache.Options{DefaultTTL: 5 * time.Minute})
	defer c.Close()
	ctx := context.Background()

	load := func(context.Context) ([]string, error) {
		fmt.Println("loading")
		return []string{"tea", "coffee"}, nil
	}
	for range 2 {
		top, err := cache.Remember(ctx, c, "top", time.Minute, load, cache.Tag("products"))
		fmt.Println(top, err)
	}
	c.Invalidate(ctx, "products")
	cache.Remember(ctx, c, "top", time.Minute, load, cache.Tag("products"))
	// Output:
	// loading
	// [tea coffee] <nil>
	// [tea coffee] <nil>
	// loading
}

func ExampleCache_Cached() {
	c := cache.New(nil, cache.Options{})
	app := ishaa.New("shop")
	app.SetLogger(slog.New(slog.DiscardHandler))
	app.Install(c)
	app.Get("/search", func(r *ishaa.Request) (any, error) {
		fmt.Println("searching for", r.Query("q"))
		return ishaa.Text("results"), nil
	}, c.Cached(time.Minute))
	app.Get("/account", func(r *ishaa.Request) (any, error) {
		name, _ := r.Cookie("user") // so this answer is never kept
		fmt.Println("making an account page")
		return ishaa.Text("account of " + name), nil
	}, c.Cached(time.Minute))
	defer app.Stop(context.Background())

	for _, target := range []string{"/search?q=tea", "/search?ref=mail&q=tea", "/search?q=coffee", "/account", "/account"} {
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	// Output:
	// searching for tea
	// searching for coffee
	// making an account page
	// making an account page
}
