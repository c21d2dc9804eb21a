package ishaatest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A network in memory: a listener whose connections are two buffers, one for each
// direction. Unlike net.Pipe it lets a writer go ahead of its reader by as much as
// a socket would, so that a handler which flushes does not wait for the test to
// read, and a test behaves the same over a real socket.

// flowSize is how many bytes a direction holds before its writer waits, about what
// a loopback socket takes.
const flowSize = 64 << 10

// memoryListener accepts the connections that dial makes.
type memoryListener struct {
	addr   *net.TCPAddr // its identity, and what both ends show
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{
		addr:   &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80},
		queue:  make(chan net.Conn),
		closed: make(chan struct{}),
	}
}

// Accept waits for the next connection.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.queue:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; connections that were accepted stay.
func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns the address that the server's ends show as theirs.
func (l *memoryListener) Addr() net.Addr { return l.addr }

func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	client, server := connect(l.addr)
	select {
	case l.queue <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// connect makes the two ends of a connection. What the client still sends after
// the server has closed is lost without an error, as it is on its way through a
// network: the answer that the server sent before can be read.
func connect(addr *net.TCPAddr) (client, server *memoryConn) {
	up, down := newFlow(), newFlow()
	up.forgiving = true
	peer := &net.TCPAddr{IP: addr.IP, Port: 49152}
	client = &memoryConn{in: down, out: up, local: peer, remote: addr}
	server = &memoryConn{in: up, out: down, local: addr, remote: peer}
	return client, server
}

// memoryConn is one end of a connection.
type memoryConn struct {
	in, out       *flow
	local, remote net.Addr
}

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *memoryConn) LocalAddr() net.Addr         { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr        { return c.remote }

// Close lets the other end read what was written, and ends everything else.
func (c *memoryConn) Close() error {
	c.out.end()
	c.in.abandon()
	return nil
}

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.in.limitReads(t)
	c.out.limitWrites(t)
	return nil
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.limitReads(t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.limitWrites(t)
	return nil
}

// flow is one direction of a connection.
type flow struct {
	mu        sync.Mutex
	changed   *sync.Cond
	data      []byte
	ended     bool // the writer has closed: what is left, then io.EOF
	abandoned bool // the reader has closed: nothing is read any more
	forgiving bool // writes after that are lost without an error
	reads     deadline
	writes    deadline
}

func newFlow() *flow {
	f := &flow{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *flow) read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.abandoned:
			return 0, net.ErrClosed
		case f.reads.passed:
			return 0, os.ErrDeadlineExceeded
		case len(f.data) > 0 || len(p) == 0:
			n := copy(p, f.data)
			f.data = f.data[:copy(f.data, f.data[n:])]
			f.changed.Broadcast()
			return n, nil
		case f.ended:
			return 0, io.EOF
		}
		f.changed.Wait()
	}
}

func (f *flow) write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sent := 0
	for {
		switch {
		case f.ended:
			return sent, net.ErrClosed
		case f.writes.passed:
			return sent, os.ErrDeadlineExceeded
		case f.abandoned && f.forgiving:
			return sent + len(p), nil
		case f.abandoned:
			return sent, io.ErrClosedPipe
		}
		n := min(len(p), flowSize-len(f.data))
		f.data = append(f.data, p[:n]...)
		sent, p = sent+n, p[n:]
		if n > 0 {
			f.changed.Broadcast()
		}
		if len(p) == 0 {
			return sent, nil
		}
		f.changed.Wait()
	}
}

// end is the writer's Close.
func (f *flow) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.writes.stop()
	f.changed.Broadcast()
}

// abandon is the reader's Close.
func (f *flow) abandon() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.abandoned = true
	f.data = nil
	f.reads.stop()
	f.changed.Broadcast()
}

func (f *flow) limitReads(t time.Time)  { f.limit(&f.reads, t) }
func (f *flow) limitWrites(t time.Time) { f.limit(&f.writes, t) }

// limit sets a deadline, or with the zero time takes it away.
func (f *flow) limit(d *deadline, t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d.stop()
	d.passed = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.passed = true
		f.changed.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if d.timer == timer { // not replaced in the meantime
			d.passed = true
			f.changed.Broadcast()
		}
	})
	d.timer = timer
}

// deadline is when reads or writes of a flow give up.
type deadline struct {
	timer  *time.Timer
	passed bool
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
