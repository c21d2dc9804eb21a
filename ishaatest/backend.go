package ishaatest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// backend serves the application under test and knows how to reach it. It is
// started by the first request and ends with the test.
//
// An application that has not been started is served by App.Serve, and so is
// drained and stopped in the end. One that has belongs to someone else: it is
// served as any handler is, and stays.
type backend struct {
	t       testing.TB
	handler http.Handler
	app     *ishaa.App // nil when the handler is none
	config
	derive []func(context.Context) context.Context // for requests that no call belongs to

	once      sync.Once
	err       error // of starting
	listener  net.Listener
	transport *http.Transport
	calls     calls

	mu    sync.Mutex
	ends  map[int]func() // what is to end before the server
	last  int            // key of the latest
	ended bool
}

func newBackend(t testing.TB, handler http.Handler, c config) *backend {
	t.Helper()
	b := &backend{t: t, handler: handler, config: c}
	if text := os.Getenv("ISHAA_TEST_SOCKET"); text != "" {
		on, err := strconv.ParseBool(text)
		if err != nil {
			t.Fatalf("ISHAA_TEST_SOCKET is %q; set it to 1 or 0", text)
		}
		b.socket = b.socket || on
	}
	b.derive = newRequest(http.MethodGet, "/", c.settings, nil).derive
	b.app, _ = handler.(*ishaa.App)
	b.logTo(t)
	return b
}

// logTo has the application log to a test.
func (b *backend) logTo(t testing.TB) {
	t.Helper()
	if b.app != nil && !b.keepLogger {
		logToTest(t, b.app)
	}
}

// now is the time of the application's clock.
func (b *backend) now() time.Time {
	if b.app != nil {
		return b.app.Clock().Now()
	}
	return time.Now()
}

// ownTLS reports whether the application's configuration has a certificate.
func (b *backend) ownTLS() bool { return b.app != nil && b.app.Config().TLSCert != "" }

func (b *backend) scheme() string {
	if b.tls || b.ownTLS() {
		return "https"
	}
	return "http"
}

// start serves, once.
func (b *backend) start() error {
	b.once.Do(func() { b.err = b.serve() })
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil && b.ended {
		return errors.New("the test that the client was made for has ended")
	}
	return b.err
}

func (b *backend) serve() error {
	listener, err := b.listen()
	if err != nil {
		return err
	}
	b.listener = listener
	b.transport = b.newTransport()
	var stop func() error
	if b.app != nil && !b.app.Started() {
		stop, err = b.serveApp(listener)
	} else {
		stop, err = b.serveHandler(listener)
	}
	if err != nil {
		listener.Close()
		return err
	}
	b.t.Cleanup(func() {
		b.t.Helper()
		b.end()
		if err := stop(); err != nil {
			b.t.Errorf("ishaatest: at the end of the test: %v", err)
		}
	})
	return nil
}

func (b *backend) listen() (net.Listener, error) {
	var listener net.Listener = newMemoryListener()
	if b.socket {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	if b.tls && !b.ownTLS() {
		certificate, err := selfSigned()
		if err != nil {
			return nil, err
		}
		listener = &tlsListener{listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}
	}
	return listener, nil
}

// serveApp starts the application and serves it as Run does.
func (b *backend) serveApp(listener net.Listener) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	b.app.Use(ishaa.Std(b.receive))
	if err := b.app.Start(ctx); err != nil {
		cancel()
		return nil, fmt.Errorf("the application could not start: %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- b.app.Serve(ctx, listener) }()
	return func() error {
		cancel()
		return <-served
	}, nil
}

// serveHandler serves what has been started elsewhere.
func (b *backend) serveHandler(listener net.Listener) (stop func() error, err error) {
	server := &http.Server{Handler: b.receive(b.handler)}
	drain := 20 * time.Second
	var certFile, keyFile string
	if b.app != nil {
		select {
		case <-b.app.Draining():
			return nil, errors.New("the application has been stopped by the client that started it, at the end of that client's test; " +
				"where one application serves several tests, start it before: app.Start(context.Background())")
		default:
		}
		cfg := b.app.Config()
		server.ReadHeaderTimeout, server.ReadTimeout = cfg.ReadHeaderTimeout, cfg.ReadTimeout
		server.WriteTimeout, server.IdleTimeout = cfg.WriteTimeout, cfg.IdleTimeout
		server.MaxHeaderBytes = cfg.MaxHeaderBytes
		server.ErrorLog = slog.NewLogLogger(b.app.Logger().Handler(), slog.LevelWarn)
		drain = cfg.DrainTimeout
		certFile, keyFile = cfg.TLSCert, cfg.TLSKey
	} else {
		server.ErrorLog = log.New(attach(b.t), "", 0)
	}
	served := make(chan error, 1)
	go func() {
		if certFile != "" {
			served <- server.ServeTLS(listener, certFile, keyFile)
		} else {
			served <- server.Serve(listener)
		}
	}()
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("requests were still under way after %s and have been cut", drain)
			server.Close()
		}
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
		return err
	}, nil
}

// newTransport gives each request a connection of its own: net/http sends some
// requests again when a connection that it kept breaks, and a handler that cuts
// its connection would run twice.
func (b *backend) newTransport() *http.Transport {
	return &http.Transport{
		DisableCompression:  true,
		MaxIdleConnsPerHost: -1,
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return b.connect(ctx) },
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if b.scheme() != "https" {
				return nil, errors.New("the application is not served over TLS; use ishaatest.TLS()")
			}
			return b.dial(ctx)
		},
	}
}

// connect opens a connection without TLS.
func (b *backend) connect(ctx context.Context) (net.Conn, error) {
	switch listener := b.listener.(type) {
	case *memoryListener:
		return listener.dial(ctx)
	case *tlsListener:
		if memory, ok := listener.Listener.(*memoryListener); ok {
			return memory.dial(ctx)
		}
	}
	addr := b.listener.Addr()
	return (&net.Dialer{}).DialContext(ctx, addr.Network(), addr.String())
}

// dial opens a connection as a client of the application would.
func (b *backend) dial(ctx context.Context) (net.Conn, error) {
	conn, err := b.connect(ctx)
	if err != nil || b.scheme() == "http" {
		return conn, err
	}
	// Both ends are in this process, and what certificate the application has is
	// not what its tests are about.
	secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// atEnd has fn run at the end of the test, before the server drains. The function
// it returns takes fn back.
func (b *backend) atEnd(fn func()) (takeBack func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ends == nil {
		b.ends = map[int]func(){}
	}
	b.last++
	key := b.last
	b.ends[key] = fn
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ends, key)
	}
}

// end closes what the client still has open.
func (b *backend) end() {
	b.mu.Lock()
	ends := b.ends
	b.ends, b.ended = nil, true
	b.mu.Unlock()
	for _, fn := range ends {
		fn()
	}
	b.transport.CloseIdleConnections()
}

// tlsListener is tls.NewListener with the listener inside at hand.
type tlsListener struct {
	net.Listener
	config *tls.Config
}

func (l *tlsListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(conn, l.config), nil
}

// selfSigned makes a certificate for one test.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{defaultHost},
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
