package ishaa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// bodyApp reads bodies in every way there is, and answers with what came of it.
func bodyApp(t testing.TB, config ...ishaa.Config) *ishaa.App {
	t.Helper()
	app := newApp(t, config...)
	app.Post("/bytes", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if again, errAgain := r.Bytes(); !bytes.Equal(data, again) || !errors.Is(err, errAgain) {
			t.Errorf("Bytes gave %d bytes, %v and then %d bytes, %v", len(data), err, len(again), errAgain)
		}
		return fmt.Sprint(len(data)), err
	})
	app.Post("/small", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return fmt.Sprint(len(data)), err
	}, ishaa.BodyLimit(10))
	app.Post("/text", func(r *ishaa.Request) (any, error) {
		text, err := r.Text()
		return ishaa.Text(text), err
	})
	app.Post("/json", func(r *ishaa.Request) (any, error) {
		var value any
		err := r.DecodeJSON(&value)
		return ishaa.JSON(value), err
	})
	app.Post("/order", func(r *ishaa.Request) (any, error) {
		var order struct {
			Count int     `json:"count"`
			Price float32 `json:"price"`
			Lines []struct{ Name string }
			When  strictTime
		}
		err := r.DecodeJSON(&order)
		return order.Count, err
	})
	app.Post("/form", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		return form.Values(), nil
	})
	return app
}

// strictTime is a type that refuses its JSON by an error of its own.
type strictTime struct{}

func (*strictTime) UnmarshalJSON([]byte) error { return errors.New("no time is good enough") }

func TestBodyLimits(t *testing.T) {
	mib := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name, path string
		body       requestOption
		status     int
		answer     string // the body, or the problem's detail
	}{
		{"the default limit is 1 MiB", "/bytes", withBody("text/plain", mib), 200, "1048576"},
		{"one more is too much", "/bytes", withBody("text/plain", mib+"x"), 413, "larger than the limit of 1048576 bytes"},
		{"also when no length is announced", "/bytes", withChunks("text/plain", mib+"x"), 413, "larger than the limit of 1048576 bytes"},
		{"a chunked body of the limit", "/bytes", withChunks("text/plain", mib), 200, "1048576"},
		{"a route's own limit", "/small", withBody("text/plain", "0123456789"), 200, "10"},
		{"one more than that", "/small", withBody("text/plain", "0123456789x"), 413, "larger than the limit of 10 bytes"},
		{"one more than that, chunked", "/small", withChunks("text/plain", "0123456789x"), 413, "larger than the limit of 10 bytes"},
		{"no body", "/bytes", withBody("text/plain", ""), 200, "0"},
		{"text over the limit", "/text", withChunks("text/plain", mib+"x"), 413, "limit"},
		{"JSON over the limit", "/json", withBody("application/json", `"`+mib+`"`), 413, "limit"},
		{"a form over the limit", "/form", withBody("application/x-www-form-urlencoded", "a="+mib), 413, "limit"},
		{"a form over the limit, chunked", "/form", withChunks("application/x-www-form-urlencoded", "a="+mib), 413, "larger"},
		{"text that is not UTF-8", "/text", withBody("text/plain", "a\xffb"), 400, "not valid UTF-8"},
		{"text that is", "/text", withBody("text/plain", "añ\u20ac"), 200, "añ\u20ac"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := do(t, bodyApp(t), "POST", c.path, c.body)
			if c.status == 200 {
				res.wantBody(t, 200, c.answer)
			} else {
				res.wantProblem(t, c.status, c.answer)
			}
		})
	}
}

func TestBodyThatDoesNotCome(t *testing.T) {
	app := bodyApp(t)
	short := func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader("half"))
		r.ContentLength = 8
	}
	broken := func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), brokenReader{}))
		r.ContentLength = -1
	}
	none := func(r *http.Request) {
		r.Body, r.ContentLength = nil, 0
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	do(t, app, "POST", "/bytes", short).wantProblem(t, 400, "could not be read to its end")
	res := do(t, app, "POST", "/bytes", broken).wantProblem(t, 400, "could not be read to its end")
	if strings.Contains(res.body, "hunter2") {
		t.Errorf("the cause is in the answer: %s", res.body)
	}
	do(t, app, "POST", "/bytes", none).wantBody(t, 200, "0")
	do(t, app, "POST", "/form", none).wantBody(t, 200, "{}")
}

// Memory is given for what a client sends, not for what it says it will send.
func TestAnnouncedBodiesCostNothing(t *testing.T) {
	app := newApp(t)
	app.Without(ishaa.DefaultBodyLimit)
	app.Post("/", func(r *ishaa.Request) (any, error) { return r.Bytes() })
	for _, announced := range []int64{1 << 34, 1 << 45, 1 << 62} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do(t, app, "POST", "/", func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader("little"))
			r.ContentLength = announced
		}).wantProblem(t, 400, "to its end")
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("a body announced with %d bytes made the server allocate %d", announced, grown)
		}
	}
	body := strings.Repeat("0123456789", 500_000)
	do(t, app, "POST", "/", withBody("text/plain", body)).wantBody(t, 200, body)
}

func TestDecodeJSONIsStrict(t *testing.T) {
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		answer                  string
	}{
		{"an object", "application/json", `{"a":[1,null,"x"]}`, 200, `{"a":[1,null,"x"]}`},
		{"a type with parameters", "Application/JSON; charset=utf-8", `1`, 200, `1`},
		{"a type of the family", "application/merge-patch+json", `{}`, 200, `{}`},
		{"white space around", "application/json", " \t\r\n1\n", 200, `1`},
		{"depth of the limit", "application/json", nest(ishaa.MaxJSONDepth), 200, nest(ishaa.MaxJSONDepth)},
		{"one deeper", "application/json", nest(ishaa.MaxJSONDepth + 1), 400, "not valid JSON"},
		{"very deep", "application/json", strings.Repeat("[", 100_000), 400, "not valid JSON"},
		{"empty", "application/json", "", 400, "the body is empty"},
		{"white space only", "application/json", "  ", 400, "not valid JSON"},
		{"a name twice", "application/json", `{"role":"user","role":"admin"}`, 400, `duplicate key "role"`},
		{"a name twice, once escaped", "application/json", `{"role":"user","\u0072ole":"admin"}`, 400, "duplicate key"},
		{"not UTF-8", "application/json", "\"\xff\"", 400, "not valid JSON"},
		{"half of a surrogate pair", "application/json", `"\ud800"`, 400, "not valid JSON"},
		{"a byte order mark", "application/json", "\xef\xbb\xbf1", 400, "not valid JSON"},
		{"data after the value", "application/json", `{} {}`, 400, "not valid JSON"},
		{"a comment", "application/json", `{/**/}`, 400, "not valid JSON"},
		{"a trailing comma", "application/json", `[1,]`, 400, "not valid JSON"},
		{"NaN", "application/json", `NaN`, 400, "not valid JSON"},
		{"JSON as text: what a cross-site form can send", "text/plain", `{}`, 415, "expected Content-Type application/json, got text/plain"},
		{"JSON as a form", "application/x-www-form-urlencoded", `{}`, 415, "got application/x-www-form-urlencoded"},
		{"no type", "", `{}`, 415, "got none"},
		{"a type that only begins like it", "application/jsonx", `{}`, 415, "got application/jsonx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := do(t, bodyApp(t), "POST", "/json", withBody(c.contentType, c.body))
			if c.status == 200 {
				res.wantBody(t, 200, c.answer)
			} else {
				res.wantProblem(t, c.status, c.answer)
			}
		})
	}
}

func TestDecodeJSONThatDoesNotFit(t *testing.T) {
	for _, c := range []struct{ body, detail string }{
		{`{"count":"many"}`, "/count: expected an integer in range, got string"},
		{`{"count":1.5}`, "/count: expected an integer in range, got number 1.5"},
		{`{"count":99999999999999999999}`, "/count: expected an integer in range"},
		{`{"price":1e400}`, "/price: expected a number"},
		{`{"Lines":[{"Name":1}]}`, "Name: expected a string, got number"},
		{`{"Lines":{}}`, "/Lines: expected an array, got object"},
		{`[1]`, "the value: expected an object, got array"},
		{`{"When":1}`, "the body does not fit"},
	} {
		do(t, bodyApp(t), "POST", "/order", withBody("application/json", c.body)).wantProblem(t, 422, c.detail)
	}
	do(t, bodyApp(t), "POST", "/order", withBody("application/json", `{"count":3}`)).wantBody(t, 200, "3")
}

// Decoding into something that cannot hold a value is the program's mistake, not
// the client's.
func TestDecodeJSONIntoNoPointer(t *testing.T) {
	app, log := loggedApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) { return nil, r.DecodeJSON(struct{}{}) })
	do(t, app, "POST", "/", withBody("application/json", "{}")).wantProblem(t, 500, "")
	if failed := log.records(t, "request failed"); len(failed) != 1 || !strings.Contains(fmt.Sprint(failed), "needs a pointer") {
		t.Errorf("the log has %v", failed)
	}
}

// A form cannot be sent to another site as JSON, and a page of another site may
// not send what changes something.
func TestCrossSiteJSONIsRefused(t *testing.T) {
	app := bodyApp(t)
	for _, headers := range [][]requestOption{
		{withHeader("Sec-Fetch-Site", "cross-site")},
		{withHeader("Sec-Fetch-Site", "same-site")},
		{withHeader("Origin", "http://evil.example")},
		{withHeader("Origin", "null")},
		{withHeader("Origin", "http://example.com.evil.example")},
		{withHeader("Origin", "http://example.com:80.evil.example")},
	} {
		do(t, app, "POST", "/json", append(headers, withBody("text/plain", "{}"))...).wantProblem(t, 403, "another origin")
		do(t, app, "POST", "/json", append(headers, withBody("application/json", "{}"))...).wantProblem(t, 403, "another origin")
	}
	do(t, app, "POST", "/json", withHeader("Origin", "http://example.com"), withBody("application/json", "{}")).want(t, 200)
}

func TestBytesAfterForm(t *testing.T) {
	app, log := loggedApp(t)
	app.Post("/", func(r *ishaa.Request) (any, error) {
		if _, err := r.Form(); err != nil {
			return nil, err
		}
		_, err := r.Bytes()
		return nil, err
	})
	do(t, app, "POST", "/", withBody("application/x-www-form-urlencoded", "a=1")).wantProblem(t, 500, "")
	if !strings.Contains(log.text(), "already read as a form") {
		t.Errorf("the log does not say why: %s", log.text())
	}
	before := newApp(t)
	before.Post("/", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		return ishaa.Text(string(data) + " " + form.Value("a")), nil
	})
	do(t, before, "POST", "/", withBody("application/x-www-form-urlencoded", "a=1")).wantBody(t, 200, "a=1 1")
}

// codec is a Codec that can be told from encoding/json.
type codec struct{}

func (codec) AppendJSON(dst []byte, value any) ([]byte, error) {
	data, err := json.Marshal(value)
	return append(append(dst, "/*codec*/"...), data...), err
}

func (codec) DecodeJSON(data []byte, v any) error {
	*v.(*any) = "decoded " + string(data)
	return nil
}

func TestCodecReplacesEncodingJSON(t *testing.T) {
	app := newApp(t)
	app.SetCodec(codec{})
	app.Post("/", func(r *ishaa.Request) (any, error) {
		var value any
		err := r.DecodeJSON(&value)
		return []any{value}, err
	})
	do(t, app, "POST", "/", withBody("application/json", "1")).wantBody(t, 200, `/*codec*/["decoded 1"]`)
	do(t, app, "POST", "/", withBody("application/json", `{"a":1,"a":2}`)).wantProblem(t, 400, "duplicate key")
}

// Several goroutines decode and encode at once: the encoders are shared.
func TestJSONAtOnce(t *testing.T) {
	app := bodyApp(t)
	t.Run("at once", func(t *testing.T) {
		for i := range 8 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for n := range 100 {
					body := fmt.Sprintf(`{"a":%q}`, strings.Repeat(fmt.Sprint(i), 1+n*37))
					w := httptest.NewRecorder()
					raw := httptest.NewRequest("POST", "/json", strings.NewReader(body))
					raw.Header.Set("Content-Type", "application/json")
					app.ServeHTTP(w, raw)
					if w.Body.String() != body {
						t.Fatalf("sent %s, got %s", body, w.Body)
					}
				}
			})
		}
	})
}
