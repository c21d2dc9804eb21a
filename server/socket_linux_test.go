package server_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

// Who asks a connection's file for its descriptor makes the socket one whose calls wait. The server does not wait in them all
// the same: with one processor, nothing else would run.
func TestSocketThatWaits(t *testing.T) {
	waits := make(chan bool, 10)
	s := start(t, &server.Server{Handler: http.HandlerFunc(battery), ConnContext: func(ctx context.Context, c net.Conn) context.Context {
		file, err := c.(*net.TCPConn).File()
		if err != nil {
			t.Error(err)
			return ctx
		}
		defer file.Close()
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), syscall.F_GETFL, 0)
		waits <- flags&syscall.O_NONBLOCK == 0
		return ctx
	}})
	first, second := s.dial(), s.dial()
	reader := bufio.NewReader(first)
	for range 3 {
		if res, body := ask(t, first, reader, get1("/x")); res.StatusCode != 200 || body != "GET /x" {
			t.Fatalf("%d %q", res.StatusCode, body)
		}
	}
	if res, body := ask(t, second, bufio.NewReader(second), get1("/y")); res.StatusCode != 200 || body != "GET /y" {
		t.Fatalf("%d %q", res.StatusCode, body)
	}
	if !<-waits {
		t.Error("the descriptor of a file is one whose calls do not wait: this test shows nothing")
	}
}

// A client that reads late gets every byte, though the socket has no room for them while it does not.
func TestClientThatReadsLate(t *testing.T) {
	const requests, size = 500, 4000 // answers that fit the buffer: they leave in batches, by the socket's own write
	var answered atomic.Int64
	s := start(t, &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answered.Add(1)
			io.WriteString(w, strings.Repeat("x", size))
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if err := c.(*net.TCPConn).SetWriteBuffer(64 << 10); err != nil {
				t.Error(err)
			}
			return ctx
		},
	})
	c := s.dial()
	if err := c.SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, strings.Repeat(get1("/"), requests))
		sent <- err
	}()
	before := int64(0)
	eventually(t, "the server waits", func() bool {
		now := answered.Load()
		waits := now > 0 && now == before
		before = now
		time.Sleep(50 * time.Millisecond)
		return waits
	})
	if before == requests {
		t.Errorf("all %d answers have left before any was read", before)
	}
	reader := bufio.NewReader(c)
	for i := range requests {
		res, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(i, err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || len(body) != size {
			t.Fatalf("answer %d has %d bytes: %v", i, len(body), err)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &server.Server{Handler: http.HandlerFunc(battery)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reader := bufio.NewReader(c)
	for range 2 {
		if res, body := ask(t, c, reader, get1("/x")); res.StatusCode != 200 || body != "GET /x" {
			t.Errorf("%d %q", res.StatusCode, body)
		}
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed { //nolint:errorlint // promised as it is
		t.Error(err)
	}
}
