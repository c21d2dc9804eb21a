package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// This file is what http.ResponseController, io.Copy and upgrades ask of a ResponseWriter.

// SetReadDeadline limits the wait for the request's body from here on. A deadline that is over ends the request's context, as
// a client that is gone does.
func (w *response) SetReadDeadline(t time.Time) error {
	if w.finished.Load() {
		return errFinished
	}
	w.ctx.mu.Lock()
	defer w.ctx.mu.Unlock()
	w.c.cutByUser = true
	return w.c.rwc.SetReadDeadline(t)
}

// SetWriteDeadline limits the wait for a client that does not read, for this answer.
func (w *response) SetWriteDeadline(t time.Time) error {
	if w.finished.Load() {
		return errFinished
	}
	w.c.outMu.Lock()
	defer w.c.outMu.Unlock()
	w.c.writeUser = true
	return w.c.rwc.SetWriteDeadline(t)
}

// EnableFullDuplex lets the handler read the request while it writes the answer.
func (w *response) EnableFullDuplex() error {
	w.fullDuplex.Store(true)
	return nil
}

// CloseNotify is for code older than contexts.
func (w *response) CloseNotify() <-chan bool {
	x := w.ctx
	x.mu.Lock()
	defer x.mu.Unlock()
	x.want()
	if x.asked == nil { // the handler has returned
		return make(chan bool)
	}
	if x.asked.notify == nil {
		x.asked.notify = make(chan bool, 1)
		if x.gone {
			x.asked.notify <- true
		}
	}
	return x.asked.notify
}

// Hijack gives the connection to the handler, with what has been read of it. Content that was written and not flushed is
// lost, as it is with net/http.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if w.finished.Load() {
		return nil, nil, errors.New("server: Hijack after the handler returned")
	}
	if w.hijacked.Load() {
		return nil, nil, http.ErrHijacked
	}
	c := w.c
	if w.body != nil {
		w.body.stopContinue()
		w.body.part()
	}
	w.ctx.stopWatch()
	if w.wrote && !w.sent {
		w.sendHead(nil, false)
	}
	if err := c.flush(); err != nil {
		return nil, nil, err
	}
	if err := c.rwc.SetDeadline(time.Time{}); err != nil {
		return nil, nil, err
	}
	w.hijacked.Store(true)
	c.state.Store(stateHijacked)
	rest := append([]byte(nil), c.in[c.r:c.w]...)
	c.releaseRead()
	c.releaseBuffers()
	source := &unread{rest: rest, rwc: c.rwc}
	reader := bufio.NewReaderSize(source, max(readSize, len(rest)))
	if _, err := reader.Peek(len(rest)); err != nil { // reader.Buffered has it from now on
		return nil, nil, err
	}
	c.server.forget(c)
	c.server.stateChanged(c.rwc, http.StateHijacked)
	return c.rwc, bufio.NewReadWriter(reader, bufio.NewWriterSize(c.rwc, readSize)), nil
}

// unread gives what was read before the connection was taken over, and then the connection.
type unread struct {
	rest []byte
	rwc  net.Conn
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.rest) > 0 {
		n := copy(p, u.rest)
		u.rest = u.rest[n:]
		return n, nil
	}
	return u.rwc.Read(p)
}

// ReadFrom copies content from a reader: files by sendfile, where the answer's length is known and nothing encodes it.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	if w.hijacked.Load() || w.finished.Load() {
		_, err := w.Write(nil)
		return 0, err
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sent && !w.hasType && !w.encoded && !w.bodyless && len(w.space().body) < sniffSize {
		if n, err = w.copyAtMost(src, sniffSize-int64(len(w.space().body))); err != nil || n == 0 {
			return n, noErrorAtEnd(err)
		}
	}
	tcp, ok := w.c.rwc.(*net.TCPConn)
	if !ok || w.declared < 0 || w.isHead || w.bodyless || !isFile(src) {
		m, err := w.copyAtMost(src, -1)
		return n + m, noErrorAtEnd(err)
	}
	if err := w.FlushError(); err != nil {
		return n, err
	}
	m, err := w.sendFile(tcp, src)
	return n + m, err
}

func isFile(src io.Reader) bool {
	if limited, ok := src.(*io.LimitedReader); ok {
		src = limited.R
	}
	_, ok := src.(*os.File)
	return ok
}

// sendFile has the kernel copy, no more than was declared.
func (w *response) sendFile(tcp *net.TCPConn, src io.Reader) (int64, error) {
	left := w.declared - w.written
	limited, ok := src.(*io.LimitedReader)
	over := false
	if !ok || limited.N > left {
		if ok {
			src = limited.R
		}
		over = true
		limited = &io.LimitedReader{R: src, N: left}
	}
	w.c.deadlineWrite()
	n, err := tcp.ReadFrom(limited)
	w.written += n
	if err != nil {
		w.c.outErr = err
		w.ctx.clientGone()
		return n, err
	}
	if over && w.written == w.declared {
		var one [1]byte
		if more, _ := src.Read(one[:]); more > 0 {
			return n, http.ErrContentLength
		}
	}
	return n, nil
}

// copyAtMost copies by reading and writing; a negative limit is none.
func (w *response) copyAtMost(src io.Reader, limit int64) (n int64, err error) {
	buf := copyPool.Get().(*[copySize]byte)
	defer copyPool.Put(buf)
	for limit < 0 || n < limit {
		p := buf[:]
		if limit >= 0 {
			p = p[:min(copySize, limit-n)]
		}
		m, err := src.Read(p)
		if m > 0 {
			written, err := w.Write(p[:m])
			n += int64(written)
			if err != nil {
				return n, err
			}
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func noErrorAtEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// callerOutside is where the handler's code called, for the log.
func callerOutside() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "github.com/ishaa-framework/ishaa/server.(*response)") {
			return frame.Function + " (" + frame.File[strings.LastIndexByte(frame.File, '/')+1:] + ":" + strconv.Itoa(frame.Line) + ")"
		}
		if !more {
			return "unknown"
		}
	}
}
