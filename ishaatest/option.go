package ishaatest

import (
	"context"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Options come in three kinds, so that a wrong one does not compile: an Option is
// for New, a RequestOption for one request, and a Setting is either: of one
// request, or, given to New or Client.For, of every request of the client.

// Option configures a client.
type Option interface{ applyClient(*config) }

// RequestOption is a part of one request.
type RequestOption interface{ applyRequest(*request) }

// Setting is an option of one request or of all requests of a client.
type Setting interface {
	Option
	RequestOption
}

// config is what New makes of its options.
type config struct {
	socket, tls, keepLogger bool
	settings                []RequestOption
	cookies                 []*http.Cookie
}

type clientOption func(*config)

func (o clientOption) applyClient(c *config) { o(c) }

type requestOption func(*request)

func (o requestOption) applyRequest(r *request) { o(r) }

type setting func(*request)

func (s setting) applyRequest(r *request) { s(r) }

func (s setting) applyClient(c *config) { c.settings = append(c.settings, s) }

// OverSocket serves the application on a port of the loopback interface, by
// App.Serve as in production, instead of in memory. The environment variable
// ISHAA_TEST_SOCKET=1 does so for every client.
func OverSocket() Option { return clientOption(func(c *config) { c.socket = true }) }

// TLS has client and server speak https, with a certificate made for the test.
func TLS() Option { return clientOption(func(c *config) { c.tls = true }) }

// KeepLogger leaves the application's logger alone. Without it New has the
// application log to the test, unless the program has set Config.Logger.
func KeepLogger() Option { return clientOption(func(c *config) { c.keepLogger = true }) }

// Override has every request use a copy of value in place of resolving the
// dependency T; see ishaa.Override.
//
//	client := ishaatest.New(t, app, ishaatest.Override(CurrentUser{User: alice}))
func Override[T any](value T) Setting {
	ishaa.Override(context.Background(), value) // refuses what is no dependency here and not within a server
	return InContext(func(ctx context.Context) context.Context { return ishaa.Override(ctx, value) })
}

// InContext derives the context that the application gets with a request, as a
// server or an outer handler might.
func InContext(derive func(context.Context) context.Context) Setting {
	return setting(func(r *request) { r.derive = append(r.derive, derive) })
}

// Header sets a header to the given values, in place of one that the client or an
// earlier option set; without values it takes the header away.
func Header(name string, values ...string) Setting {
	return setting(func(r *request) {
		name := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case name == "Host" && len(values) == 1:
			r.host = values[0]
		case len(values) == 0:
			delete(r.header, name)
		default:
			r.header[name] = append([]string(nil), values...)
		}
	})
}

// BearerToken sets the header Authorization to "Bearer" and the token.
func BearerToken(token string) Setting { return Header("Authorization", "Bearer "+token) }

// Host sets the host that the request is for; the default is "localhost".
func Host(host string) Setting { return setting(func(r *request) { r.host = host }) }

// Query adds name, value pairs to the query, escaped, in their order.
func Query(pairs ...string) RequestOption {
	return requestOption(func(r *request) {
		if len(pairs)%2 != 0 {
			r.refuse("Query: %d arguments are no name, value pairs", len(pairs))
			return
		}
		for i := 0; i < len(pairs); i += 2 {
			r.query = append(r.query, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
		}
	})
}

// Cookie sends a cookie with one request, in place of one of that name that the
// client keeps. Given to New it is a cookie that the client has from the start.
func Cookie(name, value string) Setting {
	return cookieSetting{&http.Cookie{Name: name, Value: value, Quoted: strings.ContainsAny(value, " ,")}}
}

type cookieSetting struct{ cookie *http.Cookie }

func (s cookieSetting) applyRequest(r *request) {
	if s.check() != nil {
		r.refuse("Cookie: %v", s.check())
		return
	}
	r.cookies = append(r.cookies, s.cookie)
}

func (s cookieSetting) check() error {
	if err := s.cookie.Valid(); err != nil {
		return fmt.Errorf("%q: %w", s.cookie.Name, err)
	}
	return nil
}

func (s cookieSetting) applyClient(c *config) { c.cookies = append(c.cookies, s.cookie) }

// Context has the request end with a context. The application sees a client that
// has gone away; what the context holds stays with the test (see InContext).
func Context(ctx context.Context) Setting { return setting(func(r *request) { r.ctx = ctx }) }

// Timeout sets how long the client waits for an answer, and for each piece of a
// stream, before it fails the test. The default is 30 seconds of real time; 0
// waits forever.
func Timeout(d time.Duration) Setting { return setting(func(r *request) { r.timeout = d }) }

// Follow has the client follow redirects, at most 10, as browsers do: 301, 302 and
// 303 by GET, 307 and 308 by the same request again. The result is the last answer.
func Follow() Setting { return setting(func(r *request) { r.follow = true }) }

// Method sets the request's method, for Client.Stream; the default is GET.
func Method(method string) RequestOption {
	return requestOption(func(r *request) { r.method = method })
}

// ExpectAbort says that the server will cut the connection before the answer is
// complete, or before there is any, in which case the result's status is 0. An
// answer that is complete fails the test. Without ExpectAbort it is the other way
// round.
func ExpectAbort() RequestOption {
	return requestOption(func(r *request) { r.aborts = true })
}
