package ishaa

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/ishaa-framework/ishaa/internal/inside"
)

// Net/http middleware wraps a writer and calls on; a chain hands values back. To
// let one stand in the other, the middleware runs on a goroutine of its own with a
// writer that keeps what it is given. If it returns, what was kept is the answer,
// in memory like any other. If it flushes or hijacks first, it is suspended, the
// chain goes on outwards with an answer that streams — so that After hooks further
// out still set their headers — and the middleware is resumed on the client's own
// writer when that answer is sent.
//
// The rest of the chain, on the inner side of the middleware, has a Request of its
// own: middleware such as http.TimeoutHandler answers while the inner side still
// runs, and the two must not share what they write to.

// Std makes net/http middleware usable as Middleware. On an App it runs before
// a route is found, around everything else, on the connection's own writer. On a
// blueprint or a route it runs in its place among the other middleware. Flush,
// Hijack and http.ResponseController work in both.
func Std(wrap func(http.Handler) http.Handler) Middleware {
	source := callerOutside()
	if wrap == nil {
		panic(source + ": Std: the middleware is nil")
	}
	return Middleware{Name: "net/http middleware at " + source, std: wrap}
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
		ctx, cancel := context.WithCancel(r.context())
		sw := &stdWriter{
			r: r, header: maps.Clone(r.res.Header()), cancel: cancel,
			flushing: make(chan struct{}), resumed: make(chan http.ResponseWriter), done: make(chan struct{}),
		}
		raw := r.HTTP() // what it reads of the request nobody sees
		go sw.run(wrapped, raw.WithContext(context.WithValue(ctx, stdWriterKey{}, sw)))
		select {
		case <-sw.done:
			return sw.kept()
		case <-sw.flushing:
		}
		sw.settleHeader()
		r.OnSent(sw.abandon)
		return &Response{status: statusOf(sw.status), body: body{
			kind: bodyServe,
			content: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sw.resumed <- w
				<-sw.done
				sw.setLeft(true)
				if sw.thrown != nil {
					panic(sw.thrown.again(r))
				}
			}),
		}}, nil
	}
}

var errAnswerReplaced = errors.New("ishaa.Std: the answer was replaced before it was sent")

// stdWriter is the writer that net/http middleware gets within a chain.
type stdWriter struct {
	r      *Request // of the outer side
	cancel context.CancelFunc
	header http.Header
	status int
	body   bytes.Buffer
	client http.ResponseWriter // what is written goes there once the middleware is resumed
	err    error

	flushing chan struct{}            // the middleware needs the client
	resumed  chan http.ResponseWriter // the client's writer
	done     chan struct{}            // closed when the middleware has returned
	thrown   *PanicError              // of the middleware; set before done is closed

	mu    sync.Mutex
	left  bool     // the outer side goes on by itself: r is not to be touched
	inner *Request // while the inner side runs
	form  *Form    // that the outer side closes
}

// run is the goroutine of the middleware.
func (sw *stdWriter) run(wrapped http.Handler, raw *http.Request) {
	defer close(sw.done)
	returned := false
	defer func() {
		if cause := recover(); cause != nil {
			sw.thrown = &PanicError{cause, debug.Stack()}
		} else if !returned {
			sw.thrown = &PanicError{errors.New("net/http middleware ended its goroutine"), debug.Stack()}
		}
	}()
	wrapped.ServeHTTP(sw, raw)
	returned = true
}

// again is what to panic with on the outer side: the panic with its first stack,
// or its bare value where nothing but the server recovers.
func (e *PanicError) again(r *Request) any {
	if e.Value == any(http.ErrAbortHandler) || !r.route.app.recovers {
		return e.Value
	}
	return e
}

// abandon ends the middleware of an answer that was not sent, and waits for it.
func (sw *stdWriter) abandon() {
	sw.cancel()
	select {
	case sw.resumed <- nil:
		<-sw.done
	case <-sw.done:
	}
}

// inside runs the rest of the chain and writes its answer to the writer that the
// middleware passed on.
func (sw *stdWriter) inside(w http.ResponseWriter, raw *http.Request, next Handler) {
	inner := sw.enter(w, raw)
	if inner == nil {
		return // too late: nobody waits for this answer
	}
	defer sw.leave(inner)
	inner.send(inner.answer(next(inner)))
}

// enter makes the request of the inner side.
func (sw *stdWriter) enter(w http.ResponseWriter, raw *http.Request) *Request {
	sw.mu.Lock()
	defer sw.mu.Unlock()
	if sw.left {
		return nil
	}
	inner := new(Request)
	*inner = *sw.r
	inner.raw, inner.given, inner.writer, inner.taken, inner.shadow = raw, raw, w, false, false
	inner.res = &inner.own
	inner.own = Response{header: w.Header(), touched: inside.Anyone}
	inner.values = inner.values.clone()
	rare := *inner.more()
	rare.ctx, rare.onSent, rare.closers, rare.made = nil, nil, nil, slices.Clip(rare.made)
	inner.rare = &rare
	sw.inner, sw.form = inner, rare.form
	return inner
}

// leave ends the inner side.
func (sw *stdWriter) leave(inner *Request) {
	sw.mu.Lock()
	if !sw.left {
		sw.handOver(inner)
	}
	sw.inner = nil
	if inner.rare.form == sw.form {
		inner.rare.form = nil
	}
	sw.mu.Unlock()
	inner.finish()
}

// handOver tells the outer side what the inner side found out.
func (sw *stdWriter) handOver(inner *Request) {
	r := sw.r
	r.route, r.values, r.cached = inner.route, inner.values, inner.cached
	outer, found := r.more(), inner.rare
	outer.query, outer.body, outer.bodyErr, outer.bodyRead = found.query, found.body, found.bodyErr, found.bodyRead
	outer.form, outer.formErr = found.form, found.formErr
	outer.onSent = append(outer.onSent, found.onSent...)
	found.onSent, sw.form = nil, found.form
}

// kept is the answer when the middleware has returned without needing the client.
func (sw *stdWriter) kept() (any, error) {
	sw.cancel()
	sw.setLeft(true)
	if sw.thrown != nil {
		panic(sw.thrown.again(sw.r))
	}
	sw.settleHeader()
	return &Response{status: statusOf(sw.status), body: inMemory(sw.body.Bytes())}, nil
}

// settleHeader makes the headers of the answer what the middleware left of them:
// it saw those set before it ran, and may have taken some away.
func (sw *stdWriter) settleHeader() {
	header := sw.r.res.Header()
	clear(header)
	maps.Copy(header, sw.header)
}

// connect suspends the middleware until its answer is sent.
func (sw *stdWriter) connect() error {
	if sw.client != nil || sw.err != nil {
		return sw.err
	}
	sw.mu.Lock()
	if !sw.left && sw.inner != nil {
		sw.handOver(sw.inner)
	}
	sw.left = true
	sw.mu.Unlock()
	select {
	case sw.flushing <- struct{}{}:
		sw.client = <-sw.resumed
	case <-sw.done:
	}
	if sw.client == nil {
		sw.err = errAnswerReplaced
		return sw.err
	}
	sw.setLeft(false) // the outer side waits again, while its answer is sent
	return nil
}

func (sw *stdWriter) setLeft(left bool) {
	sw.mu.Lock()
	sw.left = left
	sw.mu.Unlock()
}

// Header returns the headers of the answer. Once the answer is on its way to the
// client they are the client's.
func (sw *stdWriter) Header() http.Header {
	if sw.client != nil {
		return sw.client.Header()
	}
	return sw.header
}

// WriteHeader keeps the status. Informational ones go to the client at once.
func (sw *stdWriter) WriteHeader(status int) {
	switch {
	case status >= 100 && status < 200 && status != http.StatusSwitchingProtocols:
		sw.inform(status)
	case sw.client != nil:
		sw.client.WriteHeader(status)
	case sw.status == 0:
		sw.status = status
	}
}

// inform sends an informational answer with the headers of now.
func (sw *stdWriter) inform(status int) {
	if sw.client != nil {
		sw.client.WriteHeader(status)
		return
	}
	header := sw.r.writer.Header()
	before := maps.Clone(header)
	maps.Copy(header, sw.header)
	sw.r.writer.WriteHeader(status)
	clear(header)
	maps.Copy(header, before)
}

// Write keeps bytes, or sends them once the writer is connected.
func (sw *stdWriter) Write(p []byte) (int, error) {
	if sw.err != nil {
		return 0, sw.err
	}
	if sw.client != nil {
		return sw.client.Write(p)
	}
	sw.WriteHeader(http.StatusOK)
	return sw.body.Write(p)
}

// FlushError sends what has been written so far to the client.
func (sw *stdWriter) FlushError() error {
	if sw.client == nil {
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
func (sw *stdWriter) Unwrap() http.ResponseWriter { return sw.r.writer }

// ReadFrom copies from a reader, by sendfile where the client's writer can.
func (sw *stdWriter) ReadFrom(src io.Reader) (int64, error) {
	if sw.client != nil {
		return io.Copy(sw.client, src)
	}
	return io.Copy(struct{ io.Writer }{sw}, src)
}
