package middleware_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// What the tests of the package share: an application whose log can be read, a
// request in memory, a server on a real socket, a clock that only tests move.

// patience is how long a test waits for what must happen before it fails.
const patience = 10 * time.Second

type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// records are the log records with a message.
func (b *logBook) records(t testing.TB, msg string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(b.text()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("the log line %q is not JSON: %v", line, err)
		}
		if record["msg"] == msg {
			list = append(list, record)
		}
	}
	return list
}

func newApp(t testing.TB, config ...ishaa.Config) (*ishaa.App, *logBook) {
	t.Helper()
	log := &logBook{}
	cfg := ishaa.Config{}
	if len(config) > 0 {
		cfg = config[0]
	}
	cfg.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return ishaa.New("test", cfg), log
}

// do sends a request in memory. Headers are given as "Name: value".
func do(app http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	return doBody(app, method, target, "", headers...)
}

func doBody(app http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Peer" {
			r.RemoteAddr = value
			continue
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
}

// wantHeader checks all values of a header; no values means that it is absent.
func wantHeader(t testing.TB, header http.Header, name string, values ...string) {
	t.Helper()
	if got := header.Values(name); strings.Join(got, "|") != strings.Join(values, "|") {
		t.Errorf("%s is %q, want %q", name, got, values)
	}
}

// serve runs an application on a real socket until the test ends.
func serve(t testing.TB, app http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return server
}

// dial opens a connection and sends a request as it is written.
func dial(t testing.TB, server *httptest.Server, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

// panicText gives the text of the panic that fn must end in.
func panicText(t testing.TB, fn func()) (text string) {
	t.Helper()
	defer func() {
		cause := recover()
		if cause == nil {
			t.Fatal("it does not panic")
		}
		text = fmt.Sprint(cause)
	}()
	fn()
	return ""
}

// wantMistake checks that options are refused with the line of the test and a
// message that says how to put it right.
func wantMistake(t testing.TB, want string, fn func()) {
	t.Helper()
	if text := panicText(t, fn); !strings.Contains(text, want) || !strings.Contains(text, "_test.go:") {
		t.Errorf("the panic is %q, want %q and the line of the call", text, want)
	}
}

func text(body string) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return ishaa.Text(body), nil }
}

// fakeClock is a clock that only tests move.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *fakeClock { return &fakeClock{now: time.Unix(1_700_000_000, 0)} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *fakeClock) After(time.Duration) <-chan time.Time { return make(chan time.Time) }
