package faultproxy_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa/internal/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends lines back and counts them.
type echo struct {
	listener net.Listener
	running  sync.WaitGroup
	lines    chan string
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{listener: listener, lines: make(chan string, 100)}
	e.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			e.running.Go(func() {
				defer conn.Close()
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					e.lines <- lines.Text()
					fmt.Fprintln(conn, lines.Text())
				}
			})
		}
	})
	t.Cleanup(func() { listener.Close(); e.running.Wait() })
	return e
}

type client struct {
	*testing.T
	net.Conn
	lines *bufio.Reader
}

func start(t *testing.T) (*echo, *faultproxy.Proxy, *client) {
	t.Helper()
	e := startEcho(t)
	proxy, err := faultproxy.New(e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proxy.Close() })
	return e, proxy, dial(t, proxy)
}

func dial(t *testing.T, proxy *faultproxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) send(line string) {
	c.Helper()
	if _, err := fmt.Fprintln(c, line); err != nil {
		c.Fatal(err)
	}
}

func (c *client) hears(want string) {
	c.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := c.lines.ReadString('\n'); got != want+"\n" || err != nil {
		c.Fatalf("heard %q, %v; want %q", got, err, want)
	}
}

func (c *client) silence() {
	c.Helper()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if got, err := c.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		c.Fatalf("heard %q, %v; want nothing yet", got, err)
	}
}

// refused checks that a new connection breaks, be it while it is made.
func refused(t *testing.T, proxy *faultproxy.Proxy) {
	t.Helper()
	conn, err := net.Dial("tcp", proxy.Addr())
	if err != nil {
		return
	}
	defer conn.Close()
	(&client{t, conn, bufio.NewReader(conn)}).broken()
}

func (c *client) broken() {
	c.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err := c.lines.ReadString('\n'); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.Fatalf("heard %q, %v; want a broken connection", got, err)
	}
}

func TestPass(t *testing.T) {
	_, proxy, c := start(t)
	c.send("hello")
	c.hears("hello")
	large := strings.Repeat("x", 60_000)
	c.send(large)
	c.hears(large)
	if proxy.Opened() != 1 {
		t.Errorf("%d connections were opened", proxy.Opened())
	}
}

func TestCut(t *testing.T) {
	_, proxy, c := start(t)
	c.send("hello")
	c.hears("hello")
	proxy.Cut()
	c.broken()
	refused(t, proxy)
	proxy.Restore()
	after := dial(t, proxy)
	after.send("back")
	after.hears("back")
}

func TestStall(t *testing.T) {
	e, proxy, c := start(t)
	c.send("hello")
	c.hears("hello")
	<-e.lines
	proxy.Stall()
	c.send("held")
	c.silence()
	waiting := dial(t, proxy)
	waiting.send("held too")
	waiting.silence()
	if len(e.lines) != 0 {
		t.Errorf("the server heard %q", <-e.lines)
	}
	proxy.Restore()
	c.hears("held")
	waiting.hears("held too")
	proxy.Stall()
	proxy.Cut()
	c.broken()
	waiting.broken()
}

func TestMute(t *testing.T) {
	e, proxy, c := start(t)
	proxy.Mute()
	c.send("do it")
	if got := <-e.lines; got != "do it" {
		t.Errorf("the server heard %q", got)
	}
	c.silence()
	proxy.Cut()
	c.broken()
}

func TestServerIsAway(t *testing.T) {
	e, proxy, _ := start(t)
	e.listener.Close()
	refused(t, proxy)
}

func TestCloseEndsAll(t *testing.T) {
	_, proxy, c := start(t)
	proxy.Stall()
	c.send("held")
	if err := proxy.Close(); err != nil {
		t.Fatal(err)
	}
	c.broken()
	proxy.Restore() // does nothing any more
	if _, err := net.Dial("tcp", proxy.Addr()); err == nil {
		t.Error("the proxy still listens")
	}
}

// An orderly end of one side ends the other.
func TestEnd(t *testing.T) {
	_, _, c := start(t)
	c.send("hello")
	c.hears("hello")
	_ = c.Conn.(*net.TCPConn).CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(c.lines); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the other side stays open")
	}
}

func Example() {
	proxy, err := faultproxy.New("127.0.0.1:6379")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer proxy.Close()
	proxy.Cut()
	conn, err := net.Dial("tcp", proxy.Addr())
	if err == nil {
		defer conn.Close()
		_, err = conn.Read(make([]byte, 1))
	}
	fmt.Println(err != nil)
	// Output: true
}
