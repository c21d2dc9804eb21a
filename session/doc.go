// Package session keeps what an application knows of a visitor between requests:
// on the server, over any store.KV. The visitor's browser holds an id and nothing
// else.
//
//	package main
//
//	import (
//		"time"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/session"
//		"github.com/ishaa-framework/ishaa/store"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		st, err := store.Open("memory://") // redis://…, nats://…, postgres://… for many nodes
//		if err != nil {
//			panic(err)
//		}
//		sessions := session.New(st, session.Options{MaxAge: 12 * time.Hour})
//		app.Use(sessions.Middleware())
//
//		app.Post("/login", func(r *ishaa.Request) (any, error) {
//			s := session.From(r)
//			if err := s.SignIn("ann"); err != nil { // once the password was found right
//				return nil, err
//			}
//			return ishaa.Redirect("/"), s.Flash("success", "Welcome back.")
//		})
//		app.Get("/", func(r *ishaa.Request) (any, error) {
//			user, err := session.From(r).User()
//			return ishaa.HTMLf("<p>Hello, %s</p>", user), err
//		})
//		app.Run()
//	}
//
// # Ids
//
// An id is 256 random bits in a cookie that scripts cannot read: "__Host-session"
// over TLS, "session" without. The store's key is the id's SHA-256, so that
// whoever reads the store cannot act as a visitor. An id that the store does not
// know is never taken over: the session that comes of it has another. SignIn and
// Renew change the id and end the old one at once.
//
// # When the store is asked
//
// A request that does not ask for its session costs the store nothing. One that
// does costs one read, and a write if it changed something or if the last visit
// was noted more than a minute ago. Requests of one session that run at the same
// time do not lose each other's changes: what each of them did is done again on
// top of what the other has written. A request that finds its session ended by
// another one, signed out for example, changes nothing any more.
//
// Changes are saved with the answer; those of a request that is answered by a 5xx
// are not. Destroy, End and EndAll take effect at once.
//
// When the store cannot be asked the methods return an error that is answered by
// 503, and so is the request if its handler passes over the error.
//
// An answer for which the session was asked gets Vary: Cookie, and Cache-Control:
// no-store unless the handler has set a Cache-Control with private or no-store.
//
// Under effect.WithShadow nothing is written and each change is reported.
package session
