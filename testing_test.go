package ishaa_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// This file is what the tests of the package share: an application whose log can
// be read, a request in memory (do), a server on a real socket (serve) that can
// be sent bytes no HTTP client would send (raw), and a check that no goroutine is
// left behind (noLeaks).

// patience is how long a test waits for what must happen before it fails.
const patience = 10 * time.Second

// newApp returns an application that logs nowhere.
func newApp(t testing.TB, config ...ishaa.Config) *ishaa.App {
	t.Helper()
	app, _ := loggedApp(t, config...)
	return app
}

// loggedApp returns an application and its log, at the level Debug.
func loggedApp(t testing.TB, config ...ishaa.Config) (*ishaa.App, *logBook) {
	t.Helper()
	log := &logBook{}
	var cfg ishaa.Config
	if len(config) > 0 {
		cfg = config[0]
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = patience
	}
	return ishaa.New("test", cfg), log
}

// logBook keeps log records as the JSON lines that slog writes.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// text is everything that was written.
func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// records lists the records with a message.
func (b *logBook) records(t testing.TB, msg string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(b.text()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("log line %q is not JSON: %v", line, err)
		}
		if record["msg"] == msg {
			list = append(list, record)
		}
	}
	return list
}

// requestOption changes a request before it is sent.
type requestOption func(*http.Request)

func withHeader(name, value string) requestOption {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func withBody(contentType, body string) requestOption {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.Body = io.NopCloser(strings.NewReader(body))
		r.ContentLength = int64(len(body))
	}
}

// withChunks sends a body whose length is not announced.
func withChunks(contentType, body string) requestOption {
	return func(r *http.Request) {
		withBody(contentType, body)(r)
		r.ContentLength = -1
	}
}

func withHost(host string) requestOption {
	return func(r *http.Request) { r.Host = host }
}

// withPeer sets the address of the client, for requests in memory.
func withPeer(addr string) requestOption {
	return func(r *http.Request) { r.RemoteAddr = addr }
}

// withTLS makes a request in memory one that came over TLS.
func withTLS() requestOption {
	return func(r *http.Request) { r.TLS = &tls.ConnectionState{HandshakeComplete: true} }
}

// result is an answer that has been read to its end.
type result struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func (res *result) String() string {
	return fmt.Sprintf("%d %v\n%s", res.status, res.header, res.body)
}

// want checks the status, and returns the result.
func (res *result) want(t testing.TB, status int) *result {
	t.Helper()
	if res.err != nil {
		t.Fatalf("reading the answer: %v after\n%s", res.err, res)
	}
	if res.status != status {
		t.Fatalf("status %d, want %d:\n%s", res.status, status, res)
	}
	return res
}

// wantBody checks status and body.
func (res *result) wantBody(t testing.TB, status int, body string) *result {
	t.Helper()
	if res.want(t, status); res.body != body {
		t.Fatalf("body %q, want %q", res.body, body)
	}
	return res
}

// wantProblem checks that the answer is a problem document of a status whose
// detail contains a text.
func (res *result) wantProblem(t testing.TB, status int, detail string) *result {
	t.Helper()
	res.want(t, status)
	if got := res.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q, want application/problem+json:\n%s", got, res)
	}
	var problem struct {
		Status int
		Title  string
		Detail string
	}
	if err := json.Unmarshal([]byte(res.body), &problem); err != nil {
		t.Fatalf("problem %q: %v", res.body, err)
	}
	if problem.Status != status || problem.Title == "" || !strings.Contains(problem.Detail, detail) {
		t.Fatalf("problem %s, want status %d and a detail with %q", res.body, status, detail)
	}
	return res
}

// wantHeader checks all values of a header; none means that it must be absent.
func (res *result) wantHeader(t testing.TB, name string, values ...string) *result {
	t.Helper()
	if got := res.header.Values(name); !slices.Equal(got, values) {
		t.Fatalf("header %s is %q, want %q", name, got, values)
	}
	return res
}

// do answers a request in memory. A handler that cuts the connection gives the
// result status 0.
func do(t testing.TB, app http.Handler, method, target string, options ...requestOption) *result {
	t.Helper()
	raw := httptest.NewRequest(method, target, nil)
	for _, option := range options {
		option(raw)
	}
	w := httptest.NewRecorder()
	if aborted := serveOrAbort(app, w, raw); aborted {
		return &result{err: http.ErrAbortHandler}
	}
	answer := w.Result()
	// As servers do for a short answer that was written at once.
	if size := w.Body.Len(); answer.Header["Content-Length"] == nil && !w.Flushed && size > 0 && size <= 1024 && method != "HEAD" &&
		answer.StatusCode != 204 && answer.StatusCode != 304 {
		answer.Header.Set("Content-Length", strconv.Itoa(size))
	}
	return &result{status: answer.StatusCode, header: answer.Header, body: w.Body.String()}
}

// serveOrAbort serves as net/http does, where http.ErrAbortHandler ends the
// connection and not the program.
func serveOrAbort(app http.Handler, w http.ResponseWriter, raw *http.Request) (aborted bool) {
	defer func() {
		if cause := recover(); cause != nil {
			if cause != http.ErrAbortHandler {
				panic(cause)
			}
			aborted = true
		}
	}()
	app.ServeHTTP(w, raw)
	return false
}

// server is an application on a loopback socket.
type server struct {
	t    testing.TB
	addr string
	// client follows no redirects and keeps connections.
	client *http.Client
	// stop ends the server and returns what Serve returned. It is called at the end
	// of the test if the test does not.
	stop func() error
}

// serve starts the application on a port of its own, as Run would.
func serve(t testing.TB, app *ishaa.App) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, app, listener)
}

func serveOn(t testing.TB, app *ishaa.App, listener net.Listener) *server {
	t.Helper()
	network, addr := listener.Addr().Network(), listener.Addr().String()
	transport := &http.Transport{
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	s := &server{t: t, addr: addr, client: &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.stop = sync.OnceValue(func() error {
		transport.CloseIdleConnections()
		cancel()
		return <-served
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// url is the address of a path.
func (s *server) url(path string) string { return "http://" + s.addr + path }

// send does a request and gives the answer before its body is read.
func (s *server) send(ctx context.Context, method, path string, options ...requestOption) *http.Response {
	s.t.Helper()
	raw, err := http.NewRequestWithContext(ctx, method, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, option := range options {
		option(raw)
	}
	answer, err := s.client.Do(raw)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// do does a request and reads its answer.
func (s *server) do(method, path string, options ...requestOption) *result {
	s.t.Helper()
	return readAnswer(s.send(s.t.Context(), method, path, options...))
}

func readAnswer(answer *http.Response) *result {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return &result{answer.StatusCode, answer.Header, string(body), err}
}

// dial opens a connection that is closed at the end of the test.
func (s *server) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// raw sends bytes as they are on a connection of their own and reads one answer.
// The method only says how the answer is to be read.
func (s *server) raw(method, request string) *result {
	s.t.Helper()
	conn := s.dial()
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return &result{err: err}
	}
	return readAnswer(answer)
}

// rawRequest is a request line as it is, with the host and no body.
func (s *server) rawRequest(method, target, host string) *result {
	s.t.Helper()
	return s.raw(method, method+" "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s, still not: %s", patience, what)
		}
	}
}

// receive takes one value from a channel.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("after %s, still waiting for: %s", patience, what)
		panic("unreachable")
	}
}

// noLeaks checks at the end of the test, after the cleanups registered later,
// that every goroutine that began during the test has ended. It is for tests that
// are not parallel: of those, only one runs at a time.
func noLeaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			left = left[:0]
			for id, stack := range goroutines() {
				if _, old := before[id]; !old {
					left = append(left, stack)
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%d goroutines are left:\n\n%s", len(left), strings.Join(left, "\n\n"))
				return
			}
		}
	})
}

// goroutines gives the stack of every goroutine but the caller's, by its id.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := map[string]string{}
	for i, stack := range strings.Split(string(buf), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		if i > 0 { // the first is the caller
			stacks[id] = stack
		}
	}
	return stacks
}

// outcomes collects what observers are told, from any goroutine.
type outcomes struct {
	mu   sync.Mutex
	list []string
}

// watch has the outcomes of an application written down by a function.
func watch(app *ishaa.App, text func(*ishaa.Route, ishaa.Outcome) string) *outcomes {
	o := &outcomes{}
	app.Observe(observerFunc(func(route *ishaa.Route, outcome ishaa.Outcome) {
		line := text(route, outcome)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.list = append(o.list, line)
	}))
	return o
}

// want checks the outcomes, in any order: an observer may run while the next
// request comes in.
func (o *outcomes) want(t testing.TB, lines ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.Sort(o.list)
	slices.Sort(lines)
	if !slices.Equal(o.list, lines) {
		t.Errorf("the outcomes are\n %s\nwant\n %s", strings.Join(o.list, "\n "), strings.Join(lines, "\n "))
	}
}

// observerFunc is a function as an Observer.
type observerFunc func(*ishaa.Route, ishaa.Outcome)

func (f observerFunc) Observe(route *ishaa.Route, outcome ishaa.Outcome) { f(route, outcome) }

// recovered gives the text of a panic that fn must end in.
func recovered(t testing.TB, fn func()) (text string) {
	t.Helper()
	defer func() {
		cause := recover()
		if cause == nil {
			t.Fatal("no panic")
		}
		text = fmt.Sprint(cause)
	}()
	fn()
	return ""
}

// text returns a handler that answers with a fixed text.
func text(body string) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return ishaa.Text(body), nil }
}

// fails returns a handler that answers with an error.
func fails(err error) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return nil, err }
}

var errBroken = errors.New("the database password is hunter2")

// doRaw is do for a request that httptest would not make.
func doRaw(t testing.TB, app http.Handler, raw *http.Request) *result {
	t.Helper()
	w := httptest.NewRecorder()
	app.ServeHTTP(w, raw)
	answer := w.Result()
	return &result{status: answer.StatusCode, header: answer.Header, body: w.Body.String()}
}
