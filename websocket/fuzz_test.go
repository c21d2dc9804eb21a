package websocket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"testing"
	"unicode/utf8"
)

// FuzzText: in whatever pieces a text comes, it is accepted if it is UTF-8, and
// refused at the first piece after which it cannot become UTF-8 any more.
func FuzzText(f *testing.F) {
	for _, text := range []string{"", "a", "κόσμε", "\xff", "\xe4\xb8", "a\xf4\x90\x80\x80b", "\xed\xa0\x80", "\xc0\xaf", "🙂\xf0\x9f"} {
		f.Add([]byte(text), uint64(0b1011))
	}
	f.Fuzz(func(t *testing.T, text []byte, cuts uint64) {
		var c textCheck
		from, fine := 0, true
		for i := 0; i <= len(text) && fine; i++ {
			if i == len(text) || cuts>>(i%64)&1 != 0 {
				fine = c.add(text[from:i])
				from = i
				if possible := canBecomeText(text[:i]); fine != possible {
					t.Fatalf("%q: %v after %d bytes, want %v", text, fine, i, possible)
				}
			}
		}
		if got := fine && c.ended(); got != utf8.Valid(text) {
			t.Errorf("%q: %v", text, got)
		}
	})
}

// canBecomeText is slow and plain: some end makes it valid.
func canBecomeText(p []byte) bool {
	if utf8.Valid(p) {
		return true
	}
	for back := 1; back <= 3 && back <= len(p); back++ {
		tail := p[len(p)-back:]
		if utf8.Valid(p[:len(p)-back]) && !utf8.FullRune(tail) {
			return true
		}
	}
	return false
}

// FuzzFrames: what the inspector passes does not depend on how the bytes are cut,
// and what it passes as whole frames is what they say.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x81\x81\x00\x00\x00\x00a\x88\x80\x00\x00\x00\x00"), uint64(5), false)
	f.Add([]byte("\x01\x82\x01\x02\x03\x04ab\x89\x80\x00\x00\x00\x00\x80\x80\x00\x00\x00\x00"), uint64(1), true)
	f.Add([]byte("\xc1\x81\x00\x00\x00\x00a"), uint64(0), true)
	f.Add([]byte("\x82\xfe\x00\x7e\x00\x00\x00\x00"), uint64(0xFF), false)
	f.Add([]byte("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), uint64(2), false)
	f.Fuzz(func(t *testing.T, data []byte, cuts uint64, deflate bool) {
		whole := inspector{deflate: deflate, limit: 1 << 16}
		good, wrong := whole.read(data)
		if wrong == nil && good != len(data) || wrong != nil && good >= len(data) {
			t.Fatalf("%d of %d bytes passed, %v", good, len(data), wrong)
		}
		if wrong != nil && !wrong.Code.sendable() {
			t.Fatalf("it cannot be said: %v", wrong)
		}
		pieces := inspector{deflate: deflate, limit: 1 << 16}
		from, passed := 0, 0
		var found *CloseError
		for i := 0; i <= len(data) && found == nil; i++ {
			if i == len(data) || cuts>>(i%64)&1 != 0 {
				var n int
				n, found = pieces.read(data[from:i])
				passed += n
				from = i
			}
		}
		if !reflect.DeepEqual(found, wrong) {
			t.Fatalf("in pieces %v, as a whole %v", found, wrong)
		}
		if passed < good {
			t.Fatalf("in pieces %d bytes passed, as a whole %d", passed, good)
		}
	})
}

// FuzzPosted: what other nodes send cannot do harm, and what is written is read.
func FuzzPosted(f *testing.F) {
	p := &posted{origin: "o", seq: 7, at: -1, except: []string{"a", ""}, to: []string{"b"}, message: pack(Text, []byte("hello"))}
	f.Add(p.encode())
	f.Add([]byte(`{"kind":"state","from":"x","first":true,"last":true,"members":[{"id":"1","name":"n"}]}`))
	f.Add([]byte("M\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseControl(data); err == nil && c.From == "" {
			t.Error("control from nobody")
		}
		p, err := parsePosted(data)
		if err != nil {
			return
		}
		again, err := parsePosted(p.encode())
		if err != nil {
			t.Fatal(err)
		}
		if again.origin != p.origin || again.seq != p.seq || again.at != p.at || !bytes.Equal(again.payload, p.payload) ||
			!reflect.DeepEqual(again.except, p.except) || !reflect.DeepEqual(again.to, p.to) || again.kind != p.kind {
			t.Errorf("%+v became %+v", p, again)
		}
	})
}

// What waits for its turn to write ends when the connection does, and a write that
// fails gives the connection up.
func TestWireEnds(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	w := newWire(server, nil, inspector{}, 0)
	stuck := make(chan error, 1)
	go func() { stuck <- w.writeFrames(context.Background(), pingFrame) }() // nobody reads
	var one [1]byte
	if _, err := io.ReadFull(client, one[:]); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.writeFrames(ctx, pingFrame); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with a context that has ended: %v", err)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- w.writeFrames(context.Background(), pingFrame) }()
	w.Close()
	for _, c := range []chan error{stuck, waiting} {
		if err := <-c; err == nil {
			t.Error("a write went through")
		}
	}
	if _, err := w.Write([]byte{0x88, 0}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
}

// A context that ends within a frame breaks the connection: half of it is out.
func TestContextEndsWithinAFrame(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	w := newWire(server, nil, inspector{}, 0)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.writeFrames(ctx, pack(Text, make([]byte, 100)).plain) }()
	var one [1]byte
	if _, err := io.ReadFull(client, one[:]); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := client.Read(one[:]); err == nil {
		t.Error("the connection is still open")
	}
}

func TestHistoryOfSeveralNodes(t *testing.T) {
	var h history
	say := func(origin string, seq uint64, at int64) *posted {
		return &posted{origin: origin, seq: seq, at: at, message: pack(Text, []byte(origin))}
	}
	entry := func(origin string, seq uint64, at int64) oldEntry {
		return oldEntry{Origin: origin, Seq: seq, At: at, Kind: Text, Payload: []byte(origin)}
	}
	h.add(say("a", 3, 30), 4)
	h.learn([]oldEntry{entry("a", 1, 10), entry("b", 1, 20), entry("a", 3, 30)}, 4)
	h.learn([]oldEntry{entry("c", 9, 5), entry("b", 1, 20), {Origin: "x", Kind: 7}}, 4)
	order := func() string {
		text := ""
		for _, p := range h.last(9) {
			text += p.origin
		}
		return text
	}
	if got := order(); got != "caba" {
		t.Errorf("the order is %s", got)
	}
	h.add(say("d", 1, 40), 4)
	if got := order(); got != "abad" {
		t.Errorf("the order is %s", got)
	}
	for i := range uint64(20) {
		h.add(say("e", i, 50), 4)
	}
	if got := h.last(4); len(got) != 4 || got[0].seq != 16 || got[3].seq != 19 {
		t.Errorf("%v", got)
	}
}
