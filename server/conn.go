package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
)

const (
	readSize   = 4 << 10  // of a connection's read buffer, which grows for a head that needs it
	answerSize = 4 << 10  // how long an answer may get before it is sent in chunks
	batchSize  = 16 << 10 // how much is held back for pipelined requests
	holdTime   = 5 * time.Millisecond
	lingerTime = 500 * time.Millisecond
	// How long the answer waits for the rest of a body that the handler does not want. Behind it the connection is closed
	// after the answer, which costs the client a new one.
	discardTime = 100 * time.Millisecond
	maxDiscard  = 256 << 10 // of a body that no handler reads, to keep the connection
)

// The states of a connection.
const (
	stateNew int32 = iota
	stateActive
	stateIdle
	stateClosing  // by Shutdown, while it was idle
	stateHijacked // or handed to another protocol
)

// conn is a connection. Its goroutine owns everything but what says otherwise.
type conn struct {
	server *Server
	rwc    net.Conn
	socket *socket         // rwc's, when it is one
	base   context.Context // of its requests
	remote string
	tls    *tls.ConnectionState
	since  time.Time // when it was accepted
	state  atomic.Int32

	in        []byte // what was read: in[r:w] is not used yet
	r, w      int
	inErr     error     // of the watch's reading
	readBy    time.Time // the deadline on the socket, zero for none
	readKnown bool      // readBy is what the socket has
	headAt    time.Time // when the request's head had come; zero when no timeout needs to know
	discardBy time.Time // until when a body that nobody wants may come
	cutByUser bool      // the handler has set a read deadline

	buffers    *buffers
	outMu      sync.Mutex  // guards buffers.out while held
	held       bool        // buffers.out is whole answers, and the timer may send them
	holding    bool        // the owner's note that held may be true
	timed      bool        // the timer is running; with outMu
	hold       *time.Timer // sends what is held back too long
	outErr     error
	writeBy    time.Time
	writeKnown bool
	writeUser  bool // the handler has set a write deadline
	fields     framingFields
	head       fieldline.Head // of the answer, while it has no map of headers
	aborting   atomic.Bool
}

// buffers are used while a connection has requests, and go to another while it waits for one.
type buffers struct {
	out  []byte // answers, to be written
	head []byte // status line and headers of the answer being made
	body []byte // its content so far
	iov  net.Buffers
}

var (
	bufferPool = sync.Pool{New: func() any {
		return &buffers{out: make([]byte, 0, answerSize), head: make([]byte, 0, 1<<10), body: make([]byte, 0, answerSize)}
	}}
	readPool = sync.Pool{New: func() any { return new([readSize]byte) }}
)

func newReadBuffer() []byte { return readPool.Get().(*[readSize]byte)[:] }

// freeReadBuffer takes a read buffer back, unless it has grown.
func freeReadBuffer(in []byte) {
	if len(in) == readSize {
		readPool.Put((*[readSize]byte)(in))
	}
}

// serve answers the requests of the connection until it is closed.
func (c *conn) serve() {
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler { //nolint:errorlint // a value, as net/http compares it
			stack := make([]byte, 64<<10)
			stack = stack[:runtime.Stack(stack, false)]
			c.server.logf("server: panic serving %s: %v\n%s", c.remote, cause, stack)
		}
		c.close()
	}()
	if addr := c.rwc.RemoteAddr(); addr != nil {
		c.remote = addr.String()
	}
	c.base = context.WithValue(c.base, http.LocalAddrContextKey, c.rwc.LocalAddr())
	if c.negotiate() {
		return
	}
	c.socket = newSocket(c.rwc)
	for c.serveNext() {
	}
}

// close ends the connection, unless it belongs to somebody else now.
func (c *conn) close() {
	if c.state.Load() == stateHijacked {
		c.server.forget(c)
		return
	}
	_ = c.flush() // whole answers before the one that failed; nobody is left to be told of an error
	c.rwc.Close()
	c.releaseBuffers()
	c.releaseRead()
	c.server.forget(c)
	c.server.stateChanged(c.rwc, http.StateClosed)
}

// serveNext answers one request and reports whether another may follow.
func (c *conn) serveNext() bool {
	end, err := c.readHead()
	if err != nil {
		c.refuse(err)
		return false
	}
	x := &exchange{}
	x.ctx.parent, x.ctx.c = c.base, c
	var head headOf
	f := parseHead(&head, &x.url, x.values[:0], string(c.in[c.r:end]))
	c.r = end
	if f == nil && head.expectsElse && !head.expects {
		f = faultExpectation
	}
	if f != nil {
		c.refuse(f)
		return false
	}
	if c.server.timed {
		c.headAt = time.Now()
	}
	x.response.begin(c, x, &head)
	return c.answer(&x.response, x)
}

// answer runs the handler and sends what it did not send itself.
func (c *conn) answer(w *response, x *exchange) (again bool) {
	returned := false
	defer func() {
		if !returned {
			w.abandon()
		}
	}()
	c.holdBack()
	c.server.handle(w, w.req)
	returned = true
	if w.hijacked.Load() {
		w.finished.Store(true)
		x.ctx.end()
		return false
	}
	return w.finish()
}

// exchange is what a request and its answer need, in one piece. It is never used again.
type exchange struct {
	response response
	request  http.Request
	ctx      requestContext
	url      url.URL
	values   [fewFields]string
}

// readHead returns where the next request's head ends in c.in. Answers are sent before it waits for the client.
func (c *conn) readHead() (end int, err error) {
	scan := headScan{line: c.r, next: c.r}
	started := c.w > c.r
	waited := false
	limit := c.server.maxHead()
	for {
		if started {
			if started = c.skipEmptyLine(&scan); !started {
				continue
			}
			end, f := scan.find(c.in[:c.w])
			if f != nil {
				return 0, f
			}
			if end > 0 && end-c.r <= limit {
				return end, nil
			}
			if end > 0 || c.w-c.r > limit {
				return 0, faultHeadTooLarge
			}
		}
		if err := c.flush(); err != nil {
			return 0, err
		}
		if !started {
			err = c.awaitRequest()
		} else {
			c.makeRoom(&scan, limit)
			if !waited {
				waited = true
				c.deadlineHead()
			}
			err = c.fill()
		}
		if err != nil {
			if started && errors.Is(err, io.EOF) {
				return 0, faultIncomplete
			}
			return 0, err
		}
		if !started {
			scan = headScan{line: c.r, next: c.r, empty: scan.empty}
			started = true
		}
	}
}

// skipEmptyLine passes over one empty line before a request, which old clients send after a body (RFC 9112 §2.2). It
// reports whether anything is behind it.
func (c *conn) skipEmptyLine(scan *headScan) bool {
	if !scan.empty && c.w-c.r >= 2 && c.in[c.r] == '\r' && c.in[c.r+1] == '\n' {
		c.r += 2
		*scan = headScan{line: c.r, next: c.r, empty: true}
	}
	return c.r < c.w
}

// awaitRequest waits for the first bytes of a request.
func (c *conn) awaitRequest() error {
	if c.inErr != nil {
		return c.inErr
	}
	c.r, c.w = 0, 0
	first := c.state.Load() == stateNew
	if !first {
		c.releaseBuffers()
		c.head.Reset(nil) // it would keep the last answer in memory
		c.setState(stateIdle, http.StateIdle)
		if !c.server.keepsAlive() {
			return io.EOF
		}
		c.deadlineIdle()
	} else {
		c.deadlineHead()
	}
	if err := c.awaitInput(); err != nil {
		return err
	}
	before := stateIdle
	if first {
		before = stateNew
	}
	if !c.state.CompareAndSwap(before, stateActive) {
		return http.ErrServerClosed // Shutdown was first
	}
	c.server.stateChanged(c.rwc, http.StateActive)
	return nil
}

// awaitInput waits for the client to send something, and reads it.
func (c *conn) awaitInput() (err error) {
	if c.socket != nil {
		c.releaseRead()
		c.in, c.w, err = c.socket.awaitInput()
		return err
	}
	if c.in == nil {
		c.in = newReadBuffer()
	}
	if c.w, err = c.rwc.Read(c.in); c.w > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// fill reads more of what a request needs.
func (c *conn) fill() error {
	if c.inErr != nil {
		return c.inErr
	}
	n, err := c.rwc.Read(c.in[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// makeRoom makes sure that something can be read behind a head that is not whole.
func (c *conn) makeRoom(scan *headScan, limit int) {
	if c.w < len(c.in) {
		return
	}
	if c.r > 0 {
		copy(c.in, c.in[c.r:c.w])
		scan.line -= c.r
		scan.next -= c.r
		c.r, c.w = 0, c.w-c.r
		return
	}
	bigger := make([]byte, min(2*len(c.in), limit+1+readSize))
	copy(bigger, c.in[:c.w])
	c.releaseRead()
	c.in = bigger
}

// compact makes room in a read buffer from which nothing is cut that is still needed.
func (c *conn) compact() {
	if c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
}

func (c *conn) releaseRead() {
	freeReadBuffer(c.in)
	c.in = nil
}

func (c *conn) releaseBuffers() {
	if b := c.buffers; b != nil && !c.holding && len(b.out) == 0 {
		c.buffers = nil
		if cap(b.out) <= 2*batchSize && cap(b.head) <= batchSize && cap(b.body) <= batchSize {
			b.out, b.head, b.body = b.out[:0], b.head[:0], b.body[:0]
			bufferPool.Put(b)
		}
	}
}

// setState tells the hook, and Shutdown.
func (c *conn) setState(state int32, shown http.ConnState) {
	c.state.Store(state)
	c.server.stateChanged(c.rwc, shown)
}

// refuse answers what is no request that any handler should see, if it is worth an answer.
func (c *conn) refuse(err error) {
	var f *fault
	if !errors.As(err, &f) {
		return // the client has gone, or is too slow
	}
	if c.own().out = append(c.own().out, f.answer()...); c.flush() == nil {
		c.linger()
	}
}

// linger closes the sending side and reads on for a moment: a connection that is closed with bytes unread is reset, and a
// client that is still sending may never see the answer (RFC 9112 §9.6).
func (c *conn) linger() {
	half, ok := c.rwc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if c.rwc.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	if c.in == nil {
		c.in = newReadBuffer()
	}
	for read := 0; read < maxDiscard; {
		n, err := c.rwc.Read(c.in)
		if err != nil {
			return
		}
		read += n
	}
}

const copySize = 32 << 10

var copyPool = sync.Pool{New: func() any { return new([copySize]byte) }}
