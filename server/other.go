package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What is not HTTP/1 is net/http's: an http.Server with the same handler takes such connections from a listener that hands
// them over. Their TLS handshake is over by then.

// handOver is that listener.
type handOver struct {
	conns chan net.Conn
	ended chan struct{}
	once  sync.Once
	stop  sync.Once
	done  chan struct{} // closed when the other server has returned
	ctxs  sync.Map      // net.Conn → context.Context
}

var errHandOverEnded = errors.New("server: no connections are handed over any more")

func (h *handOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.ended:
		return nil, errHandOverEnded
	}
}

func (h *handOver) Close() error {
	h.stop.Do(func() { close(h.ended) })
	return nil
}

// Addr is not asked for by anybody who would connect to it.
func (h *handOver) Addr() net.Addr { return &net.UnixAddr{Name: "handed over", Net: "unix"} }

// newOther makes the net/http server with this one's settings.
func (s *Server) newOther() *http.Server {
	s.handed.conns, s.handed.ended, s.handed.done = make(chan net.Conn), make(chan struct{}), make(chan struct{})
	other := &http.Server{
		Addr: s.Addr, Handler: s.Handler, DisableGeneralOptionsHandler: s.DisableGeneralOptionsHandler,
		ReadTimeout: s.ReadTimeout, ReadHeaderTimeout: s.ReadHeaderTimeout, WriteTimeout: s.WriteTimeout,
		IdleTimeout: s.IdleTimeout, MaxHeaderBytes: s.MaxHeaderBytes, TLSNextProto: s.TLSNextProto,
		ErrorLog: s.ErrorLog, HTTP2: s.HTTP2, Protocols: s.Protocols,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if own, ok := s.handed.ctxs.LoadAndDelete(c); ok {
				return own.(context.Context)
			}
			return ctx
		},
	}
	if s.ConnState != nil {
		other.ConnState = func(c net.Conn, state http.ConnState) {
			if state != http.StateNew { // the hook has been told
				s.ConnState(c, state)
			}
		}
	}
	return other
}

// pass gives a connection to the other server.
func (s *Server) pass(c *conn, rwc net.Conn) {
	s.handed.once.Do(func() {
		go func() {
			defer close(s.handed.done)
			_ = s.other.Serve(&s.handed) // Shutdown and Close end it
		}()
	})
	c.state.Store(stateHijacked)
	s.handed.ctxs.Store(rwc, c.base)
	select {
	case s.handed.conns <- rwc:
	case <-s.handed.ended:
		s.handed.ctxs.Delete(rwc)
		rwc.Close()
		s.stateChanged(c.rwc, http.StateClosed)
	}
}

// shutdownOther shuts the other server down; the channel gives its error.
func (s *Server) shutdownOther(ctx context.Context) <-chan error {
	result := make(chan error, 1)
	go func() {
		err := s.other.Shutdown(ctx)
		s.waitForOther()
		result <- err
	}()
	return result
}

func (s *Server) closeOther() error {
	err := s.other.Close()
	s.waitForOther()
	return err
}

// waitForOther waits for the goroutine that accepts for the other server, if there is one, and keeps one from starting.
func (s *Server) waitForOther() {
	s.handed.Close()
	s.handed.once.Do(func() { close(s.handed.done) })
	<-s.handed.done
}

// ServeTLS is Serve over TLS. The files are a certificate, with those that it rests on, and its key; they may be empty if
// TLSConfig has certificates. HTTP/2 is offered, and answered by net/http.
func (s *Server) ServeTLS(l net.Listener, certFile, keyFile string) error {
	config := &tls.Config{}
	if s.TLSConfig != nil {
		config = s.TLSConfig.Clone()
	}
	config.NextProtos = s.nextProtos(config.NextProtos)
	has := len(config.Certificates) > 0 || config.GetCertificate != nil || config.GetConfigForClient != nil
	if !has || certFile != "" || keyFile != "" {
		certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			l.Close()
			return err
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return s.Serve(tls.NewListener(l, config))
}

// speaks returns the protocols that are spoken.
func (s *Server) speaks() (http1, http2, clear2 bool) {
	if s.Protocols != nil {
		return s.Protocols.HTTP1(), s.Protocols.HTTP2(), s.Protocols.UnencryptedHTTP2()
	}
	_, named := s.TLSNextProto["h2"]
	return true, s.TLSNextProto == nil || named, false
}

// nextProtos makes a list of protocols for TLS say what is spoken.
func (s *Server) nextProtos(list []string) []string {
	http1, http2, _ := s.speaks()
	list = slices.Clone(list)
	settle := func(name string, spoken bool) {
		has := slices.Contains(list, name)
		if spoken && !has {
			list = append(list, name)
		}
		if !spoken && has {
			list = slices.DeleteFunc(list, func(s string) bool { return s == name })
		}
	}
	settle("h2", http2)
	settle("http/1.1", http1)
	return list
}

// negotiate makes the TLS handshake, and reports whether the connection is over, or somebody else's.
func (c *conn) negotiate() (over bool) {
	secure, ok := c.rwc.(*tls.Conn)
	if !ok {
		if stater, ok := c.rwc.(interface{ ConnectionState() tls.ConnectionState }); ok {
			state := stater.ConnectionState()
			c.tls = &state
		}
		http1, _, clear2 := c.server.speaks()
		if clear2 && c.preface() {
			return true
		}
		return !http1
	}
	timeout := c.server.handshakeTimeout()
	if timeout > 0 && secure.SetDeadline(time.Now().Add(timeout)) != nil {
		return true
	}
	if err := secure.HandshakeContext(c.base); err != nil {
		c.refuseHandshake(err)
		return true
	}
	if timeout > 0 && secure.SetDeadline(time.Time{}) != nil {
		return true
	}
	state := secure.ConnectionState()
	c.tls = &state
	switch state.NegotiatedProtocol {
	case "", "http/1.1", "http/1.0":
		http1, _, _ := c.server.speaks()
		return !http1
	}
	c.server.pass(c, secure)
	return true
}

func (c *conn) refuseHandshake(err error) {
	reason := err.Error()
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
		_, _ = io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
		reason = "the client sent an HTTP request to an HTTPS server"
	}
	c.server.logf("server: TLS handshake error from %s: %s", c.remote, reason)
}

// looksLikeHTTP knows the first bytes of requests.
func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

func (s *Server) handshakeTimeout() time.Duration {
	var least time.Duration
	for _, d := range []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout} {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// http2Preface is what an HTTP/2 client begins with (RFC 9113 §3.4).
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// preface looks for a client that speaks HTTP/2 without TLS, and hands it over.
func (c *conn) preface() bool {
	c.deadlineHead()
	c.in = newReadBuffer()
	for {
		n, err := c.rwc.Read(c.in[c.w:])
		c.w += n
		begun := string(c.in[:min(c.w, len(http2Preface))])
		if begun == http2Preface {
			break
		}
		if !strings.HasPrefix(http2Preface, begun) {
			c.setState(stateActive, http.StateActive)
			return false
		}
		if err != nil {
			return true
		}
	}
	if c.rwc.SetDeadline(time.Time{}) != nil {
		return true
	}
	rest := slices.Clone(c.in[:c.w])
	c.releaseRead()
	c.server.pass(c, &replay{Conn: c.rwc, unread: unread{rest, c.rwc}})
	return true
}

// replay is a connection whose first bytes have been read.
type replay struct {
	net.Conn
	unread unread
}

func (r *replay) Read(p []byte) (int, error) { return r.unread.Read(p) }
