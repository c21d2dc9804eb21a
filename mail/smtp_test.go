package mail_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bytes"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/store"
)

func hello() *mail.Message { return mail.To("ann@example.com").Subject("Hello").Text("Hello, Ann") }

func (p *postOffice) mailer(scheme, credentials, query string, change ...func(*mail.Options)) *mail.Mailer {
	options := shopOptions(change...)
	options.TLS = p.tls
	return mail.SMTP(scheme+"://"+credentials+"localhost:"+p.port+query, options)
}

func TestTransport(t *testing.T) {
	for _, c := range []struct {
		name        string
		office      officeOptions
		scheme      string
		credentials string
		query       string
		change      func(*mail.Options)
		stage       string // of the failure; "" for none
		temporary   bool
	}{
		{name: "STARTTLS", scheme: "smtp"},
		{name: "TLS", office: officeOptions{implicit: true}, scheme: "smtps"},
		{name: "no TLS on this machine", office: officeOptions{noTLS: true}, scheme: "smtp", query: "?tls=off"},
		{name: "STARTTLS is required", office: officeOptions{noTLS: true}, scheme: "smtp", stage: "tls"},
		{name: "STARTTLS with an unknown certificate", scheme: "smtp", change: func(o *mail.Options) { o.TLS = nil }, stage: "tls"},
		{name: "TLS with an unknown certificate", office: officeOptions{implicit: true}, scheme: "smtps", change: func(o *mail.Options) { o.TLS = nil }, stage: "connect"},
		{name: "signing in", office: officeOptions{user: "shop", password: "p@ss word"}, scheme: "smtp", credentials: "shop:p%40ss%20word@"},
		{name: "a wrong password", office: officeOptions{user: "shop", password: "right"}, scheme: "smtp", credentials: "shop:wrong@", stage: "sign in"},
		{name: "no password where one is needed", office: officeOptions{user: "shop", password: "right"}, scheme: "smtp", stage: "sender"},
		{name: "a password where none is taken", scheme: "smtp", credentials: "shop:x@", stage: "sign in"},
		{name: "a password without TLS to a server that has none", office: officeOptions{noTLS: true, user: "shop", password: "x"}, scheme: "smtp", credentials: "shop:x@", stage: "tls"},
		{name: "a sender that is put off", office: refusing("sender", 451), scheme: "smtp", stage: "sender", temporary: true},
		{name: "a sender that is refused", office: refusing("sender", 550), scheme: "smtp", stage: "sender"},
		{name: "a recipient that is put off", office: refusing("recipient", 450), scheme: "smtp", stage: "recipient", temporary: true},
		{name: "a recipient that does not exist", office: refusing("recipient", 550), scheme: "smtp", stage: "recipient"},
		{name: "a content that is put off", office: refusing("content", 452), scheme: "smtp", stage: "content", temporary: true},
		{name: "a content that is refused", office: refusing("content", 554), scheme: "smtp", stage: "content"},
	} {
		t.Run(c.name, func(t *testing.T) {
			office := newPostOffice(t, c.office)
			options := shopOptions()
			options.TLS = office.tls
			if c.change != nil {
				c.change(&options)
			}
			mailer := mail.SMTP(c.scheme+"://"+c.credentials+"localhost:"+office.port+c.query, options)
			err := mailer.Send(t.Context(), hello().Cc("bob@example.com").Bcc("eve@example.com"))
			var failed *mail.Error
			if c.stage != "" {
				if !errors.As(err, &failed) || failed.Stage != c.stage || failed.Temporary != c.temporary || mail.IsTemporary(err) != c.temporary {
					t.Errorf("the error is %v (%+v)", err, failed)
				}
				if strings.Contains(fmt.Sprint(err), "wrong") {
					t.Errorf("the error tells the password: %v", err)
				}
				if len(office.got()) > 0 {
					t.Error("the message was sent")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := office.got()
			if len(got) != 1 || got[0].from != "shop@shop.example" || !slices.Equal(got[0].to, []string{"ann@example.com", "bob@example.com", "eve@example.com"}) {
				t.Fatalf("%+v", got)
			}
			if text := string(got[0].data); !strings.Contains(text, "ann@example.com") || !strings.Contains(text, "bob@example.com") || strings.Contains(text, "eve") {
				t.Errorf("the message is\n%s", text)
			}
			if c.credentials != "" && office.signed != 1 {
				t.Error("it did not sign in")
			}
		})
	}
}

func refusing(stage string, code int) officeOptions {
	return officeOptions{refuse: func(at, _ string) error {
		if at == stage {
			return smtpError(code, "no")
		}
		return nil
	}}
}

// If one of several recipients is refused nobody gets the message.
func TestAllOrNobody(t *testing.T) {
	office := newPostOffice(t, officeOptions{refuse: func(stage, argument string) error {
		if stage == "recipient" && strings.HasPrefix(argument, "gone") {
			return smtpError(550, "no such user")
		}
		return nil
	}})
	err := office.mailer("smtp", "", "").Send(t.Context(), hello().To("gone@example.com", "zoe@example.com"))
	var failed *mail.Error
	if !errors.As(err, &failed) || failed.Code != 550 || !strings.Contains(err.Error(), "gone@example.com") {
		t.Error(err)
	}
	if len(office.got()) > 0 {
		t.Error("somebody got it")
	}
}

// A server that says nothing is waited for as long as Timeout, or the context, says.
func TestSilentServers(t *testing.T) {
	for _, greeting := range []string{"", "220 hello\r\n", "220 hello\r\n250-x\r\n250 STARTTLS\r\n", "220 "} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(conn, greeting)
				defer conn.Close()
			}
		})
		_, port, _ := net.SplitHostPort(l.Addr().String())
		mailer := mail.SMTP("smtp://localhost:"+port, shopOptions(func(o *mail.Options) { o.Timeout = 50 * time.Millisecond }))
		if err := mailer.Send(t.Context(), hello()); !mail.IsTemporary(err) {
			t.Errorf("%q: %v", greeting, err)
		}
		slow := mail.SMTP("smtp://localhost:"+port, shopOptions(func(o *mail.Options) { o.Timeout = time.Hour }))
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := slow.Send(ctx, hello()); !errors.Is(err, context.DeadlineExceeded) || !mail.IsTemporary(err) {
			t.Errorf("%q: %v", greeting, err)
		}
		cancel()
		l.Close()
		wg.Wait()
	}
	if err := mail.SMTP("smtp://localhost:1", shopOptions()).Send(t.Context(), hello()); !mail.IsTemporary(err) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestDKIM(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		t.Run(name, func(t *testing.T) {
			office := newPostOffice(t, officeOptions{})
			mailer := office.mailer("smtp", "", "", func(o *mail.Options) { o.DKIM = &mail.DKIM{Domain: "shop.example", Selector: "s1", Key: key} })
			for _, message := range []*mail.Message{
				hello(),
				hello().Subject("Grüße aus Zürich — " + strings.Repeat("long ", 30)).Cc("Bob Ä <bob@example.com>").ReplyTo("help@shop.example"),
				mail.To("ann@example.com").Subject("x").Template("welcome.html", map[string]any{"name": "Änn"}).Attach("a.bin", "", []byte{0, 1, 2}),
				mail.To("ann@example.com").Subject("dots").Text(".\n..\n.x\ntrailing  \n\n\n"),
			} {
				if err := mailer.Send(t.Context(), message); err != nil {
					t.Fatal(err)
				}
			}
			for i, l := range office.got() {
				verify := func(data []byte) error {
					list, err := dkim.VerifyWithOptions(bytes.NewReader(data), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
						if domain != "s1._domainkey.shop.example" {
							t.Errorf("looked up %s", domain)
						}
						return []string{"v=DKIM1; k=" + name + "; p=" + publicKey(t, key)}, nil
					}})
					if err != nil || len(list) != 1 {
						t.Fatalf("message %d: %v %v", i, list, err)
					}
					return list[0].Err
				}
				if err := verify(l.data); err != nil {
					t.Errorf("message %d: %v", i, err)
				}
				if verify(bytes.Replace(l.data, []byte("\r\n\r\n"), []byte("\r\n\r\nx"), 1)) == nil {
					t.Errorf("message %d: another body passes", i)
				}
				if verify(append([]byte("From: evil@example.com\r\n"), l.data...)) == nil {
					t.Errorf("message %d: a second From passes", i)
				}
			}
		})
	}
}

func publicKey(t *testing.T, key crypto.Signer) string {
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// part is a leaf of a message.
type part struct{ kind, name, id, text string }

func parts(t *testing.T, header map[string][]string, body io.Reader) (list []part) {
	get := func(name string) string { return strings.Join(header[name], "") }
	media, params, err := mime.ParseMediaType(get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(media, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return list
			}
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, parts(t, p.Header, p)...)
		}
	}
	switch strings.ToLower(get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	_, disposition, _ := mime.ParseMediaType(get("Content-Disposition"))
	return []part{{media, disposition["filename"], get("Content-Id"), strings.ReplaceAll(string(text), "\r\n", "\n")}}
}

func TestContent(t *testing.T) {
	office := newPostOffice(t, officeOptions{})
	clock := ishaatest.NewClock(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	mailer := office.mailer("smtp", "", "", func(o *mail.Options) { o.Clock = clock })
	data := map[string]any{"name": "<Ann>"}
	message := mail.To(`"Example, Ann" <ann@example.com>`, "Jürgen <j@bücher.example>").
		Subject("Grüße").ReplyTo("help@shop.example").Header("List-Unsubscribe", "<https://shop.example/u>").
		Template("welcome.html", data).
		Attach("../../report (final) – ä.pdf", "application/pdf", []byte("%PDF")).
		Inline("logo.png", "", []byte("\x89PNG"))
	if err := mailer.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	got := office.got()[0]
	if want := []string{"ann@example.com", "j@xn--bcher-kva.example"}; !slices.Equal(got.to, want) {
		t.Errorf("recipients %q", got.to)
	}
	parsed, err := netmail.ReadMessage(bytes.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	decode := func(name string) string {
		text, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get(name))
		if err != nil {
			t.Error(err)
		}
		return text
	}
	for name, want := range map[string]string{
		"Subject": "Grüße", "Date": "Wed, 02 Jan 2030 03:04:05 +0000", "List-Unsubscribe": "<https://shop.example/u>", "Mime-Version": "1.0",
	} {
		if decode(name) != want {
			t.Errorf("%s: %q, want %q", name, decode(name), want)
		}
	}
	to, err := parsed.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[0].Name != "Example, Ann" || to[1].Name != "Jürgen" {
		t.Errorf("To: %v %v", to, err)
	}
	if reply, err := parsed.Header.AddressList("Reply-To"); err != nil || reply[0].Address != "help@shop.example" {
		t.Errorf("Reply-To: %v %v", reply, err)
	}
	if id := parsed.Header.Get("Message-Id"); !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@shop.example>") {
		t.Errorf("Message-ID: %s", id)
	}
	list := parts(t, parsed.Header, parsed.Body)
	want := []part{
		{"text/plain", "", "", "Hello, <Ann>\n\nSee our shop (https://shop.example/?a=1&b=2).\n"},
		{"text/html", "", "", `<html><head><title>x</title></head><body><h1>Hello, &lt;Ann&gt;</h1><p>See <a href="https://shop.example/?a=1&amp;b=2">our shop</a>.</p></body></html>`},
		{"image/png", "logo.png", "<logo.png>", "\x89PNG"},
		{"application/pdf", "report (final) – ä.pdf", "", "%PDF"},
	}
	for i := range list {
		name, err := new(mime.WordDecoder).DecodeHeader(list[i].name)
		if err == nil {
			list[i].name = name
		}
	}
	if !slices.Equal(list, want) {
		t.Errorf("the parts are\n%q\nwant\n%q", list, want)
	}
	for _, line := range lines(got.data) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}

	// Text beside HTML, both of templates.
	if err := mailer.Send(t.Context(), mail.To("a@example.com").Subject("x").Template("welcome.txt", data).Template("welcome.html", data)); err != nil {
		t.Fatal(err)
	}
	parsed, _ = netmail.ReadMessage(bytes.NewReader(office.got()[1].data))
	if list := parts(t, parsed.Header, parsed.Body); len(list) != 2 || list[0].text != "Hello, <Ann>!\n" && list[0].text != "Hello, <Ann>!" {
		t.Errorf("%q", list)
	}
	if err := mailer.Send(t.Context(), mail.To("a@example.com").Subject("x").Template("absent.html", nil)); err == nil {
		t.Error("a template that does not exist is sent")
	}
}

func TestIdempotency(t *testing.T) {
	broken := true
	office := newPostOffice(t, officeOptions{refuse: func(stage, _ string) error {
		if stage == "content" && broken {
			return smtpError(451, "later")
		}
		return nil
	}})
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()
	mailer := office.mailer("smtp", "", "", func(o *mail.Options) { o.Sent = st })
	invoice := func(n string) *mail.Message { return hello().IdempotencyKey("invoice " + n) }
	if err := mailer.Send(t.Context(), invoice("1")); !mail.IsTemporary(err) {
		t.Fatal(err)
	}
	broken = false
	for range 3 {
		if err := mailer.Send(t.Context(), invoice("1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := mailer.Send(t.Context(), invoice("2")); err != nil {
		t.Fatal(err)
	}
	got := office.got()
	if len(got) != 2 {
		t.Fatalf("%d messages", len(got))
	}
	id := func(data []byte) string {
		m, err := netmail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return m.Header.Get("Message-Id")
	}
	if id(got[0].data) == id(got[1].data) {
		t.Error("two occasions, one id")
	}
	outbox := mail.Outbox(shopOptions())
	for range 2 {
		outbox.Send(t.Context(), invoice("1"))
		outbox.Send(t.Context(), hello())
	}
	sent := outbox.Messages()
	if sent[0].ID != sent[2].ID || "<"+sent[0].ID+">" != id(got[0].data) || sent[1].ID == sent[3].ID {
		t.Errorf("ids %s %s %s %s", sent[0].ID, sent[1].ID, sent[2].ID, sent[3].ID)
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := mailer.Send(t.Context(), invoice("3")); err != nil && !errors.Is(err, mail.ErrUnderWay) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(office.got()); n != 3 {
		t.Errorf("%d messages after ten at once", n)
	}
}

func TestShadowSendsNothing(t *testing.T) {
	outbox := mail.Outbox(shopOptions())
	var seen []effect.Intent
	shadow := effect.WithShadow(t.Context(), effect.RecorderFunc(func(i effect.Intent) { seen = append(seen, i) }))
	for range 2 {
		if err := outbox.Send(shadow, hello().Bcc("bob@example.com")); err != nil {
			t.Fatal(err)
		}
	}
	outbox.Send(shadow, hello().Text("Hello, Bob"))
	if len(outbox.Messages()) > 0 || len(seen) != 3 {
		t.Fatalf("%d sent, %d reported", len(outbox.Messages()), len(seen))
	}
	if seen[0] != seen[1] || seen[0].Kind != "mail" || seen[0].Target != "ann@example.com,bob@example.com" || seen[2].Detail == seen[0].Detail {
		t.Errorf("%+v", seen)
	}
	if strings.Contains(fmt.Sprint(seen), "Hello") {
		t.Errorf("the report tells what the message says: %+v", seen)
	}
	if err := outbox.Send(shadow, mail.To("nobody").Text("x")); err == nil {
		t.Error("a shadow does not see a mistake")
	}
}

func TestMistakesAtStart(t *testing.T) {
	for name, start := range map[string]func(){
		"no URL":             func() { mail.SMTP("mail.example.com") },
		"another scheme":     func() { mail.SMTP("http://mail.example.com") },
		"no host":            func() { mail.SMTP("smtp://") },
		"a path":             func() { mail.SMTP("smtp://host/x") },
		"an unknown option":  func() { mail.SMTP("smtp://host?starttls=no") },
		"no TLS to others":   func() { mail.SMTP("smtp://mail.example.com?tls=off") },
		"smtps without TLS":  func() { mail.SMTP("smtps://localhost?tls=off") },
		"a wrong From":       func() { mail.SMTP("smtp://host", mail.Options{From: "shop"}) },
		"a wrong Hello":      func() { mail.SMTP("smtp://host", mail.Options{Hello: "a b"}) },
		"DKIM without a key": func() { mail.SMTP("smtp://host", mail.Options{DKIM: &mail.DKIM{Domain: "x.example", Selector: "s"}}) },
		"DKIM: selector": func() {
			mail.SMTP("smtp://host", mail.Options{DKIM: &mail.DKIM{Domain: "x.example", Selector: "s; p=", Key: ed25519.PrivateKey(make([]byte, 64))}})
		},
		"two Options": func() { mail.SMTP("smtp://host", mail.Options{}, mail.Options{}) },
		"a password in a bad URL": func() {
			mail.SMTP("smtp://user:secret word@ho st:99999x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				cause := recover()
				if cause == nil {
					t.Error("it starts")
				}
				if strings.Contains(fmt.Sprint(cause), "secret") {
					t.Errorf("it tells the password: %v", cause)
				}
			}()
			start()
		})
	}
}
