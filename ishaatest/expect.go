package ishaatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// Status checks the status.
func (r *Result) Status(want int) *Result {
	r.t.Helper()
	if r.status != want {
		r.fail(r.t, "status %d, want %d", r.status, want)
	}
	return r
}

// Header checks the first value of a header; "" wants it absent.
func (r *Result) Header(name, want string) *Result {
	r.t.Helper()
	values := r.header.Values(name)
	switch {
	case want == "" && len(values) > 0:
		r.fail(r.t, "header %s is %q, want none", name, values[0])
	case want != "" && len(values) == 0:
		r.fail(r.t, "there is no header %s, want %q", name, want)
	case want != "" && values[0] != want:
		r.fail(r.t, "header %s is %q, want %q", name, values[0], want)
	}
	return r
}

// Contains checks that the body has each of the parts in it.
func (r *Result) Contains(parts ...string) *Result {
	r.t.Helper()
	for _, part := range parts {
		if !bytes.Contains(r.body, []byte(part)) {
			r.fail(r.t, "the body does not contain %q", part)
		}
	}
	return r
}

// HTML checks that the answer is a page that has each of the parts in its source.
func (r *Result) HTML(parts ...string) *Result {
	r.t.Helper()
	r.wantType("an HTML page", func(media string) bool { return media == "text/html" })
	return r.Contains(parts...)
}

// Redirect checks that the answer is a redirect, by 301, 302, 303, 307 or 308, and
// where it leads: a path, or a URL.
func (r *Result) Redirect(target string) *Result {
	r.t.Helper()
	location, err := r.location()
	switch {
	case err != nil:
		r.fail(r.t, "%v", err)
		return r
	case location == nil:
		r.fail(r.t, "status %d, want a redirect to %s", r.status, target)
		return r
	}
	want, err := r.url.Parse(target)
	if err != nil {
		r.fail(r.t, "Redirect(%q): %v", target, err)
	} else if location.String() != want.String() {
		r.fail(r.t, "the redirect leads to %s, want %s", r.header.Get("Location"), target)
	}
	return r
}

// Cookie returns the cookie of a name that the answer sets, the last if there are
// several, and fails the test if there is none. For what the client keeps see
// Client.Cookie.
func (r *Result) Cookie(name string) *http.Cookie {
	r.t.Helper()
	var found *http.Cookie
	for _, line := range r.header["Set-Cookie"] {
		if cookie, err := http.ParseSetCookie(line); err == nil && cookie.Name == name {
			found = cookie
		}
	}
	if found == nil {
		r.fail(r.t, "the answer does not set the cookie %s", name)
		return &http.Cookie{}
	}
	return found
}

// JSON decodes the body into v, a pointer, by encoding/json. The answer has to be
// of a JSON type.
func (r *Result) JSON(v any) *Result {
	r.t.Helper()
	r.wantJSON()
	if err := json.Unmarshal(r.body, v); err != nil {
		r.fail(r.t, "the body does not decode into %T: %v", v, err)
	}
	return r
}

// JSONEqual checks that the body is the JSON of want, whatever the order of
// members and the white space. JSON that is already text is given as a
// json.RawMessage.
func (r *Result) JSONEqual(want any) *Result {
	r.t.Helper()
	got, ok := r.document()
	if !ok {
		return r
	}
	expected, err := asDocument(want)
	if err != nil {
		r.fail(r.t, "JSONEqual: what is wanted is not JSON: %v", err)
		return r
	}
	if list := differences(got, expected); len(list) > 0 {
		hint := ""
		if text, ok := want.(string); ok && json.Valid([]byte(text)) {
			hint = "\n  (want is a string; for JSON text give json.RawMessage)"
		}
		r.fail(r.t, "the JSON is not as wanted:\n  %s%s", strings.Join(list, "\n  "), hint)
	}
	return r
}

// JSONAt checks one value of the body, named by a JSON pointer (RFC 6901) such as
// "/items/0/name"; "" is the whole.
func (r *Result) JSONAt(pointer string, want any) *Result {
	r.t.Helper()
	whole, ok := r.document()
	if !ok {
		return r
	}
	got, err := valueAt(whole, pointer)
	if err != nil {
		r.fail(r.t, "JSONAt: %v, want %s", err, compact(want))
		return r
	}
	expected, err := asDocument(want)
	if err != nil {
		r.fail(r.t, "JSONAt: what is wanted is not JSON: %v", err)
		return r
	}
	if list := differencesAt(pointer, got, expected); len(list) > 0 {
		r.fail(r.t, "the JSON is not as wanted:\n  %s", strings.Join(list, "\n  "))
	}
	return r
}

// wantJSON checks the content type.
func (r *Result) wantJSON() {
	r.t.Helper()
	r.wantType("JSON", func(media string) bool {
		return media == "application/json" || strings.HasSuffix(media, "+json")
	})
}

func (r *Result) wantType(what string, fits func(media string) bool) {
	r.t.Helper()
	given := r.header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(given); err != nil || !fits(media) {
		r.fail(r.t, "the answer is not %s: its Content-Type is %q", what, given)
	}
}

// document decodes the body, and fails the test when it cannot.
func (r *Result) document() (any, bool) {
	r.t.Helper()
	r.wantJSON()
	value, err := parseDocument(r.body)
	if err != nil {
		r.fail(r.t, "the body is not JSON: %v", err)
		return nil, false
	}
	return value, true
}

// parseDocument decodes one JSON value, with numbers kept as they are written.
func parseDocument(data []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the value, at byte %d", decoder.InputOffset())
	}
	return value, nil
}

func asDocument(value any) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return parseDocument(data)
}
