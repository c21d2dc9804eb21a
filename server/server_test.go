package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what is to happen at once.
const patience = 60 * time.Second

// logBook keeps what a server logs.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// running is a server under test.
type running struct {
	t    testing.TB
	addr string
	log  *logBook
}

// start serves by package server until the test ends.
func start(t testing.TB, s *server.Server) *running {
	t.Helper()
	r := &running{t, "", &logBook{}}
	s.ErrorLog = log.New(r.log, "", 0)
	r.addr = serve(t, func(l net.Listener) error { return s.Serve(l) }, s.Close)
	return r
}

// startStd serves by net/http until the test ends.
func startStd(t testing.TB, s *http.Server) *running {
	t.Helper()
	r := &running{t, "", &logBook{}}
	s.ErrorLog = log.New(r.log, "", 0)
	r.addr = serve(t, s.Serve, s.Close)
	return r
}

func serve(t testing.TB, run func(net.Listener) error, end func() error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- run(l) }()
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
		if err := <-served; err != http.ErrServerClosed { //nolint:errorlint // promised as it is
			t.Errorf("Serve returned %v", err)
		}
	})
	return l.Addr().String()
}

// dial connects until the test ends.
func (r *running) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// exchange sends bytes, says that there are no more, and returns all that comes back.
func (r *running) exchange(request string) string {
	r.t.Helper()
	c := r.dial()
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, request) // the server may have closed already
		_ = c.CloseWrite()
	}()
	answer, err := io.ReadAll(c)
	if err != nil && !strings.Contains(err.Error(), "reset") {
		r.t.Errorf("reading the answer to %.60q: %v", request, err)
	}
	return string(answer)
}

// ask sends a request on a connection and returns its answer.
func ask(t testing.TB, c net.Conn, reader *bufio.Reader, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return answerOf(t, reader, "GET")
}

func answerOf(t testing.TB, reader *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// receive waits for a channel.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s does not come", what)
		panic("unreachable")
	}
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("it does not happen that %s", what)
		}
	}
}

// client is one whose connections end with the test.
func client(t testing.TB, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: config != nil}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}
