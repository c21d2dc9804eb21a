package cache_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
)

func BenchmarkRememberHit(b *testing.B) {
	for _, kind := range []string{"plain", "JSON"} {
		b.Run(kind, func(b *testing.B) {
			c := newCache(b, nil, nil)
			load := func(context.Context) (point, error) { return point{1, 2}, nil }
			loadJSON := func(context.Context) (*product, error) { return &product{1, "tea", []string{"hot"}}, nil }
			b.ReportAllocs()
			for b.Loop() {
				if kind == "plain" {
					cache.Remember(b.Context(), c, "k", time.Hour, load, cache.Tag("t"))
				} else {
					cache.Remember(b.Context(), c, "k", time.Hour, loadJSON, cache.Tag("t"))
				}
			}
		})
	}
}

func BenchmarkCachedHit(b *testing.B) {
	c := newCache(b, nil, nil)
	app := ishaa.New("shop")
	app.Without("access-log")
	app.Get("/", func(r *ishaa.Request) (any, error) {
		r.Query("q")
		return ishaa.Text("x"), nil
	}, c.Cached(time.Hour))
	raw := httptest.NewRequest("GET", "/?q=1", nil)
	b.ReportAllocs()
	for b.Loop() {
		app.ServeHTTP(httptest.NewRecorder(), raw)
	}
}
