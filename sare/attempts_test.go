package sare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
)

var (
	attemptUser   = ishaa.NewKey[string]("user")
	attemptTenant = ishaa.NewKey[string]("tenant").Traced(func(s string) string { return s })
	attemptMark   = ishaa.NewKey[string]("mark")
)

type attemptContextKey struct{}

type attemptUserOf struct {
	Token string `header:"Authorization"`
	Name  string `bind:"-"`
}

// Resolve finds the user.
func (u *attemptUserOf) Resolve(context.Context) error { u.Name = "user " + u.Token; return nil }

// needsKey lets in who has the right key.
func needsKey(r *ishaa.Request) (any, error) {
	if r.Header("X-Key") != "right" {
		return nil, ishaa.Unauthorized("who are you?")
	}
	return nil, nil
}

// identityAttempts are about who asks.
func identityAttempts() []attempt {
	cookies := twice("Cookie", "who=ada", "who=bob")
	bearers := twice("Authorization", "Bearer ada", "Bearer bob")
	users := twice("X-User", "ada", "bob")
	peers := []func() *http.Request{from("198.51.100.1:1", "/x"), from("198.51.100.2:1", "/x")}
	keys := []func() *http.Request{request("GET", "/x", "X-Key", "right"), request("GET", "/x", "X-Key", "wrong"), request("GET", "/x")}
	secret := func(*ishaa.Request) (any, error) { return ishaa.Text("secret"), nil }
	// behind registers a handler behind middleware that hands on who asks.
	behind := func(before func(*ishaa.Request) (any, error), text func(*ishaa.Request) string) func(*ishaa.App) {
		return func(app *ishaa.App) {
			app.Before(before)
			says(text)(app)
		}
	}
	setUser := func(r *ishaa.Request) (any, error) {
		if user := r.Header("X-User"); user != "" {
			attemptUser.Set(r, user)
			r.SetContext(context.WithValue(r.Context(), attemptContextKey{}, user))
		}
		attemptTenant.Set(r, r.Header("X-Tenant"))
		return nil, nil
	}
	contextUser := func(r *ishaa.Request) string { return fmt.Sprint(r.Context().Value(attemptContextKey{})) }
	return []attempt{
		{"the Authorization header", says(func(r *ishaa.Request) string { return r.Header("Authorization") }), bearers, -1},
		{"Authorization to a handler that does not read it", says(func(*ishaa.Request) string { return "all" }), bearers, -1},
		{"Authorization after a request without", says(func(r *ishaa.Request) string { return "for " + r.Header("authorization") }), append(gets("/x"), bearers...), -1},
		{"a cookie", says(func(r *ishaa.Request) string { v, _ := r.Cookie("who"); return v }), cookies, -1},
		{"all cookies as a header", says(func(r *ishaa.Request) string { return r.Header("Cookie") }), cookies, -1},
		{"cookies as values of a header", says(func(r *ishaa.Request) string { return fmt.Sprint(r.HeaderValues("cookie")) }), cookies, -1},
		{"a cookie that is read on one way only", says(func(r *ishaa.Request) string {
			if r.Header("X-Personal") == "" {
				return "public"
			}
			v, _ := r.Cookie("who")
			return v
		}), []func() *http.Request{request("GET", "/x"), request("GET", "/x", "X-Personal", "1", "Cookie", "who=ada"), request("GET", "/x", "X-Personal", "1", "Cookie", "who=bob")}, 1},
		{"Proxy-Authorization", says(func(r *ishaa.Request) string { return r.Header("Proxy-Authorization") }), twice("Proxy-Authorization", "Basic YTph", "Basic YjpI"), -1},
		{"the client's address", says(func(r *ishaa.Request) string { return r.Client().String() }), peers, -1},
		{"the peer's address", says(func(r *ishaa.Request) string { return r.Peer().String() }), peers, -1},
		{"the address that a proxy vouches for", says(func(r *ishaa.Request) string { return r.Client().String() }),
			[]func() *http.Request{from("192.0.2.1:1", "/x", "X-Forwarded-For", "1.1.1.1"), from("192.0.2.1:1", "/x", "X-Forwarded-For", "2.2.2.2")}, -1},
		{"a user whom middleware found", behind(setUser, func(r *ishaa.Request) string { return attemptUser.Get(r) }), users, -1},
		{"a user in the context", behind(setUser, contextUser), users, -1},
		{"a user in the context of some", behind(setUser, contextUser), append(gets("/x", "/x"), users...), 1},
		{"a key that is traced", behind(setUser, func(r *ishaa.Request) string { return attemptTenant.Get(r) }), twice("X-Tenant", "one", "two"), 2},
		{"a dependency that reads who asks", at(func(r *ishaa.Request) (any, error) {
			u, err := ishaa.Resolve[attemptUserOf](r)
			if err != nil {
				return nil, err
			}
			return ishaa.Text(u.Name), nil
		}), bearers, -1},
		{"a typed handler with a cookie", func(app *ishaa.App) {
			ishaa.Get(app, "/x", func(_ context.Context, in *struct {
				Who string `cookie:"who"`
			}) (map[string]string, error) {
				return map[string]string{"who": in.Who}, nil
			})
		}, cookies, -1},
		{"the request's id", says(func(r *ishaa.Request) string { return "id " + r.ID() }), gets("/x", "/x"), -1},
		{"a header of the program's own that says who asks", says(func(r *ishaa.Request) string { return r.Header("X-User-Id") }), twice("X-User-Id", "1", "2"), 2},
		{"the raw request", says(func(r *ishaa.Request) string { return r.HTTP().Header.Get("X-User") }), users, -1},
		{"the raw request's address", says(func(r *ishaa.Request) string { return r.HTTP().RemoteAddr }), peers, -1},
		{"a net/http handler that is mounted", func(app *ishaa.App) {
			app.Mount("/x/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Cookie")) }))
		}, []func() *http.Request{request("GET", "/x/a", "Cookie", "who=ada"), request("GET", "/x/a", "Cookie", "who=bob")}, -1},
		{"a guard of the application", func(app *ishaa.App) { app.Before(needsKey); app.Get("/x", secret) }, keys, 1},
		{"a guard of the route", func(app *ishaa.App) { app.Get("/x", secret, ishaa.Middleware{Name: "guard", Before: needsKey}) }, keys, 1},
		{"a guard around a blueprint", func(app *ishaa.App) {
			api := ishaa.NewBlueprint("api", "", ishaa.Middleware{Name: "guard", Around: func(next ishaa.Handler) ishaa.Handler {
				return func(r *ishaa.Request) (any, error) {
					if _, err := needsKey(r); err != nil {
						return nil, err
					}
					return next(r)
				}
			}})
			api.Get("/x", secret)
			app.Register(api)
		}, keys, 1},
		{"a rate limit", func(app *ishaa.App) {
			n := 0
			app.Before(func(*ishaa.Request) (any, error) {
				if n++; n > 3 {
					return nil, ishaa.TooManyRequests("slower")
				}
				return nil, nil
			})
			app.Get("/x", secret)
		}, gets("/x", "/x", "/x"), 2},
		{"users beside the request", func(app *ishaa.App) {
			var users sync.Map
			app.Before(func(r *ishaa.Request) (any, error) { users.Store(r, r.Header("X-User")); return nil, nil })
			app.Get("/x", func(r *ishaa.Request) (any, error) {
				user, _ := users.LoadAndDelete(ishaa.FromContext(r.Context()))
				return ishaa.Text(fmt.Sprint(r.Header("X-User"), user)), nil
			})
		}, users, 2},
	}
}

// answerAttempts are about answers that are nobody else's.
func answerAttempts() []attempt {
	both := gets("/x", "/x")
	text := func(n int) *ishaa.Response { return ishaa.Text(fmt.Sprint("answer ", n)) }
	list := []attempt{
		{"Set-Cookie", counting(func(n int) (any, error) {
			return text(n).WithCookie(&http.Cookie{Name: "id", Value: fmt.Sprint(n)}), nil
		}), both, -1},
		{"Set-Cookie on the answer being built", func(app *ishaa.App) {
			n := 0
			at(func(r *ishaa.Request) (any, error) {
				n++
				r.Response().SetCookie(&http.Cookie{Name: "id", Value: fmt.Sprint(n)})
				return text(n), nil
			})(app)
		}, both, -1},
		{"Vary by a header that is read unseen", at(func(r *ishaa.Request) (any, error) {
			value, _ := r.Input(ishaa.Input{Kind: ishaa.InputHeader, Name: "X-Theme"})
			return ishaa.Text(value).WithHeader("Vary", "x-theme"), nil
		}), twice("X-Theme", "dark", "light"), 2},
		{"an error", counting(func(n int) (any, error) { return nil, ishaa.NotFound("none, the %d. time", n) }), both, -1},
		{"a server error", counting(func(n int) (any, error) { return nil, fmt.Errorf("broken %d", n) }), both, -1},
		{"a panic", counting(func(n int) (any, error) { panic(errors.New("thrown")) }), both, -1},
		{"a redirect that is found", counting(func(n int) (any, error) { return ishaa.Redirect(fmt.Sprint("/", n)), nil }), both, -1},
		{"a reader", counting(func(n int) (any, error) { return strings.NewReader(fmt.Sprint(n)), nil }), both, -1},
		{"a stream", counting(func(n int) (any, error) {
			return ishaa.Stream("text/plain", func(w *ishaa.StreamWriter) error { _, err := fmt.Fprint(w, n); return err }), nil
		}), both, -1},
		{"a sequence", counting(func(n int) (any, error) { return slices.Values([]int{n}), nil }), both, -1},
		{"more than a mebibyte", counting(func(n int) (any, error) { return bytes.Repeat([]byte{byte(n)}, maxAnswer+1), nil }), both, -1},
		{"a value for hooks further out", func(app *ishaa.App) {
			n := 0
			app.After(func(r *ishaa.Request, res *ishaa.Response) error {
				res.Header().Set("X-Mark", attemptMark.Get(r))
				return nil
			})
			app.Get("/x", func(r *ishaa.Request) (any, error) {
				n++
				attemptMark.Set(r, fmt.Sprint(n))
				return ishaa.Text("x"), nil
			})
		}, both, -1},
		{"work after the answer", func(app *ishaa.App) {
			n := 0
			app.Get("/x", func(r *ishaa.Request) (any, error) { r.OnSent(func() { n++ }); return text(n), nil })
		}, both, -1},
		{"octets of every kind", counting(func(int) (any, error) {
			return ishaa.Bytes("application/octet-stream", []byte("\x00\xff\xfe\x80 \r\n\xed\xa0\x80 \x1f\x8b")), nil
		}), both, 3},
		{"text that is no UTF-8", counting(func(int) (any, error) { return ishaa.Text("a\xffb"), nil }), both, 3},
		{"an empty answer", counting(func(int) (any, error) { return nil, nil }), both, 3},
		{"headers that occur twice", counting(func(int) (any, error) {
			res := ishaa.Text("x")
			res.Header().Add("Link", "</a>")
			res.Header().Add("Link", "</b>")
			return res, nil
		}), both, 3},
		{"headers that a hook changes", func(app *ishaa.App) {
			app.After(func(r *ishaa.Request, res *ishaa.Response) error {
				res.Header().Add("Link", "</hook>")
				res.Header().Set("X-Seen", r.Header("X-Name"))
				return nil
			})
			app.Get("/x", func(*ishaa.Request) (any, error) { return ishaa.Text("x").WithHeader("Link", "</a>"), nil })
		}, append(twice("X-Name", "a", "b"), both...), 3},
	}
	for _, status := range []int{201, 202, 206, 307, 400, 500, 503} {
		list = append(list, attempt{fmt.Sprint("status ", status), counting(func(n int) (any, error) { return text(n).WithStatus(status), nil }), both, -1})
	}
	for _, h := range [][2]string{
		{"Set-Cookie", "id=1"}, {"Cache-Control", "private"}, {"Cache-Control", `private="x-user"`}, {"Cache-Control", "no-store"},
		{"Cache-Control", "no-cache"}, {"Cache-Control", "public, NO-STORE, max-age=60"}, {"Cache-Control", "max-age=0"},
		{"Cache-Control", "max-age=60, s-maxage=0"}, {"Cache-Control", "max-age=ever"}, {"Pragma", "no-cache"},
		{"Expires", "Thu, 01 Jan 1970 00:00:00 GMT"}, {"Expires", "0"}, {"Vary", "*"}, {"Vary", "Accept, *"}, {"Vary", "Cookie"},
		{"Vary", "authorization"}, {"Www-Authenticate", "Basic"}, {"Clear-Site-Data", `"cookies"`}, {"Age", "5"}, {"Content-Range", "bytes 0-1/2"},
	} {
		list = append(list, attempt{h[0] + ": " + h[1], with(h[0], h[1]), both, -1})
	}
	return list
}
