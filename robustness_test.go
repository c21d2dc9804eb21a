package ishaa_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// What clients do to servers, over real sockets to the server that Serve builds.
// The promise is the same each time: a right answer or a closed connection, no
// goroutine left behind, and the next client is served.

// robustApp has a route for each way in which a request can take long, be large
// or go wrong.
func robustApp(t testing.TB, config ishaa.Config) (*ishaa.App, *logBook) {
	app, log := loggedApp(t, config)
	app.Get("/", text("alive"))
	app.Post("/body", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		return fmt.Sprint(len(data)), err
	}, ishaa.BodyLimit(64<<10))
	app.Post("/ignores", func(*ishaa.Request) (any, error) { return "ignored", nil })
	app.Get("/big", func(*ishaa.Request) (any, error) { return make([]byte, 16<<20), nil })
	return app, log
}

// alive checks that the server still serves.
func (s *server) alive() {
	s.t.Helper()
	s.do("GET", "/").wantBody(s.t, 200, "alive")
}

// closed reads what is left on a connection and fails unless it ends.
func closed(t testing.TB, conn net.Conn) string {
	t.Helper()
	data, err := io.ReadAll(conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the connection is still open after %s; it gave %q", patience, data)
	}
	return string(data)
}

func TestSlowHeaders(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{ReadHeaderTimeout: 200 * time.Millisecond})
	s := serve(t, app)
	var wg sync.WaitGroup
	for _, head := range []string{"", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", "GET / HTTP/1.1\r\nHost: a\r\n\r"} {
		for range 4 {
			conn := s.dial()
			wg.Go(func() {
				io.WriteString(conn, head)
				if answer := closed(t, conn); strings.Contains(answer, " 200 ") {
					t.Errorf("half a request, %q, was answered: %q", head, answer)
				}
			})
		}
	}
	s.alive()
	wg.Wait()
	s.alive()
}

func TestSlowBodies(t *testing.T) {
	noLeaks(t)
	app, log := robustApp(t, ishaa.Config{ReadTimeout: 200 * time.Millisecond})
	s := serve(t, app)
	for _, head := range []string{
		"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
		"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
		"POST /ignores HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
	} {
		conn := s.dial()
		io.WriteString(conn, head)
		answer := closed(t, conn)
		if strings.Contains(head, "/body") && !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
			t.Errorf("%q was answered %q", head, answer)
		}
	}
	if failed := log.records(t, "request failed"); len(failed) > 0 {
		t.Errorf("a slow client is logged as our failure: %v", failed)
	}
	s.alive()
}

// A client that does not read its answer is given up, and its goroutine ends.
func TestSlowReaders(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{WriteTimeout: 200 * time.Millisecond})
	outcomes := make(chan ishaa.Outcome, 10)
	app.Observe(observer(func(_ *ishaa.Route, o ishaa.Outcome) { outcomes <- o }))
	s := serve(t, app)
	for range 3 {
		conn := s.dial()
		conn.(*net.TCPConn).SetReadBuffer(4096)
		io.WriteString(conn, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	for range 3 {
		if outcome := receive(t, "an outcome", outcomes); !outcome.Aborted || outcome.Bytes >= 16<<20 {
			t.Errorf("the outcome is %+v", outcome)
		}
	}
	s.alive()
}

func TestHugeHeaders(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{MaxHeaderBytes: 16 << 10})
	s := serve(t, app)
	for name, head := range map[string]string{
		"one long header": "GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"many headers":    "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 100_000) + "\r\n",
		"many cookies":    "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + strings.Repeat("a=;", 20_000) + "\r\n\r\n",
		"a long address":  "GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"no end":          "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1<<20),
	} {
		conn := s.dial()
		go io.WriteString(conn, head) // the server may stop reading before the end
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if line != "HTTP/1.1 431 Request Header Fields Too Large\r\n" && line != "" {
			t.Errorf("%s: %q", name, line)
		}
		conn.Close()
	}
	s.alive()
	var cookies strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&cookies, "a%d=;", i)
	}
	s.do("GET", "/", withHeader("Cookie", cookies.String())).wantBody(t, 200, "alive")
}

func TestBodiesPastTheLimit(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{})
	s := serve(t, app)
	chunk := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
	for name, request := range map[string]string{
		"announced":                    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("x", 65537),
		"announced and never sent":     "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
		"announced, to be told":        "POST /body HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n",
		"chunked":                      "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 4) + "0\r\n\r\n",
		"chunked, and it does not end": "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 4),
	} {
		res := s.raw("POST", request)
		if res.err != nil {
			t.Errorf("%s: %v", name, res.err)
			continue
		}
		res.wantProblem(t, 413, "larger than the limit of 65536 bytes")
	}
	// A client that goes on sending finds the connection closed, sooner or later.
	conn := s.dial()
	io.WriteString(conn, "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	var sent int
	for ; sent < 1<<30; sent += len(chunk) {
		if _, err := io.WriteString(conn, chunk); err != nil {
			break
		}
	}
	if sent >= 1<<30 {
		t.Error("a body of 1 GiB was taken where the limit is 64 KiB")
	}
	s.alive()
}

func TestMalformedRequests(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{})
	s := serve(t, app)
	chunked := "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, request := range map[string]string{
		"bare LF in a chunk size":          chunked + "5\nhello\r\n0\r\n\r\n",
		"a chunk size that is none":        chunked + "xyz\r\nhello\r\n0\r\n\r\n",
		"a chunk size that overflows":      chunked + "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
		"a chunk longer than its size":     chunked + "2\r\nhello\r\n0\r\n\r\n",
		"extensions of chunks":             chunked + strings.Repeat("1;x="+strings.Repeat("y", 4000)+"\r\nx\r\n", 100) + "0\r\n\r\n",
		"an encoding that is none":         "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\nhello",
		"two lengths":                      "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"a length that is none":            "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nhello",
		"a space before the colon":         "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"no host":                          "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"a host that is none":              "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"a NUL in a header":                "GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
		"a method that is none":            "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
		"a version that is none":           "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
		"a target with a control":          "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"a target with a broken escape":    "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"the greeting of another protocol": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"HTTP/2 without asking":            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		res := s.raw("POST", request)
		if res.err == nil && (res.status < 400 || res.status >= 600 || res.status == 500) {
			t.Errorf("%s: answered %s", name, res)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		junk := make([]byte, random.IntN(300))
		for i := range junk {
			junk[i] = byte(random.Uint32())
		}
		if res := s.raw("GET", string(junk)+"\r\n\r\n"); res.err == nil && (res.status < 400 || res.status == 500) {
			t.Errorf("%q: answered %s", junk, res)
		}
	}
	s.alive()
}

// A client that has said all it wants to say, and has closed its side, still gets
// its answer.
func TestHalfClosedConnections(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{})
	s := serve(t, app)
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n":                                    "alive",
		"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello":     "5",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n":   "alive",
		"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello":    "to its end",
		"POST /ignores HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello": "ignored",
		"GET / HTTP/1.1\r\nHost":                                               "",
		"":                                                                     "",
	} {
		conn := s.dial()
		io.WriteString(conn, request)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if answer := closed(t, conn); !strings.Contains(answer, want) {
			t.Errorf("%q was answered %q, want %q in it", request, answer, want)
		}
	}
	s.alive()
}

func TestPanics(t *testing.T) {
	noLeaks(t)
	app, log := robustApp(t, ishaa.Config{})
	boom := func(*ishaa.Request) (any, error) { panic("secret-detail-42") }
	ok := text("ok")
	app.Get("/handler", boom)
	app.Get("/runtime", func(r *ishaa.Request) (any, error) { return []int{}[len(r.Path())], nil })
	app.Get("/error", func(*ishaa.Request) (any, error) { panic(ishaa.NotFound("a panic is never the client's mistake")) })
	app.Get("/before", ok, ishaa.Middleware{Before: boom})
	app.Get("/after", ok, ishaa.Middleware{After: func(*ishaa.Request, *ishaa.Response) error { panic("secret-detail-42") }})
	app.Get("/around", ok, ishaa.Middleware{Around: func(ishaa.Handler) ishaa.Handler { return boom }})
	app.Get("/responder", func(*ishaa.Request) (any, error) {
		return respond(func(*ishaa.Request, *ishaa.Response) error { panic("secret-detail-42") }), nil
	})
	app.Get("/filter", func(*ishaa.Request) (any, error) {
		res := ishaa.Text("x")
		res.Filter(func(io.Writer) io.WriteCloser { panic("secret-detail-42") })
		return res, nil
	})
	app.Get("/serve", func(*ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-detail-42") })), nil
	})
	app.Mount("/mounted/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret-detail-42") }))
	app.Get("/sent", func(r *ishaa.Request) (any, error) {
		r.OnSent(func() { panic("secret-detail-42") })
		return "ok", nil
	})
	app.Get("/stream", func(*ishaa.Request) (any, error) {
		return ishaa.Stream("text/plain", func(*ishaa.StreamWriter) error { panic("secret-detail-42") }), nil
	})
	app.Get("/written", func(*ishaa.Request) (any, error) {
		return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "part")
			panic("secret-detail-42")
		})), nil
	})
	app.Get("/abort", func(*ishaa.Request) (any, error) { panic(http.ErrAbortHandler) })
	s := serve(t, app)

	answered := []string{"/handler", "/runtime", "/error", "/before", "/after", "/around", "/responder", "/filter", "/serve", "/mounted/x"}
	cut := []string{"/stream", "/written", "/abort"}
	for _, path := range answered {
		for _, accept := range []string{"application/json", "text/html"} {
			res := s.do("GET", path, withHeader("Accept", accept)).want(t, 500)
			if strings.Contains(res.body, "secret-detail-42") || strings.Contains(res.body, ".go:") {
				t.Errorf("%s: the answer says too much: %s", path, res)
			}
			for _, name := range []string{"X-Content-Type-Options", "Content-Security-Policy", "X-Request-Id"} {
				if res.header.Get(name) == "" {
					t.Errorf("%s: the answer is without %s: %s", path, name, res)
				}
			}
		}
	}
	s.do("GET", "/sent").wantBody(t, 200, "ok")
	for _, path := range cut {
		if res := s.raw("GET", "GET "+path+" HTTP/1.1\r\nHost: a\r\n\r\n"); res.err == nil {
			t.Errorf("%s: the answer looks whole: %s", path, res)
		}
	}
	stacks := 0
	for _, record := range log.records(t, "request failed") {
		if stack, _ := record["stack"].(string); strings.Contains(stack, "robustness_test.go:") {
			stacks++
		}
	}
	if want := 2*len(answered) + len(cut); stacks != want { // /sent too, and the abort is not logged
		t.Errorf("%d records with a stack for %d panics", stacks, want)
	}

	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			all := append(append([]string{"/sent"}, answered...), cut...)
			if answer, err := s.client.Get(s.url(all[i%len(all)])); err == nil {
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		})
	}
	wg.Wait()
	s.alive()
}

// One connection goes on after a panic on it.
func TestConnectionSurvivesAPanic(t *testing.T) {
	noLeaks(t)
	app, _ := robustApp(t, ishaa.Config{})
	app.Get("/panic", func(*ishaa.Request) (any, error) { panic("no") })
	s := serve(t, app)
	conn := s.dial()
	answers := bufio.NewReader(conn)
	for _, c := range []struct {
		path   string
		status int
	}{{"/panic", 500}, {"/", 200}, {"/panic", 500}, {"/none", 404}, {"/", 200}} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", c.path)
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		readAnswer(answer).want(t, c.status)
	}
}

// A thousand clients read a little of a stream each and go, all at once.
func TestThousandStreamsCut(t *testing.T) {
	const clients = 1000
	noLeaks(t)
	app, log := robustApp(t, ishaa.Config{})
	var running, ended atomic.Int64
	track := func(r *ishaa.Request) {
		running.Add(1)
		r.OnSent(func() { running.Add(-1); ended.Add(1) })
	}
	app.Get("/events", func(r *ishaa.Request) (any, error) {
		track(r)
		return ishaa.Events(func(yield func(string, error) bool) {
			if yield("hello, and then nothing", nil) {
				<-r.Context().Done()
			}
		}), nil
	})
	app.Get("/flood", func(r *ishaa.Request) (any, error) {
		track(r)
		return ishaa.NDJSON(endlessNumbers), nil
	})
	s := serve(t, app)
	conns := make([]net.Conn, clients)
	for i := range conns {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		conns[i] = conn
	}
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() {
			conn.SetDeadline(time.Now().Add(3 * patience))
			path := "/events"
			if i%50 == 0 {
				path = "/flood"
			}
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path)
			head := make([]byte, 15)
			if _, err := io.ReadFull(conn, head); err != nil || string(head) != "HTTP/1.1 200 OK" {
				t.Errorf("client %d: %q, %v", i, head, err)
			}
		})
	}
	wg.Wait()
	eventually(t, "every stream runs", func() bool { return running.Load() == clients })
	for _, conn := range conns {
		conn.Close()
	}
	eventually(t, "every stream has ended", func() bool { return ended.Load() == clients && running.Load() == 0 })
	s.alive()
	if failed := log.records(t, "request failed"); len(failed) > 0 {
		t.Errorf("%d clients that went are logged as failures: %v", len(failed), failed[0])
	}
}

// When its context ends, Serve takes no new requests, lets those under way
// finish, and then runs the stop hooks.
func TestServeDrains(t *testing.T) {
	noLeaks(t)
	app := newApp(t)
	began, release := make(chan struct{}), make(chan struct{})
	var order []string
	app.OnStop(func(context.Context) error { order = append(order, "stopped"); return nil })
	app.Get("/", func(r *ishaa.Request) (any, error) {
		close(began)
		<-release
		if err := r.Context().Err(); err != nil {
			t.Errorf("the request's context ended: %v", err)
		}
		order = append(order, "answered")
		return ishaa.Text("finished"), nil
	})
	s := serve(t, app)
	answer := make(chan *result, 1)
	go func() { answer <- s.do("GET", "/") }()
	receive(t, "the request", began)
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	receive(t, "the start of draining", app.Draining())
	eventually(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	close(release)
	receive(t, "the answer", answer).wantBody(t, 200, "finished")
	if err := receive(t, "the end of Serve", stopped); err != nil {
		t.Errorf("Serve: %v", err)
	}
	same(t, "order", order, []string{"answered", "stopped"})
}

// What does not finish in time is cut, and Serve says so.
func TestServeCutsWhatDoesNotFinish(t *testing.T) {
	noLeaks(t)
	app := newApp(t, ishaa.Config{DrainTimeout: 100 * time.Millisecond})
	began := make(chan struct{})
	app.Get("/", func(r *ishaa.Request) (any, error) {
		close(began)
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	receive(t, "the request", began)
	cancel()
	if err := receive(t, "the end of Serve", served); err == nil || !strings.Contains(err.Error(), "still under way after 100ms") {
		t.Errorf("Serve: %v", err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	if answer := closed(t, conn); strings.Contains(answer, " 200 ") {
		t.Errorf("the client got %q", answer)
	}
}
