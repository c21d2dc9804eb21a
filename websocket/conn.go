package websocket

import (
	"compress/flate"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	coder "github.com/coder/websocket"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Conn is a connection with a client. One goroutine at a time may receive; all
// other methods may be called by any.
type Conn struct {
	ws      *coder.Conn
	wire    *wire
	request *ishaa.Request
	id      string
	*settings
	deflate bool

	ctx     context.Context
	cancel  context.CancelCauseFunc
	end     atomic.Pointer[CloseError] // why it ended, once that is known
	reading atomic.Bool
	ignored atomic.Bool // Discard was called

	closing  sync.Mutex // held while the connection is closed in good order, so that nobody cuts it meanwhile
	mu       sync.Mutex
	finished bool
	timer    *time.Timer
	closers  []func() // when the connection has ended
	tasks    sync.WaitGroup
}

func newConn(ws *coder.Conn, w *wire, r *ishaa.Request, parent context.Context, s *settings, deflate bool) *Conn {
	c := &Conn{ws: ws, wire: w, request: r, id: newID(), settings: s, deflate: deflate}
	c.ctx, c.cancel = context.WithCancelCause(parent)
	return c
}

// Context ends with the connection; context.Cause then says how, as a *CloseError.
// It has the values of the request's.
func (c *Conn) Context() context.Context { return c.ctx }

// Request returns the request that opened the connection.
func (c *Conn) Request() *ishaa.Request { return c.request }

// ID names the connection, differently from all others on all nodes.
func (c *Conn) ID() string { return c.id }

// process is the part of IDs that differs between processes.
var process, opened = rand.Text()[:12], new(atomic.Uint64)

func newID() string { return process + "-" + strconv.FormatUint(opened.Add(1), 10) }

// Protocol returns the sub-protocol that was agreed upon, or "".
func (c *Conn) Protocol() string { return c.ws.Subprotocol() }

// Kind tells text from bytes.
type Kind uint8

// The kinds of messages.
const (
	Text   Kind = opText
	Binary Kind = opBinary
)

// String returns "text" or "binary".
func (k Kind) String() string {
	if k == Text {
		return "text"
	}
	return "binary"
}

// errReceiving is a mistake of the program's.
var errReceiving = errors.New("websocket: Receive by two goroutines at once, or after Discard")

// Receive waits for the next message. The error is a *CloseError once the connection
// has ended. A context that ends meanwhile closes the connection, with 1008 if it
// was a deadline that passed.
func (c *Conn) Receive(ctx context.Context) (Kind, []byte, error) {
	if c.ignored.Load() || !c.reading.CompareAndSwap(false, true) {
		return 0, nil, errReceiving
	}
	defer c.reading.Store(false)
	return c.receive(ctx)
}

func (c *Conn) receive(ctx context.Context) (Kind, []byte, error) {
	if ctx != c.ctx && ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				_ = c.Close(StatusPolicy, "no message came in time")
			} else {
				_ = c.Close(StatusNormal, "")
			}
		})
		defer stop()
	}
	kind, reader, err := c.ws.Reader(context.Background())
	if err != nil {
		return 0, nil, c.broke(err)
	}
	data, err := io.ReadAll(reader)
	switch {
	case err != nil:
		return 0, nil, c.broke(err)
	case c.wire.failed.Load():
		return 0, nil, c.broke(net.ErrClosed) // of a compressed message the library takes a part for the whole
	case c.deflate && kind == coder.MessageText && !utf8.Valid(data):
		return 0, nil, c.broke(invalidText())
	}
	return Kind(kind), data, nil
}

// broke is the end of reading: it tells the client of what was wrong, and returns
// how the connection ended.
func (c *Conn) broke(err error) error {
	var corrupt flate.CorruptInputError
	var end *CloseError
	told := false
	switch {
	case errors.Is(err, coder.ErrMessageTooBig):
		end, told = tooBig(uint64(c.limit)), true // by the library
	case errors.As(err, &corrupt):
		end = &CloseError{Code: StatusInvalidData, Reason: "a compressed message is broken"}
	default:
		end = endOf(err)
		if fault := c.wire.fault.Load(); fault != nil && !end.Remote {
			end = endOf(*fault) // the library has put its own words in the place of ours
		}
	}
	if earlier := c.end.Load(); earlier != nil {
		return earlier // Close sees to it
	}
	c.closing.Lock()
	defer c.closing.Unlock()
	if !c.settle(end) {
		return c.end.Load()
	}
	if !end.Remote && end.Code.sendable() {
		if !told {
			ctx, stop := context.WithTimeout(context.Background(), c.closeTimeout)
			c.wire.writeClose(ctx, end.Code, end.Reason)
			stop()
		}
		c.wire.linger(min(c.closeTimeout, lingerTime))
	}
	c.wire.Close()
	return end
}

// lingerTime is how long a client may go on sending that has been told to stop.
const lingerTime = time.Second

// settle notes how the connection ended and reports whether it was open until now.
func (c *Conn) settle(end *CloseError) bool {
	if !c.end.CompareAndSwap(nil, end) {
		return false
	}
	c.wire.ending.Store(true)
	c.cancel(end)
	return true
}

// Discard has what the client sends read and thrown away from now on, for a handler
// that only sends: without it nobody would notice that the client closes.
func (c *Conn) Discard() {
	if c.ignored.Swap(true) {
		return
	}
	c.goes(func() {
		if !c.reading.CompareAndSwap(false, true) {
			return // a Receive that is under way sees the end
		}
		defer c.reading.Store(false)
		for {
			if _, _, err := c.receive(c.ctx); err != nil {
				return
			}
		}
	})
}

// Send sends a message: a string as text, a []byte as binary, any other value as
// JSON text. It returns when the operating system has taken it, the write timeout
// has passed, or the context ended; in the last two cases the connection is given
// up if a part of the message is out.
func (c *Conn) Send(ctx context.Context, v any) error {
	m, err := newMessage(v)
	if err != nil {
		return err
	}
	return c.write(ctx, m)
}

func (c *Conn) write(ctx context.Context, messages ...*message) error {
	frames := make([][]byte, len(messages))
	for i, m := range messages {
		frames[i] = m.frame(c.deflate)
	}
	err := c.wire.writeFrames(ctx, frames...)
	if err == nil {
		return nil
	}
	if end := c.end.Load(); end != nil {
		return end
	}
	return fmt.Errorf("websocket: a message could not be sent: %w", err)
}

// Close closes the connection with a code and a reason of at most 123 bytes, and
// waits until the client has answered or the close timeout has passed. What the
// handler waits for on the connection ends. Closing again does nothing but wait for
// the same.
func (c *Conn) Close(code Status, reason string) error {
	if !code.sendable() {
		return fmt.Errorf("websocket: nobody may send the close code %d: choose one from 4000 to 4999", code)
	}
	reason = cutText(reason, maxControl-2)
	c.closing.Lock()
	defer c.closing.Unlock()
	if !c.settle(&CloseError{Code: code, Reason: reason}) {
		return nil
	}
	cut := time.AfterFunc(c.closeTimeout, func() { c.wire.Close() })
	defer cut.Stop()
	_ = c.ws.Close(coder.StatusCode(code), reason) // a client that does not answer is no error of ours
	c.wire.Close()
	return nil
}

// goes runs a function that ends with the connection.
func (c *Conn) goes(task func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.finished {
		c.tasks.Go(task)
	}
}

// onEnd has a function called when the connection has ended, or at once.
func (c *Conn) onEnd(fn func()) {
	c.mu.Lock()
	if !c.finished {
		c.closers = append(c.closers, fn)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	fn()
}

// begin starts what runs beside the handler.
func (c *Conn) begin() {
	context.AfterFunc(c.ctx, func() {
		if c.end.Load() == nil { // the server cuts its requests
			c.settle(&CloseError{Code: StatusAbnormal, cause: context.Cause(c.ctx)})
			c.wire.Close()
		}
	})
	c.keepAlive()
}

// returned closes the connection by what the handler returned.
func (c *Conn) returned(err error) {
	end, unexpected := closing(err)
	if unexpected && c.end.Load() == nil || isPanic(err) {
		c.logFailure(err)
	}
	_ = c.Close(end.Code, end.Reason) // sendable, as closing sees to
}

func isPanic(err error) bool {
	var thrown *ishaa.PanicError
	return errors.As(err, &thrown)
}

func (c *Conn) logFailure(err error) {
	r := c.request
	args := []any{"path", secure.LogText(r.HTTP().URL.Path), "route", r.Route().Pattern(), "id", r.ID(), "error", err}
	var thrown *ishaa.PanicError
	if errors.As(err, &thrown) {
		args = append(args, "stack", string(thrown.Stack))
	}
	r.App().Logger().Error("websocket handler failed", args...)
}

// finish ends everything that belongs to the connection.
func (c *Conn) finish() {
	_ = c.ws.CloseNow()
	c.wire.Close()
	c.settle(&CloseError{Code: StatusAbnormal})
	c.mu.Lock()
	c.finished = true
	closers := c.closers
	c.closers = nil
	if c.timer != nil && c.timer.Stop() {
		c.tasks.Done()
	}
	c.mu.Unlock()
	for _, fn := range closers {
		fn()
	}
	c.tasks.Wait()
}

// keepAlive looks after the client. There is a timer and no goroutine: most
// connections are idle, and there are many.
func (c *Conn) keepAlive() {
	if c.every > 0 {
		c.later(c.every, func() { c.beat(0, time.Time{}) })
	}
}

// beat pings a client of whom nothing has come since the last beat, and gives one up
// that was pinged too long ago.
func (c *Conn) beat(heard int64, pinged time.Time) {
	wait := c.every
	switch arrived := c.wire.arrived.Load(); {
	case arrived != heard, !c.reading.Load():
		heard, pinged = arrived, time.Time{}
	case pinged.IsZero():
		pinged = time.Now()
		if c.wire.writeFrames(c.ctx, pingFrame) != nil {
			return // the connection is given up
		}
		wait = min(wait, c.patience)
	default:
		left := c.patience - time.Since(pinged)
		if left <= 0 {
			c.settle(&CloseError{Code: StatusAbnormal, cause: errSilent})
			c.wire.Close()
			return
		}
		wait = min(wait, left)
	}
	c.later(wait, func() { c.beat(heard, pinged) })
}

var (
	pingFrame = appendHeader(nil, opPing, 0)
	errSilent = errors.New("the client does not answer a ping")
)

// later runs a function after a time, unless the connection has ended by then.
func (c *Conn) later(d time.Duration, fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return
	}
	c.tasks.Add(1)
	c.timer = time.AfterFunc(d, func() {
		defer c.tasks.Done()
		fn()
	})
}
