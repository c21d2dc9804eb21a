package ishaa

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
)

// sending is how the writing of an answer went.
type sending struct {
	status int
	bytes  int64
	failed bool
}

// send writes the answer: status, headers and body, once.
func (r *Request) send(res *Response) sending {
	if res.status == 0 {
		res.status = http.StatusOK
	}
	if r.shadow {
		return sending{status: res.status}
	}
	switch res.body.kind {
	case bodyServe:
		return r.sendServed(res)
	case bodyStream:
		return r.sendStream(res)
	}
	return r.sendBytes(res)
}

// bodyAllowed reports whether an answer of this status has a body (RFC 9110 §6.4.1).
func bodyAllowed(status int) bool { return status >= 200 && status != 204 && status != 304 }

func (r *Request) sendBytes(res *Response) sending {
	defer res.body.release()
	header := res.Header()
	if !bodyAllowed(res.status) {
		delete(header, "Content-Length")
		delete(header, "Content-Type")
		r.taken = true
		r.writer.WriteHeader(res.status)
		return sending{status: res.status}
	}
	size := len(res.body.bytes) + len(res.body.text)
	if len(res.filters) > 0 && size > 0 {
		filtered, err := res.filtered()
		if err != nil {
			r.logFailure(err)
			panic(http.ErrAbortHandler)
		}
		defer filtered.free()
		res.body.bytes, res.body.text, size = filtered.data, "", len(filtered.data)
	}
	header["Content-Length"] = lengthValue(size)
	r.taken = true
	r.writer.WriteHeader(res.status)
	if r.raw.Method == http.MethodHead || size == 0 {
		return sending{status: res.status}
	}
	var n int
	var err error
	if res.body.text != "" {
		n, err = io.WriteString(r.writer, res.body.text)
	} else {
		n, err = r.writer.Write(res.body.bytes)
	}
	return sending{status: res.status, bytes: int64(n), failed: err != nil}
}

// filtered runs a body in memory through the answer's filters.
func (res *Response) filtered() (*buffer, error) {
	buf := newBuffer()
	out, closers := wrapFilters(buf, res.filters)
	_, err := io.WriteString(out, res.body.text)
	if err == nil {
		_, err = out.Write(res.body.bytes)
	}
	for _, closer := range closers {
		err = errors.Join(err, closer.Close())
	}
	if err != nil {
		buf.free()
		return nil, err
	}
	return buf, nil
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
	out := &countingWriter{ResponseWriter: r.writer, status: res.status}
	sent.status = res.status
	defer func() {
		if err := r.closeDependencies(nil, false); err != nil {
			r.logFailure(err)
		}
		sent.bytes = out.bytes
		r.cut = sending{sent.status, sent.bytes, true}
	}()
	r.taken = true
	delete(res.Header(), "Content-Length")
	r.writer.WriteHeader(res.status)
	if r.raw.Method == http.MethodHead || !bodyAllowed(res.status) {
		return sent
	}
	w := &StreamWriter{r: r, control: http.NewResponseController(r.writer)}
	w.out, w.filters = wrapFilters(out, res.filters)
	err := res.body.stream(w)
	if err == nil {
		err = w.close()
	}
	if err != nil {
		sent.failed = true
		if r.ctx.Err() == nil && w.err == nil {
			r.logFailure(err) // not the client's going away: ours
		}
		panic(http.ErrAbortHandler) // never let a part pass for the whole
	}
	return sent
}

// close ends the filters, which may hold the last bytes.
func (w *StreamWriter) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, filter := range w.filters {
		if w.err == nil {
			w.err = filter.Close()
		}
	}
	if w.err == nil {
		// What is left of the time for writing is the server's business again.
		_ = w.control.SetWriteDeadline(noDeadline)
	}
	return w.err
}

func (r *Request) sendServed(res *Response) (sent sending) {
	out := &countingWriter{ResponseWriter: r.writer}
	defer func() {
		if err := r.closeDependencies(nil, false); err != nil {
			r.logFailure(err)
		}
		if out.status != 0 {
			r.cut = sending{out.status, out.bytes, true}
		}
	}()
	r.taken = true
	res.body.serve(out, r.http())
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
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// ReadFrom keeps sendfile possible.
func (w *countingWriter) ReadFrom(src io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := io.Copy(w.ResponseWriter, src)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is for code that asks for http.Flusher instead of a ResponseController.
func (w *countingWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Hijack is for code that asks for http.Hijacker instead of a ResponseController.
func (w *countingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}
