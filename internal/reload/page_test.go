//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package reload

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// opened is a notice on a socket of its own, and the socket's address.
func opened(t *testing.T) (n *notice, addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := descriptor(listener)
	if err != nil {
		t.Fatal(err)
	}
	if n, err = show(socket, "It is broken", "why", "broken 1"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		<-n.ended
		socket.Close()
		listener.Close()
	})
	return n, listener.Addr().String()
}

// ask sends a request over a connection and gives the answer's status.
func ask(t *testing.T, conn net.Conn) int {
	t.Helper()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
		t.Error(err)
		return 0
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Error("no answer:", err)
		return 0
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), "It is broken") {
		t.Errorf("the answer is %q (%v)", body, err)
	}
	return res.StatusCode
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// A notice makes way for a build. Who was let in before that is answered, even if the request comes after it.
func TestNoticeAnswersWhomItLetIn(t *testing.T) {
	n, addr := opened(t)
	early := make([]net.Conn, 20)
	for i := range early {
		early[i] = dial(t, addr)
	}
	// Connections are accepted in the order in which they came: once this one is answered, all of them were.
	if got := ask(t, dial(t, addr)); got != 500 {
		t.Fatalf("the notice answers with %d", got)
	}
	n.end()
	var asking sync.WaitGroup
	for _, conn := range early {
		asking.Go(func() {
			if got := ask(t, conn); got != 500 {
				t.Errorf("a client that was let in got %d", got)
			}
		})
	}
	asking.Wait()
}

// A connection that nobody asks anything on does not hold the notice up for ever.
func TestNoticeEndsWithoutItsClients(t *testing.T) {
	n, addr := opened(t)
	silent := dial(t, addr)
	if got := ask(t, dial(t, addr)); got != 500 {
		t.Fatalf("the notice answers with %d", got)
	}
	n.end()
	select {
	case <-n.ended:
	case <-time.After(3 * time.Minute):
		t.Fatal("the notice is still there")
	}
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("the connection was not closed")
	}
}
