package cache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

var (
	userOf  = ishaa.NewKey[string]("user")
	themeOf = ishaa.NewKey[string]("theme").Traced(func(s string) string { return s })
)

type contextUser struct{}

// visitor is a dependency that tells people apart.
type visitor struct {
	Token string `header:"Authorization"`
	Badge string `cookie:"user"`
	Name  string `bind:"-"`
}

func (v *visitor) Resolve(context.Context) error {
	v.Name = strings.TrimPrefix(v.Token, "Bearer ") + v.Badge
	return nil
}

// secretText and secretAnswer tell whose they are in ways of their own.
type secretAnswer struct{}

func (secretAnswer) Respond(r *ishaa.Request, res *ishaa.Response) error {
	name, _ := r.Cookie("user")
	res.SetBytes([]byte("secret of " + name))
	return nil
}

func cookieOf(r *ishaa.Request) string { name, _ := r.Cookie("user"); return name }

func secretOf(name string) (any, error) { return ishaa.Text("secret of " + name), nil }

// attempt is one way to get somebody's answer handed to somebody else. Alice asks
// twice, then Bob, then a stranger, each by a request of their own; the answer of each
// names whose it is.
type attempt struct {
	name    string
	handler ishaa.Handler
	options []ishaa.RouteOption                    // after Cached
	before  []ishaa.Middleware                     // of the application
	request func(raw *http.Request, who string)    // default: a cookie
	typed   func(*ishaa.App, ...ishaa.RouteOption) // in place of handler
	answer  func(who string) (body, header string) // default: "secret of WHO"
}

func asCookie(raw *http.Request, who string) {
	if who != "" {
		raw.AddCookie(&http.Cookie{Name: "user", Value: who})
	}
}

func asHeader(name string) func(*http.Request, string) {
	return func(raw *http.Request, who string) {
		if who != "" {
			raw.Header.Set(name, who)
		}
	}
}

func asClient(raw *http.Request, who string) {
	raw.RemoteAddr = map[string]string{"alice": "192.0.2.1:1", "bob": "192.0.2.2:1", "": "192.0.2.3:1"}[who]
}

func clientName(a netip.AddrPort) string {
	return map[string]string{"192.0.2.1": "alice", "192.0.2.2": "bob"}[a.Addr().String()]
}

// signedIn is middleware before the cache that knows who asks.
var signedIn = ishaa.Middleware{Name: "sign-in", Before: func(r *ishaa.Request) (any, error) {
	name := cookieOf(r)
	userOf.Set(r, name)
	themeOf.Set(r, name)
	r.SetContext(context.WithValue(r.Context(), contextUser{}, name))
	return nil, nil
}}

func attempts() []attempt {
	return []attempt{
		{name: "a cookie", handler: func(r *ishaa.Request) (any, error) { return secretOf(cookieOf(r)) }},
		{name: "the Cookie header", handler: func(r *ishaa.Request) (any, error) {
			return secretOf(strings.TrimPrefix(r.Header("cookie"), "user="))
		}},
		{name: "all values of the Cookie header", handler: func(r *ishaa.Request) (any, error) {
			return secretOf(strings.TrimPrefix(strings.Join(r.HeaderValues("Cookie"), ""), "user="))
		}},
		{name: "Authorization", request: asHeader("Authorization"), handler: func(r *ishaa.Request) (any, error) {
			return secretOf(r.Header("Authorization"))
		}},
		{name: "Proxy-Authorization", request: asHeader("Proxy-Authorization"), handler: func(r *ishaa.Request) (any, error) {
			return secretOf(r.Header("Proxy-Authorization"))
		}},
		{name: "a key of an API in a header", request: asHeader("X-Api-Key"), handler: func(r *ishaa.Request) (any, error) {
			return secretOf(r.Header("X-Api-Key"))
		}},
		{name: "a key of an API in the query", request: func(raw *http.Request, who string) { raw.URL.RawQuery = "key=" + who },
			handler: func(r *ishaa.Request) (any, error) { return secretOf(r.Query("key")) }},
		{name: "all of the query", request: func(raw *http.Request, who string) { raw.URL.RawQuery = "key=" + who },
			handler: func(r *ishaa.Request) (any, error) { return secretOf(r.QueryValues().Get("key")) }},
		{name: "a repeated parameter", request: func(raw *http.Request, who string) { raw.URL.RawQuery = "key=x&key=" + who },
			handler: func(r *ishaa.Request) (any, error) { return secretOf(r.QueryValues()["key"][1]) }},
		{name: "the host", request: func(raw *http.Request, who string) { raw.Host = who + ".example.com" },
			handler: func(r *ishaa.Request) (any, error) {
				return secretOf(strings.TrimSuffix(r.Host(), ".example.com"))
			}},
		{name: "the client's address", request: asClient, handler: func(r *ishaa.Request) (any, error) { return secretOf(clientName(r.Client())) }},
		{name: "the peer's address", request: asClient, handler: func(r *ishaa.Request) (any, error) { return secretOf(clientName(r.Peer())) }},
		{name: "the raw request", handler: func(r *ishaa.Request) (any, error) {
			c, err := r.HTTP().Cookie("user")
			if err != nil {
				return secretOf("")
			}
			return secretOf(c.Value)
		}},
		{name: "a key set before", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) { return secretOf(userOf.Get(r)) }},
		{name: "a key by the context", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) {
			name, _ := userOf.From(r.Context())
			return secretOf(name)
		}},
		{name: "a traced key", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) { return secretOf(themeOf.Get(r)) }},
		{name: "a context value", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) {
			return secretOf(r.Context().Value(contextUser{}).(string))
		}},
		{name: "a context value of another goroutine", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) {
			ctx, name := r.Context(), make(chan string)
			go func() { name <- ctx.Value(contextUser{}).(string) }()
			return secretOf(<-name)
		}},
		{name: "a context value that only some have", before: []ishaa.Middleware{{Before: func(r *ishaa.Request) (any, error) {
			if name := cookieOf(r); name != "" {
				r.SetContext(context.WithValue(r.Context(), contextUser{}, name))
			}
			return nil, nil
		}}}, handler: func(r *ishaa.Request) (any, error) {
			name, _ := r.Context().Value(contextUser{}).(string)
			return secretOf(name)
		}},
		{name: "a dependency", handler: func(r *ishaa.Request) (any, error) {
			v, err := ishaa.Resolve[visitor](r)
			if err != nil {
				return nil, err
			}
			return secretOf(v.Name)
		}},
		{name: "a dependency that a guard made", before: []ishaa.Middleware{{Before: func(r *ishaa.Request) (any, error) {
			_, err := ishaa.Resolve[visitor](r)
			return nil, err
		}}}, handler: func(r *ishaa.Request) (any, error) {
			v, err := ishaa.Resolve[visitor](r)
			if err != nil {
				return nil, err
			}
			return secretOf(v.Name)
		}},
		{name: "a typed handler's cookie", typed: func(app *ishaa.App, options ...ishaa.RouteOption) {
			ishaa.Get(app, "/", func(_ context.Context, in *struct {
				User string `cookie:"user"`
			}) (string, error) {
				return "secret of " + in.User, nil
			}, options...)
		}, answer: func(who string) (string, string) { return "secret of " + who, "" }},
		{name: "a typed handler's dependency", typed: func(app *ishaa.App, options ...ishaa.RouteOption) {
			ishaa.Get(app, "/", func(_ context.Context, in *struct{ Me *visitor }) (string, error) {
				return "secret of " + in.Me.Name, nil
			}, options...)
		}, answer: func(who string) (string, string) { return "secret of " + who, "" }},
		{name: "a guard after Cached", options: []ishaa.RouteOption{ishaa.Middleware{Before: func(r *ishaa.Request) (any, error) {
			if cookieOf(r) != "alice" {
				return nil, ishaa.Forbidden("secret of %s", cookieOf(r))
			}
			return nil, nil
		}}}, handler: func(r *ishaa.Request) (any, error) { return secretOf("alice") }},
		{name: "middleware after Cached that answers", options: []ishaa.RouteOption{ishaa.Middleware{Before: func(r *ishaa.Request) (any, error) {
			return ishaa.Text("secret of " + cookieOf(r)), nil
		}}}, handler: func(r *ishaa.Request) (any, error) { return nil, nil }},
		{name: "an After hook inside", options: []ishaa.RouteOption{ishaa.Middleware{After: func(r *ishaa.Request, res *ishaa.Response) error {
			res.SetBytes([]byte("secret of " + cookieOf(r)))
			return nil
		}}}, handler: func(r *ishaa.Request) (any, error) { return ishaa.Text(""), nil }},
		{name: "Std middleware inside", options: []ishaa.RouteOption{ishaa.Std(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
				if c, err := raw.Cookie("user"); err == nil {
					io.WriteString(w, "secret of "+c.Value)
					return
				}
				io.WriteString(w, "secret of ")
			})
		})}, handler: func(r *ishaa.Request) (any, error) { return nil, nil }},
		{name: "a Responder that reads while it answers", handler: func(*ishaa.Request) (any, error) { return secretAnswer{}, nil }},
		{name: "a cookie that is set", handler: func(r *ishaa.Request) (any, error) {
			return ishaa.Text("x").WithCookie(&http.Cookie{Name: "session", Value: "of-" + r.Header("X-User")}), nil
		}, request: func(raw *http.Request, who string) { asHeader("X-User")(raw, who) },
			answer: func(who string) (string, string) { return "x", "session=of-" + who }},
		{name: "Cache-Control: private", handler: hidden("Cache-Control", "private")},
		{name: "Cache-Control: PRIVATE, with a field", handler: hidden("Cache-Control", `max-age=60, PRIVATE="x, y"`)},
		{name: "Cache-Control: no-store", handler: hidden("Cache-Control", "max-age=60,no-store")},
		{name: "Cache-Control: no-cache", handler: hidden("Cache-Control", "no-cache")},
		{name: "Cache-Control: max-age=0", handler: hidden("Cache-Control", "max-age=0")},
		{name: "Cache-Control: a mistake in max-age", handler: hidden("Cache-Control", "max-age=soon")},
		{name: "Cache-Control: s-maxage=0", handler: hidden("Cache-Control", "max-age=60, s-maxage=0")},
		{name: "Pragma", handler: hidden("Pragma", "no-cache")},
		{name: "Expires in the past", handler: hidden("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")},
		{name: "Expires: 0", handler: hidden("Expires", "0")},
		{name: "Vary: *", handler: hidden("Vary", "Accept, *")},
		{name: "Vary: Cookie", handler: hidden("Vary", "accept,COOKIE")},
		{name: "Vary: Authorization", handler: hidden("Vary", "Authorization")},
		{name: "Vary by what the handler did not read", request: asHeader("X-Who"), handler: func(r *ishaa.Request) (any, error) {
			name := r.Input // nothing recorded
			text, _ := name(ishaa.Input{Kind: ishaa.InputHeader, Name: "X-Who"})
			return ishaa.Text("secret of "+strings.TrimPrefix(text, "=")).WithHeader("Vary", "x-who"), nil
		}},
		{name: "an error", handler: func(r *ishaa.Request) (any, error) {
			return nil, ishaa.NotFound("secret of %s", unseen(r))
		}},
		{name: "an error that a hook inside makes a page of", options: []ishaa.RouteOption{ishaa.Middleware{
			After: func(*ishaa.Request, *ishaa.Response) error { return nil },
		}}, handler: func(r *ishaa.Request) (any, error) { return nil, ishaa.NotFound("secret of %s", unseen(r)) }},
		{name: "a status that is not kept", handler: func(r *ishaa.Request) (any, error) {
			return ishaa.Text("secret of " + unseen(r)).WithStatus(http.StatusTeapot), nil
		}},
		{name: "a partial answer", handler: func(r *ishaa.Request) (any, error) {
			return ishaa.Text("secret of "+unseen(r)).WithHeader("Content-Range", "bytes 0-1/2"), nil
		}},
		{name: "a stream", handler: func(r *ishaa.Request) (any, error) { return strings.NewReader("secret of " + unseen(r)), nil }},
		{name: "a net/http handler", handler: func(*ishaa.Request) (any, error) {
			return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
				name := ""
				if c, err := raw.Cookie("user"); err == nil {
					name = c.Value
				}
				io.WriteString(w, "secret of "+name)
			})), nil
		}},
		{name: "an engine that answers in the handler's place", options: []ishaa.RouteOption{ishaa.Middleware{Around: func(ishaa.Handler) ishaa.Handler {
			return func(r *ishaa.Request) (any, error) {
				r.MarkCached()
				return secretOf(unseen(r))
			}
		}}}, handler: func(*ishaa.Request) (any, error) { return nil, nil }},
		{name: "a shadow", before: []ishaa.Middleware{{Before: func(r *ishaa.Request) (any, error) {
			r.SetContext(effect.WithShadow(r.Context(), nil))
			return nil, nil
		}}}, handler: func(r *ishaa.Request) (any, error) { return secretOf(unseen(r)) }},
		{name: "only on one path through the handler", request: func(raw *http.Request, who string) {
			asCookie(raw, who)
			raw.URL.RawQuery = "mine=" + map[bool]string{true: "1"}[who != ""]
		}, handler: func(r *ishaa.Request) (any, error) {
			if r.Query("mine") == "" {
				return secretOf("")
			}
			return secretOf(cookieOf(r))
		}},
		{name: "a body", request: func(raw *http.Request, who string) {
			raw.Body, raw.ContentLength = io.NopCloser(strings.NewReader(who)), int64(len(who))
		}, handler: func(r *ishaa.Request) (any, error) {
			data, err := r.Bytes()
			if err != nil {
				return nil, err
			}
			return secretOf(string(data))
		}},
		{name: "a session that a hook keeps in the context and reads lazily", before: []ishaa.Middleware{signedIn}, handler: func(r *ishaa.Request) (any, error) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
			defer cancel()
			return secretOf(ctx.Value(contextUser{}).(string))
		}},
	}
}

// unseen reads who asks in a way that the cache cannot see, to show that something
// else keeps the answer from being kept. Programs have no such way: this one asks
// from outside of the trace.
func unseen(r *ishaa.Request) string {
	snapshot, err := r.Snapshot(1 << 20)
	if err != nil {
		panic(err)
	}
	name := ""
	_, _ = snapshot.Run(context.Background(), func(copied *ishaa.Request) (any, error) {
		name = cookieOf(copied)
		return nil, nil
	})
	return name
}

func hidden(name, value string) ishaa.Handler {
	return func(r *ishaa.Request) (any, error) {
		return ishaa.Text("secret of "+unseen(r)).WithHeader(name, value), nil
	}
}

// Cached never hands one user's answer to another.
func TestCachedKeepsPeopleApart(t *testing.T) {
	list := attempts()
	if len(list) < 30 {
		t.Fatalf("%d attempts", len(list))
	}
	for _, a := range list {
		for _, kind := range kinds {
			t.Run(a.name+"/"+kind.name, func(t *testing.T) {
				clock := ishaatest.NewClock(noon)
				c := newCache(t, kind.make(t, clock), clock)
				app := newApp(t, clock)
				app.Use(a.before...)
				options := append([]ishaa.RouteOption{c.Cached(time.Hour, cache.Stale(time.Hour))}, a.options...)
				if a.typed != nil {
					a.typed(app, options...)
				} else {
					app.Get("/", a.handler, options...)
				}
				if a.request == nil {
					a.request = asCookie
				}
				for _, who := range []string{"", "alice", "alice", "bob", "", "alice", "bob", "bob", ""} {
					a.check(t, app, who)
				}
				clock.Advance(90 * time.Minute) // what was kept is stale
				for _, who := range []string{"alice", "", "bob", "alice", ""} {
					a.check(t, app, who)
				}
			})
		}
	}
}

func (a attempt) check(t *testing.T, app *ishaa.App, who string) {
	t.Helper()
	raw, err := http.NewRequest("GET", "http://shop.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	raw.RemoteAddr = "192.0.2.9:9"
	a.request(raw, who)
	body, cookie := "secret of "+who, ""
	if a.answer != nil {
		body, cookie = a.answer(who)
	}
	w := serve(app, raw)
	got := w.Body.String()
	if !containsWhole(got, body) {
		t.Errorf("%q got %d %q, want %q", who, w.Code, got, body)
	}
	w.Header().Del("X-Request-Id") // random letters may spell a name
	for _, other := range []string{"alice", "bob"} {
		if other != who && strings.Contains(fmt.Sprint(got, w.Header()), other) && a.name != "a guard after Cached" {
			t.Errorf("%q got what is %s's: %s %v", who, other, got, w.Header())
		}
	}
	if cookie != "" && !strings.Contains(w.Header().Get("Set-Cookie"), cookie+";") {
		t.Errorf("%q got the cookie %q, want %q", who, w.Header().Get("Set-Cookie"), cookie)
	}
}

// containsWhole looks for a text that is not the beginning of a longer name.
func containsWhole(s, text string) bool {
	_, rest, found := strings.Cut(s, text)
	return found && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
}
