package server_test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

// feed is a connection that gives the same request again and again, each in a read of its own or many at once, and takes the
// answers. So a benchmark measures the server without the kernel.
type feed struct {
	oneWay
	batch []byte
	left  int
	done  chan struct{}
}

func (c *feed) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.EOF
	}
	c.left--
	return copy(p, c.batch), nil
}

func (c *feed) Write(p []byte) (int, error) { return len(p), nil }
func (c *feed) Close() error                { close(c.done); return nil }

const browser = "GET /plain HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"

func BenchmarkServe(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = plainType
		io.WriteString(w, "Hello, World!")
	})
	for _, c := range []struct {
		name     string
		pipeline int
		run      func(net.Listener) error
	}{
		{"server", 1, (&server.Server{Handler: handler}).Serve},
		{"server-timeouts", 1, (&server.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
			IdleTimeout: time.Minute}).Serve},
		{"server-pipelined", 16, (&server.Server{Handler: handler}).Serve},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var batch []byte
			for range c.pipeline {
				batch = append(batch, browser...)
			}
			conn := &feed{batch: batch, left: b.N/c.pipeline + 1, done: make(chan struct{})}
			l := &oneListener{make(chan net.Conn, 1), make(chan struct{})}
			l.conns <- conn
			served := make(chan struct{})
			b.ResetTimer()
			go func() {
				defer close(served)
				_ = c.run(l) // the listener's end
			}()
			<-conn.done
			b.StopTimer()
			close(l.ended)
			<-served
		})
	}
}

var plainType = []string{"text/plain; charset=utf-8"}
