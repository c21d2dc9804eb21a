package websocket_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/websocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// echo sends every message back as it came.
func echo(c *websocket.Conn) error {
	for {
		kind, data, err := c.Receive(c.Context())
		if err != nil {
			return err
		}
		if kind == websocket.Text {
			err = c.Send(c.Context(), string(data))
		} else {
			err = c.Send(c.Context(), data)
		}
		if err != nil {
			return err
		}
	}
}

// raw is a client that sends whatever bytes a test wants.
type raw struct {
	t      testing.TB
	conn   net.Conn
	reader *bufio.Reader
	head   http.Header // of the handshake's answer
}

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ==" // of RFC 6455 §1.3

// dialRaw connects and shakes hands; headers are whole lines.
func dialRaw(t testing.TB, client *ishaatest.Client, path string, headers ...string) *raw {
	t.Helper()
	return shakeHands(t, client.Dial(), path, headers...)
}

func shakeHands(t testing.TB, conn net.Conn, path string, headers ...string) *raw {
	t.Helper()
	c := &raw{t: t, conn: conn, reader: bufio.NewReader(conn)}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := append([]string{
		"GET " + path + " HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + sampleKey,
	}, headers...)
	c.send([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	res, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	c.head = res.Header
	return c
}

func (c *raw) send(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Logf("write: %v", err) // the server may have closed already, which is what many tests are about
	}
}

// next reads a frame and names it, such as `text "a"`, `close 1000 ""` or "end".
func (c *raw) next() string {
	c.t.Helper()
	first, payload, err := c.frame()
	if err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			return "nothing within " + patience.String()
		}
		return "end"
	}
	name := ""
	if first&0x80 == 0 {
		name = "fragment "
	}
	if first&0x40 != 0 {
		name += "deflated "
		payload = inflate(c.t, payload)
	}
	if first&0x30 != 0 {
		name += "reserved "
	}
	switch first & 0xF {
	case 1:
		name += "text"
	case 2:
		name += "binary"
	case 8:
		if len(payload) < 2 {
			return name + "close"
		}
		return fmt.Sprintf("%sclose %d", name, binary.BigEndian.Uint16(payload))
	case 9:
		name += "ping"
	case 10:
		name += "pong"
	default:
		name += fmt.Sprintf("opcode %d", first&0xF)
	}
	if len(payload) > 64 {
		return fmt.Sprintf("%s of %d", name, len(payload))
	}
	return fmt.Sprintf("%s %q", name, payload)
}

func (c *raw) frame() (first byte, payload []byte, err error) {
	var head [8]byte
	if _, err = io.ReadFull(c.reader, head[:2]); err != nil {
		return 0, nil, err
	}
	first = head[0]
	size := uint64(head[1])
	switch size {
	case 126:
		_, err = io.ReadFull(c.reader, head[:2])
		size = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(c.reader, head[:8])
		size = binary.BigEndian.Uint64(head[:8])
	}
	if err != nil {
		return 0, nil, err
	}
	if size > 1<<26 {
		return 0, nil, fmt.Errorf("a frame of %d bytes, or a masked one", size)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(c.reader, payload)
	return first, payload, err
}

// rest is everything until the connection ends.
func (c *raw) rest() []string {
	c.t.Helper()
	var list []string
	for {
		got := c.next()
		list = append(list, got)
		if got == "end" || strings.HasPrefix(got, "nothing") {
			return list
		}
	}
}

// frame makes a masked frame. The first byte is whole: 0x81 is text that is final.
func frame(first byte, payload string) []byte { return frameOf(first, payload, 0) }

// frameOf makes a frame whose length takes 0, 2 or 8 further bytes at least.
func frameOf(first byte, payload string, lengthBytes int) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	p := []byte{first}
	switch n := len(payload); {
	case lengthBytes == 8 || n > 0xFFFF:
		p = binary.BigEndian.AppendUint64(append(p, 0x80|127), uint64(n))
	case lengthBytes == 2 || n > 125:
		p = binary.BigEndian.AppendUint16(append(p, 0x80|126), uint16(n))
	default:
		p = append(p, 0x80|byte(n))
	}
	p = append(p, mask[:]...)
	for i := range len(payload) {
		p = append(p, payload[i]^mask[i&3])
	}
	return p
}

func closing(code int, reason string) []byte {
	return frame(0x88, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func deflate(text string) string {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(w, text)
	_ = w.Flush()
	return strings.TrimSuffix(out.String(), "\x00\x00\xff\xff")
}

func inflate(t testing.TB, p []byte) []byte {
	t.Helper()
	out, err := io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(p), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	if err != nil {
		t.Errorf("what was sent compressed cannot be read: %v", err)
	}
	return out
}

// serve returns a client of an application with one socket, at /ws.
func serve(t testing.TB, handler func(*websocket.Conn) error, options ...websocket.Option) *ishaatest.Client {
	t.Helper()
	app := ishaa.New("sockets")
	app.Get("/ws", websocket.Handler(handler, options...))
	return ishaatest.New(t, app)
}

// eventually polls until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// eager sends something right behind the first bytes.
type eager struct {
	net.Conn
	behind []byte
}

func (e eager) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("GET ")) {
		_, err := e.Conn.Write(join(p, e.behind))
		return len(p), err
	}
	return e.Conn.Write(p)
}

func dialTCP(t testing.TB, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// offline is a store that is away at times.
type offline struct {
	store.Store
	away atomic.Bool
}

func (o *offline) Subscribe(ctx context.Context, topic string) (store.Subscription, error) {
	if o.away.Load() {
		return nil, store.ErrUnavailable
	}
	return o.Store.Subscribe(ctx, topic)
}

func (o *offline) Publish(ctx context.Context, topic string, message []byte) error {
	if o.away.Load() {
		return store.ErrUnavailable
	}
	return o.Store.Publish(ctx, topic, message)
}
