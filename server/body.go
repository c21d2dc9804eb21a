package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// body is the body of a request. It may be read by another goroutine than the handler's, and by one that outlives the
// handler: that gets an error, and nothing of the requests that follow.
type body struct {
	mu      sync.Mutex
	c       *conn // nil once the handler has returned
	w       *response
	left    int64 // of the body, or of the chunk
	chunked bool
	excess  int64 // how much of the body is not content
	err     error // io.EOF at its end
	closed  bool

	continueMu sync.Mutex
	expects    atomic.Bool // the client waits for "100 Continue"
}

const (
	maxChunkLine = 4 << 10
	maxExcess    = 16 << 10
	maxTrailer   = 16 << 10
)

var (
	errChunk       = errors.New("server: malformed chunk")
	errChunkLine   = errors.New("server: the line of a chunk is too long")
	errChunkExcess = errors.New("server: the chunks carry too little content")
	errTrailer     = errors.New("server: malformed trailer")
	errBodyTaken   = errors.New("server: the body is being read elsewhere")
)

// Read reads content. After the last byte it returns io.EOF, and the request has its trailers.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p)
}

// Close ends the reading. What is left is read over when the answer is sent.
func (b *body) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return nil
}

// read is Read with the mutex held, also after Close.
func (b *body) read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if b.c == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	b.sendContinue()
	if b.chunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, b.fail(err)
		}
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	if n, err = b.c.readBody(p); err != nil {
		return 0, b.fail(err)
	}
	b.left -= int64(n)
	if b.left > 0 {
		return n, nil
	}
	if b.chunked {
		// The line that ends the chunk, and the next chunk's if it has come too: so the end is found with the last content.
		if err := b.endChunk(); err != nil {
			return n, b.fail(err)
		}
		if !b.c.lineBuffered() {
			return n, nil
		}
		if err := b.nextChunk(); err != nil {
			return n, b.fail(err)
		}
		return n, nil
	}
	return n, b.fail(io.EOF)
}

// fail keeps the error for all who read on.
func (b *body) fail(err error) error {
	b.err = err
	if errors.Is(err, io.EOF) {
		b.w.ctx.bodyRead()
	}
	return err
}

// sendContinue tells a client that waits that its body is wanted (RFC 9110 §10.1.1).
func (b *body) sendContinue() {
	if !b.expects.Load() {
		return
	}
	b.continueMu.Lock()
	defer b.continueMu.Unlock()
	if !b.expects.Swap(false) || b.w.answering {
		return
	}
	b.c.deadlineWrite()
	if _, err := io.WriteString(b.c.rwc, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
		b.c.outErr = err
	}
}

// stopContinue is called before the answer begins: it is too late for "100 Continue" then.
func (b *body) stopContinue() {
	b.continueMu.Lock()
	b.w.answering = true
	b.continueMu.Unlock()
}

// nextChunk reads the line of a chunk, and what follows the last.
func (b *body) nextChunk() error {
	line, err := b.c.readLine()
	if err != nil {
		return err
	}
	size, ok := parseChunkLine(line)
	if !ok {
		return errChunk
	}
	// A chunk is charged for its line, and is given some bytes and twice its content.
	if b.excess = max(0, b.excess+int64(len(line))+2-16-2*size); b.excess > maxExcess {
		return errChunkExcess
	}
	if size == 0 {
		if err := b.readTrailer(); err != nil {
			return err
		}
		return io.EOF
	}
	b.left = size
	return nil
}

// endChunk reads the line end behind a chunk's content.
func (b *body) endChunk() error {
	line, err := b.c.readLine()
	if err != nil {
		return err
	}
	if len(line) > 0 {
		return errChunk
	}
	return nil
}

// readTrailer reads the header lines behind the last chunk.
func (b *body) readTrailer() error {
	size := 0
	for {
		line, err := b.c.readLine()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if size += len(line) + 2; size > maxTrailer {
			return errTrailer
		}
		text := string(line)
		colon := strings.IndexByte(text, ':')
		if colon < 0 {
			return errTrailer
		}
		name, id, ok := canonicalName(text[:colon])
		value := trimSpace(text[colon+1:])
		if !ok || !validValue(value) || !allowedTrailer(id) {
			return errTrailer
		}
		req := b.w.req
		if req.Trailer == nil {
			req.Trailer = http.Header{}
		}
		req.Trailer[name] = append(req.Trailer[name], value)
	}
}

// discard reads over what the handler left, as far as that is worth it, and ends the body. It reports whether the
// connection stands at the next request.
func (b *body) discard() bool {
	if !b.mu.TryLock() {
		return false // a goroutine of the handler waits for it
	}
	defer b.mu.Unlock()
	b.closed = true
	if b.err != nil {
		return errors.Is(b.err, io.EOF)
	}
	if b.c == nil || b.expects.Load() || !b.chunked && b.left > maxDiscard {
		return false
	}
	c := b.c
	c.discardBy = time.Now().Add(discardTime)
	if d := c.server.ReadTimeout; d > 0 && c.headAt.Add(d).Before(c.discardBy) {
		c.discardBy = c.headAt.Add(d)
	}
	defer func() { c.discardBy = time.Time{} }()
	var waste [2 << 10]byte
	for read := 0; read <= maxDiscard; {
		n, err := b.read(waste[:])
		read += n
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
	return false
}

// part takes the connection away from a body whose request has been answered. A goroutine that still waits for it is woken.
// It reports whether the connection stands at the next request.
func (b *body) part() bool {
	if !b.mu.TryLock() {
		_ = b.c.rwc.SetReadDeadline(past) // it only fails on a closed connection
		b.c.readKnown = false
		b.mu.Lock()
		if b.err == nil {
			b.err = errBodyTaken
		}
	}
	defer b.mu.Unlock()
	b.closed = true
	b.c = nil
	return errors.Is(b.err, io.EOF)
}

// readBody reads content, from the buffer first.
func (c *conn) readBody(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.in[c.r:c.w])
		c.r += n
		return n, nil
	}
	c.deadlineBody()
	if len(p) >= readSize {
		n, err := c.rwc.Read(p)
		if n > 0 {
			return n, nil
		}
		return 0, noEOF(err)
	}
	c.r, c.w = 0, 0
	if err := c.fill(); err != nil {
		return 0, noEOF(err)
	}
	n := copy(p, c.in[:c.w])
	c.r = n
	return n, nil
}

// noEOF tells a connection that ends within a body from the body's end.
func noEOF(err error) error {
	if err == nil {
		return io.ErrNoProgress
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lineBuffered reports whether a whole line has been read.
func (c *conn) lineBuffered() bool { return bytes.IndexByte(c.in[c.r:c.w], '\n') >= 0 }

// readLine returns the next line without its end, which has to be CR LF. It is good until the next read.
func (c *conn) readLine() ([]byte, error) {
	for from := 0; ; {
		if i := bytes.IndexByte(c.in[c.r+from:c.w], '\n'); i >= 0 {
			end := c.r + from + i
			line := c.in[c.r:end]
			c.r = end + 1
			if len(line) == 0 || line[len(line)-1] != '\r' || len(line) > maxChunkLine {
				return nil, errChunk
			}
			return line[:len(line)-1], nil
		}
		from = c.w - c.r
		if from >= maxChunkLine || from == len(c.in) {
			return nil, errChunkLine
		}
		if c.w == len(c.in) {
			c.compact()
		}
		c.deadlineBody()
		if err := c.fill(); err != nil {
			return nil, noEOF(err)
		}
	}
}
