package ishaa_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// ask answers a request to a route by fn, which looks at its request, and checks
// that it was asked.
func ask(t *testing.T, app *ishaa.App, pattern, target string, fn func(*ishaa.Request), options ...requestOption) *result {
	t.Helper()
	asked := false
	app.Any(pattern, func(r *ishaa.Request) (any, error) {
		asked = true
		fn(r)
		return "ok", nil
	}, ishaa.Name("asked"))
	res := do(t, app, "GET", target, options...)
	if !asked {
		t.Fatalf("the handler of %s was not asked for %s: %s", pattern, target, res)
	}
	return res.want(t, 200)
}

// same fails unless two values are deeply equal.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

func TestRequestAccessors(t *testing.T) {
	app := newApp(t)
	target := "http://shop.example:8080/files/a%2Fb%20c?q=1&q=2&empty=&t=a+b%26"
	ask(t, app, "/files/<name>", target, func(r *ishaa.Request) {
		same(t, "Method", r.Method(), "GET")
		same(t, "Path", r.Path(), "/files/a/b c")
		same(t, "Host", r.Host(), "shop.example:8080")
		same(t, "Scheme", r.Scheme(), "http")
		same(t, "URL", r.URL().RequestURI(), "/files/a%2Fb%20c?q=1&q=2&empty=&t=a+b%26")
		same(t, "Param", r.Param("name"), "a/b c")
		same(t, "Param of another name", r.Param("other"), "")
		same(t, "Query first value", r.Query("q"), "1")
		same(t, "Query empty", r.Query("empty"), "")
		same(t, "Query decoded", r.Query("t"), "a b&")
		same(t, "Query absent", r.Query("none"), "")
		same(t, "QueryValues", r.QueryValues(), url.Values{"q": {"1", "2"}, "empty": {""}, "t": {"a b&"}})
		same(t, "Header", r.Header("x-thing"), "one")
		same(t, "HeaderValues", r.HeaderValues("X-thing"), []string{"one", "two"})
		same(t, "ContentType", r.ContentType(), "text/plain")
		same(t, "App", r.App(), app)
		same(t, "Route", r.Route().Name(), "asked")
		same(t, "LastEventID", r.LastEventID(), "7")
		if len(r.ID()) < 20 {
			t.Errorf("ID %q is too short to be unique", r.ID())
		}
		if since := time.Since(r.Time()); since < 0 || since > time.Minute {
			t.Errorf("Time is %s off", since)
		}
		if value, ok := r.Cookie("a"); value != "first" || !ok {
			t.Errorf("Cookie: got %q, %v; the first of a name counts", value, ok)
		}
		if _, ok := r.Cookie("none"); ok {
			t.Error("Cookie: found one that was not sent")
		}
	},
		withHeader("X-Thing", "one"), withHeader("X-Thing", "two"), withHeader("Last-Event-ID", "7"),
		withHeader("Content-Type", " Text/Plain ; charset=utf-8"), withHeader("Cookie", "a=first; a=second; broken"),
	).want(t, 200)
}

// What an accessor returns is the caller's: changing it changes no request.
func TestAccessorsReturnCopies(t *testing.T) {
	ask(t, newApp(t), "/", "/?q=1", func(r *ishaa.Request) {
		r.URL().Path = "/changed"
		r.URL().RawQuery = "q=changed"
		r.QueryValues().Set("q", "changed")
		r.QueryValues()["q"][0] = "changed"
		r.HeaderValues("X-Thing")[0] = "changed"
		same(t, "Path", r.Path(), "/")
		same(t, "Query", r.Query("q"), "1")
		same(t, "Header", r.Header("X-Thing"), "one")
	}, withHeader("X-Thing", "one"))
}

func TestTypedParameters(t *testing.T) {
	pattern := "/<int:n>/<float:f>/<uuid:u>/<slug:s>/<path:rest>"
	target := "/-42/2.5/0190163D-8694-739b-aea5-966c26f8ad91/a-slug/x/y%20z"
	ask(t, newApp(t), pattern, target, func(r *ishaa.Request) {
		id := [16]byte{0x01, 0x90, 0x16, 0x3d, 0x86, 0x94, 0x73, 0x9b, 0xae, 0xa5, 0x96, 0x6c, 0x26, 0xf8, 0xad, 0x91}
		same(t, "ParamInt", r.ParamInt("n"), int64(-42))
		same(t, "ParamFloat", r.ParamFloat("f"), 2.5)
		same(t, "ParamFloat of an int", r.ParamFloat("n"), -42.0)
		same(t, "ParamUUID", r.ParamUUID("u"), id)
		same(t, "Param of an int", r.Param("n"), "-42")
		same(t, "Param slug", r.Param("s"), "a-slug")
		same(t, "Param path", r.Param("rest"), "x/y z")
		same(t, "ParamInt of a slug", r.ParamInt("s"), int64(0))
		same(t, "ParamFloat of a slug", r.ParamFloat("s"), 0.0)
		same(t, "ParamUUID of a slug", r.ParamUUID("s"), [16]byte{})
		same(t, "ParamInt of no parameter", r.ParamInt("none"), int64(0))
	})
}

// The fast way through an unescaped query finds what net/url finds.
func TestQueryAgreesWithNetURL(t *testing.T) {
	for _, raw := range []string{
		"", "a", "a=", "=b", "a=1&a=2", "&&a=1&", "a=1;b=2", "a=%zz&b=1", "a=+&b=%20", "a==b", "a=b=c", "%61=1", "A=1&a=2", "a&a=1", "=&=x",
	} {
		want, _ := url.ParseQuery(raw)
		ask(t, newApp(t), "/", "/?"+raw, func(r *ishaa.Request) {
			for _, name := range []string{"a", "b", "", "A", "c"} {
				if got := r.Query(name); got != want.Get(name) {
					t.Errorf("%q: Query(%q) = %q, net/url has %q", raw, name, got, want.Get(name))
				}
			}
			same(t, "QueryValues of "+raw, r.QueryValues(), want)
		})
	}
}

func TestClientBehindProxies(t *testing.T) {
	trusted := ishaa.Config{TrustedProxies: []string{"10.0.0.0/8", "192.0.2.1"}}
	forwarded := trusted
	forwarded.ProxyHeader = "Forwarded"
	spoofs := []requestOption{
		withHeader("X-Forwarded-For", "6.6.6.6"), withHeader("X-Real-IP", "6.6.6.6"), withHeader("True-Client-IP", "6.6.6.6"),
		withHeader("CF-Connecting-IP", "6.6.6.6"), withHeader("Forwarded", "for=6.6.6.6;proto=https;host=evil.example"),
		withHeader("X-Forwarded-Proto", "https"), withHeader("X-Forwarded-Host", "evil.example"),
	}
	for _, c := range []struct {
		name    string
		config  ishaa.Config
		peer    string
		headers []requestOption
		client  string
		scheme  string
		host    string
	}{
		{"no proxies: no header counts", ishaa.Config{}, "203.0.113.7:4000", spoofs, "203.0.113.7:4000", "http", "example.com"},
		{"a stranger's headers do not count", trusted, "203.0.113.7:4000", spoofs, "203.0.113.7:4000", "http", "example.com"},
		{"a trusted proxy says who asks", trusted, "10.0.0.9:4000", []requestOption{
			withHeader("X-Forwarded-For", "198.51.100.4"), withHeader("X-Forwarded-Proto", "https"), withHeader("X-Forwarded-Host", "shop.example"),
		}, "198.51.100.4:0", "https", "shop.example"},
		{"the right-most address that is no proxy counts", trusted, "10.0.0.9:4000", []requestOption{
			withHeader("X-Forwarded-For", "6.6.6.6, 198.51.100.4, 192.0.2.1"), withHeader("X-Forwarded-For", "10.1.1.1"),
		}, "198.51.100.4:0", "http", "example.com"},
		{"words that no proxy maintains do not count", trusted, "10.0.0.9:4000", []requestOption{
			withHeader("True-Client-IP", "6.6.6.6"), withHeader("X-Real-IP", "6.6.6.6"), withHeader("Forwarded", "for=6.6.6.6"),
		}, "10.0.0.9:4000", "http", "example.com"},
		{"an invalid host is not taken over", trusted, "10.0.0.9:4000", []requestOption{
			withHeader("X-Forwarded-Host", "evil.example/@shop.example"),
		}, "10.0.0.9:4000", "http", "example.com"},
		{"Forwarded, where that is what the proxies maintain", forwarded, "10.0.0.9:4000", []requestOption{
			withHeader("Forwarded", `for=6.6.6.6, for="[2001:db8::1]:47";proto=https;host=shop.example`), withHeader("X-Forwarded-For", "6.6.6.6"),
		}, "[2001:db8::1]:47", "https", "shop.example"},
		{"an IPv4 address mapped into IPv6 is IPv4", ishaa.Config{}, "[::ffff:203.0.113.7]:4000", nil, "203.0.113.7:4000", "http", "example.com"},
		{"a peer without an address, such as a unix socket's", trusted, "@", spoofs, "invalid AddrPort", "http", "example.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask(t, newApp(t, c.config), "/", "/", func(r *ishaa.Request) {
				same(t, "Client", r.Client().String(), c.client)
				same(t, "Scheme", r.Scheme(), c.scheme)
				same(t, "Host", r.Host(), c.host)
			}, append([]requestOption{withPeer(c.peer)}, c.headers...)...)
		})
	}
}

// An id of the client's choice would let it forge a trail in the log.
func TestRequestID(t *testing.T) {
	proxied := ishaa.Config{TrustedProxies: []string{"10.0.0.1"}}
	for _, c := range []struct {
		name, peer, sent string
		config           ishaa.Config
		kept             bool
	}{
		{"a stranger's id is not taken over", "203.0.113.7:1", "chosen", ishaa.Config{}, false},
		{"nor when there are proxies", "203.0.113.7:1", "chosen", proxied, false},
		{"a trusted proxy's is", "10.0.0.1:1", "from-the-edge_1.2", proxied, true},
		{"unless it is none", "10.0.0.1:1", "a b\"c", proxied, false},
		{"or too long", "10.0.0.1:1", strings.Repeat("a", 65), proxied, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var id string
			res := ask(t, newApp(t, c.config), "/", "/", func(r *ishaa.Request) { id = r.ID() },
				withPeer(c.peer), withHeader("X-Request-Id", c.sent))
			if (id == c.sent) != c.kept || id == "" {
				t.Errorf("the id is %q, sent was %q", id, c.sent)
			}
			res.wantHeader(t, "X-Request-Id", id)
		})
	}
	app := newApp(t)
	app.Without(ishaa.DefaultRequestID)
	ask(t, app, "/", "/", func(r *ishaa.Request) { same(t, "ID without ids", r.ID(), "") }).wantHeader(t, "X-Request-Id")
}

var (
	plainKey  = ishaa.NewKey[string]("plain")
	tracedKey = ishaa.NewKey[int]("traced").Traced(func(n int) string { return fmt.Sprint(n) })
	errorKey  = ishaa.NewKey[error]("error").Traced(func(err error) string { return fmt.Sprint(err) })
)

func TestKeys(t *testing.T) {
	other := ishaa.NewKey[string]("plain")
	app := newApp(t)
	app.Before(func(r *ishaa.Request) (any, error) {
		plainKey.Set(r, "before")
		return nil, nil
	})
	ask(t, app, "/", "/", func(r *ishaa.Request) {
		same(t, "Get what a hook set", plainKey.Get(r), "before")
		plainKey.Set(r, "again")
		same(t, "Get what replaced it", plainKey.Get(r), "again")
		if _, ok := other.Lookup(r); ok {
			t.Error("two keys of one name are one key")
		}
		same(t, "Get of none", tracedKey.Get(r), 0)
		value, ok := plainKey.From(r.Context())
		same(t, "From", []any{value, ok}, []any{"again", true})
		derived, cancel := context.WithTimeout(context.WithValue(r.Context(), errorKey, 1), time.Hour)
		defer cancel()
		value, ok = plainKey.From(derived)
		same(t, "From a derived context", []any{value, ok}, []any{"again", true})
		if _, ok := plainKey.From(context.Background()); ok {
			t.Error("From: a value in a context of no request")
		}
		errorKey.Set(r, nil)
		value2, ok := errorKey.Lookup(r)
		same(t, "a nil interface is a value", []any{value2, ok}, []any{error(nil), true})
		same(t, "Name", plainKey.Name(), "plain")
	}).want(t, 200)
}

func TestContextIsTheRequests(t *testing.T) {
	type ctxKey struct{}
	app := newApp(t)
	app.Before(func(r *ishaa.Request) (any, error) {
		if ishaa.FromContext(r.Context()) != r {
			t.Error("FromContext of the context before SetContext is not the request")
		}
		r.SetContext(context.WithValue(r.Context(), ctxKey{}, "set"))
		return nil, nil
	})
	ask(t, app, "/", "/", func(r *ishaa.Request) {
		same(t, "value that a hook set", r.Context().Value(ctxKey{}), "set")
		if ishaa.FromContext(r.Context()) != r {
			t.Error("FromContext of the context after SetContext is not the request")
		}
		raw := r.HTTP()
		same(t, "value in the raw request's context", raw.Context().Value(ctxKey{}), "set")
		if ishaa.FromContext(raw.Context()) != r {
			t.Error("FromContext of the raw request's context is not the request")
		}
		r.SetContext(context.WithValue(r.Context(), ctxKey{}, "later"))
		same(t, "the raw request follows", r.HTTP().Context().Value(ctxKey{}), "later")
	}, func(raw *http.Request) {
		*raw = *raw.WithContext(context.WithValue(raw.Context(), http.LocalAddrContextKey, "server"))
	})
	if ishaa.FromContext(context.Background()) != nil {
		t.Error("FromContext of a context of no request gives one")
	}
}

func TestContextEndsWhenTheClientGoes(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	began, ended := make(chan struct{}), make(chan error, 1)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		close(began)
		<-r.Context().Done()
		ended <- r.Context().Err()
		return nil, r.Context().Err()
	})
	s := serve(t, app)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-began
		cancel()
	}()
	raw, _ := http.NewRequestWithContext(ctx, "GET", s.url("/"), nil)
	if _, err := s.client.Do(raw); err == nil {
		t.Error("an answer came although the client had gone")
	}
	if err := receive(t, "the end of the context", ended); err != context.Canceled {
		t.Errorf("the context ended with %v", err)
	}
}

// A Request may be kept: it is not reused, and its strings do not change, while the
// same connection carries other requests.
func TestRequestKeptAfterItsHandler(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	var mu sync.Mutex
	var kept []*ishaa.Request
	app.Post("/<name>", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, r)
		_, err := r.Bytes()
		return r.Param("name"), err
	})
	s := serve(t, app)
	for i := range 50 {
		name := fmt.Sprintf("n%d", i)
		s.do("POST", "/"+name+"?q="+name, withHeader("X-Name", name), withBody("text/plain", "body of "+name)).wantBody(t, 200, name)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, r := range kept {
		name := fmt.Sprintf("n%d", i)
		body, err := r.Text()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "kept", []string{r.Param("name"), r.Query("q"), r.Header("X-Name"), r.Path(), r.Method(), body},
			[]string{name, name, name, "/" + name, "POST", "body of " + name})
	}
}

func TestRawRequest(t *testing.T) {
	app := newApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		if _, err := io.ReadAll(io.LimitReader(r.HTTP().Body, 3)); err != nil {
			return nil, err
		}
		rest, err := io.ReadAll(r.HTTP().Body)
		if err != nil {
			return nil, err
		}
		return ishaa.Text(string(rest)), nil
	}, ishaa.BodyLimit(10))
	app.Post("/after", func(r *ishaa.Request) (any, error) {
		if _, err := r.Bytes(); err != nil {
			return nil, err
		}
		var all string
		for range 2 {
			data, err := io.ReadAll(r.HTTP().Body)
			if err != nil {
				return nil, err
			}
			all += string(data) + "|"
		}
		return ishaa.Text(all), nil
	})
	do(t, app, "POST", "/", withBody("text/plain", "0123456789")).wantBody(t, 200, "3456789")
	do(t, app, "POST", "/after", withBody("text/plain", "abc")).wantBody(t, 200, "abc|abc|")
	if res := do(t, app, "POST", "/", withChunks("text/plain", "0123456789x")); res.status < 400 {
		t.Errorf("a body over the limit was read through HTTP(): %s", res)
	}
}

// The logger of a request says which one it is; nothing that a client chose can
// forge a line or leave its field.
func TestRequestLogger(t *testing.T) {
	app, log := loggedApp(t)
	ask(t, app, "/x/<path:rest>", "/x/%0a%1b[31mfake%20entry?password=hunter2", func(r *ishaa.Request) {
		r.Logger().Info("mine")
	})
	mine := log.records(t, "mine")
	if len(mine) != 1 || mine[0]["request_id"] == "" || mine[0]["route"] != "ANY /x/<path:rest>" {
		t.Errorf("the request's logger wrote %v", mine)
	}
	access := log.records(t, "request")
	if len(access) != 1 || access[0]["path"] != `/x/\n\x1b[31mfake entry` {
		t.Errorf("the access log has %v", access)
	}
	if strings.Contains(log.text(), "hunter2") {
		t.Error("the query is in the log")
	}
}

// Middleware may know better than the connection.
func TestRequestSetters(t *testing.T) {
	app := newApp(t)
	var after []any
	app.Before(func(r *ishaa.Request) (any, error) {
		r.SetClient(netip.MustParseAddrPort("198.51.100.4:7"))
		r.SetBodyLimit(4)
		same(t, "Outcome before there is one", r.Outcome().Status, 0)
		r.OnSent(func() {
			outcome := r.Outcome()
			after = []any{outcome.Status, outcome.Bytes > 0, outcome.Aborted, r.Failure() != nil}
		})
		return nil, nil
	})
	app.Post("/", func(r *ishaa.Request) (any, error) {
		same(t, "Client", r.Client().String(), "198.51.100.4:7")
		data, err := r.Bytes()
		r.SetBodyLimit(1 << 20)
		if _, again := r.Bytes(); (again == nil) != (err == nil) {
			t.Errorf("a limit set after reading changed the body from %v to %v", err, again)
		}
		return string(data), err
	})
	do(t, app, "POST", "/", withBody("text/plain", "1234")).wantBody(t, 200, "1234")
	same(t, "after", after, []any{200, true, false, false})
	do(t, app, "POST", "/", withBody("text/plain", "12345")).wantProblem(t, 413, "limit of 4 bytes")
	same(t, "after an error", after, []any{413, true, false, true})
}

func TestAccepts(t *testing.T) {
	for accept, want := range map[string]string{
		"": "application/json", "text/csv": "text/csv", "*/*;q=0.1, text/csv": "text/csv", "image/png": "", "text/csv;q=0": "",
	} {
		ask(t, newApp(t), "/", "/", func(r *ishaa.Request) {
			same(t, "Accepts for "+accept, r.Accepts("application/json", "text/csv"), want)
		}, withHeader("Accept", accept)).wantHeader(t, "Vary", "Accept")
	}
}
