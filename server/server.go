package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server answers HTTP requests. Its fields mean what those of http.Server mean and are not to be changed once it serves. The
// zero value listens on port 80, answers with http.DefaultServeMux and limits no time.
type Server struct {
	// Addr is the TCP address for ListenAndServe: "host:port", or empty for port 80, or 443 with TLS.
	Addr string
	// Handler answers; nil is http.DefaultServeMux.
	Handler http.Handler
	// DisableGeneralOptionsHandler passes "OPTIONS *" to the handler, instead of answering it with 200.
	DisableGeneralOptionsHandler bool
	// TLSConfig is for ServeTLS. It is copied.
	TLSConfig *tls.Config
	// ReadTimeout is how long a whole request may take to come; 0 is for ever.
	ReadTimeout time.Duration
	// ReadHeaderTimeout is how long its head may take; 0 is ReadTimeout.
	ReadHeaderTimeout time.Duration
	// WriteTimeout is how long after the end of the head the answer may be written, and up to an eighth longer; 0 is for ever.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection waits for its next request, and up to an eighth longer; 0 is ReadTimeout.
	IdleTimeout time.Duration
	// MaxHeaderBytes limits the head of a request, and 4 KiB more; 0 is http.DefaultMaxHeaderBytes.
	MaxHeaderBytes int
	// TLSNextProto has protocols that TLS may negotiate, as for http.Server. If it is not nil, HTTP/2 is not offered unless it
	// has "h2".
	TLSNextProto map[string]func(*http.Server, *tls.Conn, http.Handler)
	// ConnState is called when the state of a connection changes. Requests that come while others are being answered, pipelined,
	// do not make their connection idle in between.
	ConnState func(net.Conn, http.ConnState)
	// ErrorLog gets panics of handlers and misuse; nil is package log's.
	ErrorLog *log.Logger
	// BaseContext makes the context of a listener's requests; nil is context.Background.
	BaseContext func(net.Listener) context.Context
	// ConnContext changes the context of a connection's requests.
	ConnContext func(ctx context.Context, c net.Conn) context.Context
	// HTTP2 configures HTTP/2 connections.
	HTTP2 *http.HTTP2Config
	// Protocols is what is spoken; nil is HTTP/1, and HTTP/2 where TLS negotiates it.
	Protocols *http.Protocols

	once     sync.Once
	timed    bool // a timeout counts from the end of the head
	stopping atomic.Bool
	noKeep   atomic.Bool
	other    *http.Server // for what is not HTTP/1; also what handlers find under http.ServerContextKey
	handed   handOver
	date     date

	mu         sync.Mutex
	listeners  map[*onceListener]struct{}
	serving    sync.WaitGroup // Serve calls
	conns      map[*conn]struct{}
	onShutdown []func()
}

// handle calls the handler.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	handler := s.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	if r.RequestURI == "*" && !s.DisableGeneralOptionsHandler && r.Method == http.MethodOptions {
		handler = generalOptions{}
	}
	handler.ServeHTTP(w, r)
}

// generalOptions answers "OPTIONS *".
type generalOptions struct{}

func (generalOptions) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Length"] = []string{"0"}
}

// ListenAndServe listens on Addr and serves until Shutdown or Close; then it returns http.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	l, err := s.listen(":http")
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe with ServeTLS.
func (s *Server) ListenAndServeTLS(certFile, keyFile string) error {
	l, err := s.listen(":https")
	if err != nil {
		return err
	}
	return s.ServeTLS(l, certFile, keyFile)
}

func (s *Server) listen(usual string) (net.Listener, error) {
	if s.stopping.Load() {
		return nil, http.ErrServerClosed
	}
	addr := s.Addr
	if addr == "" {
		addr = usual
	}
	return net.Listen("tcp", addr)
}

// onceListener closes its listener once.
type onceListener struct {
	net.Listener
	once sync.Once
	err  error
}

func (l *onceListener) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

// Serve answers the requests of a listener's connections and closes it in the end. After Shutdown or Close it returns
// http.ErrServerClosed; any other error is the listener's.
func (s *Server) Serve(l net.Listener) error {
	once := &onceListener{Listener: l}
	defer once.Close()
	s.once.Do(s.prepare)
	if !s.track(once) {
		return http.ErrServerClosed
	}
	defer s.untrack(once)
	base := context.Background()
	if s.BaseContext != nil {
		if base = s.BaseContext(l); base == nil {
			panic("server: BaseContext returned nil")
		}
	}
	base = context.WithValue(base, http.ServerContextKey, s.other)
	var pause time.Duration
	for {
		rwc, err := once.Accept()
		if err != nil {
			if s.stopping.Load() {
				return http.ErrServerClosed
			}
			if !isTemporary(err) {
				return err
			}
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logf("server: accepting: %v; trying again in %v", err, pause)
			time.Sleep(pause)
			continue
		}
		pause = 0
		ctx := base
		if s.ConnContext != nil {
			if ctx = s.ConnContext(ctx, rwc); ctx == nil {
				panic("server: ConnContext returned nil")
			}
		}
		c := &conn{server: s, rwc: rwc, base: ctx, since: time.Now()}
		s.remember(c)
		s.stateChanged(rwc, http.StateNew)
		go c.serve()
	}
}

// isTemporary tells running out of descriptors, for one, from a listener that is closed.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// prepare is done once, before the first connection.
func (s *Server) prepare() {
	s.timed = s.ReadTimeout > 0 || s.WriteTimeout > 0
	s.other = s.newOther()
}

func (s *Server) track(l *onceListener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	if s.listeners == nil {
		s.listeners = map[*onceListener]struct{}{}
	}
	s.listeners[l] = struct{}{}
	s.serving.Add(1)
	s.date.start()
	return true
}

func (s *Server) untrack(l *onceListener) {
	s.mu.Lock()
	delete(s.listeners, l)
	wait := s.date.stop()
	s.mu.Unlock()
	wait()
	s.serving.Done()
}

func (s *Server) remember(c *conn) {
	s.mu.Lock()
	if s.conns == nil {
		s.conns = map[*conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	s.mu.Unlock()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *Server) stateChanged(c net.Conn, state http.ConnState) {
	if s.ConnState != nil {
		s.ConnState(c, state)
	}
}

// Close closes all listeners and all connections at once, but those that were hijacked.
func (s *Server) Close() error {
	err := s.stopListening()
	s.mu.Lock()
	for c := range s.conns {
		c.rwc.Close()
	}
	s.mu.Unlock()
	return errors.Join(err, s.closeOther())
}

// stopListening makes every Serve return.
func (s *Server) stopListening() error {
	s.once.Do(s.prepare)
	s.mu.Lock()
	s.stopping.Store(true)
	var all error
	for l := range s.listeners {
		all = errors.Join(all, l.Close())
	}
	s.mu.Unlock()
	s.serving.Wait()
	return all
}

// freshPatience is how long Shutdown waits for the first request of a connection.
const freshPatience = 5 * time.Second

// Shutdown stops listening, closes the connections that wait for a request, and waits until those that answer one are done.
// Their clients are told by "Connection: close". A request that has been read is answered. When the context ends first, its
// error is returned; the connections that are left can be cut by Close. Hijacked connections are not waited for.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.stopListening()
	s.mu.Lock()
	hooks := s.onShutdown
	s.mu.Unlock()
	for _, hook := range hooks {
		go hook()
	}
	others := s.shutdownOther(ctx)
	pause := time.Millisecond
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for !s.closeIdle(stateNew) {
		select {
		case <-ctx.Done():
			<-others
			return ctx.Err()
		case <-timer.C:
			pause = min(2*pause, 200*time.Millisecond)
			timer.Reset(pause)
		}
	}
	if otherErr := <-others; err == nil {
		err = otherErr
	}
	return err
}

// closeIdle closes connections that wait for a request and reports whether there are no others. With stateNew it closes
// those that have waited too long for their first one, too.
func (s *Server) closeIdle(stale int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		state := c.state.Load()
		old := state == stateNew && stale == stateNew && time.Since(c.since) > freshPatience
		if (state == stateIdle || old) && c.state.CompareAndSwap(state, stateClosing) {
			c.rwc.Close()
			delete(s.conns, c)
		}
	}
	return len(s.conns) == 0
}

// RegisterOnShutdown adds a function that Shutdown calls, in a goroutine, for connections that it does not know: hijacked
// ones.
func (s *Server) RegisterOnShutdown(fn func()) {
	s.mu.Lock()
	s.onShutdown = append(s.onShutdown, fn)
	s.mu.Unlock()
}

// SetKeepAlivesEnabled says whether connections are kept for another request. They are unless told otherwise.
func (s *Server) SetKeepAlivesEnabled(keep bool) {
	s.once.Do(s.prepare)
	s.noKeep.Store(!keep)
	s.other.SetKeepAlivesEnabled(keep)
	if !keep {
		s.closeIdle(stateIdle)
	}
}

func (s *Server) keepsAlive() bool { return !s.noKeep.Load() && !s.stopping.Load() }

func (s *Server) idleTimeout() time.Duration {
	if s.IdleTimeout != 0 {
		return s.IdleTimeout
	}
	return s.ReadTimeout
}

func (s *Server) readHeaderTimeout() time.Duration {
	if s.ReadHeaderTimeout != 0 {
		return s.ReadHeaderTimeout
	}
	return s.ReadTimeout
}

// headSlack is what net/http allows over MaxHeaderBytes too.
const headSlack = 4 << 10

func (s *Server) maxHead() int {
	if s.MaxHeaderBytes > 0 {
		return s.MaxHeaderBytes + headSlack
	}
	return http.DefaultMaxHeaderBytes + headSlack
}

func (s *Server) logf(format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}
