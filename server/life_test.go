package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

// What happens over time: contexts, deadlines, connections that are taken over, and the end of the server.

func TestContextEndsWhenTheClientGoes(t *testing.T) {
	for _, c := range []struct {
		name, request string
		read          bool
	}{
		{"no body", get1("/"), false},
		{"body", lengthed("/", "hello"), true},
		{"chunks", post("/", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"), true},
	} {
		for _, wait := range []struct {
			name string
			on   func(ctx context.Context)
		}{
			{"Done", func(ctx context.Context) { <-ctx.Done() }},
			{"Err", func(ctx context.Context) {
				for ctx.Err() == nil {
					time.Sleep(time.Millisecond)
				}
			}},
			{"a context made from it", func(ctx context.Context) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				<-ctx.Done()
			}},
			{"AfterFunc", func(ctx context.Context) {
				done := make(chan struct{})
				context.AfterFunc(ctx, func() { close(done) })
				<-done
			}},
		} {
			t.Run(c.name+"/"+wait.name, func(t *testing.T) {
				entered, left := make(chan struct{}), make(chan error, 1)
				s := start(t, &server.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if c.read {
						io.Copy(io.Discard, r.Body)
					}
					close(entered)
					wait.on(r.Context())
					left <- r.Context().Err()
				})})
				conn := s.dial()
				io.WriteString(conn, c.request)
				receive(t, "the request", entered)
				conn.Close()
				if err := receive(t, "the end of the context", left); !errors.Is(err, context.Canceled) {
					t.Errorf("the context ended with %v", err)
				}
			})
		}
	}
}

func TestContextEndsWithTheHandler(t *testing.T) {
	var kept context.Context
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		kept = r.Context()
		if r.URL.Path == "/asks" && kept.Err() != nil {
			t.Error("the context has ended before the handler")
		}
	})})
	for _, path := range []string{"/asks", "/asks-not"} {
		s.exchange(get1(path))
		<-kept.Done()
		if kept.Err() == nil {
			t.Error("the context has no error after the handler")
		}
	}
}

func TestContextEndsWithTheServers(t *testing.T) {
	base, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	entered, left := make(chan struct{}), make(chan error, 1)
	type key struct{}
	s := start(t, &server.Server{
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, key{}, c.RemoteAddr())
		},
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := fmt.Sprint(r.Context().Value(key{})); got != r.RemoteAddr {
				t.Errorf("ConnContext's value is %q, want %q", got, r.RemoteAddr)
			}
			if _, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok {
				t.Error("there is no *http.Server under http.ServerContextKey")
			}
			if _, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); !ok {
				t.Error("there is no address under http.LocalAddrContextKey")
			}
			close(entered)
			<-r.Context().Done()
			left <- context.Cause(r.Context())
		}),
	})
	io.WriteString(s.dial(), get1("/"))
	receive(t, "the request", entered)
	cancel(why)
	if err := receive(t, "the end of the context", left); !errors.Is(err, why) {
		t.Errorf("the context ended because of %v", err)
	}
}

// A client that pipelines gets all answers although somebody watches the connection, and an answer does not wait for the
// one behind it.
func TestPipelinedBehindAWatch(t *testing.T) {
	release := make(chan struct{})
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Context().Done()
		if r.URL.Path == "/wait" {
			<-release
		}
		io.WriteString(w, r.URL.Path)
	})})
	conn := s.dial()
	reader := bufio.NewReader(conn)
	go io.WriteString(conn, get1("/1")+get1("/2")+get1("/wait")+strings.Repeat(get1("/x"), 300))
	for _, want := range []string{"/1", "/2"} {
		if _, body := answerOf(t, reader, "GET"); body != want {
			t.Errorf("%q, want %q", body, want)
		}
	}
	close(release)
	for i := range 301 {
		if _, body := answerOf(t, reader, "GET"); body != "/wait" && body != "/x" {
			t.Fatalf("answer %d is %q", i, body)
		}
	}
}

func TestHijack(t *testing.T) {
	for _, watched := range []bool{false, true} {
		t.Run(fmt.Sprintf("watched %t", watched), func(t *testing.T) {
			entered, sent := make(chan struct{}), make(chan struct{})
			var states stateList
			s := start(t, &server.Server{ConnState: states.add, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if watched {
					r.Context().Done()
				}
				close(entered)
				<-sent
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrHijacked) {
					t.Errorf("a second Hijack gives %v", err)
				}
				if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrHijacked) {
					t.Errorf("Write after Hijack gives %v", err)
				}
				line, err := rw.ReadString('\n')
				if err != nil {
					t.Error(err)
				}
				fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\n\r\ngot %s", line)
				rw.Flush()
				rest, _ := io.ReadAll(rw)
				fmt.Fprintf(conn, "and %s", rest)
			})})
			conn := s.dial()
			io.WriteString(conn, get1("/")+"early ")
			receive(t, "the request", entered)
			io.WriteString(conn, "bytes\nlate")
			close(sent)
			conn.CloseWrite()
			answer, err := io.ReadAll(conn)
			if want := "HTTP/1.1 101 Switching Protocols\r\n\r\ngot early bytes\nand late"; string(answer) != want {
				t.Errorf("%q (%v), want %q", answer, err, want)
			}
			states.want(t, "new active hijacked")
		})
	}
}

func TestHijackAfterFlush(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "Hello, ")
		w.(http.Flusher).Flush()
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(rw, "6\r\nworld!\r\n0\r\n\r\n")
		rw.Flush()
		conn.Close()
	})})
	if got, want := summary(s.exchange(get1("/")), get1("/")), "200 "+plainText+" chunked Hello, world!"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// stateList keeps what ConnState is told.
type stateList struct {
	mu   sync.Mutex
	list []string
}

func (l *stateList) add(_ net.Conn, state http.ConnState) {
	l.mu.Lock()
	l.list = append(l.list, state.String())
	l.mu.Unlock()
}

func (l *stateList) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.list, " ")
}

func (l *stateList) want(t *testing.T, want string) {
	t.Helper()
	eventually(t, "the states are "+want, func() bool { return l.String() == want })
}

func TestConnState(t *testing.T) {
	for name, c := range map[string]struct {
		steps []string // "" closes
		want  string
	}{
		"closed at once": {[]string{""}, "new closed"},
		"one request":    {[]string{get1("/"), ""}, "new active idle closed"},
		"two requests":   {[]string{get1("/"), get1("/"), ""}, "new active idle active idle closed"},
		"a close":        {[]string{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}, "new active closed"},
		"a panic":        {[]string{get1("/panics")}, "new active closed"},
		"a bad request":  {[]string{"GET\r\n\r\n"}, "new active closed"},
	} {
		t.Run(name, func(t *testing.T) {
			var states, stdStates stateList
			for _, s := range []*running{
				start(t, &server.Server{ConnState: states.add, Handler: http.HandlerFunc(battery)}),
				startStd(t, &http.Server{ConnState: stdStates.add, Handler: http.HandlerFunc(battery)}),
			} {
				conn := s.dial()
				reader := bufio.NewReader(conn)
				for _, step := range c.steps {
					if step == "" {
						conn.Close()
						break
					}
					io.WriteString(conn, step)
					http.ReadResponse(reader, nil)
				}
			}
			states.want(t, c.want)
			stdStates.want(t, c.want)
		})
	}
}

// Half of what a client may send, and then nothing: the connection is closed when the time is over.
func TestSlowClients(t *testing.T) {
	for name, c := range map[string]struct {
		server  *server.Server
		request string
	}{
		"no head":               {&server.Server{ReadHeaderTimeout: 50 * time.Millisecond}, ""},
		"half a head":           {&server.Server{ReadHeaderTimeout: 50 * time.Millisecond}, "GET / HTTP/1.1\r\nHost: a\r\n"},
		"half a head, ReadTime": {&server.Server{ReadTimeout: 50 * time.Millisecond}, "GET / HTTP/1.1\r\nHost: a\r\n"},
		"half a second head":    {&server.Server{ReadHeaderTimeout: 50 * time.Millisecond, IdleTimeout: time.Hour}, get1("/") + "GET / HT"},
		"half a body":           {&server.Server{ReadTimeout: 50 * time.Millisecond}, post("/echo", "Content-Length: 10\r\n", "hello")},
		"half a chunk":          {&server.Server{ReadTimeout: 50 * time.Millisecond}, post("/echo", "Transfer-Encoding: chunked\r\n", "a\r\nhello")},
		"half a body, unread":   {&server.Server{ReadTimeout: 50 * time.Millisecond}, post("/ignore", "Content-Length: 10\r\n", "hello")},
		"idle":                  {&server.Server{IdleTimeout: 50 * time.Millisecond}, get1("/")},
		"idle, ReadTimeout":     {&server.Server{ReadTimeout: 50 * time.Millisecond}, get1("/")},
	} {
		t.Run(name, func(t *testing.T) {
			c.server.Handler = http.HandlerFunc(battery)
			conn := start(t, c.server).dial()
			io.WriteString(conn, c.request)
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("the connection is not closed: %v", err)
			}
		})
	}
}

// A head that takes longer than an idle connection may last is a matter of ReadHeaderTimeout, and the other way round.
func TestTimeoutsOfOneKindDoNotEndAnother(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(battery), ReadHeaderTimeout: 50 * time.Millisecond, IdleTimeout: time.Hour})
	conn := s.dial()
	reader := bufio.NewReader(conn)
	ask(t, conn, reader, get1("/x"))
	time.Sleep(100 * time.Millisecond) // idle, for longer than a head may take
	if _, body := ask(t, conn, reader, get1("/x")); body != "GET /x" {
		t.Errorf("%q", body)
	}
	s = start(t, &server.Server{Handler: http.HandlerFunc(battery), IdleTimeout: 50 * time.Millisecond})
	conn = s.dial()
	reader = bufio.NewReader(conn)
	ask(t, conn, reader, get1("/x"))
	io.WriteString(conn, "GET /x HTTP/1.1\r\n")
	time.Sleep(100 * time.Millisecond)
	if _, body := ask(t, conn, reader, "Host: a\r\n\r\n"); body != "GET /x" {
		t.Errorf("%q", body)
	}
}

// A client that does not read holds a handler no longer than WriteTimeout.
func TestSlowReader(t *testing.T) {
	left := make(chan error, 1)
	s := start(t, &server.Server{WriteTimeout: 50 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				left <- err
				return
			}
		}
	})})
	io.WriteString(s.dial(), get1("/"))
	var timeout net.Error
	if err := receive(t, "the end of the write", left); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the write ended with %v", err)
	}
}

func TestResponseControllerDeadlines(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		switch r.URL.Path {
		case "/read":
			if err := control.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, err != nil)
		case "/write":
			if err := control.SetWriteDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
			io.WriteString(w, "never seen")
		case "/ends-context":
			control.SetReadDeadline(time.Unix(1, 0))
			<-r.Context().Done()
			io.WriteString(w, "ended")
		}
	})})
	if got := s.exchange(post("/read", "Content-Length: 3\r\n", "")); !strings.HasSuffix(got, "true") {
		t.Errorf("reading with a deadline that is over: %q", got)
	}
	if got := s.exchange(get1("/write")); got != "" {
		t.Errorf("writing with a deadline that is over: %q", got)
	}
	if got := s.exchange(get1("/ends-context")); !strings.HasSuffix(got, "ended") {
		t.Errorf("a context with a deadline that is over: %q", got)
	}
}

func TestFullDuplex(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		buf := make([]byte, 1)
		for {
			n, err := r.Body.Read(buf)
			if n > 0 {
				w.Write(buf[:n])
				control.Flush()
			}
			if err != nil {
				return
			}
		}
	})})
	conn := s.dial()
	io.WriteString(conn, post("/", "Transfer-Encoding: chunked\r\n", ""))
	reader := bufio.NewReader(conn)
	var body io.Reader
	for i, c := range "duplex" {
		fmt.Fprintf(conn, "1\r\n%c\r\n", c)
		if i == 0 {
			res, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			body = res.Body
		}
		got := make([]byte, 1)
		if _, err := io.ReadFull(body, got); err != nil || rune(got[0]) != c {
			t.Fatalf("%q (%v), want %q", got, err, c)
		}
	}
	io.WriteString(conn, "0\r\n\r\n")
	if rest, err := io.ReadAll(body); err != nil || len(rest) > 0 {
		t.Errorf("%q (%v)", rest, err)
	}
}

func TestShutdown(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	var hooked atomic.Bool
	s := &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-release
		}
		io.WriteString(w, "done")
	})}
	s.RegisterOnShutdown(func() { hooked.Store(true) })
	r := start(t, s)
	idle := r.dial()
	ask(t, idle, bufio.NewReader(idle), get1("/"))
	busy := r.dial()
	io.WriteString(busy, get1("/slow"))
	receive(t, "the request", entered)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(over); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown with no time gives %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(t.Context()) }()
	if _, err := io.ReadAll(idle); err != nil {
		t.Errorf("the idle connection: %v", err)
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("it still listens")
	}
	select {
	case err := <-ended:
		t.Fatalf("Shutdown does not wait: %v", err)
	default:
	}
	close(release)
	res, body := answerOf(t, bufio.NewReader(busy), "GET")
	if body != "done" || !res.Close {
		t.Errorf("%q, close %t", body, res.Close)
	}
	if err := receive(t, "the end of Shutdown", ended); err != nil {
		t.Error(err)
	}
	eventually(t, "the hook runs", hooked.Load)
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("serving after Shutdown gives %v", err)
	}
}

func TestKeepAlivesOff(t *testing.T) {
	s := &server.Server{Handler: http.HandlerFunc(battery)}
	r := start(t, s)
	idle := r.dial()
	ask(t, idle, bufio.NewReader(idle), get1("/x"))
	s.SetKeepAlivesEnabled(false)
	if _, err := io.ReadAll(idle); err != nil {
		t.Errorf("the idle connection: %v", err)
	}
	if got, want := summary(r.exchange(get1("/x")+get1("/x")), get1("/x")), "200 Content-Length=6 "+plainText+" close GET /x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPanicIsLogged(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") })})
	if got := s.exchange(get1("/")); got != "" {
		t.Errorf("%q", got)
	}
	eventually(t, "the panic is logged", func() bool { return strings.Contains(s.log.String(), "oh no") })
}

// A goroutine that the handler leaves behind can do no harm.
func TestLateUse(t *testing.T) {
	late := make(chan http.ResponseWriter, 1)
	bodies := make(chan io.ReadCloser, 1)
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		late <- w
		bodies <- r.Body
	})})
	conn := s.dial()
	reader := bufio.NewReader(conn)
	ask(t, conn, reader, lengthed("/", "hello"))
	w := <-late
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("Write succeeds after the handler returned")
	}
	if err := http.NewResponseController(w).Flush(); err == nil {
		t.Error("Flush succeeds after the handler returned")
	}
	if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
		t.Error("Hijack succeeds after the handler returned")
	}
	w.WriteHeader(500)
	if _, err := (<-bodies).Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("reading the body gives %v", err)
	}
	if res, body := ask(t, conn, reader, get1("/")); body != "" || res.StatusCode != 200 {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// A body that another goroutine waits for when the handler returns: the goroutine is woken, and the connection ends.
func TestBodyReadElsewhere(t *testing.T) {
	failed := make(chan error, 1)
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := make(chan struct{})
		go func() {
			close(begun)
			_, err := io.ReadAll(r.Body)
			failed <- err
		}()
		<-begun
		w.WriteHeader(202)
	})})
	conn := s.dial()
	io.WriteString(conn, post("/", "Content-Length: 1000000\r\n", "begin"))
	res, _ := answerOf(t, bufio.NewReader(conn), "POST")
	if res.StatusCode != 202 || !res.Close {
		t.Errorf("%d, close %t", res.StatusCode, res.Close)
	}
	if err := receive(t, "the end of the read", failed); err == nil {
		t.Error("the body was read to its end")
	}
}

// Nothing that a handler keeps changes when the connection goes on.
func TestKeptRequests(t *testing.T) {
	var kept []*http.Request
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = append(kept, r) })})
	conn := s.dial()
	reader := bufio.NewReader(conn)
	for i := range 50 {
		ask(t, conn, reader, fmt.Sprintf("GET /%d?q=%d HTTP/1.1\r\nHost: h%d\r\nX-Own: v%d\r\nAccept: a%d\r\n\r\n", i, i, i, i, i))
	}
	for i, r := range kept {
		want := fmt.Sprintf("GET /%d /%d?q=%d h%d v%d a%d", i, i, i, i, i, i)
		if got := fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.RequestURI, " ", r.Host, " ", r.Header.Get("X-Own"), " ", r.Header.Get("Accept")); got != want {
			t.Errorf("kept request %d is %q, want %q", i, got, want)
		}
	}
}
