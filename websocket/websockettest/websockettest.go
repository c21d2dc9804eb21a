// Package websockettest tests WebSockets: a client that says what it expects.
//
//	func TestEcho(t *testing.T) {
//		client := ishaatest.New(t, app)                 // in memory; ishaatest.OverSocket() for a socket
//		socket := websockettest.Dial(t, client, "/ws")
//		socket.Send(map[string]any{"text": "hello"})
//		socket.Expect(map[string]any{"text": "hello"})
//		socket.Close(websocket.StatusNormal, "")
//	}
//
// Who may not connect is tested as any request is: Refused returns the answer.
package websockettest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
)

// patience is how long a message may take to come.
const patience = 30 * time.Second

// Option is a part of a handshake.
type Option func(*handshake)

type handshake struct {
	header    http.Header
	protocols []string
	mode      coder.CompressionMode
}

// Header sets a header of the handshake, such as a cookie or an Origin.
func Header(name, value string) Option {
	return func(h *handshake) { h.header.Set(name, value) }
}

// Protocols offers sub-protocols.
func Protocols(names ...string) Option {
	return func(h *handshake) { h.protocols = append(h.protocols, names...) }
}

// Compress offers permessage-deflate.
func Compress() Option {
	return func(h *handshake) { h.mode = coder.CompressionNoContextTakeover }
}

func newHandshake(options []Option) *handshake {
	h := &handshake{header: http.Header{}}
	for _, option := range options {
		option(h)
	}
	return h
}

// Conn is the client's end of a connection. It reads all the time, as a browser
// does, so that pings and closings are answered whatever the test is doing.
type Conn struct {
	t    testing.TB
	ws   *coder.Conn
	done chan struct{}

	mu       sync.Mutex
	arrived  *sync.Cond
	messages []message
	end      error // why there are no more
}

type message struct {
	kind coder.MessageType
	data []byte
}

// Dial connects to a WebSocket of the client's application, at a path. The test
// fails if it is refused. The connection is closed at the end of the test. The
// client's overrides apply, its headers and cookies do not.
func Dial(t testing.TB, client *ishaatest.Client, path string, options ...Option) *Conn {
	t.Helper()
	h := newHandshake(options)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	httpClient := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return client.For(t).Dial(), nil },
	}}
	ws, res, err := coder.Dial(ctx, "http://127.0.0.1"+path, &coder.DialOptions{
		HTTPClient: httpClient, HTTPHeader: h.header, Subprotocols: h.protocols, CompressionMode: h.mode,
	})
	if err != nil {
		status := ""
		if res != nil {
			status = res.Status + ": "
		}
		t.Fatalf("websockettest: %s: %s%v", path, status, err)
	}
	ws.SetReadLimit(-1)
	c := &Conn{t: t, ws: ws, done: make(chan struct{})}
	c.arrived = sync.NewCond(&c.mu)
	go c.read()
	t.Cleanup(func() {
		_ = ws.CloseNow() // it may be closed already
		<-c.done
	})
	return c
}

// Refused sends a handshake that is to be refused and returns the answer.
func Refused(t testing.TB, client *ishaatest.Client, path string, options ...Option) *ishaatest.Result {
	t.Helper()
	h := newHandshake(options)
	send := []ishaatest.RequestOption{
		ishaatest.Header("Connection", "Upgrade"), ishaatest.Header("Upgrade", "websocket"),
		ishaatest.Header("Sec-WebSocket-Version", "13"), ishaatest.Header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
	}
	if len(h.protocols) > 0 {
		send = append(send, ishaatest.Header("Sec-WebSocket-Protocol", strings.Join(h.protocols, ", ")))
	}
	for name, values := range h.header {
		send = append(send, ishaatest.Header(name, values...))
	}
	return client.For(t).Get(path, send...)
}

func (c *Conn) read() {
	defer close(c.done)
	for {
		kind, data, err := c.ws.Read(context.Background())
		c.mu.Lock()
		if err != nil {
			c.end = err
			c.arrived.Broadcast()
			c.mu.Unlock()
			return
		}
		c.messages = append(c.messages, message{kind, data})
		c.arrived.Broadcast()
		c.mu.Unlock()
	}
}

// Protocol returns the sub-protocol that was agreed upon.
func (c *Conn) Protocol() string { return c.ws.Subprotocol() }

// Send sends a string as text, a []byte as binary and any other value as JSON.
func (c *Conn) Send(v any) {
	c.t.Helper()
	kind, data := encode(c.t, v)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, kind, data); err != nil {
		c.t.Fatalf("websockettest: Send: %v", err)
	}
}

func encode(t testing.TB, v any) (coder.MessageType, []byte) {
	t.Helper()
	switch v := v.(type) {
	case string:
		return coder.MessageText, []byte(v)
	case []byte:
		return coder.MessageBinary, v
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("websockettest: %v", err)
	}
	return coder.MessageText, data
}

// Text returns the next message, which has to be text.
func (c *Conn) Text() string {
	c.t.Helper()
	return string(c.next(coder.MessageText).data)
}

// Bytes returns the next message, which has to be binary.
func (c *Conn) Bytes() []byte {
	c.t.Helper()
	return c.next(coder.MessageBinary).data
}

// JSON decodes the next message, which has to be text, into a pointer.
func (c *Conn) JSON(into any) {
	c.t.Helper()
	data := c.next(coder.MessageText).data
	if err := json.Unmarshal(data, into); err != nil {
		c.t.Fatalf("websockettest: the message %q: %v", data, err)
	}
}

// Expect checks the next message: a string for text, a []byte for binary, any other
// value for the same JSON, whatever the order of its members.
func (c *Conn) Expect(want any) {
	c.t.Helper()
	kind, data := encode(c.t, want)
	got := c.next(kind)
	same := bytes.Equal(got.data, data)
	if _, isText := want.(string); !same && !isText && kind == coder.MessageText {
		var a, b any
		same = json.Unmarshal(got.data, &a) == nil && json.Unmarshal(data, &b) == nil && reflect.DeepEqual(a, b)
	}
	if !same {
		c.t.Fatalf("websockettest: the message is %q, want %q", got.data, data)
	}
}

// Received returns how many messages came that no method has returned yet.
func (c *Conn) Received() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}

// next waits for a message.
func (c *Conn) next(kind coder.MessageType) message {
	c.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.arrived.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	for len(c.messages) == 0 && c.end == nil && !late {
		c.arrived.Wait()
	}
	if len(c.messages) == 0 {
		end := c.end
		c.mu.Unlock()
		if end != nil {
			c.t.Fatalf("websockettest: there is no message any more: %v", end)
		}
		c.t.Fatalf("websockettest: no message within %v", patience)
	}
	m := c.messages[0]
	c.messages = c.messages[1:]
	c.mu.Unlock()
	if m.kind != kind {
		c.t.Fatalf("websockettest: the message is %v, want %v: %q", m.kind, kind, m.data)
	}
	return m
}

// Close closes the connection and waits until the application has answered.
func (c *Conn) Close(code websocket.Status, reason string) {
	c.t.Helper()
	if err := c.ws.Close(coder.StatusCode(code), reason); err != nil {
		c.t.Fatalf("websockettest: Close: %v", err)
	}
	<-c.done
}

// Closed waits until the application closes the connection, checks the code and
// that the reason has all the parts, and returns the reason. Messages that are
// still unread stay.
func (c *Conn) Closed(code websocket.Status, parts ...string) string {
	c.t.Helper()
	select {
	case <-c.done:
	case <-time.After(patience):
		c.t.Fatalf("websockettest: the connection is still open after %v", patience)
	}
	var end coder.CloseError
	got := websocket.StatusAbnormal
	if errors.As(c.end, &end) {
		got = websocket.Status(end.Code)
	}
	if got != code {
		c.t.Fatalf("websockettest: the connection was closed with %d %q, want %d", got, end.Reason, code)
	}
	for _, part := range parts {
		if !strings.Contains(end.Reason, part) {
			c.t.Fatalf("websockettest: the connection was closed with %d %q; the reason has no %q", got, end.Reason, part)
		}
	}
	return end.Reason
}

// Cut breaks the connection without a word, as a network does.
func (c *Conn) Cut() {
	_ = c.ws.CloseNow() // it may be closed already
	<-c.done
}
