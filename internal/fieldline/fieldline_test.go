package fieldline_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

func field(name string, values ...string) fieldline.Field {
	return fieldline.Field{Name: name, Values: values}
}

func TestWhatNoLineCanBe(t *testing.T) {
	for _, f := range []fieldline.Field{
		field("x-lower", "a"), field("X A", "a"), field("", "a"), field("X-A", "a\r\nX-B: c"), field("X-A", "a\x00"), field("X-A", " a"),
		field("Content-Length", "3"), field("Connection", "close"), field("Transfer-Encoding", "chunked"), field("Date", "now"),
		field("Content-Encoding", "gzip"), field("Trailer", "X-A"), field("Upgrade", "websocket"),
	} {
		if lines := fieldline.New(field("X-Good", "yes"), f); lines != nil {
			t.Errorf("%q was taken", f)
		}
	}
	var head fieldline.Head
	head.Reset(httptest.NewRecorder())
	if head.Add(nil) || !head.Empty() {
		t.Error("a head took no lines for some")
	}
}

func TestLinesAndMapSayTheSame(t *testing.T) {
	vary := fieldline.New(field("Vary", "Origin"), field("Link", "</a>", "</b>"))
	page := fieldline.New(field("Content-Type", "text/html"))
	fill := func(head *fieldline.Head) {
		head.Reset(httptest.NewRecorder())
		for _, ok := range []bool{head.Add(vary), head.AddValue("X-Request-Id", &[1]string{"7"}), head.Add(page), head.SetLength(12)} {
			if !ok {
				t.Fatal("the head took not all")
			}
		}
		if head.Add(page) {
			t.Error("a second Content-Type was taken")
		}
	}
	var head fieldline.Head
	fill(&head)
	text, written := head.AppendTo([]byte("HTTP/1.1 200 OK\r\n"))
	want := "HTTP/1.1 200 OK\r\nVary: Origin\r\nLink: </a>\r\nLink: </b>\r\nX-Request-Id: 7\r\nContent-Type: text/html\r\n"
	if string(text) != want || written != (fieldline.Written{Typed: true, Length: 12}) {
		t.Errorf("%q, %+v", text, written)
	}
	header := http.Header{}
	head.MoveTo(header)
	if want := (http.Header{
		"Vary": {"Origin"}, "Link": {"</a>", "</b>"}, "X-Request-Id": {"7"}, "Content-Type": {"text/html"}, "Content-Length": {"12"},
	}); !reflect.DeepEqual(header, want) {
		t.Errorf("%v", header)
	}
	if head.Add(vary) || head.AddValue("X-A", &[1]string{"b"}) || head.SetLength(3) {
		t.Error("a head whose fields were moved takes more")
	}
	header.Add("Vary", "Accept") // appends: the shared value must not change
	fill(&head)
	if again, _ := head.AppendTo(nil); strings.Contains(string(again), "Accept") {
		t.Errorf("a value that answers share was changed: %q", again)
	}
}

func TestAFullHeadSaysSo(t *testing.T) {
	var head fieldline.Head
	head.Reset(httptest.NewRecorder())
	taken := 0
	for head.AddValue(fmt.Sprintf("X-%d", taken), &[1]string{"a"}) {
		taken++
	}
	text, _ := head.AppendTo(nil)
	if lines := strings.Count(string(text), "\r\n"); taken == 0 || lines != taken || head.Add(fieldline.New(field("X-A", "a"))) {
		t.Errorf("%d fields were taken, %d lines written", taken, lines)
	}
}

func TestSecurityHeaders(t *testing.T) {
	headers, err := secure.NewHeaders(secure.HeaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secured := fieldline.OfHeaders(headers)
	for _, tls := range []bool{false, true} {
		var head fieldline.Head
		head.Reset(httptest.NewRecorder())
		if !head.Add(secured.For(tls)) {
			t.Fatal("not taken")
		}
		got, want := http.Header{}, http.Header{}
		head.MoveTo(got)
		headers.Set(want, tls)
		if !reflect.DeepEqual(got, want) || len(got) < 4 {
			t.Errorf("TLS %v: %v, not %v", tls, got, want)
		}
	}
	shared, err := secure.NewHeaders(secure.HeaderOptions{Extra: map[string]string{"Vary": "Cookie"}})
	if err != nil {
		t.Fatal(err)
	}
	if secured := fieldline.OfHeaders(shared); secured.For(false) != nil {
		t.Error("headers that others set too became lines")
	}
}

func Example() {
	nosniff := fieldline.New(fieldline.Field{Name: "X-Content-Type-Options", Values: []string{"nosniff"}})
	var head fieldline.Head
	head.Reset(httptest.NewRecorder())
	head.Add(nosniff)
	text, _ := head.AppendTo(nil)
	fmt.Printf("%q\n", text)
	// Output: "X-Content-Type-Options: nosniff\r\n"
}
