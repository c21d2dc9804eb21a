package cpu

import (
	"strings"
	"testing"
)

func TestReadAnswer(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nDate: x\r\n"
	for _, test := range []struct {
		name, bytes string
		size, body  int
		fails       string
	}{
		{"with a length", head + "Content-Length: 5\r\n\r\nhello", 52, 5, ""},
		{"length in lower case", head + "content-length: 5\r\n\r\nhello", 52, 5, ""},
		{"and the next answer", head + "Content-Length: 5\r\n\r\nhelloHTTP/1.1 200", 52, 5, ""},
		{"empty", head + "Content-Length: 0\r\n\r\n", 47, 0, ""},
		{"content incomplete", head + "Content-Length: 5\r\n\r\nhell", 0, 0, ""},
		{"head incomplete", head + "Content-Length: 5\r\n\r", 0, 0, ""},
		{"nothing", "", 0, 0, ""},
		{"chunked", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 77, 6, ""},
		{"chunked, with a trailer", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nA: b\r\n\r\nHTTP", 73, 1, ""},
		{"chunked, trailer incomplete", head + "Transfer-Encoding: chunked\r\n\r\n1\r\n!\r\n0\r\nA: b\r\n", 0, 0, ""},
		{"chunked, last chunk missing", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 0, 0, ""},
		{"chunked, end missing", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r", 0, 0, ""},
		{"chunked, size incomplete", head + "Transfer-Encoding: chunked\r\n\r\n5", 0, 0, ""},
		{"chunked, size not a number", head + "Transfer-Encoding: chunked\r\n\r\nx\r\n", 0, 0, "chunk size"},
		{"chunked, size too small", head + "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", 0, 0, "does not end"},
		{"another status", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 0, 0, "500 Oh"},
		{"until the end", head + "\r\nhello", 0, 0, "neither"},
		{"closes", head + "Content-Length: 0\r\nConnection: close\r\n\r\n", 0, 0, "closes"},
		{"length not a number", head + "Content-Length: many\r\n\r\n", 0, 0, "not a number"},
		{"endless head", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", maxHead/6), 0, 0, "no end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := readAnswer([]byte(test.bytes))
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("error %v, want one with %q", err, test.fails)
				}
				return
			}
			if err != nil || a.size != test.size || a.body != test.body {
				t.Errorf("size %d, content %d, error %v; want %d and %d", a.size, a.body, err, test.size, test.body)
			}
		})
	}
}

// However an answer is cut, no part of it is taken for the whole, and the whole is what it is.
func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := readAnswer(b)
		if err != nil || whole.size == 0 {
			return
		}
		if whole.size > len(b) || whole.body > whole.size {
			t.Fatalf("%+v of %d bytes", whole, len(b))
		}
		for cut := range whole.size {
			if part, err := readAnswer(b[:cut]); err == nil && part.size != 0 {
				t.Fatalf("%d of %d bytes taken for the whole", cut, whole.size)
			}
		}
	})
}
