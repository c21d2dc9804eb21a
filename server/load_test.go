package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/server"
)

// Connections that wait hold a goroutine and a read buffer each, and nothing else; when they go, all of it goes.
func TestManyIdleConnections(t *testing.T) {
	count := 1000
	if testenv.Long() {
		count = 9000 // both ends of each are in this process, which may usually have 20,000 files
	}
	s := start(t, &server.Server{Handler: http.HandlerFunc(battery)})
	before := heap()
	goroutines := s.goroutines()
	conns := make([]net.Conn, count)
	for i := range conns {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
		if _, err := io.WriteString(c, get1("/x")); err != nil {
			t.Fatal(err)
		}
		if res, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil); err != nil || res.StatusCode != 200 {
			t.Fatal(err)
		}
	}
	each := int64(heap()-before) / int64(count)
	t.Logf("%d bytes of heap and stack for a connection, its client's end included", each)
	if each > 24<<10 {
		t.Errorf("an idle connection holds %d bytes", each)
	}
	if res, body := ask(t, conns[0], bufio.NewReader(conns[0]), get1("/x")); res.StatusCode != 200 || body != "GET /x" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	for _, c := range conns {
		c.Close()
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// goroutines is how many run once the server does.
func (r *running) goroutines() int {
	r.t.Helper()
	r.exchange(get1("/x"))
	return runtime.NumGoroutine()
}

// heap is how much heap and stack is in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// Clients that vanish in the middle of what they send: no goroutine stays behind, and the next is served.
func TestConnectionsCutInTheirBodies(t *testing.T) {
	var failed atomic.Int64
	s := start(t, &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			failed.Add(1)
		}
		io.WriteString(w, "read")
	})})
	goroutines := s.goroutines()
	const count = 1000
	var all sync.WaitGroup
	slots := make(chan struct{}, 50)
	for i := range count {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Error(err)
				return
			}
			request := post("/", "Content-Length: 100000\r\n", strings.Repeat("x", 1+i%5000))
			if i%2 == 0 {
				request = post("/", "Transfer-Encoding: chunked\r\n", "1000\r\n"+strings.Repeat("x", i%4000))
			}
			if _, err := io.WriteString(c, request); err != nil {
				t.Error(err)
			}
			if i%3 == 0 {
				_ = c.(*net.TCPConn).SetLinger(0) // a reset, not a close
			}
			c.Close()
		})
	}
	all.Wait()
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	if failed.Load() < count/2 { // a reset may come before the head has been read
		t.Errorf("%d of %d handlers saw their body end too soon", failed.Load(), count)
	}
	if got := s.exchange(lengthed("/", "whole")); !strings.HasSuffix(got, "read") {
		t.Errorf("%q", got)
	}
}

// Slow clients of every kind together do not keep others out, and are gone when their time is over.
func TestSlowClientsTogether(t *testing.T) {
	s := start(t, &server.Server{Handler: http.HandlerFunc(battery), ReadHeaderTimeout: 300 * time.Millisecond, ReadTimeout: 300 * time.Millisecond,
		WriteTimeout: 300 * time.Millisecond, IdleTimeout: 300 * time.Millisecond})
	goroutines := s.goroutines()
	for i := range 400 {
		c := s.dial()
		io.WriteString(c, []string{"", "GET / HT", post("/echo", "Content-Length: 100\r\n", "x"), get1("/large")}[i%4])
		if i%100 == 0 {
			if got := s.exchange(get1("/x")); !strings.HasSuffix(got, "GET /x") {
				t.Errorf("among %d slow clients: %q", i, got)
			}
		}
	}
	eventually(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
}

// Requests under way when the server is shut down are answered, however many there are and whatever comes meanwhile.
func TestShutdownUnderLoad(t *testing.T) {
	handler := &server.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) })}
	s := start(t, handler)
	var begun, answered, cut atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				return
			}
			defer c.Close()
			reader := bufio.NewReader(c)
			for {
				if _, err := io.WriteString(c, get1("/x")); err != nil {
					return
				}
				res, err := http.ReadResponse(reader, nil)
				if err != nil {
					cut.Add(1) // it was idle when it was closed, or its request came too late
					return
				}
				body, err := io.ReadAll(res.Body)
				if err != nil || string(body) != "/x" {
					t.Errorf("an answer is %q (%v)", body, err)
					return
				}
				answered.Add(1)
				begun.Store(1)
				if res.Close {
					return
				}
			}
		})
	}
	eventually(t, "there is load", func() bool { return begun.Load() == 1 })
	if err := handler.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	all.Wait()
	t.Logf("%d answered, %d connections closed while they were idle", answered.Load(), cut.Load())
}
