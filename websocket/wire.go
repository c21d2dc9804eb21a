package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// wire is the connection below github.com/coder/websocket, which reads frames from
// it and answers pings and close frames. What comes in is inspected first. What goes
// out are whole frames, in turn: those of the library, and those that were prepared,
// which the wire sends by itself.
type wire struct {
	net.Conn
	ahead   []byte // what came with the handshake
	inspect inspector
	fault   atomic.Pointer[error] // what every Read returns once all that was right has been given
	failed  atomic.Bool           // a Read has returned fault
	arrived atomic.Int64          // bytes

	timeout time.Duration // of one write; 0 is none
	turn    chan struct{} // held while a frame is written
	pending uint64        // bytes that are left of the library's frame; guarded by turn
	ending  atomic.Bool   // the connection is being closed in good order
	closed  atomic.Bool   // a close frame is out, so nothing may follow
	gone    chan struct{}
	once    sync.Once
	err     error // of Close
}

func newWire(conn net.Conn, ahead []byte, inspect inspector, timeout time.Duration) *wire {
	return &wire{
		Conn: conn, ahead: ahead, inspect: inspect, timeout: timeout,
		turn: make(chan struct{}, 1), gone: make(chan struct{}),
	}
}

// Read gives what was found to be right. The fault comes with the next call.
func (w *wire) Read(p []byte) (int, error) {
	for w.fault.Load() == nil {
		n, err := w.next(p)
		w.arrived.Add(int64(n))
		good, wrong := w.inspect.read(p[:n])
		switch {
		case wrong != nil:
			var fault error = wrong
			w.fault.Store(&fault)
		case err != nil:
			w.fault.Store(&err)
		}
		if good > 0 {
			return good, nil
		}
	}
	w.failed.Store(true)
	return 0, *w.fault.Load()
}

func (w *wire) next(p []byte) (int, error) {
	if len(w.ahead) > 0 {
		n := copy(p, w.ahead)
		if w.ahead = w.ahead[n:]; len(w.ahead) == 0 {
			w.ahead = nil
		}
		return n, nil
	}
	return w.Conn.Read(p)
}

// errClosing is why nothing is written any more.
var errClosing = errors.New("websocket: the connection is being closed")

// Write sends bytes of the library's frames, which it writes one after another.
func (w *wire) Write(p []byte) (int, error) {
	if w.pending == 0 {
		if err := w.take(context.Background()); err != nil {
			return 0, err
		}
		if w.closed.Load() {
			w.release()
			return 0, errClosing
		}
		size, ok := frameSize(p)
		if !ok {
			w.release()
			return 0, errors.New("websocket: a frame is written in pieces that are too small")
		}
		if w.pending = size; p[0]&0xF == opClose {
			w.closed.Store(true)
		}
	}
	n, err := w.send(p)
	w.pending -= min(w.pending, uint64(n))
	if err != nil || w.pending == 0 {
		w.pending = 0
		w.release()
	}
	return n, err
}

// writeFrames sends whole frames. A context that ends while they are on their way
// breaks the connection, since half a frame is out.
func (w *wire) writeFrames(ctx context.Context, frames ...[]byte) error {
	if err := w.take(ctx); err != nil {
		return err
	}
	defer w.release()
	if w.closed.Load() {
		return errClosing
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			if !w.ending.Load() { // else a frame that is on its way may arrive, and the close frame after it
				w.Close()
			}
		})
		defer stop()
	}
	var err error
	if len(frames) == 1 {
		_, err = w.send(frames[0])
	} else {
		w.limit()
		buffers := net.Buffers(frames)
		if _, err = buffers.WriteTo(w.Conn); err != nil {
			w.Close()
		}
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// writeClose sends a close frame, unless one is out. It waits for the frame that is
// being written for at most the write timeout.
func (w *wire) writeClose(ctx context.Context, code Status, reason string) {
	if w.take(ctx) != nil {
		return
	}
	defer w.release()
	if !w.closed.Swap(true) {
		_, _ = w.send(closeFrame(code, reason)) // the connection is given up anyway
	}
}

func (w *wire) take(ctx context.Context) error {
	select {
	case <-w.gone:
		return net.ErrClosed
	default:
	}
	select {
	case w.turn <- struct{}{}:
		return nil
	case <-w.gone:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *wire) release() { <-w.turn }

// limit gives what is written next its time.
func (w *wire) limit() {
	if w.timeout > 0 {
		_ = w.SetWriteDeadline(time.Now().Add(w.timeout)) // fails only on a closed connection, as the write will
	}
}

// send writes, and gives the connection up if not all of it could be.
func (w *wire) send(p []byte) (int, error) {
	w.limit()
	n, err := w.Conn.Write(p)
	if err != nil {
		w.Close()
	}
	return n, err
}

// linger lets a close frame reach a client that is still sending: a socket that is
// closed with unread bytes is reset, and the client may never see what was sent.
func (w *wire) linger(patience time.Duration) {
	half, ok := w.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = w.SetReadDeadline(time.Now().Add(patience))
	_, _ = io.CopyN(io.Discard, w.Conn, lingerSize)
}

// lingerSize is how much is read of what a client sends after the end.
const lingerSize = 1 << 20

// Close gives the connection up, once.
func (w *wire) Close() error {
	w.once.Do(func() {
		close(w.gone)
		w.err = w.Conn.Close()
	})
	return w.err
}
