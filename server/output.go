package server

import (
	"net"
	"time"
)

// Answers to pipelined requests are written together. One that is ready is held back while the next request, which has come
// already, is being answered, but not for long: a timer sends it when the next takes its time. So both the connection's
// goroutine and the timer's may send, and who holds the mutex decides.

// own gives the connection's goroutine the buffers.
func (c *conn) own() *buffers {
	if c.holding {
		c.holding = false
		c.outMu.Lock()
		c.held = false
		c.outMu.Unlock()
	}
	if c.buffers == nil {
		c.buffers = bufferPool.Get().(*buffers)
	}
	return c.buffers
}

// holdBack leaves whole answers to the timer while a handler runs.
func (c *conn) holdBack() {
	if c.buffers == nil || len(c.buffers.out) == 0 {
		return
	}
	c.outMu.Lock()
	c.held = true
	timed := c.timed
	c.timed = true
	c.outMu.Unlock()
	c.holding = true
	if c.hold == nil {
		c.hold = time.AfterFunc(holdTime, c.sendHeld)
	} else if !timed {
		c.hold.Reset(holdTime)
	}
}

func (c *conn) sendHeld() {
	c.outMu.Lock()
	defer c.outMu.Unlock()
	c.timed = false
	if c.held && len(c.buffers.out) > 0 {
		c.write(nil)
	}
}

// flush sends all that is ready.
func (c *conn) flush() error {
	if c.buffers == nil {
		return c.outErr
	}
	if c.own(); len(c.buffers.out) > 0 {
		c.write(nil)
	}
	return c.outErr
}

// write sends what is ready and then p, which may be empty. Only who owns the buffers may call it.
func (c *conn) write(p []byte) {
	b := c.buffers
	if c.outErr == nil {
		c.deadlineWrite()
		switch {
		case len(p) == 0:
			c.outErr = c.writeOne(b.out)
		case len(b.out) == 0:
			c.outErr = c.writeOne(p)
		default:
			c.writeBoth(b, p)
		}
	}
	b.out = b.out[:0]
}

func (c *conn) writeOne(p []byte) (err error) {
	if c.socket != nil && len(p) <= 2*batchSize { // what takes longer to copy is for a call that the scheduler knows of
		return c.socket.write(p)
	}
	_, err = c.rwc.Write(p)
	return err
}

// writeBoth sends two pieces with one system call where it can.
func (c *conn) writeBoth(b *buffers, p []byte) {
	if _, plain := c.rwc.(*net.TCPConn); !plain {
		if _, c.outErr = c.rwc.Write(b.out); c.outErr == nil {
			_, c.outErr = c.rwc.Write(p)
		}
		return
	}
	pieces := append(b.iov[:0], b.out, p)
	b.iov = pieces
	_, c.outErr = b.iov.WriteTo(c.rwc)
	clear(pieces)
	b.iov = pieces[:0]
}
