package server_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	coder "github.com/coder/websocket"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/server"
	"github.com/ishaa-framework/ishaa/websocket"
)

// What others wrote for net/http works here unchanged.

func TestFileServer(t *testing.T) {
	folder := t.TempDir()
	random := rand.NewChaCha8([32]byte{})
	large := make([]byte, 3<<20)
	random.Read(large)
	for name, content := range map[string][]byte{"large.bin": large, "small.txt": []byte("small"), "empty": nil} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, &server.Server{Handler: http.FileServer(http.Dir(folder))})
	c := client(t, nil)
	for _, want := range []struct {
		path, ranges string
		status       int
		content      []byte
	}{
		{"/large.bin", "", 200, large},
		{"/large.bin", "bytes=1000-2000000", 206, large[1000:2000001]},
		{"/large.bin", "bytes=-10", 206, large[len(large)-10:]},
		{"/small.txt", "", 200, []byte("small")},
		{"/empty", "", 200, nil},
		{"/large.bin", "bytes=99999999-", 416, nil},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.addr+want.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want.ranges != "" {
			req.Header.Set("Range", want.ranges)
		}
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != want.status || want.status < 400 && !bytes.Equal(body, want.content) {
			t.Errorf("%s %s: %d, %d bytes (%v), want %d, %d bytes", want.path, want.ranges, res.StatusCode, len(body), err, want.status, len(want.content))
		}
	}
}

func TestReverseProxy(t *testing.T) {
	backend := start(t, &server.Server{Handler: http.HandlerFunc(battery)})
	target := &url.URL{Scheme: "http", Host: backend.addr}
	proxy := httputil.NewSingleHostReverseProxy(target)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	proxy.Transport = transport
	front := start(t, &server.Server{Handler: proxy})
	c := client(t, nil)
	for path, body := range map[string]string{"/x": "", "/large": "", "/echo": strings.Repeat("body ", 100_000), "/flushed": "", "/early-hints": ""} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		answers := map[string]string{}
		for _, addr := range []string{backend.addr, front.addr} {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+path, struct{ io.Reader }{strings.NewReader(body)})
			if err != nil {
				t.Fatal(err)
			}
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || res.StatusCode != 200 {
				t.Errorf("%s: %d (%v)", path, res.StatusCode, err)
			}
			answers[addr] = string(got)
		}
		if answers[backend.addr] != answers[front.addr] {
			t.Errorf("%s: the proxy answers %d bytes, its backend %d", path, len(answers[front.addr]), len(answers[backend.addr]))
		}
	}
}

// Events come one by one, each when it is sent.
func TestEvents(t *testing.T) {
	next := make(chan string)
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		control := http.NewResponseController(w)
		control.Flush()
		for {
			select {
			case text := <-next:
				fmt.Fprintf(w, "data: %s\n\n", text)
				control.Flush()
			case <-r.Context().Done():
				close(next)
				return
			}
		}
	})})
	conn := s.dial()
	io.WriteString(conn, get1("/"))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	for _, text := range []string{"one", "two", "three"} {
		next <- text
		line, err := lines.ReadString('\n')
		if err != nil || line != "data: "+text+"\n" {
			t.Fatalf("%q (%v), want %q", line, err, text)
		}
		lines.ReadString('\n')
	}
	conn.Close()
	if _, open := <-next; open {
		t.Error("the handler goes on after the client has gone")
	}
}

func TestWebSocket(t *testing.T) {
	app := ishaa.New("sockets", ishaa.Config{LogTo: io.Discard})
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		for m, err := range websocket.Messages[string](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), "got "+m); err != nil {
				return err
			}
		}
		return nil
	}))
	s := start(t, &server.Server{Handler: app})
	c, _, err := coder.Dial(t.Context(), "ws://"+s.addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for i := range 10 {
		if err := c.Write(t.Context(), coder.MessageText, fmt.Appendf(nil, "%q", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		_, got, err := c.Read(t.Context())
		if err != nil || string(got) != fmt.Sprintf("got \"%d\"", i) {
			t.Fatalf("%s (%v)", got, err)
		}
	}
	if err := c.Close(coder.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

func TestOpenTelemetry(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	s := start(t, &server.Server{Handler: otelhttp.NewHandler(http.HandlerFunc(battery), "battery", otelhttp.WithTracerProvider(provider))})
	for _, path := range []string{"/x", "/flushed", "/read-from"} {
		if got := s.exchange(get1(path)); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("%s: %.100q", path, got)
		}
	}
	eventually(t, "there are three spans", func() bool { return len(spans.GetSpans()) == 3 })
}

func TestPprof(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	s := start(t, &server.Server{Handler: mux})
	res, err := client(t, nil).Get("http://" + s.addr + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !bytes.Contains(body, []byte("TestPprof")) {
		t.Errorf("%.200q (%v)", body, err)
	}
}

func TestTimeoutHandler(t *testing.T) {
	answered := make(chan struct{})
	defer close(answered)
	s := start(t, &server.Server{Handler: http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		<-answered // a handler that returns at the end of the time may be taken for one that was in time
	}), 1, "too late")})
	c := s.dial() // open in both directions: a client that has hung up is none that is told of the time
	defer c.Close()
	if res, body := ask(t, c, bufio.NewReader(c), get1("/")); res.StatusCode != 503 || body != "too late" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// certificate is the one that httptest serves with, and a client's configuration that trusts it.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	borrowed := httptest.NewUnstartedServer(nil)
	borrowed.StartTLS()
	defer borrowed.Close()
	roots := x509.NewCertPool()
	roots.AddCert(borrowed.Certificate())
	return &tls.Config{Certificates: borrowed.TLS.Certificates}, &tls.Config{RootCAs: roots}
}

func TestTLS(t *testing.T) {
	own, trusted := certificate(t)
	for _, c := range []struct {
		name  string
		next  []string
		proto string
	}{
		{"HTTP/1.1", []string{"http/1.1"}, "HTTP/1.1"},
		{"HTTP/2", []string{"h2", "http/1.1"}, "HTTP/2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var states stateList
			s := &server.Server{TLSConfig: own, ConnState: states.add, ErrorLog: log.New(io.Discard, "", 0),
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.TLS == nil || r.TLS.Version < tls.VersionTLS12 {
						t.Error("the request has no TLS state")
					}
					body, _ := io.ReadAll(r.Body)
					fmt.Fprintf(w, "%s %d", r.Proto, len(body))
				})}
			addr := serve(t, func(l net.Listener) error { return s.ServeTLS(l, "", "") }, s.Close)
			config := trusted.Clone()
			config.NextProtos = c.next
			web := client(t, config)
			web.Transport.(*http.Transport).ForceAttemptHTTP2 = c.proto == "HTTP/2.0"
			for range 3 {
				res, err := web.Post("https://"+addr, "text/plain", strings.NewReader(strings.Repeat("x", 100_000)))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if want := c.proto + " 100000"; err != nil || string(body) != want {
					t.Errorf("%q (%v), want %q", body, err, want)
				}
			}
			if got := states.String(); strings.Count(got, "new") != 1 {
				t.Errorf("states %s, want one new", got)
			}
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlainRequestToTLS(t *testing.T) {
	own, _ := certificate(t)
	s := &server.Server{TLSConfig: own, Handler: http.HandlerFunc(battery)}
	r := &running{t, "", &logBook{}}
	s.ErrorLog = log.New(r.log, "", 0)
	r.addr = serve(t, func(l net.Listener) error { return s.ServeTLS(l, "", "") }, s.Close)
	if got := r.exchange(get1("/x")); !strings.HasPrefix(got, "HTTP/1.0 400 ") {
		t.Errorf("%q", got)
	}
}

func TestCleartextHTTP2(t *testing.T) {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := start(t, &server.Server{Protocols: &protocols, Handler: http.HandlerFunc(battery)})
	if got := s.exchange(get1("/x")); !strings.HasSuffix(got, "GET /x") {
		t.Errorf("HTTP/1.1: %q", got)
	}
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &only}
	t.Cleanup(transport.CloseIdleConnections)
	res, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://" + s.addr + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.ProtoMajor != 2 || string(body) != "GET /x" {
		t.Errorf("%s %q (%v)", res.Proto, body, err)
	}
}
