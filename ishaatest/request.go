package ishaatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// request is what the options of a client and of one request add up to.
type request struct {
	method  string
	target  string // as the test gave it
	header  http.Header
	host    string
	query   []string // "name=value", escaped
	cookies []*http.Cookie
	body    payload
	derive  []func(context.Context) context.Context
	ctx     context.Context
	timeout time.Duration
	follow  bool
	aborts  bool
	err     error // what is wrong with the options
}

const (
	defaultTimeout = 30 * time.Second
	defaultHost    = "localhost"
	maxRedirects   = 10
)

// userAgent is what the application sees unless a test sets another.
const userAgent = "ishaatest"

func newRequest(method, target string, settings []RequestOption, options []RequestOption) *request {
	r := &request{
		method: method, target: target, host: defaultHost,
		header:  http.Header{"User-Agent": {userAgent}},
		ctx:     context.Background(),
		timeout: defaultTimeout,
	}
	for _, option := range settings {
		option.applyRequest(r)
	}
	for _, option := range options {
		option.applyRequest(r)
	}
	if err := r.body.encode(); err != nil {
		r.refuse("Form: %v", err)
	}
	return r
}

// refuse notes that an option cannot be right; the first one counts.
func (r *request) refuse(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// url is where the request goes.
func (r *request) url(scheme string) (*url.URL, error) {
	if r.err != nil {
		return nil, r.err
	}
	if r.target == "*" {
		return &url.URL{Scheme: scheme, Host: r.host, Path: "*"}, nil
	}
	u, err := url.Parse(r.target)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w; Client.Dial sends bytes that are no URL", err)
	case !strings.HasPrefix(r.target, "/"):
		return nil, errors.New(`the path has to begin with "/"; the option Host sets another host`)
	case strings.HasPrefix(r.target, "//"): // a path with an empty segment, not a host
		u, err = url.Parse("http://" + r.host + r.target)
		if err != nil {
			return nil, err
		}
	}
	u.Scheme, u.Host = scheme, r.host
	if len(r.query) > 0 {
		pairs := r.query
		if u.RawQuery != "" {
			pairs = append([]string{u.RawQuery}, pairs...)
		}
		u.RawQuery = strings.Join(pairs, "&")
	}
	return u, nil
}

// http builds the request for one sending. The connection is always to the
// application under test, whatever the host.
func (r *request) http(ctx context.Context, u *url.URL, jar *jar) *http.Request {
	to := *u
	to.Host = defaultHost
	body, length := r.body.reader()
	raw := (&http.Request{
		Method: r.method, URL: &to, Host: u.Host, Header: r.header.Clone(), Body: body, ContentLength: length,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if r.body.contentType != "" && raw.Header["Content-Type"] == nil {
		raw.Header.Set("Content-Type", r.body.contentType)
	}
	var pairs []string
	for _, cookie := range jar.cookies(u) {
		if !slices.ContainsFunc(r.cookies, func(c *http.Cookie) bool { return c.Name == cookie.Name }) {
			pairs = append(pairs, cookiePair(cookie))
		}
	}
	for _, cookie := range r.cookies {
		pairs = append(pairs, cookiePair(cookie))
	}
	if len(pairs) > 0 {
		if given := raw.Header.Get("Cookie"); given != "" {
			pairs = append(pairs, given)
		}
		raw.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	return raw
}

func cookiePair(cookie *http.Cookie) string {
	if cookie.Quoted {
		return cookie.Name + `="` + cookie.Value + `"`
	}
	return cookie.Name + "=" + cookie.Value
}

// redirected is the request that a redirect asks for (RFC 9110 §15.4), or nil when
// the answer is none.
func (r *request) redirected(res *Result) (*request, error) {
	location, err := res.location()
	if err != nil || location == nil {
		return nil, err
	}
	here := res.url
	switch {
	case location.Scheme != here.Scheme:
		return nil, fmt.Errorf("the redirect to %s leads from %s to %s; use ishaatest.TLS(), or check it with Redirect and do not follow", location, here.Scheme, location.Scheme)
	case !strings.EqualFold(location.Host, here.Host):
		return nil, fmt.Errorf("the redirect to %s leads to another host than %s; check it with Redirect and do not follow", location, here.Host)
	}
	next := *r
	next.target, next.query = location.RequestURI(), nil
	switch res.status {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if r.body.stream != nil {
			return nil, fmt.Errorf("the answer %d asks for the body again, which BodyFrom gives once; use Body", res.status)
		}
	default:
		if r.method != http.MethodHead {
			next.method = http.MethodGet
		}
		next.body = payload{}
		next.header = r.header.Clone()
		next.header.Del("Content-Type")
	}
	return &next, nil
}
