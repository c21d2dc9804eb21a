// Package cache remembers values and answers: in the memory of the process, by
// W-TinyLFU, and behind that in a store that nodes share.
//
//	package main
//
//	import (
//		"context"
//		"time"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/cache"
//		"github.com/ishaa-framework/ishaa/store"
//	)
//
//	func main() {
//		st, err := store.Open("memory://") // redis://… shares it between nodes
//		if err != nil {
//			panic(err)
//		}
//		c := cache.New(st, cache.Options{DefaultTTL: 5 * time.Minute})
//		app := ishaa.New("shop")
//		app.Install(c)
//		app.Get("/top", func(r *ishaa.Request) (any, error) {
//			return cache.Remember(r.Context(), c, "top", time.Minute, topProducts, cache.Tag("products"))
//		})
//		app.Get("/about", about, c.Cached(time.Hour)) // whole answers
//		app.Post("/products", func(r *ishaa.Request) (any, error) {
//			return nil, c.Invalidate(r.Context(), "products")
//		})
//		app.Run()
//	}
//
// # Values
//
// Remember, Get and Set work on values of any type that encoding/json can write and
// read back; strings and []byte are kept as they are. Every caller gets a value of
// its own, so changing one changes nobody else's. A cold key is loaded once,
// however many ask for it.
//
// # Answers
//
// Cached remembers what a route answers. Its key is what the handler read of the
// request, found out by watching it: an answer that depends on who asks is never
// kept. See Cached.
//
// # Nodes
//
// Delete, Set, Invalidate and Clear reach every node that uses the same store and
// Name. A load that began before one of them is not kept after it, on whichever
// node it runs. A node that cannot hear the others keeps what it loads for a second
// at most. A store that fails is a miss, never an error; only Set, Delete, Invalidate
// and Clear report it, since then other nodes may still have the old value.
//
// Under effect.WithShadow nothing is changed; Set, Delete, Invalidate and Clear are
// reported. Filling the cache is not: whether that happens depends on what the cache
// held, not on the code that is compared.
package cache
