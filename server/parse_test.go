package server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestKnownNames(t *testing.T) {
	for id, name := range names {
		if id == 0 {
			continue
		}
		for _, form := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			got, gotID, ok := canonicalName(form)
			if got != name || int(gotID) != id || !ok {
				t.Errorf("%q is %q, number %d, want %q, number %d", form, got, gotID, name, id)
			}
		}
		if canonical := http.CanonicalHeaderKey(name); canonical != name {
			t.Errorf("%q is %q in canonical form", name, canonical)
		}
	}
	if len(names) > 64 {
		t.Errorf("%d names do not fit the set of those that were seen", len(names))
	}
}

func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", "a", "Host", "x-own-header", "X_A", "a b", "\x00", "-", "--a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, _, ok := canonicalName(name)
		if ok != validToken(name) {
			t.Fatalf("%q is a name: %t", name, ok)
		}
		if want := http.CanonicalHeaderKey(name); ok && got != want {
			t.Fatalf("%q is %q, want %q", name, got, want)
		}
	})
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a/b?c=d", "/a?", "/a??", "//a/b", "///", "/%41", "/%zz", "/a#b", "/ä", "/a'b(c)", "/?", "/a:b", "/[", "*", "http://a/b", "a:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		var got url.URL
		if fault := parseTarget(&got, "GET", target); fault != nil || !strings.HasPrefix(target, "/") {
			return
		}
		for i := range len(target) {
			if target[i] <= ' ' || target[i] == 0x7f {
				return // the request line is refused
			}
		}
		want, err := url.ParseRequestURI(target)
		if err != nil || got != *want {
			t.Fatalf("%q is %#v, want %#v (%v)", target, got, want, err)
		}
	})
}

func TestChunkLines(t *testing.T) {
	for line, want := range map[string]int64{
		"0": 0, "a": 10, "FF": 255, "0000000000000010": 16, "3;a": 3, "3;a=b;c": 3, "3 ; a = b": 3, "3;a=\"b;\\\"c\"": 3, "7fffffffffffff": 1<<55 - 1,
		"": -1, " 3": -1, "3 ": -1, "3;": -1, "3;;": -1, "3;=": -1, "3;a=": -1, "3;a=\"b": -1, "3;a=\"\x00\"": -1, "3;a b": -1, "g": -1, "-1": -1,
		"0x3": -1, "1_0": -1, "00000000000000001": -1, "ffffffffffffffff": -1,
	} {
		if got, ok := parseChunkLine([]byte(line)); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q is %d (%t), want %d", line, got, ok, want)
		}
	}
}

func FuzzChunkLine(f *testing.F) {
	for _, seed := range []string{"0", "ff;a=b", "3 ; a = \"b\"", "ffffffffffffffff", "3;a=\"\\"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		size, ok := parseChunkLine(line)
		if size < 0 {
			t.Fatalf("%q has size %d", line, size)
		}
		if ok && (len(line) == 0 || bytes.ContainsAny(line, "\r\n\x00")) {
			t.Fatalf("%q is a chunk's line", line)
		}
	})
}

// The end of a head is found wherever the bytes are cut.
func TestHeadScan(t *testing.T) {
	text := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest")
	want := len(text) - len("rest")
	for first := range text {
		for second := first; second < len(text); second++ {
			var scan headScan
			end := 0
			for _, n := range []int{first, second, len(text)} {
				if end == 0 {
					var f *fault
					if end, f = scan.find(text[:n]); f != nil {
						t.Fatal(f)
					}
				}
			}
			if end != want {
				t.Fatalf("cut at %d and %d, the head ends at %d, want %d", first, second, end, want)
			}
		}
	}
}
