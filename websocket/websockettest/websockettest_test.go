package websockettest_test

import (
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

type point struct{ X, Y int }

func app() *ishaa.App {
	app := ishaa.New("sockets")
	app.Get("/mirror", websocket.Handler(func(c *websocket.Conn) error {
		if err := c.Send(c.Context(), "for "+c.Request().Header("X-Name")+" by "+c.Protocol()); err != nil {
			return err
		}
		for p, err := range websocket.Messages[point](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), point{p.Y, p.X}); err != nil {
				return err
			}
			if err := c.Send(c.Context(), []byte{1, 2}); err != nil {
				return err
			}
		}
		return nil
	}, websocket.Protocols("mirror"), websocket.Compress()))
	return app
}

func TestConn(t *testing.T) {
	for name, options := range map[string][]ishaatest.Option{"memory": nil, "socket": {ishaatest.OverSocket()}, "TLS": {ishaatest.TLS()}} {
		t.Run(name, func(t *testing.T) {
			client := ishaatest.New(t, app(), options...)
			socket := websockettest.Dial(t, client, "/mirror", websockettest.Header("X-Name", "alice"),
				websockettest.Protocols("other", "mirror"), websockettest.Compress())
			if socket.Protocol() != "mirror" {
				t.Errorf("it speaks %q", socket.Protocol())
			}
			socket.Expect("for alice by mirror")
			socket.Send(point{1, 2})
			socket.Expect(map[string]any{"Y": 1, "X": 2})
			socket.Expect([]byte{1, 2})
			socket.Send(`{"X": 3}`)
			var p point
			if socket.JSON(&p); p != (point{0, 3}) {
				t.Errorf("%v", p)
			}
			if got := socket.Bytes(); len(got) != 2 {
				t.Errorf("%v", got)
			}
			socket.Send("nonsense")
			socket.Closed(websocket.StatusInvalidData, "not JSON")
			if socket.Received() != 0 {
				t.Errorf("%d messages are left", socket.Received())
			}
			websockettest.Dial(t, client, "/mirror").Cut()
		})
	}
}

func TestRefused(t *testing.T) {
	client := ishaatest.New(t, app())
	websockettest.Refused(t, client, "/mirror", websockettest.Header("Origin", "https://evil.example"),
		websockettest.Protocols("mirror")).Problem(403, "another origin")
}

// failing notes that a check failed, and with what, and ends its goroutine.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.said = format
	panic(f)
}

func TestChecksFail(t *testing.T) {
	client := ishaatest.New(t, app())
	for name, c := range map[string]struct {
		check func(t testing.TB, s *websockettest.Conn)
		says  string
	}{
		"another text":  {func(_ testing.TB, s *websockettest.Conn) { s.Expect("x") }, "the message is %q, want %q"},
		"another kind":  {func(_ testing.TB, s *websockettest.Conn) { s.Bytes() }, "the message is %v, want %v"},
		"no JSON":       {func(_ testing.TB, s *websockettest.Conn) { s.JSON(new(point)) }, "the message %q: %v"},
		"another close": {func(_ testing.TB, s *websockettest.Conn) { s.Send("x"); s.Closed(1000) }, "was closed with %d %q, want %d"},
		"other reason":  {func(_ testing.TB, s *websockettest.Conn) { s.Send("x"); s.Closed(1007, "bye") }, "the reason has no %q"},
		"after the end": {func(_ testing.TB, s *websockettest.Conn) { s.Cut(); s.Text(); s.Text() }, "there is no message any more"},
		"no socket there": {func(t testing.TB, _ *websockettest.Conn) {
			websockettest.Dial(t, client, "/nothing")
		}, "websockettest: %s: %s%v"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{TB: t}
			defer func() {
				if recover() != any(f) || !strings.Contains(f.said, c.says) {
					t.Errorf("it said %q, want %q", f.said, c.says)
				}
			}()
			c.check(f, websockettest.Dial(f, client, "/mirror"))
		})
	}
}
