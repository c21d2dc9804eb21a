// Package openapitest holds what an application does in its tests against its own
// OpenAPI document. One line in front of the client turns every test into one of the
// document too:
//
//	func TestOrders(t *testing.T) {
//		app := newApp()
//		openapitest.Watch(t, app)
//		client := ishaatest.New(t, app)
//		client.Post("/orders", ishaatest.JSON(order)).Status(201)
//	}
//
// The test fails when
//
//   - an answer has a status, a media type or content that the operation does not have
//     in the document,
//   - a request was accepted (below 400) that the document forbids: a parameter or a
//     body that does not fit, or one that is missing,
//
// with the operation, the place as a JSON pointer and what is wrong:
//
//	openapitest: POST /orders: answer 409: the document has 201, 400, 403, 413, 415, 422; name it by openapi.Problems or openapi.Answer
//	openapitest: GET /orders/{id}: answer 200: application/json: at '/lines/0': missing property 'price'
//
// Requests for what is not in the document, such as routes marked openapi.Hidden, and
// the automatic answers to HEAD and OPTIONS are left alone. So is an HTML error page for
// a client that asks for HTML, and content in a coding other than gzip.
package openapitest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
)

// Watch checks every exchange of an application, from its first request on, until the
// test ends. It is called when all routes are registered and before the application
// starts.
func Watch(t testing.TB, app *ishaa.App) {
	t.Helper()
	w := &watcher{t: t, app: app}
	app.Use(ishaa.Std(w.around))
	app.Intercept(w)
}

// watcher sees an exchange from the outside, as net/http does, and learns from an
// interceptor which route it belongs to.
type watcher struct {
	t    testing.TB
	app  *ishaa.App
	once sync.Once
	book *book
}

// maxKept bounds how much of a body is kept to be checked, in bytes. What is longer is
// not checked.
const maxKept = 16 << 20

type exchangeKey struct{}

// exchange is a request and its answer.
type exchange struct {
	route   *ishaa.Route // nil while it has found none
	params  []string     // of the path, in order
	request *http.Request
	sent    kept
	status  int
	header  http.Header
	got     kept
}

// kept is a body so far.
type kept struct {
	bytes.Buffer
	cut bool
}

func (k *kept) Write(p []byte) (int, error) {
	if k.Len()+len(p) > maxKept {
		k.cut = true
		return len(p), nil
	}
	return k.Buffer.Write(p)
}

func (w *watcher) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, raw *http.Request) {
		e := &exchange{}
		raw = raw.WithContext(context.WithValue(raw.Context(), exchangeKey{}, e))
		if raw.Body != nil && raw.Body != http.NoBody {
			raw.Body = &keptReader{raw.Body, &e.sent}
		}
		recorder := &recorder{ResponseWriter: out, e: e}
		next.ServeHTTP(recorder, raw)
		if e.route == nil || e.status == 0 {
			return
		}
		e.request = raw
		w.check(e)
	})
}

// Intercept notes the route.
func (w *watcher) Intercept(route *ishaa.Route, next ishaa.Handler) ishaa.Handler {
	params := route.Parameters()
	return func(r *ishaa.Request) (any, error) {
		if e, ok := r.Context().Value(exchangeKey{}).(*exchange); ok && e.route == nil {
			e.route = route
			for _, p := range params {
				e.params = append(e.params, r.Param(p.Name))
			}
		}
		return next(r)
	}
}

// Layer puts the note before all hooks, which may answer themselves.
func (w *watcher) Layer() ishaa.Layer { return ishaa.Outermost }

func (w *watcher) check(e *exchange) {
	w.once.Do(func() {
		document, err := openapi.Build(w.app, openapi.Info{Title: w.app.Name(), Version: "0"})
		if err == nil {
			w.book, err = read(document)
		}
		if err != nil {
			w.t.Errorf("openapitest: there is no document: %v", err)
		}
	})
	if w.book == nil {
		return
	}
	for _, fault := range w.book.check(e) {
		w.t.Errorf("openapitest: %s", fault)
	}
}

// keptReader keeps what is read of a request's body.
type keptReader struct {
	io.ReadCloser
	into *kept
}

func (r *keptReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	_, _ = r.into.Write(p[:n]) // to memory
	return n, err
}

// recorder keeps an answer that passes.
type recorder struct {
	http.ResponseWriter
	e *exchange
}

func (w *recorder) WriteHeader(status int) {
	if status >= 200 && w.e.status == 0 {
		w.e.status, w.e.header = status, w.Header().Clone()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.e.status == 0 {
		w.e.status, w.e.header = http.StatusOK, w.Header().Clone()
	}
	_, _ = w.e.got.Write(p) // to memory
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush, hijack and set deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
