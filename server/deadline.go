package server

import "time"

// Setting a deadline on a socket costs a tenth of what a small request costs in all. So one is set only when the connection
// is about to wait, and is left as it is while it is no earlier than promised and no later than an eighth.

// setRead sets the read deadline; zero is none.
func (c *conn) setRead(t time.Time) {
	if c.readKnown && c.readBy.Equal(t) {
		return
	}
	c.readKnown = c.rwc.SetReadDeadline(t) == nil
	c.readBy = t
}

// setReadAbout sets the read deadline to what is at least d from now.
func (c *conn) setReadAbout(now time.Time, d time.Duration) {
	if c.readKnown && !c.readBy.Before(now.Add(d)) && !c.readBy.After(now.Add(d+d/8)) {
		return
	}
	c.setRead(now.Add(d + d/8))
}

// deadlineIdle limits the wait for the next request.
func (c *conn) deadlineIdle() {
	if d := c.server.idleTimeout(); d > 0 {
		c.setReadAbout(time.Now(), d)
		return
	}
	c.setRead(time.Time{})
}

// deadlineHead limits the wait for the rest of a head.
func (c *conn) deadlineHead() {
	if d := c.server.readHeaderTimeout(); d > 0 {
		c.setRead(time.Now().Add(d))
		return
	}
	c.setRead(time.Time{})
}

// deadlineBody limits the wait for a body, which the handler may have limited itself.
func (c *conn) deadlineBody() {
	if c.cutByUser {
		return
	}
	if !c.discardBy.IsZero() {
		c.setRead(c.discardBy)
		return
	}
	if d := c.server.ReadTimeout; d > 0 {
		c.setRead(c.headAt.Add(d))
		return
	}
	c.setRead(time.Time{})
}

// deadlineWrite limits the wait for a client that does not read, from the request's head on.
func (c *conn) deadlineWrite() {
	if c.writeUser {
		return
	}
	d := c.server.WriteTimeout
	if d <= 0 {
		if !c.writeKnown || !c.writeBy.IsZero() {
			c.setWrite(time.Time{})
		}
		return
	}
	from := c.headAt
	if from.IsZero() {
		from = time.Now()
	}
	if c.writeKnown && !c.writeBy.Before(from.Add(d)) && !c.writeBy.After(from.Add(d+d/8)) {
		return
	}
	c.setWrite(from.Add(d + d/8))
}

func (c *conn) setWrite(t time.Time) {
	c.writeKnown = c.rwc.SetWriteDeadline(t) == nil
	c.writeBy = t
}

// past is a deadline that ends a wait at once.
var past = time.Unix(1, 0)

// beginWatch prepares the socket for a read that lasts as long as the handler.
func (c *conn) beginWatch() {
	if !c.cutByUser {
		c.setRead(time.Time{})
	}
	c.aborting.Store(false)
}

// watch reads ahead while a handler runs, to see the end of the connection. It owns c.in.
func (c *conn) watch(x *requestContext, ended chan<- struct{}) {
	defer close(ended)
	if c.in == nil {
		c.in = newReadBuffer()
	}
	if c.compact(); c.w == len(c.in) {
		return // full of the requests that follow
	}
	for c.w < len(c.in) {
		n, err := c.rwc.Read(c.in[c.w:])
		c.w += n
		if err != nil {
			if c.aborting.Load() {
				return
			}
			c.inErr = err
			x.clientGone()
			return
		}
	}
}

// endWatch waits until the watch has let go of the connection.
func (c *conn) endWatch(ended <-chan struct{}) {
	select {
	case <-ended:
	default:
		c.aborting.Store(true)
		_ = c.rwc.SetReadDeadline(past) // a connection that has none has been closed
		<-ended
	}
	c.readKnown = false
}
