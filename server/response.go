package server

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/memory"
)

// response is the http.ResponseWriter of a request. The status line and the headers are written to the connection's head
// buffer when the status is chosen, so later changes to the header map have no effect; what depends on how the answer goes on,
// its framing above all, is added when the first bytes leave or the handler has returned.
type response struct {
	c      *conn
	req    *http.Request
	ctx    *requestContext
	body   *body       // of the request; nil is none
	header http.Header // nil until it is asked for

	declared int64 // Content-Length; -1 is none
	written  int64 // content so far

	status     int16
	isHead     bool // the request is HEAD
	old        bool // HTTP/1.0
	keepOld    bool // an HTTP/1.0 client that would keep the connection
	close      bool // the connection, after the answer
	wrote      bool // the status is chosen
	answering  bool // see body.stopContinue
	sent       bool // the head is out
	bodyless   bool // the status has no content
	chunked    bool
	fullDuplex atomic.Bool
	finished   atomic.Bool // the handler has returned
	hijacked   atomic.Bool

	hasType  bool
	hasDate  bool
	encoded  bool // Content-Encoding
	upgrade  bool
	prefixed bool // there are keys with http.TrailerPrefix
}

// framingFields are headers of the answer being made that say how it goes on.
type framingFields struct {
	connection []string
	coding     string   // Transfer-Encoding
	trailers   []string // declared
	set        bool
}

// begin makes the request that the handler gets.
func (w *response) begin(c *conn, x *exchange, h *headOf) {
	w.c, w.ctx = c, &x.ctx
	w.declared = -1
	c.head.Reset(w)
	w.isHead = h.method == http.MethodHead
	w.old = h.minor == 0
	w.keepOld = w.old && h.keepAlive && !h.close
	w.close = h.close
	if c.fields.set {
		c.fields = framingFields{}
	}
	r := &x.request
	r.Method, r.URL, r.RequestURI, r.Host = h.method, &x.url, h.target, h.host
	r.Proto, r.ProtoMajor, r.ProtoMinor = h.proto, h.major, h.minor
	r.Header, r.Trailer, r.Body, r.ContentLength = h.header, h.trailer, http.NoBody, h.length
	r.Close = h.close || w.old && !h.keepAlive
	r.RemoteAddr, r.TLS = c.remote, c.tls
	if h.length != 0 {
		w.body = &body{c: c, w: w, left: h.length}
		if h.length < 0 {
			w.body.left, w.body.chunked = 0, true
			r.TransferEncoding = []string{"chunked"}
		}
		x.ctx.bodyOpen = true
		r.Body = w.body
		if h.expects && !w.old {
			w.body.expects.Store(true)
			_ = c.flush() // "100 Continue" has to come after the answers before it; an error shows when it is sent
		}
	}
	w.req = withContext(r, &x.ctx)
}

// contextAt is where a request keeps its context. A request gets its context where it lies, instead of in a copy.
var contextAt = func() uintptr {
	field, ok := reflect.TypeFor[http.Request]().FieldByName("ctx")
	if !ok || field.Type != reflect.TypeFor[context.Context]() {
		return 0
	}
	return field.Offset
}()

func withContext(r *http.Request, ctx context.Context) *http.Request {
	if contextAt == 0 {
		return r.WithContext(ctx)
	}
	*memory.At[context.Context](memory.Of(r), contextAt) = ctx
	return r
}

// Header returns the headers of the answer.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
		if !w.finished.Load() {
			w.c.head.MoveTo(w.header)
		}
	}
	return w.header
}

// FieldHead returns the head for fields that need no map, or nil when there is a map.
func (w *response) FieldHead() *fieldline.Head {
	if w.header != nil || w.finished.Load() {
		return nil
	}
	return &w.c.head
}

// space returns the buffers that the answer is made in.
func (w *response) space() *buffers {
	if w.c.buffers == nil {
		w.c.buffers = bufferPool.Get().(*buffers)
	}
	return w.c.buffers
}

// WriteHeader chooses the status. Informational ones are sent at once and may be followed by others.
func (w *response) WriteHeader(status int) {
	switch {
	case w.hijacked.Load():
		w.c.server.logf("server: WriteHeader on hijacked connection from %s", callerOutside())
		return
	case w.finished.Load():
		w.c.server.logf("server: WriteHeader after the handler returned, from %s", callerOutside())
		return
	case w.wrote:
		w.c.server.logf("server: superfluous WriteHeader call from %s", callerOutside())
		return
	case status < 100 || status > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.inform(status)
		return
	}
	if w.body != nil {
		w.body.stopContinue()
	}
	w.wrote = true
	w.status = int16(status)
	w.bodyless = status < 200 || status == http.StatusNoContent || status == http.StatusNotModified
	b := w.space()
	b.body = b.body[:0]
	b.head = w.appendStatus(b.head[:0])
	if w.header != nil {
		b.head = w.appendFields(b.head)
		return
	}
	var written fieldline.Written
	b.head, written = w.c.head.AppendTo(b.head)
	w.hasType, w.declared = written.Typed, int64(written.Length)
}

// inform sends an informational answer with the headers of now.
func (w *response) inform(status int) {
	if w.old {
		return // HTTP/1.0 has none (RFC 9110 §15.2)
	}
	if body := w.body; body != nil {
		body.continueMu.Lock()
		defer body.continueMu.Unlock()
		if status == http.StatusContinue {
			body.expects.Store(false)
		}
	}
	b := w.c.own()
	b.out = append(b.out, "HTTP/1.1 "...)
	b.out = appendStatusText(b.out, status)
	for _, f := range sortedFields(w.Header(), make([]field, 0, 16)) {
		if f.name != "Content-Length" && f.name != "Transfer-Encoding" && !strings.HasPrefix(f.name, http.TrailerPrefix) {
			b.out = appendField(b.out, f.name, f.values)
		}
	}
	b.out = append(b.out, "\r\n"...)
	w.send(nil)
}

// Write adds content. The status is 200 unless another was chosen.
func (w *response) Write(p []byte) (int, error) {
	if w.hijacked.Load() {
		if len(p) > 0 {
			w.c.server.logf("server: Write on hijacked connection from %s", callerOutside())
		}
		return 0, http.ErrHijacked
	}
	if w.finished.Load() {
		return 0, errFinished
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if w.bodyless {
		return 0, http.ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.declared >= 0 && w.written > w.declared {
		return 0, http.ErrContentLength
	}
	b := w.space()
	if len(b.body)+len(p) <= answerSize {
		b.body = append(b.body, p...)
		return len(p), nil
	}
	if err := w.overflow(b, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString is Write for a string.
func (w *response) WriteString(s string) (int, error) { return w.Write(memory.Bytes(s)) }

// overflow sends content that does not fit the buffer.
func (w *response) overflow(b *buffers, p []byte) error {
	if !w.sent {
		// What the content is, is seen by its first bytes.
		known := len(b.body)
		if known < sniffSize {
			b.body = append(b.body, p[:min(len(p), sniffSize-known)]...)
		}
		w.sendHead(b.body, false)
		b.body = b.body[:known]
	}
	if err := w.emit(b.body); err != nil {
		return err
	}
	b.body = b.body[:0]
	if len(p) < answerSize {
		b.body = append(b.body, p...)
		return nil
	}
	return w.emit(p)
}

// emit sends content, framed.
func (w *response) emit(p []byte) error {
	if w.isHead || len(p) == 0 {
		return w.c.outErr
	}
	b := w.c.own()
	if w.chunked {
		b.out = strconv.AppendInt(b.out, int64(len(p)), 16)
		b.out = append(b.out, "\r\n"...)
	}
	if len(p) > answerSize {
		w.send(p)
	} else {
		b.out = append(b.out, p...)
	}
	if w.chunked {
		b.out = append(b.out, "\r\n"...)
	}
	if len(b.out) >= batchSize {
		w.send(nil)
	}
	return w.c.outErr
}

// send writes what is ready, and then p. A client that cannot be written to has gone.
func (w *response) send(p []byte) {
	w.c.own()
	before := w.c.outErr
	if len(p) > 0 || len(w.c.buffers.out) > 0 {
		w.c.write(p)
	}
	if before == nil && w.c.outErr != nil {
		w.ctx.clientGone()
	}
}

// Flush sends what has been written so far.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *response) FlushError() error {
	switch {
	case w.hijacked.Load():
		return http.ErrHijacked
	case w.finished.Load():
		return errFinished
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	b := w.space()
	if !w.sent {
		w.sendHead(b.body, false)
	}
	if err := w.emit(b.body); err != nil {
		return err
	}
	b.body = b.body[:0]
	w.send(nil)
	return w.c.outErr
}

// finish completes the answer after the handler has returned, and reports whether another request may follow on the
// connection.
func (w *response) finish() bool {
	c := w.c
	w.ctx.end()
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	w.finished.Store(true)
	b := w.space()
	if !w.sent {
		w.sendHead(b.body, true)
	}
	_ = w.emit(b.body) // c.outErr has it
	b.body = b.body[:0]
	if w.chunked {
		w.endChunks()
	}
	again := w.settleBody()
	if w.req.MultipartForm != nil {
		_ = w.req.MultipartForm.RemoveAll() // temporary files; there is nobody to tell
	}
	if c.cutByUser {
		c.cutByUser, c.readKnown = false, false
	}
	if c.writeUser {
		_ = c.flush() // within the handler's deadline; c.outErr has it
		c.writeUser, c.writeKnown = false, false
	}
	if w.declared >= 0 && w.declared != w.written && !w.isHead && !w.bodyless {
		again = false // the client would take what follows for content
	}
	if !again || w.close || c.outErr != nil {
		if c.flush() == nil && (!again || c.r < c.w) {
			c.linger()
		}
		return false
	}
	if len(b.out) >= batchSize {
		return c.flush() == nil
	}
	return true
}

// settleBody ends the request's body and reports whether the connection stands at the next request.
func (w *response) settleBody() bool {
	if w.body == nil {
		return true
	}
	return w.body.part()
}

// abandon ends an answer whose handler panicked: what has not been sent of it is not sent.
func (w *response) abandon() {
	w.ctx.cancel(context.Canceled)
	if w.hijacked.Load() {
		w.finished.Store(true)
		return
	}
	w.ctx.stopWatch()
	w.finished.Store(true)
	if w.body != nil {
		w.body.stopContinue()
		w.body.part()
	}
	if w.sent {
		w.c.own()
	}
}
