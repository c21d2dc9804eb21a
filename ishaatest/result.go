package ishaatest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Result is an answer that has been read. Its checks fail the test at once, with
// the request, what was expected and the beginning of the answer, and return the
// result otherwise, so that they chain.
type Result struct {
	t       testing.TB
	client  *Client
	request *request
	method  string
	url     *url.URL // nil when there was none
	status  int      // 0 when there was no answer
	proto   string
	header  http.Header
	body    []byte
}

// take notes an answer's head.
func (r *Result) take(answer *http.Response) {
	r.status, r.proto, r.header = answer.StatusCode, answer.Proto, answer.Header
}

// Code returns the status.
func (r *Result) Code() int { return r.status }

// Headers returns the answer's headers.
func (r *Result) Headers() http.Header { return r.header }

// Bytes returns the body.
func (r *Result) Bytes() []byte { return r.body }

// Text returns the body as text.
func (r *Result) Text() string { return string(r.body) }

// Path returns the path and query of the request; after redirects, of the last one.
func (r *Result) Path() string {
	if r.url == nil {
		return r.request.target
	}
	return r.url.RequestURI()
}

// Follow asks for what the redirect leads to, and follows further redirects. It
// fails the test when the answer is no redirect.
//
//	client.Post("/login", ishaatest.Form("name", "alice")).Redirect("/").Follow().HTML("Hello, alice")
func (r *Result) Follow() *Result {
	r.t.Helper()
	next, err := r.request.redirected(r)
	switch {
	case err != nil:
		r.fail(r.t, "%v", err)
	case next == nil:
		r.fail(r.t, "status %d is no redirect to follow", r.status)
	default:
		next.follow, next.aborts = true, false
		client := *r.client
		client.t = r.t
		return client.run(next)
	}
	return r
}

// location returns where a redirect leads, or nil for an answer that is none.
func (r *Result) location() (*url.URL, error) {
	switch r.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	text := r.header.Get("Location")
	if text == "" {
		return nil, fmt.Errorf("the redirect has no Location")
	}
	location, err := r.url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the redirect's Location %q is no URL: %w", text, err)
	}
	return location, nil
}

// fail ends the test with a message and the answer.
func (r *Result) fail(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Fatalf("%s %s: %s%s", r.method, r.Path(), fmt.Sprintf(format, args...), r.excerpt())
}

// How much of a body a message shows.
const (
	shownText   = 2048
	shownBinary = 256
)

// shownHeaders are those that a message shows: what tells about the body and what
// a client should do.
var shownHeaders = []string{"Allow", "Content-Encoding", "Content-Type", "Location", "Retry-After", "Set-Cookie", "Www-Authenticate"}

// excerpt shows the answer's head and the beginning of its body.
func (r *Result) excerpt() string {
	if r.status == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n  %s %d %s", r.proto, r.status, http.StatusText(r.status))
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		if slices.Contains(shownHeaders, name) {
			for _, value := range r.header[name] {
				fmt.Fprintf(&out, "\n  %s: %s", name, value)
			}
		}
	}
	if len(r.body) > 0 {
		out.WriteString("\n\n  " + strings.ReplaceAll(beginning(r.body), "\n", "\n  "))
	}
	return out.String()
}

// beginning shows text as it is and anything else quoted.
func beginning(body []byte) string {
	shown, limit := body, shownText
	if !utf8.Valid(body) || bytes.ContainsRune(body, 0) {
		limit = shownBinary
	}
	cut := len(body) > limit
	if cut {
		shown = body[:limit]
		for limit == shownText && len(shown) > 0 && !utf8.Valid(shown) {
			shown = shown[:len(shown)-1]
		}
	}
	text := string(shown)
	if limit == shownBinary {
		text = fmt.Sprintf("%q", shown)
	}
	if cut {
		text += fmt.Sprintf(" … (%d bytes in all)", len(body))
	}
	return text
}
