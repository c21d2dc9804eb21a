package ishaa

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
)

// Net/http middleware wraps a writer and calls on; a chain hands values back. To
// let one stand in the other, the middleware runs as a coroutine on a writer that
// keeps what it is given. If it returns, what was kept is the answer, in memory
// like any other. If it flushes or hijacks first, it is suspended, the chain goes
// on outwards with an answer that streams — so that After hooks further out still
// set their headers — and the middleware is resumed on the client's own writer
// when that answer is sent.

// Std makes net/http middleware usable as Middleware. On an App it runs before
// a route is found, around everything else, on the connection's own writer. On a
// blueprint or a route it runs in its place among the other middleware. Flush,
// Hijack and http.ResponseController work in both.
func Std(wrap func(http.Handler) http.Handler) Middleware {
	return Middleware{Name: "net/http middleware at " + callerOutside(), std: wrap}
}

// ready turns what Std made into an Around, for use inside a chain.
func (m Middleware) ready() Middleware {
	if wrap := m.std; wrap != nil {
		m.std = nil
		m.Around = func(next Handler) Handler { return aroundStd(wrap, next) }
	}
	return m
}

type stdWriterKey struct{}

func aroundStd(wrap func(http.Handler) http.Handler, next Handler) Handler {
	wrapped := wrap(http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		sw, _ := raw.Context().Value(stdWriterKey{}).(*stdWriter)
		if sw == nil {
			panic("ishaa.Std: the middleware gave its request a context of its own; it has to derive one from the request's")
		}
		sw.inside(w, raw, next)
	}))
	return func(r *Request) (any, error) {
		sw := &stdWriter{r: r, header: http.Header{}}
		raw := r.http()
		raw = raw.WithContext(context.WithValue(r.ctx, stdWriterKey{}, sw))
		sw.outer = r.exchange()
		defer func() { r.swap(sw.outer) }() // also when the middleware panics
		resume, stop := iter.Pull(func(yield func(struct{}) bool) {
			sw.yield = yield
			wrapped.ServeHTTP(sw, raw)
		})
		if _, suspended := resume(); !suspended {
			return sw.kept(), nil
		}
		r.OnSent(stop)
		return &Response{status: sw.status, header: maps.Clone(sw.header), body: body{
			kind: bodyServe,
			serve: func(w http.ResponseWriter, _ *http.Request) {
				sw.client = w
				resume()
			},
		}}, nil
	}
}

// exchange is the part of a Request that differs between the two sides of
// net/http middleware.
type exchange struct {
	raw    *http.Request
	writer http.ResponseWriter
	ctx    context.Context
	res    *Response
	taken  bool
}

func (r *Request) exchange() exchange {
	return exchange{r.raw, r.writer, r.ctx, r.res, r.taken}
}

func (r *Request) swap(x exchange) {
	r.raw, r.writer, r.ctx, r.res, r.taken = x.raw, x.writer, x.ctx, x.res, x.taken
}

var errAnswerReplaced = errors.New("ishaa.Std: the answer was replaced before it was sent")

// stdWriter is the writer that net/http middleware gets within a chain.
type stdWriter struct {
	r      *Request
	outer  exchange
	yield  func(struct{}) bool
	header http.Header
	status int
	body   bytes.Buffer
	client http.ResponseWriter // set when the middleware is resumed
	direct bool                // what is written goes to client
	err    error
}

// inside runs the rest of the chain and writes its answer to the writer that the
// middleware passed on.
func (sw *stdWriter) inside(w http.ResponseWriter, raw *http.Request, next Handler) {
	r := sw.r
	before := r.exchange()
	r.swap(exchange{raw: raw, writer: w, ctx: raw.Context(), res: &Response{header: w.Header()}})
	defer func() { r.swap(before) }()
	r.send(r.answer(next(r)))
}

// kept is the answer when the middleware has returned without needing the client.
func (sw *stdWriter) kept() *Response {
	return &Response{status: sw.status, header: sw.header, body: body{kind: bodyBytes, bytes: sw.body.Bytes()}}
}

// connect suspends the middleware until its answer is sent.
func (sw *stdWriter) connect() error {
	if sw.direct || sw.err != nil {
		return sw.err
	}
	inner := sw.r.exchange()
	sw.r.swap(sw.outer)
	resumed := sw.yield(struct{}{})
	sw.outer = sw.r.exchange()
	sw.r.swap(inner)
	if !resumed {
		sw.err = errAnswerReplaced
		return sw.err
	}
	sw.direct = true
	return nil
}

// Header returns the headers of the answer. Once the answer is on its way to the
// client they are the client's.
func (sw *stdWriter) Header() http.Header {
	if sw.direct {
		return sw.client.Header()
	}
	return sw.header
}

// WriteHeader keeps the status. Informational ones go to the client at once.
func (sw *stdWriter) WriteHeader(status int) {
	switch {
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		header := sw.outer.writer.Header()
		before := maps.Clone(header)
		maps.Copy(header, sw.header)
		sw.outer.writer.WriteHeader(status)
		clear(header)
		maps.Copy(header, before)
	case sw.direct:
		sw.client.WriteHeader(status)
	case sw.status == 0:
		sw.status = status
	}
}

// Write keeps bytes, or sends them once the writer is connected.
func (sw *stdWriter) Write(p []byte) (int, error) {
	if sw.err != nil {
		return 0, sw.err
	}
	if sw.direct {
		return sw.client.Write(p)
	}
	sw.WriteHeader(http.StatusOK)
	return sw.body.Write(p)
}

// FlushError sends what has been written so far to the client.
func (sw *stdWriter) FlushError() error {
	if !sw.direct {
		sw.WriteHeader(http.StatusOK)
		if err := sw.connect(); err != nil {
			return err
		}
		sw.client.WriteHeader(sw.status)
		if _, err := sw.client.Write(sw.body.Bytes()); err != nil {
			return err
		}
		sw.body.Reset()
	}
	return http.NewResponseController(sw.client).Flush()
}

// Flush is FlushError for code that asks for http.Flusher.
func (sw *stdWriter) Flush() { _ = sw.FlushError() }

// Hijack hands over the connection. Bytes written before are lost, as they are
// with net/http.
func (sw *stdWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := sw.connect(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(sw.client).Hijack()
}

// Unwrap lets http.ResponseController set deadlines on the connection.
func (sw *stdWriter) Unwrap() http.ResponseWriter { return sw.outer.writer }

// ReadFrom copies from a reader, by sendfile where the client's writer can.
func (sw *stdWriter) ReadFrom(src io.Reader) (int64, error) {
	if sw.direct {
		return io.Copy(sw.client, src)
	}
	return io.Copy(struct{ io.Writer }{sw}, src)
}
