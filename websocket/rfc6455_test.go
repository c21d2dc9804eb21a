package websocket_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
)

const limit = 4096 // of the sockets under test

// exchange is what a client sends and what it then gets until the connection ends.
// A client that is not cut off says goodbye with 1000.
type exchange struct {
	name string
	send []byte
	want []string // without the closing of an ordinary end
	cut  int      // the close code by which the server ends it; 0 for none
}

// TestFrames is RFC 6455 (and for compression RFC 7692) byte by byte, over a socket.
func TestFrames(t *testing.T) {
	app := ishaa.New("frames")
	app.Get("/plain", websocket.Handler(echo, websocket.Limit(limit)))
	app.Get("/deflate", websocket.Handler(echo, websocket.Limit(limit), websocket.Compress()))
	client := ishaatest.New(t, app, ishaatest.OverSocket())
	cases := map[string][]exchange{
		"/plain": slices.Concat(messages(), fragments(), controls(), reserved(), lengths(), masks(), texts(), closes(), sizes()),
		"/deflate": append(compressed(), exchange{
			name: "a plain message where compression was agreed", send: frame(0x81, "a"), want: []string{`text "a"`},
		}),
	}
	total := 0
	for path, list := range cases {
		for _, x := range list {
			total++
			t.Run(strings.TrimPrefix(path, "/")+"/"+x.name, func(t *testing.T) {
				runExchange(client.For(t), t, path, x)
			})
		}
	}
	if total < 120 {
		t.Errorf("%d cases", total)
	}
	t.Logf("%d cases", total)
}

func runExchange(client *ishaatest.Client, t *testing.T, path string, x exchange) {
	var headers []string
	if path == "/deflate" {
		headers = append(headers, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
	}
	c := dialRaw(t, client, path, headers...)
	defer c.conn.Close()
	if path == "/deflate" && c.head.Get("Sec-Websocket-Extensions") != "permessage-deflate; client_no_context_takeover; server_no_context_takeover" {
		t.Fatalf("agreed on %q", c.head.Get("Sec-Websocket-Extensions"))
	}
	want := slices.Clone(x.want)
	switch {
	case x.cut == 0:
		x.send = append(slices.Clone(x.send), closing(1000, "")...)
		want = append(want, "close 1000", "end")
	case x.cut == 1005:
		want = append(want, "close", "end")
	case x.cut == 1006:
		want = append(want, "end")
	default:
		want = append(want, fmt.Sprintf("close %d", x.cut), "end")
	}
	c.send(x.send)
	if got := c.rest(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func messages() []exchange {
	return []exchange{
		{name: "empty text", send: frame(0x81, ""), want: []string{`text ""`}},
		{name: "text", send: frame(0x81, "Hello"), want: []string{`text "Hello"`}},
		{name: "empty binary", send: frame(0x82, ""), want: []string{`binary ""`}},
		{name: "binary that is not UTF-8", send: frame(0x82, "\xff\xfe\x00"), want: []string{`binary "\xff\xfe\x00"`}},
		{name: "text with NUL", send: frame(0x81, "a\x00b"), want: []string{`text "a\x00b"`}},
		{name: "two messages in one segment", send: join(frame(0x81, "a"), frame(0x82, "b")), want: []string{`text "a"`, `binary "b"`}},
		{name: "a hundred messages", send: slices.Repeat(frame(0x81, "x"), 100), want: slices.Repeat([]string{`text "x"`}, 100)},
		{name: "no message", send: nil},
	}
}

func fragments() []exchange {
	manyEmpty := join(frame(0x01, ""), slices.Repeat(frame(0x00, ""), 50), frame(0x80, "x"))
	return []exchange{
		{name: "two fragments", send: join(frame(0x01, "Hel"), frame(0x80, "lo")), want: []string{`text "Hello"`}},
		{name: "binary fragments", send: join(frame(0x02, "\x00"), frame(0x80, "\x01")), want: []string{`binary "\x00\x01"`}},
		{name: "three fragments", send: join(frame(0x01, "a"), frame(0x00, "b"), frame(0x80, "c")), want: []string{`text "abc"`}},
		{name: "first fragment empty", send: join(frame(0x01, ""), frame(0x80, "a")), want: []string{`text "a"`}},
		{name: "last fragment empty", send: join(frame(0x01, "a"), frame(0x80, "")), want: []string{`text "a"`}},
		{name: "all fragments empty", send: join(frame(0x01, ""), frame(0x00, ""), frame(0x80, "")), want: []string{`text ""`}},
		{name: "many empty fragments", send: manyEmpty, want: []string{`text "x"`}},
		{name: "ping between fragments", send: join(frame(0x01, "a"), frame(0x89, "p"), frame(0x80, "b")), want: []string{`pong "p"`, `text "ab"`}},
		{name: "pong between fragments", send: join(frame(0x01, "a"), frame(0x8A, "p"), frame(0x80, "b")), want: []string{`text "ab"`}},
		{name: "pings between all fragments", send: join(frame(0x01, "a"), frame(0x89, "1"), frame(0x00, "b"), frame(0x89, "2"), frame(0x80, "c")), want: []string{`pong "1"`, `pong "2"`, `text "abc"`}},
		{name: "close between fragments", send: join(frame(0x01, "a"), closing(1000, "")), cut: 1000},
		{name: "continuation of nothing", send: frame(0x80, "a"), cut: 1002},
		{name: "unfinished continuation of nothing", send: frame(0x00, "a"), cut: 1002},
		{name: "continuation after a message", send: join(frame(0x81, "a"), frame(0x80, "b")), want: []string{`text "a"`}, cut: 1002},
		{name: "continuation after fragments", send: join(frame(0x01, "a"), frame(0x80, "b"), frame(0x80, "c")), want: []string{`text "ab"`}, cut: 1002},
		{name: "text within a message", send: join(frame(0x01, "a"), frame(0x81, "b")), cut: 1002},
		{name: "binary within a message", send: join(frame(0x01, "a"), frame(0x82, "b")), cut: 1002},
		{name: "another first fragment", send: join(frame(0x02, "a"), frame(0x02, "b")), cut: 1002},
		{name: "a ping, then a message within another", send: join(frame(0x01, "a"), frame(0x89, "p"), frame(0x81, "b")), want: []string{`pong "p"`}, cut: 1002},
		{name: "the connection breaks within a message", send: join(frame(0x01, "a"), closing(1001, "")), cut: 1001},
	}
}

func controls() []exchange {
	full := strings.Repeat("p", 125)
	return []exchange{
		{name: "ping", send: frame(0x89, ""), want: []string{`pong ""`}},
		{name: "ping with text", send: frame(0x89, "Hello"), want: []string{`pong "Hello"`}},
		{name: "ping with bytes", send: frame(0x89, "\x00\xff"), want: []string{`pong "\x00\xff"`}},
		{name: "ping of 125 bytes", send: frame(0x89, full), want: []string{"pong of 125"}},
		{name: "ping of 126 bytes", send: frame(0x89, full+"p"), cut: 1002},
		{name: "ping of 70,000 bytes", send: frame(0x89, strings.Repeat("p", 70000))[:14], cut: 1002},
		{name: "ten pings", send: slices.Repeat(frame(0x89, "x"), 10), want: slices.Repeat([]string{`pong "x"`}, 10)},
		{name: "fragmented ping", send: frame(0x09, "a"), cut: 1002},
		{name: "fragmented ping with its rest", send: join(frame(0x09, "a"), frame(0x80, "b")), cut: 1002},
		{name: "pong nobody asked for", send: frame(0x8A, "x")},
		{name: "empty pong", send: frame(0x8A, "")},
		{name: "pong of 125 bytes", send: frame(0x8A, full)},
		{name: "pong of 126 bytes", send: frame(0x8A, full+"p"), cut: 1002},
		{name: "fragmented pong", send: frame(0x0A, ""), cut: 1002},
		{name: "pong, ping, text", send: join(frame(0x8A, "a"), frame(0x89, "b"), frame(0x81, "c")), want: []string{`pong "b"`, `text "c"`}},
		{name: "ping before and after text", send: join(frame(0x89, "a"), frame(0x81, "b"), frame(0x89, "c")), want: []string{`pong "a"`, `text "b"`, `pong "c"`}},
	}
}

func reserved() []exchange {
	list := []exchange{
		{name: "RSV1 without compression", send: frame(0xC1, "a"), cut: 1002},
		{name: "RSV2", send: frame(0xA1, "a"), cut: 1002},
		{name: "RSV3", send: frame(0x91, "a"), cut: 1002},
		{name: "all reserved bits", send: frame(0xF1, "a"), cut: 1002},
		{name: "RSV1 on a ping", send: frame(0xC9, "a"), cut: 1002},
		{name: "RSV2 on a close", send: frame(0xA8, ""), cut: 1002},
		{name: "RSV3 on a continuation", send: join(frame(0x01, "a"), frame(0x90, "b")), cut: 1002},
		{name: "a reserved bit after a message", send: join(frame(0x81, "a"), frame(0xA1, "b")), want: []string{`text "a"`}, cut: 1002},
	}
	for _, opcode := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		list = append(list,
			exchange{name: fmt.Sprintf("opcode %d", opcode), send: frame(0x80|opcode, ""), cut: 1002},
			exchange{name: fmt.Sprintf("opcode %d within a message", opcode), send: join(frame(0x01, "a"), frame(0x80|opcode, "b")), cut: 1002})
	}
	return list
}

func lengths() []exchange {
	huge := append([]byte{0x82, 0xFF}, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4)
	largest := append([]byte{0x82, 0xFF}, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4)
	list := []exchange{
		{name: "length 5 in two bytes", send: frameOf(0x81, "Hello", 2), cut: 1002},
		{name: "length 5 in eight bytes", send: frameOf(0x81, "Hello", 8), cut: 1002},
		{name: "length 0 in two bytes", send: frameOf(0x82, "", 2), cut: 1002},
		{name: "length 125 in two bytes", send: frameOf(0x82, strings.Repeat("x", 125), 2), cut: 1002},
		{name: "length 126 in eight bytes", send: frameOf(0x82, strings.Repeat("x", 126), 8), cut: 1002},
		{name: "length 65,535 in eight bytes", send: frameOf(0x82, strings.Repeat("x", 65535), 8)[:14], cut: 1002},
		{name: "length of a ping in two bytes", send: frameOf(0x89, "x", 2), cut: 1002},
		{name: "length of a close in eight bytes", send: frameOf(0x88, "", 8), cut: 1002},
		{name: "length with the highest bit", send: huge, cut: 1002},
		{name: "the largest length", send: largest, cut: 1009},
	}
	for _, n := range []int{125, 126, 127, 128, 255, 256, 1000} {
		list = append(list, exchange{
			name: fmt.Sprintf("%d bytes", n), send: frame(0x82, strings.Repeat("x", n)), want: []string{fmt.Sprintf("binary of %d", n)},
		})
	}
	return list
}

func masks() []exchange {
	zero := append([]byte{0x81, 0x81, 0, 0, 0, 0}, 'a')
	return []exchange{
		{name: "a mask of zeros", send: zero, want: []string{`text "a"`}},
		{name: "text without a mask", send: []byte{0x81, 0x01, 'a'}, cut: 1002},
		{name: "ping without a mask", send: []byte{0x89, 0x00}, cut: 1002},
		{name: "close without a mask", send: []byte{0x88, 0x00}, cut: 1002},
		{name: "continuation without a mask", send: join(frame(0x01, "a"), []byte{0x80, 0x00}), cut: 1002},
		{name: "no mask after a message", send: join(frame(0x81, "a"), []byte{0x81, 0x00}), want: []string{`text "a"`}, cut: 1002},
	}
}

func texts() []exchange {
	list := []exchange{
		{name: "text in many scripts", send: frame(0x81, "κόσμε 世界 🙂"), want: []string{`text "κόσμε 世界 🙂"`}},
		{name: "a character cut in two", send: join(frame(0x01, "\xce"), frame(0x80, "\xba")), want: []string{`text "κ"`}},
		{name: "a character cut in four", send: join(frame(0x01, "\xf0"), frame(0x00, "\x9f"), frame(0x00, "\x99"), frame(0x80, "\x82")), want: []string{`text "🙂"`}},
		{name: "a cut character and an empty fragment", send: join(frame(0x01, "\xce"), frame(0x00, ""), frame(0x80, "\xba")), want: []string{`text "κ"`}},
		{name: "a cut character and a ping that is not text", send: join(frame(0x01, "\xce"), frame(0x89, "\xff"), frame(0x80, "\xba")), want: []string{`pong "\xff"`, `text "κ"`}},
		{name: "the replacement character", send: frame(0x81, "\xef\xbf\xbd"), want: []string{`text "` + "\uFFFD" + `"`}},
		{name: "the last code point", send: frame(0x82, "\xf4\x8f\xbf\xbf"), want: []string{"binary \"\\U0010ffff\""}},
		{name: "the last code point as text", send: frame(0x81, "\xf4\x8f\xbf\xbf"), want: []string{"text \"\\U0010ffff\""}},
		{name: "wrong only in its last byte", send: frame(0x81, strings.Repeat("a", 2000)+"\xff"), cut: 1007},
		{name: "ends within a character over fragments", send: join(frame(0x01, "a\xce"), frame(0x80, "")), cut: 1007},
		{name: "a character begins anew in a fragment", send: join(frame(0x01, "\xce"), frame(0x80, "\xce\xba")), cut: 1007},
		{name: "wrong in the first of two fragments", send: frame(0x01, "\xff"), cut: 1007},
		{name: "wrong in the second fragment, more to come", send: join(frame(0x01, "κ"), frame(0x00, "\xf4\x90")), cut: 1007},
		{name: "wrong before the frame is whole", send: frame(0x81, "\xff"+strings.Repeat("a", 200))[:60], cut: 1007},
		{name: "wrong text after right text", send: join(frame(0x81, "a"), frame(0x81, "\xff")), want: []string{`text "a"`}, cut: 1007},
		{name: "what is left over does not spoil the next message", send: join(frame(0x82, "\xce"), frame(0x81, "a")), want: []string{`binary "\xce"`, `text "a"`}},
	}
	for name, text := range map[string]string{
		"a lone continuation": "\x80", "FF": "\xff", "FE": "\xfe", "overlong slash": "\xc0\xaf", "overlong NUL": "\xc0\x80",
		"overlong in three": "\xe0\x80\xaf", "overlong in four": "\xf0\x80\x80\xaf", "a surrogate": "\xed\xa0\x80",
		"a pair of surrogates": "\xed\xa0\xbd\xed\xb8\x80", "beyond the last code point": "\xf4\x90\x80\x80",
		"five bytes": "\xf8\x88\x80\x80\x80", "cut short": "\xe4\xb8", "cut short and followed": "\xe4\xb8a",
	} {
		list = append(list, exchange{name: "text with " + name, send: frame(0x81, "ok "+text), cut: 1007})
	}
	return list
}

func closes() []exchange {
	list := []exchange{
		{name: "close without a code", send: frame(0x88, ""), cut: 1005},
		{name: "close with one byte", send: frame(0x88, "\x03"), cut: 1002},
		{name: "close with a reason", send: closing(1000, "bye"), cut: 1000},
		{name: "close with the longest reason", send: closing(1000, strings.Repeat("x", 123)), cut: 1000},
		{name: "close of 126 bytes", send: closing(1000, strings.Repeat("x", 124)), cut: 1002},
		{name: "close with a reason that is not UTF-8", send: closing(1000, "\xff"), cut: 1007},
		{name: "close with a reason cut within a character", send: closing(1000, "\xce"), cut: 1007},
		{name: "fragmented close", send: frame(0x08, ""), cut: 1002},
		{name: "text after close", send: join(closing(1000, ""), frame(0x81, "a")), cut: 1000},
		{name: "two closes", send: join(closing(1000, ""), closing(1001, "")), cut: 1000},
		{name: "nonsense after close", send: join(closing(1000, ""), []byte{0xFF, 0xFF}), cut: 1000},
		{name: "message and close", send: join(frame(0x81, "a"), closing(1001, "")), want: []string{`text "a"`}, cut: 1001},
	}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		list = append(list, exchange{name: fmt.Sprintf("close with %d", code), send: closing(code, ""), cut: code})
	}
	for _, code := range []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		list = append(list, exchange{name: fmt.Sprintf("close with %d, which nobody may send", code), send: closing(code, ""), cut: 1002})
	}
	return list
}

func sizes() []exchange {
	most := strings.Repeat("x", limit)
	return []exchange{
		{name: "the longest message", send: frame(0x82, most), want: []string{fmt.Sprintf("binary of %d", limit)}},
		{name: "the longest message in two fragments", send: join(frame(0x02, most[1:]), frame(0x80, "x")), want: []string{fmt.Sprintf("binary of %d", limit)}},
		{name: "the longest message and an empty fragment", send: join(frame(0x02, most), frame(0x80, "")), want: []string{fmt.Sprintf("binary of %d", limit)}},
		{name: "one byte too many", send: frame(0x82, most+"x"), cut: 1009},
		{name: "one byte too many in a second fragment", send: join(frame(0x02, most), frame(0x80, "x")), cut: 1009},
		{name: "too long by its head alone", send: frame(0x81, most+"x")[:8], cut: 1009},
		{name: "a megabyte", send: frame(0x82, strings.Repeat("x", 1<<20)), cut: 1009},
		{name: "too long after a message", send: join(frame(0x81, "a"), frame(0x82, most+"x")), want: []string{`text "a"`}, cut: 1009},
		{name: "many messages longer together than one may be", send: slices.Repeat(frame(0x82, most[:1000]), 10), want: slices.Repeat([]string{"binary of 1000"}, 10)},
	}
}

func compressed() []exchange {
	long := strings.Repeat("all work and no play ", 100)
	bomb := deflate(strings.Repeat("\x00", 64<<20))
	packed := deflate(long)
	stored := "\x00" + string(binary.LittleEndian.AppendUint16(nil, 5)) + string(binary.LittleEndian.AppendUint16(nil, ^uint16(5))) + "Hello"
	return []exchange{
		{name: "RFC 7692 §7.2.3.1", send: frame(0xC1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), want: []string{`text "Hello"`}},
		{name: "RFC 7692 §7.2.3.1 in fragments", send: join(frame(0x41, "\xf2\x48\xcd"), frame(0x80, "\xc9\xc9\x07\x00")), want: []string{`text "Hello"`}},
		{name: "RFC 7692 §7.2.3.3, not compressed", send: frame(0xC1, stored+"\x00"), want: []string{`text "Hello"`}},
		{name: "RFC 7692 §7.2.3.4, a final block", send: frame(0xC1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), want: []string{`text "Hello"`}},
		{name: "RFC 7692 §7.2.3.5, two blocks", send: frame(0xC1, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), want: []string{`text "Hello"`}},
		{name: "an empty message", send: frame(0xC1, "\x00"), want: []string{`text ""`}},
		{name: "a long message comes back compressed", send: frame(0xC1, packed), want: []string{"deflated text of 2100"}},
		{name: "binary", send: frame(0xC2, packed), want: []string{"deflated binary of 2100"}},
		{name: "twice, each by itself", send: join(frame(0xC1, packed), frame(0xC1, packed)), want: []string{"deflated text of 2100", "deflated text of 2100"}},
		{name: "ping between compressed fragments", send: join(frame(0x41, packed[:5]), frame(0x89, "p"), frame(0x80, packed[5:])), want: []string{`pong "p"`, "deflated text of 2100"}},
		{name: "RSV1 on a continuation", send: join(frame(0x41, packed[:5]), frame(0xC0, packed[5:])), cut: 1002},
		{name: "RSV1 on a ping", send: frame(0xC9, "a"), cut: 1002},
		{name: "RSV2", send: frame(0xE1, packed), cut: 1002},
		{name: "text that is not UTF-8", send: frame(0xC1, deflate("a\xff")), cut: 1007},
		{name: "text that ends within a character", send: frame(0xC1, deflate("a\xce")), cut: 1007},
		{name: "binary that is not UTF-8", send: frame(0xC2, deflate("a\xff")), want: []string{`binary "a\xff"`}},
		{name: "no deflate", send: frame(0xC1, "\xff\xff\xff\xff"), cut: 1007},
		{name: "a bomb of 64 MiB", send: frame(0xC2, bomb[:min(len(bomb), limit)]), cut: 1009},
		{name: "a bomb in fragments", send: join(frame(0x42, bomb[:2000]), frame(0x80, bomb[2000:4000])), cut: 1009},
		{name: "more compressed bytes than a message may have", send: frame(0xC2, bomb+strings.Repeat("\x00", limit)), cut: 1009},
		{name: "the longest message", send: frame(0xC2, deflate(strings.Repeat("x", limit))), want: []string{fmt.Sprintf("deflated binary of %d", limit)}},
		{name: "one byte too many", send: frame(0xC2, deflate(strings.Repeat("x", limit+1))), cut: 1009},
	}
}

// A frame that comes octet by octet is the same frame.
func TestOctetByOctet(t *testing.T) {
	client := serve(t, echo)
	c := dialRaw(t, client, "/ws")
	all := join(frame(0x01, "κ"), frame(0x89, "p"), frame(0x80, strings.Repeat("x", 300)), frame(0x82, "\xff"), closing(1000, ""))
	for i := range all {
		c.send(all[i : i+1])
	}
	want := []string{`pong "p"`, "text of 302", `binary "\xff"`, "close 1000", "end"}
	if got := c.rest(); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A client may send frames along with its handshake, before it has the answer.
func TestFramesWithTheHandshake(t *testing.T) {
	client := serve(t, echo)
	conn := client.Dial()
	c := shakeHands(t, eager{conn, frame(0x81, "early")}, "/ws")
	if got := c.next(); got != `text "early"` {
		t.Error(got)
	}
}
