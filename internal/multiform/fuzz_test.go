package multiform

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever comes in: no panic, an *Error or a form within its limits, and the files say how long they are.
func FuzzMultipart(f *testing.F) {
	f.Add([]byte(body(part(`name="t"`, "v"), part(`name="f"; filename="a.txt"`, strings.Repeat("x", 100), "Content-Type: text/plain"))))
	f.Add([]byte("preamble\r\n" + body(part(`name="f"; filename=""`, "")) + "epilogue"))
	f.Add([]byte(body(part(`name*0="a"; name*1="b"`, "v"), part(`name="x"; filename*=utf-8''%2e%2e%2fx`, "v"))))
	dir := f.TempDir()
	limits := Limits{MaxMemory: 16, MaxFields: 5, MaxFiles: 3, MaxValueBytes: 64, MaxFormBytes: 128, MaxBytes: 4096, TempDir: dir}
	f.Fuzz(func(t *testing.T, text []byte) {
		form, err := Parse(strings.NewReader(string(text)), contentType, limits)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status == 500 {
				t.Fatalf("error is %v", err)
			}
			wantEmpty(t, dir)
			return
		}
		defer form.Close()
		fields, files, memory := 0, 0, int64(0)
		for _, entry := range form.Order {
			if entry.File == nil {
				fields++
				if int64(len(entry.Value)) > limits.MaxValueBytes || !utf8.ValidString(entry.Value) || !utf8.ValidString(entry.Name) {
					t.Fatalf("value is %q", entry.Value)
				}
				continue
			}
			files++
			r, _ := entry.File.Open()
			if n, err := io.Copy(io.Discard, r); n != entry.File.Size || err != nil {
				t.Fatalf("file of %d bytes gave %d, %v", entry.File.Size, n, err)
			}
			memory += int64(len(entry.File.memory))
			if strings.ContainsAny(entry.File.Filename, "/\\\x00\r\n") {
				t.Fatalf("file name is %q", entry.File.Filename)
			}
		}
		if fields > limits.MaxFields || files > limits.MaxFiles || memory > limits.MaxMemory {
			t.Fatalf("%d fields, %d files, %d bytes in memory", fields, files, memory)
		}
		form.Close()
		wantEmpty(t, dir)
	})
}

// A content type is a client's text too.
func FuzzContentType(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", "--x--")
	f.Add(`multipart/form-data; !="`+strings.Repeat(`\\`, 100)+`; boundary=`, "")
	f.Add("application/x-www-form-urlencoded", "a=1&b")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, contentType, text string) {
		form, err := Parse(strings.NewReader(text), contentType, Limits{TempDir: dir})
		var e *Error
		if err == nil {
			form.Close()
		} else if !errors.As(err, &e) || e.Status != 400 && e.Status != 413 && e.Status != 415 {
			t.Fatalf("error is %v", err)
		}
	})
}

// Values that are written by net/url are read back, and what both parsers accept they read alike.
func FuzzQuery(f *testing.F) {
	f.Add("a=1&b=2&a=3")
	f.Add("a=%zz&b;c=+%C3%BC&=&&")
	f.Fuzz(func(t *testing.T, raw string) {
		values, err := ParseQuery(raw, -1)
		for name, list := range values {
			for _, value := range append(list, name) {
				if !utf8.ValidString(value) {
					t.Fatalf("%q is not UTF-8", value)
				}
			}
		}
		std, stdErr := url.ParseQuery(raw)
		if err == nil && stdErr == nil && values.Encode() != std.Encode() {
			t.Fatalf("%q is %v, net/url says %v", raw, values, std)
		}
		again, err := ParseQuery(values.Encode(), -1)
		if err != nil || again.Encode() != values.Encode() {
			t.Fatalf("%v came back as %v, %v", values, again, err)
		}
	})
}
