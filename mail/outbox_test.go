package mail_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/mail"
)

func TestTextOfHTML(t *testing.T) {
	for page, want := range map[string]string{
		"":                                       "",
		"<p>One</p><p>Two</p>":                   "One\n\nTwo\n",
		"a<br>b<br/>c":                           "a\nb\nc\n",
		"<h1>Head</h1>text <b>bold</b>!":         "Head\n\ntext bold!\n",
		"<ul><li>one</li><li>two</li></ul>after": "- one\n- two\n\nafter\n",
		"<a href='https://x.example/a'>link</a>": "link (https://x.example/a)\n",
		"<a href='https://x.example/a'>https://x.example/a</a>":                      "https://x.example/a\n",
		"<a href='javascript:alert(1)'>link</a> <a href='mailto:a@b.example'>us</a>": "link us\n",
		"<a href='https://x.example/a\n b'>link</a>":                                 "link (https://x.example/ab)\n",
		"<style>p{}</style><script>x()</script><title>t</title>shown":                "shown\n",
		"&lt;b&gt; &amp; &uuml;&nbsp;x":                                              "<b> & ü\u00a0x\n",
		"  lots   of\n\n space ":                                                     "lots of space\n",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>":            "a b\nc\n",
		"<img src='cid:x' alt='Logo'> and":                                           "Logo and\n",
		"<p>unclosed <b>and <script>never":                                           "unclosed and\n",
	} {
		outbox := mail.Outbox(shopOptions())
		if err := outbox.Send(t.Context(), mail.To("a@example.com").HTML(page)); err != nil {
			t.Fatal(err)
		}
		if got := outbox.Messages()[0].Text; got != want {
			t.Errorf("%q becomes %q, want %q", page, got, want)
		}
	}
}

func outboxApp(t *testing.T, debug bool) (*mail.Mailer, func(target string, headers ...string) *httptest.ResponseRecorder) {
	outbox := mail.Outbox(shopOptions())
	app := ishaa.New("shop", ishaa.Config{Debug: debug})
	ishaatest.Logs(t, app)
	app.Install(outbox)
	return outbox, func(target string, headers ...string) *httptest.ResponseRecorder {
		raw := httptest.NewRequest("GET", "http://localhost:8000"+target, nil)
		raw.RemoteAddr = "127.0.0.1:1"
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			switch name {
			case "Host":
				raw.Host = value
			case "Peer":
				raw.RemoteAddr = value
			default:
				raw.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, raw)
		return w
	}
}

func TestOutboxPage(t *testing.T) {
	outbox, get := outboxApp(t, true)
	if w := get("/_ishaa/outbox"); w.Code != 200 || !strings.Contains(w.Body.String(), "No message yet") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	attack := "<script>alert(1)</script>"
	if err := outbox.Send(t.Context(), mail.To("ann@example.com").Subject("Hi "+attack).Text("see "+attack).HTML("<p>page</p>"+attack).Attach("a&b.txt", "", nil)); err != nil {
		t.Fatal(err)
	}
	w := get("/_ishaa/outbox")
	if body := w.Body.String(); strings.Contains(body, attack) || !strings.Contains(body, "Hi &lt;script&gt;") || !strings.Contains(body, "a&amp;b.txt") {
		t.Errorf("the list is %s", body)
	}
	id := outbox.Messages()[0].ID
	w = get("/_ishaa/outbox/" + id + "/html")
	if w.Code != 200 || !strings.Contains(w.Body.String(), "<p>page</p>") || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "sandbox;") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = get("/_ishaa/outbox/" + id + "/raw")
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || !strings.Contains(w.Body.String(), "Message-ID: <"+id+">") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, target := range []string{"/_ishaa/outbox/" + id + "/other", "/_ishaa/outbox/other/html"} {
		if w := get(target); w.Code != 404 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	for _, header := range []string{"Host: shop.example", "Peer: 192.0.2.1:1", "X-Forwarded-For: 127.0.0.1"} {
		if w := get("/_ishaa/outbox", header); w.Code != 403 {
			t.Errorf("with %s: %d", header, w.Code)
		}
	}
	for i := range 250 {
		outbox.Send(t.Context(), hello().Subject(fmt.Sprint(i)))
	}
	if list := outbox.Messages(); len(list) != 200 || list[199].Subject != "249" {
		t.Errorf("%d messages, the last %q", len(list), list[len(list)-1].Subject)
	}
	outbox.Forget()
	if n := len(outbox.Messages()); n > 0 {
		t.Errorf("%d messages after Forget", n)
	}
}

func TestNoOutboxPageInProduction(t *testing.T) {
	outbox, get := outboxApp(t, false)
	outbox.Send(t.Context(), hello())
	if w := get("/_ishaa/outbox"); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}
