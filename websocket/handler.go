package websocket

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	coder "github.com/coder/websocket"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Option is a setting of Handler.
type Option func(*settings)

type settings struct {
	protocols    []string
	origins      []string
	anyOrigin    bool
	limit        int64
	compress     bool
	every        time.Duration
	patience     time.Duration
	writeTimeout time.Duration
	closeTimeout time.Duration
	cross        *secure.CrossOrigin
}

// Protocols are the sub-protocols that the handler speaks, the preferred one
// first. Which one the client offered too, Conn.Protocol says; a client that offers
// none of them is let in without one.
func Protocols(names ...string) Option {
	return func(s *settings) { s.protocols = append(s.protocols, names...) }
}

// Origins lets pages of other origins connect, such as "https://www.example.com".
// Without it only pages of the site itself do, and programs, which send no Origin.
func Origins(origins ...string) Option {
	return func(s *settings) { s.origins = append(s.origins, origins...) }
}

// AnyOrigin lets every page connect. A browser sends the visitor's cookies with a
// handshake, whatever page asks for it, so this is for what does not depend on
// them.
func AnyOrigin() Option { return func(s *settings) { s.anyOrigin = true } }

// Limit is the largest message that a client may send, in bytes after
// decompression; default 256 KiB. A larger one closes the connection with 1009.
func Limit(size int64) Option { return func(s *settings) { s.limit = size } }

// Compress offers permessage-deflate (RFC 7692). Messages of 512 bytes and more are
// then compressed each by itself, which for a broadcast is done once. As with every
// compression over TLS, a message that holds a secret beside text of a stranger's
// choice can leak the secret by its length.
func Compress() Option { return func(s *settings) { s.compress = true } }

// KeepAlive pings a client that has not been heard for a time, default 30 s, and
// gives the connection up if nothing comes within the patience, default 15 s. It
// looks only while the handler waits for messages: until those are read nobody
// knows whether an answer came. An interval of 0 turns it off.
func KeepAlive(every, patience time.Duration) Option {
	return func(s *settings) { s.every, s.patience = every, patience }
}

// WriteTimeout is how long a client may take to accept one message; default 10 s.
// One that takes longer loses its connection.
func WriteTimeout(d time.Duration) Option { return func(s *settings) { s.writeTimeout = d } }

// CloseTimeout is how long the closing handshake may take; default 5 s.
func CloseTimeout(d time.Duration) Option { return func(s *settings) { s.closeTimeout = d } }

// Handler answers a WebSocket handshake and has serve talk to the client. The
// connection lasts until serve returns; it is closed with
//
//	nil                              1000
//	a *CloseError                    its code and reason
//	a *MessageError                  1007 and the reason
//	an *ishaa.Problem below 500      1008 and its detail; 503 is 1013
//	any other error, a panic         1011; the log has it
//
// and, while the application shuts down, 1001 whatever serve is doing; what it waits
// for on the connection then ends.
//
// Middleware and guards of the route run before, so that who may not connect is
// answered as any request is. A request that is no handshake is a 426 problem, one
// from a page of another origin 403, a wrong one 400.
func Handler(serve func(c *Conn) error, options ...Option) ishaa.Handler {
	s := &settings{
		limit: 256 << 10, every: 30 * time.Second, patience: 15 * time.Second,
		writeTimeout: 10 * time.Second, closeTimeout: 5 * time.Second,
	}
	for _, option := range options {
		option(s)
	}
	if serve == nil {
		panic("websocket.Handler: the function is nil")
	}
	if s.limit <= 0 || s.every < 0 || s.patience < 0 || s.writeTimeout <= 0 || s.closeTimeout <= 0 {
		panic("websocket.Handler: Limit, WriteTimeout and CloseTimeout take positive values, KeepAlive none below 0")
	}
	cross, err := secure.NewCrossOrigin(secure.CrossOriginOptions{TrustedOrigins: s.origins})
	if err != nil {
		panic("websocket.Handler: Origins: " + err.Error())
	}
	s.cross = cross
	e := &endpoint{settings: s, serve: serve}
	return e.answer
}

// endpoint is a route's handler and its open connections.
type endpoint struct {
	*settings
	serve func(c *Conn) error

	mu   sync.Mutex
	open map[*ishaa.App]*watch
}

// answer checks the handshake while an error can still be answered, and leaves the
// rest to the time when answers are sent.
func (e *endpoint) answer(r *ishaa.Request) (any, error) {
	raw := r.HTTP()
	if err := e.verify(r, raw); err != nil {
		return nil, err
	}
	return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		e.upgrade(w, raw, r)
	})), nil
}

// verify refuses what is no handshake (RFC 6455 §4.2.1).
func (e *endpoint) verify(r *ishaa.Request, raw *http.Request) error {
	header := raw.Header
	switch {
	case raw.Method != http.MethodGet || raw.ProtoMajor != 1 || raw.ProtoMinor < 1 ||
		!hasToken(header["Connection"], "upgrade") || !hasToken(header["Upgrade"], "websocket"):
		return upgradeRequired(r, "there is a WebSocket at this address: connect with Upgrade: websocket over HTTP/1.1")
	case len(header["Sec-Websocket-Version"]) != 1 || strings.TrimSpace(header.Get("Sec-Websocket-Version")) != "13":
		return upgradeRequired(r, "Sec-WebSocket-Version has to be 13")
	case raw.ContentLength != 0:
		return ishaa.BadRequest("a WebSocket handshake has no body")
	}
	keys := header["Sec-Websocket-Key"]
	if len(keys) != 1 {
		return ishaa.BadRequest("Sec-WebSocket-Key is missing or given twice")
	}
	if key, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(keys[0])); err != nil || len(key) != 16 {
		return ishaa.BadRequest("Sec-WebSocket-Key is not 16 bytes in base64")
	}
	if e.anyOrigin {
		return nil
	}
	asked := &http.Request{URL: raw.URL, Host: r.Host(), Header: header} // the host that a trusted proxy was asked for
	if err := e.cross.CheckUpgrade(asked, r.Scheme() == "https"); err != nil {
		return ishaa.Forbidden("the page that asks for a WebSocket comes from another origin").Wrap(err)
	}
	return nil
}

// upgradeRequired says what to upgrade to (RFC 9110 §15.5.22, RFC 6455 §4.4), on
// whatever page the application has for it.
func upgradeRequired(r *ishaa.Request, detail string) error {
	header := r.Response().Header()
	header.Set("Upgrade", "websocket")
	header.Set("Sec-WebSocket-Version", "13")
	if r.HTTP().ProtoMajor == 1 {
		header.Set("Connection", "Upgrade")
	}
	return ishaa.StatusError(http.StatusUpgradeRequired, "%s", detail)
}

// hasToken reports whether comma-separated lists have a token, in any case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// upgrade takes the connection over and serves it.
func (e *endpoint) upgrade(w http.ResponseWriter, raw *http.Request, r *ishaa.Request) {
	// The connection is taken from net/http first, and the answer written to it by
	// ourselves: net/http middleware within a chain (ishaa.Std) hands over the
	// connection, but not what was written before.
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(fmt.Errorf("websocket: the server does not hand over its connection: %w", err)) // nothing is sent yet: a 500
	}
	c, err := e.accept(conn, rw, w.Header(), raw, r)
	if err != nil {
		conn.Close()
		r.App().Logger().Warn("websocket: no upgrade", "path", secure.LogText(raw.URL.Path), "id", r.ID(), "error", err)
		panic(http.ErrAbortHandler)
	}
	release := e.enter(c)
	defer release()
	c.begin()
	defer c.finish()
	c.returned(e.run(c))
}

// run calls the handler.
func (e *endpoint) run(c *Conn) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				c.wire.Close() // its way of cutting the connection
				return
			}
			err = &ishaa.PanicError{Value: cause, Stack: debug.Stack()}
		}
	}()
	return e.serve(c)
}

// accept answers the handshake.
func (e *endpoint) accept(conn net.Conn, rw *bufio.ReadWriter, header http.Header, raw *http.Request, r *ishaa.Request) (*Conn, error) {
	ahead, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{}) // those of the server were for the request
	h := &handshake{rw: rw, header: header}
	h.wire = newWire(conn, append([]byte(nil), ahead...), inspector{limit: uint64(e.limit)}, e.writeTimeout)
	mode := coder.CompressionDisabled
	if e.compress {
		mode = coder.CompressionNoContextTakeover
	}
	ws, err := coder.Accept(h, raw, &coder.AcceptOptions{
		Subprotocols: e.protocols, InsecureSkipVerify: true, CompressionMode: mode,
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(e.limit)
	return newConn(ws, h.wire, r, raw.Context(), e.settings, h.wire.inspect.deflate), nil
}

// handshake is the writer that the answer to the handshake goes through.
type handshake struct {
	rw     *bufio.ReadWriter
	wire   *wire
	header http.Header
	err    error
}

// Header returns the headers of the answer.
func (h *handshake) Header() http.Header { return h.header }

// Write is not used: what the library would refuse has been refused before.
func (h *handshake) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader sends the head of the answer.
func (h *handshake) WriteHeader(status int) {
	if status != http.StatusSwitchingProtocols {
		h.err = errors.New("the handshake was refused")
		return
	}
	h.wire.inspect.deflate = h.header.Get("Sec-WebSocket-Extensions") != ""
	h.wire.limit()
	_, _ = h.rw.WriteString("HTTP/1.1 101 Switching Protocols\r\n") // Flush tells
	_ = h.header.Write(h.rw)
	_, _ = h.rw.WriteString("\r\n")
	h.err = h.rw.Flush()
}

// Hijack gives the library the wire instead of the connection, with net/http's own
// buffer for reading, which lives as long as the handler anyway, and a small one for
// writing: the library writes control frames only.
func (h *handshake) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.err != nil {
		return nil, nil, h.err
	}
	h.rw.Reader.Reset(h.wire)
	return h.wire, bufio.NewReadWriter(h.rw.Reader, bufio.NewWriterSize(h.wire, controlBuffer)), nil
}

const controlBuffer = 2 + maxControl

// watch are an application's connections on one endpoint, and the goroutine that
// closes them when the application shuts down. It runs while there are any.
type watch struct {
	conns map[*Conn]struct{}
	empty chan struct{}
	done  chan struct{}
}

// enter counts a connection. What it returns is called when that has ended.
func (e *endpoint) enter(c *Conn) (release func()) {
	app := c.request.App()
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.open[app]
	if w == nil {
		w = &watch{conns: map[*Conn]struct{}{}, empty: make(chan struct{}), done: make(chan struct{})}
		if e.open == nil {
			e.open = map[*ishaa.App]*watch{}
		}
		e.open[app] = w
		go e.closeAtShutdown(app, w)
	}
	w.conns[c] = struct{}{}
	return func() {
		e.mu.Lock()
		delete(w.conns, c)
		last := len(w.conns) == 0
		if last {
			delete(e.open, app)
			close(w.empty)
		}
		e.mu.Unlock()
		if last {
			<-w.done
		}
	}
}

func (e *endpoint) closeAtShutdown(app *ishaa.App, w *watch) {
	defer close(w.done)
	select {
	case <-w.empty:
		return
	case <-app.Draining():
	}
	var closing sync.WaitGroup
	defer closing.Wait()
	closed := map[*Conn]bool{}
	for {
		e.mu.Lock()
		for c := range w.conns {
			if !closed[c] { // those that came in meanwhile too
				closed[c] = true
				closing.Go(func() { _ = c.Close(StatusGoingAway, "the server is shutting down") })
			}
		}
		e.mu.Unlock()
		select {
		case <-w.empty:
			return
		case <-time.After(shutdownPoll):
		}
	}
}

// shutdownPoll is how often latecomers are looked for during shutdown.
const shutdownPoll = 50 * time.Millisecond
