package ishaatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Client sends requests to an application and keeps its cookies, like one browser
// or one program. Its methods may be called by several goroutines, but a failure
// ends only the goroutine that it happens on.
type Client struct {
	t        testing.TB
	backend  *backend
	jar      *jar
	settings []RequestOption
}

// New returns a client of an application, or of any net/http handler, that reports
// to t. There is no socket: client and net/http's server talk through memory, so
// that flushing, hijacking, deadlines and a client that goes away are as they are
// in production. See OverSocket for a real one.
//
// The first request starts the application, unless the program has; the client
// that started it drains and stops it at the end of its test. So an application
// that several tests share is to be started by the program: app.Start(ctx).
//
// The application's log goes to the test, which shows it when the test fails or is
// verbose; see KeepLogger and Logs.
func New(t testing.TB, app http.Handler, options ...Option) *Client {
	t.Helper()
	var c config
	for _, option := range options {
		if option == nil {
			t.Fatalf("ishaatest.New: an option is nil")
		}
		option.applyClient(&c)
	}
	if app == nil {
		t.Fatalf("ishaatest.New: the handler is nil")
	}
	backend := newBackend(t, app, c)
	client := &Client{t: t, backend: backend, jar: newJar(backend.now), settings: c.settings}
	for _, cookie := range c.cookies {
		client.SetCookie(cookie)
	}
	return client
}

// For returns a client that reports to another test, usually a subtest, and has
// more settings. It shares everything else, cookies too.
//
//	for name, test := range tests {
//		t.Run(name, func(t *testing.T) {
//			client.For(t).Get(test.path).Status(test.status)
//		})
//	}
func (c *Client) For(t testing.TB, settings ...Setting) *Client {
	t.Helper()
	c.backend.logTo(t)
	derived := *c
	derived.t = t
	derived.settings = c.settings[:len(c.settings):len(c.settings)]
	for _, s := range settings {
		if cookie, ok := s.(cookieSetting); ok {
			derived.SetCookie(cookie.cookie) // as for New: in the jar, not in every request
			continue
		}
		derived.settings = append(derived.settings, s)
	}
	return &derived
}

// Get sends a GET request. The path begins with "/" and may have a query.
func (c *Client) Get(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodGet, path, options...)
}

// Head sends a HEAD request.
func (c *Client) Head(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodHead, path, options...)
}

// Post sends a POST request.
func (c *Client) Post(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodPost, path, options...)
}

// Put sends a PUT request.
func (c *Client) Put(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodPut, path, options...)
}

// Patch sends a PATCH request.
func (c *Client) Patch(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodPatch, path, options...)
}

// Delete sends a DELETE request.
func (c *Client) Delete(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodDelete, path, options...)
}

// Options sends an OPTIONS request.
func (c *Client) Options(path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.Do(http.MethodOptions, path, options...)
}

// Do sends a request and reads the whole answer. When it returns, the handler has
// too, and so has everything that the application does after an answer: OnSent
// functions, observers, the access log.
func (c *Client) Do(method, path string, options ...RequestOption) *Result {
	c.t.Helper()
	return c.run(newRequest(method, path, c.settings, options))
}

// run sends a request, and those that redirects ask for.
func (c *Client) run(r *request) *Result {
	c.t.Helper()
	var hops []string
	for {
		res := c.exchange(r)
		if !r.follow {
			return res
		}
		next, err := r.redirected(res)
		if err != nil {
			res.fail(c.t, "%v", err)
		}
		if next == nil || err != nil {
			return res
		}
		if hops = append(hops, next.target); len(hops) > maxRedirects {
			res.fail(c.t, "more than %d redirects: %s", maxRedirects, strings.Join(hops, " → "))
			return res
		}
		r = next
	}
}

// exchange sends one request and reads its answer.
func (c *Client) exchange(r *request) *Result {
	c.t.Helper()
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	patience := newPatience(r.timeout, cancel)
	defer patience.stop()
	res := &Result{t: c.t, client: c, request: r, method: r.method}
	answer, call, err := c.send(ctx, r, res)
	if err == nil {
		res.take(answer)
		res.body, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if waitErr := call.wait(ctx); err == nil && waitErr != nil {
			err = mistake{fmt.Errorf("the answer is here but the handler goes on: %w; use Client.Stream where that is meant", waitErr)}
		}
	}
	if cause := context.Cause(ctx); cause != nil && err != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	switch {
	case err == nil && r.aborts:
		res.fail(c.t, "the answer is complete, and it was to be cut (ExpectAbort)")
	case err != nil && (!r.aborts || isMistake(err)):
		res.fail(c.t, "%s", describe(err, res.status))
	}
	return res
}

// describe says how a request failed to get a whole answer.
func describe(err error, status int) string {
	switch {
	case isMistake(err):
		return err.Error()
	case status == 0:
		return fmt.Sprintf("there is no answer: %v", err)
	}
	return fmt.Sprintf("the answer was cut: %v", err)
}

// mistake is an error of the test itself, which no option makes right.
type mistake struct{ error }

func isMistake(err error) bool {
	var m mistake
	return errors.As(err, &m)
}

// send starts the application if need be and gets an answer's head. The cookies of
// the answer are kept.
func (c *Client) send(ctx context.Context, r *request, res *Result) (*http.Response, *call, error) {
	c.t.Helper()
	u, err := r.url(c.backend.scheme())
	if err != nil {
		return nil, nil, mistake{err}
	}
	res.url = u
	if err := c.backend.start(); err != nil {
		return nil, nil, mistake{err}
	}
	call := c.backend.newCall(c.t, r.derive)
	raw := r.http(ctx, u, c.jar)
	raw.Header.Set(callHeader, call.token)
	answer, err := c.backend.transport.RoundTrip(raw)
	if err != nil {
		call.forget(ctx)
		return nil, nil, err
	}
	for _, refused := range c.jar.store(u, answer.Header) {
		c.t.Logf("%s %s: the client ignores a cookie, as a browser would: %s", r.method, r.target, refused)
	}
	return answer, call, nil
}

// patience ends a context when nothing happens for too long.
type patience struct {
	timeout time.Duration
	timer   *time.Timer
}

// newPatience starts to wait.
func newPatience(timeout time.Duration, cancel context.CancelCauseFunc) *patience {
	p := &patience{timeout: timeout}
	if timeout > 0 {
		p.timer = time.AfterFunc(timeout, func() {
			cancel(fmt.Errorf("nothing came for %s; see ishaatest.Timeout", timeout))
		})
	}
	return p
}

func (p *patience) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// renew waits for the whole time again.
func (p *patience) renew() {
	if p.timer != nil {
		p.timer.Reset(p.timeout)
	}
}

// Cookie returns the value of a cookie that the client would send to the path "/",
// and whether there is one.
func (c *Client) Cookie(name string) (string, bool) {
	for _, cookie := range c.jar.cookies(c.home()) {
		if cookie.Name == name {
			return cookie.Value, true
		}
	}
	return "", false
}

// SetCookie has the client keep a cookie, as if the application had set it on the
// path "/". It fails the test if a browser would refuse the cookie.
func (c *Client) SetCookie(cookie *http.Cookie) {
	c.t.Helper()
	if err := cookie.Valid(); err != nil {
		c.t.Fatalf("cookie %q: %v", cookie.Name, err)
		return
	}
	kept := *cookie
	if kept.Path == "" {
		kept.Path = "/"
	}
	if err := c.jar.put(c.home(), &kept); err != nil {
		c.t.Fatalf("cookie %q: %v", kept.Name, err)
	}
}

// ClearCookies has the client forget its cookies.
func (c *Client) ClearCookies() { c.jar.clear() }

// home is the path "/" of the client's host.
func (c *Client) home() *url.URL {
	r := newRequest(http.MethodGet, "/", c.settings, nil)
	return &url.URL{Scheme: c.backend.scheme(), Host: r.host, Path: "/"}
}

// Dial opens a connection to the application for whatever is to be sent byte by
// byte. It is closed at the end of the test. The client's overrides apply, its
// headers and cookies do not.
func (c *Client) Dial() net.Conn {
	c.t.Helper()
	err := c.backend.start()
	if err == nil {
		var conn net.Conn
		if conn, err = c.backend.dial(context.Background()); err == nil {
			c.backend.atEnd(func() { conn.Close() })
			return conn
		}
	}
	c.t.Fatalf("Dial: %v", err)
	return nil
}

// HTTPClient returns a net/http client whose requests, whatever their host, go to
// the application: for libraries that take one. It has the client's overrides but
// neither its headers nor its cookies, and it fails no test by itself.
func (c *Client) HTTPClient() *http.Client {
	c.t.Helper()
	if err := c.backend.start(); err != nil {
		c.t.Fatalf("HTTPClient: %v", err)
	}
	return &http.Client{Transport: c.backend.transport}
}
