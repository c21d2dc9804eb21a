package mail_test

import (
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/mail"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("a", 64)
	for text, want := range map[string]mail.Address{
		"ann@example.com":                  {"", "ann@example.com"},
		" <ann@example.com> ":              {"", "ann@example.com"},
		"Ann <ann@example.com>":            {"Ann", "ann@example.com"},
		"Ann Example<ann@example.com>":     {"Ann Example", "ann@example.com"},
		`"Example, Ann" <ann@example.com>`: {"Example, Ann", "ann@example.com"},
		`"a \"b\" \\c" <ann@example.com>`:  {`a "b" \c`, "ann@example.com"},
		"Jürgen Müller <j@example.com>":    {"Jürgen Müller", "j@example.com"},
		"山田 <y@example.jp>":                {"山田", "y@example.jp"},
		"ann.b+shop@mail.example.com":      {"", "ann.b+shop@mail.example.com"},
		"o'neil/x=y_{z}~@example.com":      {"", "o'neil/x=y_{z}~@example.com"},
		"j@bücher.example":                 {"", "j@xn--bcher-kva.example"},
		"Ann@EXAMPLE.com":                  {"", "Ann@example.com"},
		"root@localhost":                   {"", "root@localhost"},
		long + "@example.com":              {"", long + "@example.com"},
	} {
		got, err := mail.ParseAddress(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
			continue
		}
		if std, err := netmail.ParseAddress(got.String()); err != nil || std.Name != want.Name || std.Address != want.Address {
			t.Errorf("%q is written %q, which reads %v, %v", text, got.String(), std, err)
		}
	}
}

// Addresses that could mean something else to somebody, and ways to smuggle headers,
// recipients or commands in.
var wrongAddresses = []string{
	"", " ", "ann", "@example.com", "ann@", "ann@@example.com", "a@b@example.com", "ann example@example.com",
	"ann@example.com\r\nBcc: eve@example.com", "ann@example.com\nX: y", "ann@example.com\r", "ann@example.com\x00", "ann\x00@example.com",
	"Ann\r\nBcc: eve@example.com <ann@example.com>", "Ann\n <ann@example.com>", "\"Ann\r\n\" <ann@example.com>", "Ann\x0b <ann@example.com>",
	"Ann\u2028 <ann@example.com>", "Ann\u2029 <ann@example.com>", "Ann\u0085 <ann@example.com>", "Ann\x7f <ann@example.com>",
	"\u202emoc.elpmaxe@nna <ann@example.com>", "An\u200bn <ann@example.com>", "Ann\ufeff <ann@example.com>", "Ann\U000e0041 <ann@example.com>", "A\u00adnn <ann@example.com>",
	"Ann \xff <ann@example.com>", "ann\xff@example.com", "=?utf-8?q?Ann=0D=0ABcc:_eve@example.com?= <ann@example.com>",
	"ann@example.com, eve@example.com", "ann@example.com; eve@example.com", "ann@example.com eve@example.com", "<ann@example.com> eve@example.com",
	"Friends: ann@example.com, eve@example.com;", "ann@example.com (comment)", "(comment) ann@example.com", "<@relay.example:ann@example.com>",
	`"ann b"@example.com`, `"ann@evil.example"@example.com`, `ann\@evil.example@example.com`, "<<ann@example.com>>", "Ann <ann@example.com", "Ann ann@example.com>",
	`Ann" <ann@example.com>`, `"Ann <ann@example.com>`, `"A"nn" <ann@example.com>`, `"Ann\" <ann@example.com>`, "<script> <ann@example.com>",
	".ann@example.com", "ann.@example.com", "an..n@example.com", "ann@.example.com", "ann@example.com.", "ann@example..com", "ann@-example.com", "ann@exa_mple.com",
	"ann@[127.0.0.1]", "ann@[IPv6:::1]", "ann@127.0.0.1", "ann@1", "jürgen@example.com", "ann@example.com>\r\nRCPT TO:<eve@example.com", "ann@example.com> SIZE=1",
	strings.Repeat("a", 65) + "@example.com", "ann@" + strings.Repeat("a", 64) + ".com", "ann@" + strings.Repeat("a.", 140) + "com",
	strings.Repeat("n", 201) + " <ann@example.com>", strings.Repeat("<", 900), strings.Repeat("a@", 400),
}

func TestWrongAddresses(t *testing.T) {
	outbox := mail.Outbox(shopOptions())
	for _, text := range wrongAddresses {
		if got, err := mail.ParseAddress(text); err == nil {
			t.Errorf("%q passes as %+v", text, got)
		} else if strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("%q: the error would end a line of the log: %q", text, err)
		}
		for place, message := range map[string]*mail.Message{
			"To": mail.To(text), "Cc": hello().Cc(text), "Bcc": hello().Bcc(text), "From": hello().From(text), "Reply-To": hello().ReplyTo(text),
		} {
			if err := outbox.Send(t.Context(), message.Text("x")); err == nil {
				t.Errorf("%q is taken as %s", text, place)
			}
		}
	}
	for _, name := range []string{"a\r\nBcc: x@example.com", "a\x00", "\u202eabc", "\xff", "=?utf-8?q?a?=", strings.Repeat("a", 201)} {
		if err := outbox.Send(t.Context(), hello().ToAddress(mail.Address{Name: name, Address: "ann@example.com"})); err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
	if err := outbox.Send(t.Context(), hello().ToAddress(mail.Address{Name: `Ann "the <x>" O'Neil, Dr.`, Address: "ann@example.com"})); err != nil {
		t.Error(err)
	}
}

func TestHeaderInjection(t *testing.T) {
	outbox := mail.Outbox(shopOptions())
	for name, message := range map[string]*mail.Message{
		"subject CRLF":      hello().Subject("x\r\nBcc: eve@example.com"),
		"subject LF":        hello().Subject("x\n"),
		"subject CR":        hello().Subject("x\ry"),
		"subject NUL":       hello().Subject("x\x00"),
		"subject LS":        hello().Subject("x\u2028y"),
		"subject encoded":   hello().Subject("=?utf-8?q?x=0Ay?="),
		"subject bytes":     hello().Subject("\xff"),
		"subject long":      hello().Subject(strings.Repeat("x", 901)),
		"header value":      hello().Header("X-A", "x\r\nBcc: eve@example.com"),
		"header name":       hello().Header("X-A: y\r\nBcc", "eve@example.com"),
		"header name colon": hello().Header("X:A", "y"),
		"header name empty": hello().Header("", "y"),
		"header Bcc":        hello().Header("bcc", "eve@example.com"),
		"header From":       hello().Header("FROM", "eve@example.com"),
		"header type":       hello().Header("content-type", "text/html"),
		"header signature":  hello().Header("DKIM-Signature", "v=1"),
		"file name":         hello().Attach("..", "", nil),
		"file type":         hello().Attach("a.txt", "text/plain\r\nX: y", nil),
		"file multipart":    hello().Attach("a.txt", "multipart/mixed", nil),
		"file message":      hello().Attach("a.eml", "message/rfc822", nil),
		"inline name":       hello().Inline("a>\r\nX: y", "image/png", nil),
		"no recipient":      mail.To().Text("x"),
		"no sender":         nil,
	} {
		if err := outbox.Send(t.Context(), message); err == nil {
			t.Errorf("%s is sent: %q", name, outbox.Messages()[len(outbox.Messages())-1].Raw)
		}
	}
	if err := mail.Outbox().Send(t.Context(), hello()); err == nil {
		t.Error("a message without a sender is sent")
	}
	// Names of files are made harmless.
	for _, name := range []string{"../../etc/passwd", `..\..\x.txt`, "a\r\nX-Injected: y.txt", "a\";x=\".txt", "\u202etxt.exe"} {
		if err := outbox.Send(t.Context(), hello().Attach(name, "text/plain", []byte("x"))); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		sent := outbox.Messages()[len(outbox.Messages())-1]
		for _, line := range lines(sent.Raw) {
			if strings.HasPrefix(line, "X-Injected") || strings.Contains(line, "..") || strings.Contains(line, `;x="`) {
				t.Errorf("%q: %q", name, line)
			}
		}
	}
	if list := make([]string, mail.MaxRecipients+1); true {
		for i := range list {
			list[i] = "a" + strings.Repeat("x", i%50) + string(rune('a'+i%26)) + strings.Repeat("y", i/50) + "@example.com"
		}
		if err := outbox.Send(t.Context(), mail.To(list...).Text("x")); err == nil {
			t.Error("too many recipients are taken")
		}
	}
}

// A mebibyte of addresses, or of what looks like one, is read in linear time.
func TestLongAddressLists(t *testing.T) {
	for name, c := range map[string]struct{ before, again, after string }{
		"addresses": {again: "a@example.com,"}, "commas": {again: ","}, "quotes": {again: `"`},
		"opens": {again: "<"}, "parens": {again: "("}, "ats": {again: "@"}, "backslashes": {before: `"`, again: `\`},
		"one address": {again: "a", after: "@example.com"}, "labels": {before: "a@", again: "a."}, "names": {again: `"a" <a@example.com>,`},
		"other script": {before: "a@", again: "ü"},
	} {
		testenv.Linear(t, name, 1<<17, func(size int) func() {
			list := c.before + strings.Repeat(c.again, size/len(c.again)) + c.after
			mail.To(list)
			return func() {
				got, err := mail.ParseAddresses(list)
				if name != "commas" && err == nil {
					t.Fatalf("%s: %d addresses", name, len(got))
				}
			}
		})
	}
	got, err := mail.ParseAddresses(`ann@example.com, "Example, Bob" <bob@example.com>,, Eve <eve@example.com>`)
	if err != nil || len(got) != 3 || got[1].Name != "Example, Bob" {
		t.Errorf("%v %v", got, err)
	}
}

// Whatever is taken is one mailbox, for net/mail too, and fits on a line.
func FuzzParseAddress(f *testing.F) {
	for _, text := range wrongAddresses {
		f.Add(text)
	}
	f.Add(`"Example, Ann" <ann@example.com>`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := mail.ParseAddress(text)
		if err != nil {
			return
		}
		written := got.String()
		if strings.ContainsAny(written, "\r\n\x00") {
			t.Errorf("%q is written %q", text, written)
		}
		list, err := netmail.ParseAddressList(written)
		if err != nil || len(list) != 1 || list[0].Address != got.Address || list[0].Name != got.Name {
			t.Errorf("%q is written %q, which reads %v, %v", text, written, list, err)
		}
		again, err := mail.ParseAddress(got.Address)
		if err != nil || again.Address != got.Address {
			t.Errorf("%q becomes %v, %v", got.Address, again, err)
		}
	})
}
