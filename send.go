package ishaa

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// sending is how the writing of an answer went.
type sending struct {
	status int
	bytes  int64
	failed bool
}

// send writes the answer: status, headers and body, once.
func (r *Request) send(res *Response) sending {
	r.settle(res)
	if r.shadow {
		return sending{status: res.Status()}
	}
	switch res.body.kind {
	case bodyServe:
		return r.sendServed(res)
	case bodyStream:
		return r.sendStream(res)
	}
	return r.sendBytes(res)
}

// settle makes an answer fit to be sent: one that was built wrong, be it by the
// last After hook, becomes an error's.
func (r *Request) settle(res *Response) {
	if res.status == 0 {
		res.status = http.StatusOK
	}
	err := res.mistake()
	if err == nil {
		err = res.filter()
	}
	if err != nil {
		r.answerError(res, err)
		if err := res.mistake(); err != nil { // an error handler's
			r.logFailure(err)
			res.clearBody()
			res.status = http.StatusInternalServerError
		}
	}
	if res.open() {
		if cookies := res.header["Set-Cookie"]; len(cookies) > 0 && r.scheme() == "https" {
			res.header["Set-Cookie"] = secureCookies(cookies)
		}
	}
}

// mistake is what is wrong with an answer as a whole.
func (res *Response) mistake() error {
	if res.failure() == nil && (res.status < 200 || res.status > 599) {
		return fmt.Errorf("the answer's status is %d; give one from 200 to 599", res.status)
	}
	return res.failure()
}

// secureCookies adds Secure to the cookies that are without it.
func secureCookies(cookies []string) []string {
	list := make([]string, len(cookies))
	for i, cookie := range cookies {
		list[i] = cookie
		if !isSecureCookie(cookie) {
			list[i] += "; Secure"
		}
	}
	return list
}

func isSecureCookie(cookie string) bool {
	for attribute := range strings.SplitSeq(cookie, ";") {
		if strings.EqualFold(strings.TrimSpace(attribute), "Secure") {
			return true
		}
	}
	return false
}

// bodyAllowed reports whether an answer of this status has a body (RFC 9110 §6.4.1).
func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }

func (r *Request) sendBytes(res *Response) sending {
	defer res.body.release()
	if res.header == nil && res.head != nil && r.sendable(res) {
		r.taken = true
		r.writer.WriteHeader(res.Status())
		return r.sendBody(res)
	}
	open := res.open()
	header := res.headers()
	if !bodyAllowed(res.Status()) {
		delete(header, "Content-Length")
		delete(header, "Content-Type")
		r.taken = true
		r.writer.WriteHeader(res.Status())
		return sending{status: res.Status()}
	}
	size := len(res.body.data)
	if size > autoLength || r.raw.Method == http.MethodHead {
		header["Content-Length"] = lengthValue(size)
	} else if open {
		delete(header, "Content-Length")
	}
	r.taken = true
	r.writer.WriteHeader(res.Status())
	return r.sendBody(res)
}

// sendable adds what belongs to the body to the answer's fields, and reports whether that could be done without the map.
func (r *Request) sendable(res *Response) bool {
	if !bodyAllowed(res.Status()) {
		return true
	}
	if lines := typeLines[res.madeType]; res.madeType != madeNone && !res.head.Add(lines) {
		return false
	}
	res.madeType = madeNone
	size := len(res.body.data)
	return size <= autoLength && r.raw.Method != http.MethodHead || res.head.SetLength(size)
}

// sendBody writes a body that is in memory.
func (r *Request) sendBody(res *Response) sending {
	if r.raw.Method == http.MethodHead || len(res.body.data) == 0 || !bodyAllowed(res.Status()) {
		return sending{status: res.Status()}
	}
	var n int
	var err error
	if res.body.kind == bodyText {
		n, err = io.WriteString(r.writer, res.body.data)
	} else {
		n, err = r.writer.Write(memory.Bytes(res.body.data))
	}
	return sending{status: res.Status(), bytes: int64(n), failed: err != nil}
}

// wrapFilters returns the writer closest to the body, and the filters in the
// order in which to close them.
func wrapFilters(out io.Writer, filters []func(io.Writer) io.WriteCloser) (io.Writer, []io.WriteCloser) {
	closers := make([]io.WriteCloser, 0, len(filters))
	for _, wrap := range filters {
		wrapped := wrap(out)
		closers = append([]io.WriteCloser{wrapped}, closers...)
		out = wrapped
	}
	return out, closers
}

// autoLength is up to what size of a body the length is left to the server, which
// adds it by itself to an answer that is written at once (http.ResponseWriter).
const autoLength = 1024

// Content-Length values are strings in a slice; the small ones are made once.
var lengthValues [4096]atomic.Pointer[[]string]

func lengthValue(size int) []string {
	if size < len(lengthValues) {
		if value := lengthValues[size].Load(); value != nil {
			return *value
		}
	}
	value := []string{strconv.Itoa(size)}
	if size < len(lengthValues) {
		lengthValues[size].Store(&value)
	}
	return value
}

func (r *Request) sendStream(res *Response) (sent sending) {
	out := &countingWriter{ResponseWriter: r.writer, status: res.Status()}
	sent.status = res.Status()
	defer func() {
		if err := r.closeDependencies(nil, false); err != nil {
			r.logFailure(err)
		}
		if sent.bytes = out.bytes; sent.failed {
			r.more().cut = &sent
		}
	}()
	r.taken = true
	delete(res.Header(), "Content-Length")
	if !bodyAllowed(res.Status()) {
		delete(res.header, "Content-Type")
	}
	r.writer.WriteHeader(res.Status())
	if r.raw.Method == http.MethodHead || !bodyAllowed(res.Status()) {
		return sent
	}
	sent.failed = true // until the last byte is out
	w := &StreamWriter{r: r, control: http.NewResponseController(r.writer)}
	w.out, w.filters = wrapFilters(out, res.filters())
	defer w.end()
	err := res.body.content.(streamFunc)(w)
	if err == nil {
		err = w.close()
	}
	if err != nil {
		if r.parent().Err() == nil && !out.failed.Load() {
			r.logFailure(err) // not the client's going away: ours
		}
		panic(http.ErrAbortHandler) // never let a part pass for the whole
	}
	sent.failed = false
	return sent
}

func (r *Request) sendServed(res *Response) (sent sending) {
	out := &countingWriter{ResponseWriter: r.writer, taken: &r.taken}
	served := false
	defer func() {
		if err := r.closeDependencies(nil, false); err != nil {
			r.logFailure(err)
		}
		if !served && out.status != 0 {
			r.more().cut = &sending{out.status, out.bytes, true}
		}
	}()
	res.body.content.(http.HandlerFunc)(out, r.http())
	served = true
	if out.status == 0 {
		out.status = http.StatusOK
	}
	return sending{status: out.status, bytes: out.bytes}
}

// countingWriter sees what a net/http handler or a stream writes.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
	failed atomic.Bool // a write did
	taken  *bool       // set once the client gets anything: until then a panic can still be answered
}

// begin notes the status that is on its way to the client.
func (w *countingWriter) begin(status int) {
	if w.status == 0 {
		w.status = status
	}
	if w.taken != nil {
		*w.taken = true
	}
}

func (w *countingWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.begin(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.begin(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	if err != nil {
		w.failed.Store(true)
	}
	return n, err
}

// ReadFrom keeps sendfile possible.
func (w *countingWriter) ReadFrom(src io.Reader) (int64, error) {
	w.begin(http.StatusOK)
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// FlushError is for http.ResponseController.
func (w *countingWriter) FlushError() error {
	w.begin(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is for code that asks for http.Flusher instead of a ResponseController.
func (w *countingWriter) Flush() { _ = w.FlushError() }

// Hijack is for code that asks for http.Hijacker instead of a ResponseController.
func (w *countingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.begin(http.StatusSwitchingProtocols)
	}
	return conn, rw, err
}
