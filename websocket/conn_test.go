package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

type move struct {
	From string `json:"from" required:"true" pattern:"^[a-h][1-8]$"`
	Take int    `json:"take" minimum:"0"`
}

// TestMessages is the three kinds of typed messages, in memory and over a socket.
func TestMessages(t *testing.T) {
	app := ishaa.New("sockets")
	app.Get("/json", websocket.Handler(func(c *websocket.Conn) error {
		for m, err := range websocket.Messages[move](c) {
			var wrong *websocket.MessageError
			if errors.As(err, &wrong) {
				if err := c.Send(c.Context(), "wrong: "+wrong.Reason); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			m.Take++
			if err := c.Send(c.Context(), m); err != nil {
				return err
			}
		}
		return nil
	}))
	app.Get("/strict", websocket.Handler(func(c *websocket.Conn) error {
		for _, err := range websocket.Messages[move](c) {
			if err != nil {
				return err
			}
		}
		return nil
	}))
	app.Get("/text", websocket.Handler(func(c *websocket.Conn) error {
		for m, err := range websocket.Messages[string](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), strings.ToUpper(m)); err != nil {
				return err
			}
		}
		return nil
	}))
	app.Get("/bytes", websocket.Handler(func(c *websocket.Conn) error {
		for m, err := range websocket.Messages[[]byte](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), slices.Concat(m, m)); err != nil {
				return err
			}
		}
		return nil
	}))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string][]ishaatest.Option{"memory": nil, "socket": {ishaatest.OverSocket()}, "TLS": {ishaatest.TLS()}} {
		t.Run(name, func(t *testing.T) {
			client := ishaatest.New(t, app, options...)

			socket := websockettest.Dial(t, client, "/json")
			socket.Send(move{From: "e2", Take: 1})
			socket.Expect(move{From: "e2", Take: 2})
			socket.Send(`{"take": -1}`)
			if got := socket.Text(); !strings.HasPrefix(got, "wrong: the message does not fit: /") {
				t.Error(got)
			}
			socket.Send("{")
			if got := socket.Text(); !strings.HasPrefix(got, "wrong: the message is not JSON: ") {
				t.Error(got)
			}
			socket.Send([]byte(`{"from":"a1"}`))
			var m move
			if socket.JSON(&m); m != (move{From: "a1", Take: 1}) {
				t.Errorf("%+v", m)
			}
			socket.Close(websocket.StatusNormal, "")

			strict := websockettest.Dial(t, client, "/strict")
			strict.Send(`{"from": "z9"}`)
			strict.Closed(websocket.StatusInvalidData, "does not fit: /from")

			text := websockettest.Dial(t, client, "/text", websockettest.Compress())
			text.Send("hello")
			text.Expect("HELLO")
			text.Send(strings.Repeat("x", 5000))
			text.Expect(strings.Repeat("X", 5000))
			text.Send([]byte("bytes"))
			text.Closed(websocket.StatusInvalidData, "a text message was expected")

			bytes := websockettest.Dial(t, client, "/bytes")
			bytes.Send([]byte{0xFF})
			bytes.Expect([]byte{0xFF, 0xFF})
			bytes.Send("a")
			if got := bytes.Bytes(); string(got) != "aa" {
				t.Errorf("%q", got)
			}
			bytes.Close(4000, "enough")
		})
	}
}

// TestHowHandlersEnd is the close code for each way to return.
func TestHowHandlersEnd(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*websocket.Conn) error
		code   websocket.Status
		reason string
		logged string
	}{
		"nil":            {func(*websocket.Conn) error { return nil }, 1000, "", ""},
		"a close error":  {func(*websocket.Conn) error { return &websocket.CloseError{Code: 4001, Reason: "the game is over"} }, 4001, "the game is over", ""},
		"a wrapped one":  {func(*websocket.Conn) error { return fmt.Errorf("so: %w", &websocket.CloseError{Code: 1008}) }, 1008, "", ""},
		"code of nobody": {func(*websocket.Conn) error { return &websocket.CloseError{Code: 1006} }, 1000, "", ""},
		"a long reason": {func(*websocket.Conn) error {
			return &websocket.CloseError{Code: 4000, Reason: strings.Repeat("é", 100)}
		}, 4000, strings.Repeat("é", 61), ""},
		"a problem":        {func(*websocket.Conn) error { return ishaa.Forbidden("not for you") }, 1008, "not for you", ""},
		"unavailable":      {func(*websocket.Conn) error { return ishaa.Unavailable("later") }, 1013, "later", "websocket handler failed"},
		"any other error":  {func(*websocket.Conn) error { return errors.New("secret") }, 1011, "internal error", "secret"},
		"a panic":          {func(*websocket.Conn) error { panic("secret") }, 1011, "internal error", "secret"},
		"Close, then nil":  {func(c *websocket.Conn) error { return c.Close(4002, "own") }, 4002, "own", ""},
		"Close, then fail": {func(c *websocket.Conn) error { _ = c.Close(4002, "own"); return errors.New("x") }, 4002, "own", ""},
		"cut":              {func(*websocket.Conn) error { panic(http.ErrAbortHandler) }, 1006, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := ishaa.New("sockets")
			log := ishaatest.Logs(t, app)
			app.Get("/ws", websocket.Handler(c.end))
			socket := websockettest.Dial(t, ishaatest.New(t, app), "/ws")
			if got := socket.Closed(c.code); got != c.reason {
				t.Errorf("the reason is %q, want %q", got, c.reason)
			}
			if c.logged != "" {
				log.Want(slog.LevelError, "websocket handler failed", c.logged)
			} else {
				log.WantNone(slog.LevelError)
			}
		})
	}
}

// What a handler waits for ends when the client closes, breaks off or is silent.
func TestHowConnectionsEnd(t *testing.T) {
	ended := make(chan error, 1)
	watch := func(c *websocket.Conn) error {
		_, _, err := c.Receive(c.Context())
		<-c.Context().Done()
		ended <- err
		return err
	}
	for name, c := range map[string]struct {
		act    func(*raw)
		code   websocket.Status
		remote bool
	}{
		"close":          {func(c *raw) { c.send(closing(4321, "bye")) }, 4321, true},
		"close, no code": {func(c *raw) { c.send(frame(0x88, "")) }, 1005, true},
		"broken":         {func(c *raw) { c.conn.Close() }, 1006, false},
		"broken within":  {func(c *raw) { c.send(frame(0x81, "abc")[:7]); c.conn.Close() }, 1006, false},
		"nonsense":       {func(c *raw) { c.send([]byte{0xFF, 0xFF}) }, 1002, false},
		"too big":        {func(c *raw) { c.send(frame(0x82, strings.Repeat("x", 300<<10))) }, 1009, false},
		"silent":         {func(*raw) {}, 1006, false},
	} {
		t.Run(name, func(t *testing.T) {
			options := []websocket.Option{websocket.KeepAlive(0, 0)}
			if name == "silent" {
				options = []websocket.Option{websocket.KeepAlive(time.Millisecond, time.Millisecond)}
			}
			socket := dialRaw(t, serve(t, watch, options...), "/ws")
			c.act(socket)
			var end *websocket.CloseError
			if err := <-ended; !errors.As(err, &end) || end.Code != c.code || end.Remote != c.remote {
				t.Errorf("it ended with %v", err)
			}
			if text := end.Error(); !strings.Contains(text, fmt.Sprint(c.code)) {
				t.Error(text)
			}
		})
	}
}

// Of a compressed message that breaks off nothing is taken for the whole.
func TestBrokenOffWithinACompressedMessage(t *testing.T) {
	ended := make(chan error, 1)
	client := serve(t, func(c *websocket.Conn) error {
		_, _, err := c.Receive(c.Context())
		ended <- err
		return err
	}, websocket.Compress())
	socket := dialRaw(t, client, "/ws", "Sec-WebSocket-Extensions: permessage-deflate")
	whole := frame(0xC2, deflate(strings.Repeat("all work and no play ", 50)))
	socket.send(whole[:len(whole)-3])
	socket.conn.Close()
	if err := <-ended; err == nil {
		t.Error("a part was taken for the whole")
	}
}

// A client that answers pings is kept, however little it says.
func TestKeepAlive(t *testing.T) {
	client := serve(t, echo, websocket.KeepAlive(5*time.Millisecond, patience))
	socket := dialRaw(t, client, "/ws")
	for range 5 {
		if got := socket.next(); got != `ping ""` {
			t.Fatal(got)
		}
		socket.send(frame(0x8A, ""))
	}
	socket.send(closing(1000, ""))
	for {
		switch got := socket.next(); got {
		case `ping ""`:
		case "close 1000":
			return
		default:
			t.Fatal(got)
		}
	}
}

// A handler that does not read is not cut off for the pongs that it leaves unread.
func TestKeepAliveWaitsForReaders(t *testing.T) {
	read := make(chan struct{})
	client := serve(t, func(c *websocket.Conn) error {
		<-read
		return echo(c)
	}, websocket.KeepAlive(time.Millisecond, 2*time.Second))
	socket := dialRaw(t, client, "/ws")
	select {
	case <-time.After(3 * time.Second): // longer than a client may be silent for
	case <-t.Context().Done():
	}
	socket.send(frame(0x81, "still here"))
	close(read)
	got := socket.next()
	for got == `ping ""` { // once the handler reads, the client is asked
		got = socket.next()
	}
	if got != `text "still here"` {
		t.Error(got)
	}
}

func TestReceiveWithADeadline(t *testing.T) {
	client := serve(t, func(c *websocket.Conn) error {
		ctx, cancel := context.WithTimeout(c.Context(), time.Millisecond)
		defer cancel()
		_, err := websocket.Receive[string](ctx, c)
		return err
	})
	websockettest.Dial(t, client, "/ws").Closed(websocket.StatusPolicy, "no message came in time")
}

// A handler that only sends learns of the end by Discard.
func TestDiscard(t *testing.T) {
	ended := make(chan error, 1)
	client := serve(t, func(c *websocket.Conn) error {
		c.Discard()
		c.Discard()
		<-c.Context().Done()
		ended <- context.Cause(c.Context())
		_, _, err := c.Receive(c.Context())
		return err
	})
	socket := websockettest.Dial(t, client, "/ws")
	socket.Send("nobody reads this")
	socket.Close(4000, "going")
	var end *websocket.CloseError
	if err := <-ended; !errors.As(err, &end) || end.Code != 4000 || end.Reason != "going" || !end.Remote {
		t.Error(err)
	}
}

// A client that takes nothing loses its connection after the write timeout.
func TestWriteTimeout(t *testing.T) {
	ended := make(chan error, 1)
	client := serve(t, func(c *websocket.Conn) error {
		for {
			if err := c.Send(c.Context(), strings.Repeat("x", 64<<10)); err != nil {
				ended <- err
				return err
			}
		}
	}, websocket.WriteTimeout(20*time.Millisecond))
	dialRaw(t, client, "/ws")
	var timeout net.Error
	if err := <-ended; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error(err)
	}
}

func TestSendRefuses(t *testing.T) {
	failures := make(chan error, 3)
	client := serve(t, func(c *websocket.Conn) error {
		failures <- c.Send(c.Context(), "\xff")
		failures <- c.Send(c.Context(), func() {})
		failures <- c.Close(1006, "")
		return nil
	})
	websockettest.Dial(t, client, "/ws").Closed(websocket.StatusNormal)
	for _, want := range []string{"has to be UTF-8", "cannot be sent as JSON", "nobody may send the close code 1006"} {
		if err := <-failures; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Messages of several goroutines do not get into each other.
func TestSendByMany(t *testing.T) {
	const senders, each = 8, 50
	client := serve(t, func(c *websocket.Conn) error {
		done := make(chan error, senders)
		for i := range senders {
			go func() {
				var err error
				for n := 0; n < each && err == nil; n++ {
					err = c.Send(c.Context(), strings.Repeat(string(rune('a'+i)), 1+n*131))
				}
				done <- err
			}()
		}
		for range senders {
			if err := <-done; err != nil {
				return err
			}
		}
		return nil
	}, websocket.Compress())
	for _, options := range [][]websockettest.Option{nil, {websockettest.Compress()}} {
		socket := websockettest.Dial(t, client, "/ws", options...)
		lengths := map[byte]int{}
		for range senders * each {
			text := socket.Text()
			if strings.Count(text, text[:1]) != len(text) || len(text) != 1+lengths[text[0]]*131 {
				t.Fatalf("a message of %d beginning with %q", len(text), text[:1])
			}
			lengths[text[0]]++
		}
		socket.Closed(websocket.StatusNormal)
	}
}

// At shutdown every socket is closed by 1001, whatever its handler is doing, and the
// application waits for the handlers.
func TestShutdown(t *testing.T) {
	for name, handler := range map[string]func(*websocket.Conn) error{
		"reading": echo,
		"waiting": func(c *websocket.Conn) error { <-c.Context().Done(); return nil },
		"only sending": func(c *websocket.Conn) error {
			c.Discard()
			for {
				if err := c.Send(c.Context(), "x"); err != nil {
					return err
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			const sockets = 20
			returned := make(chan error, sockets)
			app := ishaa.New("sockets")
			app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
				err := handler(c)
				returned <- err
				return err
			}))
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			log := ishaatest.Logs(t, app)
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- app.Serve(ctx, listener) }()
			var list []*raw
			for range sockets {
				conn, err := net.Dial("tcp", listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				list = append(list, shakeHands(t, conn, "/ws"))
			}
			stop()
			for _, socket := range list {
				got := socket.next()
				for got == `text "x"` {
					got = socket.next()
				}
				if got != "close 1001" {
					t.Error(got)
				}
				socket.send(closing(1001, ""))
			}
			if err := <-served; err != nil {
				t.Error(err)
			}
			if len(returned) != sockets {
				t.Errorf("%d of %d handlers had returned", len(returned), sockets)
			}
			log.WantNone(slog.LevelError)
		})
	}
}

// A client that does not answer the close frame is not waited for much longer than
// the close timeout.
func TestShutdownWithASilentClient(t *testing.T) {
	app := ishaa.New("sockets")
	app.Get("/ws", websocket.Handler(echo, websocket.CloseTimeout(time.Second)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ishaatest.Logs(t, app)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- app.Serve(ctx, listener) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	socket := shakeHands(t, conn, "/ws")
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := socket.rest(); !slices.Equal(got, []string{"close 1001", "end"}) {
		t.Error(got)
	}
}
