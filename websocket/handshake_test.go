package websocket_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/websocket"
)

// What is no handshake is answered as any wrong request is.
func TestWrongHandshakes(t *testing.T) {
	app := ishaa.New("sockets")
	app.Get("/ws", websocket.Handler(echo, websocket.Origins("https://www.example.com")))
	app.Get("/any", websocket.Handler(echo, websocket.AnyOrigin()))
	app.OnStatus(426, func(_ *ishaa.Request, err error) (any, error) { return ishaa.Text("own page: " + err.Error()), nil })
	client := ishaatest.New(t, app, ishaatest.Header("Connection", "keep-alive, Upgrade"), ishaatest.Header("Upgrade", "WebSocket"),
		ishaatest.Header("Sec-WebSocket-Version", "13"), ishaatest.Header("Sec-WebSocket-Key", sampleKey))
	for name, c := range map[string]struct {
		status int
		with   []ishaatest.RequestOption
	}{
		"no Upgrade":             {426, headers("Upgrade")},
		"Upgrade to h2c":         {426, headers("Upgrade", "h2c")},
		"no Connection":          {426, headers("Connection")},
		"Connection: close":      {426, headers("Connection", "close")},
		"HEAD":                   {426, []ishaatest.RequestOption{ishaatest.Method("HEAD")}},
		"POST":                   {405, []ishaatest.RequestOption{ishaatest.Method("POST")}},
		"no version":             {426, headers("Sec-WebSocket-Version")},
		"version 8":              {426, headers("Sec-WebSocket-Version", "8")},
		"two versions":           {426, headers("Sec-WebSocket-Version", "13", "8")},
		"no key":                 {400, headers("Sec-WebSocket-Key")},
		"two keys":               {400, headers("Sec-WebSocket-Key", sampleKey, sampleKey)},
		"short key":              {400, headers("Sec-WebSocket-Key", "YQ==")},
		"long key":               {400, headers("Sec-WebSocket-Key", sampleKey+"YWFh")},
		"key not in base64":      {400, headers("Sec-WebSocket-Key", "########################")},
		"key with loose bits":    {400, headers("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZR==")},
		"other origin":           {403, headers("Origin", "https://evil.example")},
		"origin null":            {403, headers("Origin", "null")},
		"same name, other port":  {403, headers("Origin", "http://127.0.0.1:1")},
		"sub-domain":             {403, headers("Origin", "http://www.127.0.0.1")},
		"allowed as a prefix":    {403, headers("Origin", "https://www.example.com.evil.example")},
		"allowed name by http":   {403, headers("Origin", "http://www.example.com")},
		"two origins":            {403, headers("Origin", "https://www.example.com", "https://evil.example")},
		"site that is not ours":  {403, headers("Sec-Fetch-Site", "cross-site")},
		"sibling, says fetch":    {403, headers("Sec-Fetch-Site", "same-site")},
		"origin that is no URL":  {403, headers("Origin", "%")},
		"other origin and path?": {403, headers("Origin", "https://evil.example/https://www.example.com")},
	} {
		t.Run(name, func(t *testing.T) {
			res := client.For(t).Get("/ws", c.with...).Status(c.status)
			if c.status == 426 && name != "Connection: close" && (res.Headers().Get("Upgrade") != "websocket" || res.Headers().Get("Connection") != "Upgrade") {
				t.Errorf("a 426 without what to upgrade to: %v", res.Headers())
			}
			if strings.Contains(name, "version") && res.Headers().Get("Sec-Websocket-Version") != "13" {
				t.Errorf("no Sec-WebSocket-Version: %v", res.Headers())
			}
		})
	}
	client.Get("/ws", headers("Sec-WebSocket-Key")...).Problem(400)
	client.Get("/ws", headers("Upgrade")...).Status(426).Contains("own page: 426")
}

func headers(name string, values ...string) []ishaatest.RequestOption {
	return []ishaatest.RequestOption{ishaatest.Header(name, values...)}
}

func TestOrigins(t *testing.T) {
	app := ishaa.New("sockets")
	app.Get("/ws", websocket.Handler(echo, websocket.Origins("https://www.example.com")))
	app.Get("/any", websocket.Handler(echo, websocket.AnyOrigin()))
	client := ishaatest.New(t, app)
	for _, c := range []struct{ path, header string }{
		{"/ws", "Origin: http://127.0.0.1"}, {"/ws", "Origin: https://www.example.com"}, {"/ws", "Sec-Fetch-Site: same-origin"},
		{"/ws", "X-No: origin"}, {"/any", "Origin: https://evil.example"}, {"/any", "Origin: null"},
	} {
		socket := dialRaw(t, client, c.path, c.header)
		socket.send(frame(0x81, "a"))
		if got := socket.next(); got != `text "a"` {
			t.Errorf("%s: %s", c.header, got)
		}
	}
}

// Behind a proxy that ends TLS the page's origin is that of the proxy.
func TestOriginBehindAProxy(t *testing.T) {
	app := ishaa.New("sockets", ishaa.Config{TrustedProxies: []string{"127.0.0.0/8"}})
	app.Get("/ws", websocket.Handler(echo))
	client := ishaatest.New(t, app)
	forwarded := []string{"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example"}
	socket := dialRaw(t, client, "/ws", append(forwarded, "Origin: https://shop.example")...)
	socket.send(frame(0x81, "a"))
	if got := socket.next(); got != `text "a"` {
		t.Error(got)
	}
}

func TestProtocols(t *testing.T) {
	client := serve(t, func(c *websocket.Conn) error { return c.Send(c.Context(), "speaks "+c.Protocol()) },
		websocket.Protocols("v2", "v1"))
	for offered, want := range map[string]string{"v1": "v1", "v1, v2": "v2", "v3,v1": "v1", "v3": ""} {
		c := dialRaw(t, client, "/ws", "Sec-WebSocket-Protocol: "+offered)
		if got := c.head.Get("Sec-Websocket-Protocol"); got != want {
			t.Errorf("offered %s, agreed on %q", offered, got)
		}
		if got := c.next(); got != `text "speaks `+want+`"` {
			t.Errorf("offered %s: %s", offered, got)
		}
	}
}

// Compression is declined where the client wants what cannot be had, and never
// used by a client that did not offer it.
func TestCompressionIsAgreedOn(t *testing.T) {
	client := serve(t, echo, websocket.Compress())
	const agreed = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
	for offered, want := range map[string]string{
		"permessage-deflate":                                                           agreed,
		"permessage-deflate; server_no_context_takeover":                               agreed,
		"permessage-deflate; client_max_window_bits=10":                                agreed,
		"permessage-deflate; server_max_window_bits=10":                                "",
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":            agreed,
		"permessage-deflate; unknown=1":                                                "",
		"x-webkit-deflate-frame":                                                       "",
		"permessage-bzip2, permessage-deflate; client_max_window_bits; unknown, other": "",
	} {
		c := dialRaw(t, client, "/ws", "Sec-WebSocket-Extensions: "+offered)
		if got := c.head.Get("Sec-Websocket-Extensions"); got != want {
			t.Errorf("offered %s, agreed on %q", offered, got)
		}
	}
	plain := dialRaw(t, client, "/ws")
	plain.send(frame(0x81, strings.Repeat("x", 2000)))
	if got := plain.next(); got != "text of 2000" {
		t.Error(got)
	}
}

// Guards run before the upgrade, and what middleware sets on the answer is on it.
func TestBehindMiddleware(t *testing.T) {
	app := ishaa.New("sockets")
	log := ishaatest.Logs(t, app)
	app.Use(middleware.Compress(middleware.CompressOptions{}), middleware.Timeout(2*time.Second),
		ishaa.Std(func(next http.Handler) http.Handler { return next }))
	guard := ishaa.Middleware{Name: "guard", Before: func(r *ishaa.Request) (any, error) {
		if r.Query("token") != "right" {
			return nil, ishaa.Unauthorized("who are you?")
		}
		return nil, nil
	}}
	stamp := ishaa.Middleware{Name: "stamp", After: func(_ *ishaa.Request, res *ishaa.Response) error {
		res.Header().Set("X-Stamp", "yes")
		return nil
	}}
	inner := ishaa.Std(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Inner", "yes")
			next.ServeHTTP(w, r)
		})
	})
	entered := make(chan *websocket.Conn, 1)
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		entered <- c
		return echo(c)
	}), guard, stamp, inner)
	client := ishaatest.New(t, app)
	client.Get("/ws?token=wrong").Problem(401)

	c := dialRaw(t, client, "/ws?token=right", "Accept-Encoding: gzip")
	for _, name := range []string{"X-Stamp", "X-Inner", "X-Request-Id", "X-Content-Type-Options"} {
		if c.head.Get(name) == "" {
			t.Errorf("the answer has no %s: %v", name, c.head)
		}
	}
	select {
	case <-(<-entered).Context().Done():
		t.Error("the connection ended with the time limit of the request")
	case <-time.After(2500 * time.Millisecond): // past the limit
	}
	c.send(join(frame(0x81, "a"), closing(1000, "")))
	if got := c.next(); got != `text "a"` {
		t.Error(got)
	}
	c.rest()
	if record := log.Want(slog.LevelInfo, "request", "status=101"); record.Attr("route") != "/ws" {
		t.Errorf("%v", record)
	}
}

func TestWrongOptions(t *testing.T) {
	for name, make := range map[string]func(){
		"no function":      func() { websocket.Handler(nil) },
		"no limit":         func() { websocket.Handler(echo, websocket.Limit(0)) },
		"an origin's path": func() { websocket.Handler(echo, websocket.Origins("https://a.example/")) },
		"a pattern":        func() { websocket.Handler(echo, websocket.Origins("https://*.example")) },
		"no write timeout": func() { websocket.Handler(echo, websocket.WriteTimeout(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "websocket.Handler: ") {
					t.Errorf("it panicked with %q", text)
				}
			}()
			make()
		})
	}
}

// A server that cannot hand over its connection is answered for by a 500.
func TestNoHijacking(t *testing.T) {
	app := ishaa.New("sockets")
	log := ishaatest.Logs(t, app)
	app.Get("/ws", websocket.Handler(echo))
	r := httptest.NewRequest("GET", "/ws", nil)
	for _, line := range []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + sampleKey} {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	if w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	log.Want(slog.LevelError, "the server does not hand over its connection")
}
