package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Message is a message being written. Its methods return it, so that they chain;
// what is wrong with it comes out when it is sent. It is for one goroutine at a time
// and may be sent again.
type Message struct {
	from, replyTo []Address
	to, cc, bcc   []Address
	subject       string
	text, html    string
	templates     []templated
	files         []file
	headers       map[string]string
	key           string
	failure       error
}

type templated struct {
	name string
	data any
}

type file struct {
	name        string
	contentType string
	data        []byte
	inline      bool
}

// To begins a message to one or more recipients, each as ParseAddress reads it.
func To(addresses ...string) *Message { return new(Message).To(addresses...) }

// To adds recipients.
func (m *Message) To(addresses ...string) *Message { return m.add(&m.to, addresses) }

// Cc adds recipients whom all others see as getting a copy.
func (m *Message) Cc(addresses ...string) *Message { return m.add(&m.cc, addresses) }

// Bcc adds recipients whom nobody sees.
func (m *Message) Bcc(addresses ...string) *Message { return m.add(&m.bcc, addresses) }

// From sets who sends, in place of Options.From.
func (m *Message) From(address string) *Message {
	m.from = nil
	return m.add(&m.from, []string{address})
}

// ReplyTo sets whom answers go to.
func (m *Message) ReplyTo(addresses ...string) *Message { return m.add(&m.replyTo, addresses) }

func (m *Message) add(list *[]Address, addresses []string) *Message {
	for _, text := range addresses {
		address, err := ParseAddress(text)
		if err != nil {
			m.fail(err)
			continue
		}
		*list = append(*list, address)
	}
	return m
}

// ToAddress adds a recipient by the parts: a name from a form needs no quoting.
func (m *Message) ToAddress(recipient Address) *Message {
	address, err := plainAddress(recipient.Address)
	if err == nil {
		err = checkName(recipient.Name)
	}
	if err != nil {
		m.fail(fmt.Errorf("mail: the recipient %q: %w", shorten(recipient.Address), err))
		return m
	}
	m.to = append(m.to, Address{recipient.Name, address})
	return m
}

func (m *Message) fail(err error) {
	if m.failure == nil {
		m.failure = err
	}
}

// Subject sets the subject. It has no line breaks.
func (m *Message) Subject(subject string) *Message {
	if err := checkText(subject); err != nil {
		m.fail(fmt.Errorf("mail: the subject %w", err))
	}
	m.subject = subject
	return m
}

// Text sets the plain text. Without one it is made of the HTML.
func (m *Message) Text(text string) *Message {
	m.text = text
	return m
}

// HTML sets the page. Data of others goes into it by a template, not by hand.
func (m *Message) HTML(page string) *Message {
	m.html = page
	return m
}

// Template has the mailer's templates make the page, or for a name that ends in
// .txt the plain text. Calling it for both gives both.
func (m *Message) Template(name string, data any) *Message {
	m.templates = append(m.templates, templated{name, data})
	return m
}

// Attach adds a file. The type may be "", then it is found out by the name. The
// name is made harmless; a path in front is taken off.
func (m *Message) Attach(name, contentType string, data []byte) *Message {
	return m.file(name, contentType, data, false)
}

// AttachReader is Attach for what is read, at once and up to 25 MiB.
func (m *Message) AttachReader(name, contentType string, content io.Reader) *Message {
	data, err := io.ReadAll(io.LimitReader(content, maxMessage+1))
	if err != nil {
		m.fail(fmt.Errorf("mail: reading the attachment %q: %w", name, err))
	}
	return m.Attach(name, contentType, data)
}

// Inline adds an image that the page shows by its name, of letters, digits, dots,
// "-" and "_": <img src="cid:logo.png">.
func (m *Message) Inline(name, contentType string, data []byte) *Message {
	for i := range len(name) {
		c := name[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			m.fail(fmt.Errorf("mail: the inline image %q: its name has letters, digits, dots, \"-\" and \"_\" only", name))
			return m
		}
	}
	return m.file(name, contentType, data, true)
}

func (m *Message) file(name, contentType string, data []byte, inline bool) *Message {
	base := secure.BaseName(name)
	if base == "" {
		m.fail(fmt.Errorf("mail: an attachment's name is %q, of which nothing is left", name))
		return m
	}
	if contentType == "" {
		if contentType = mime.TypeByExtension(strings.ToLower(extension(base))); contentType == "" {
			contentType = http.DetectContentType(data)
		}
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || strings.HasPrefix(media, "multipart/") || strings.HasPrefix(media, "message/") {
		m.fail(fmt.Errorf("mail: the attachment %q: %q is not the type of a file", base, contentType))
		return m
	}
	m.files = append(m.files, file{base, mime.FormatMediaType(media, params), bytes.Clone(data), inline})
	return m
}

func extension(name string) string {
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		return name[dot:]
	}
	return ""
}

// Header sets another header, such as List-Unsubscribe. Those that the message has
// methods for, and those that only a mail system writes, are refused.
func (m *Message) Header(name, value string) *Message {
	canonical := http.CanonicalHeaderKey(name)
	switch {
	case !secure.ValidHeaderName(name) || strings.Contains(name, ":"):
		m.fail(fmt.Errorf("mail: %q is not the name of a header", name))
	case reserved(canonical):
		m.fail(fmt.Errorf("mail: the header %s is not for messages to set; see the methods of Message", canonical))
	default:
		if err := checkText(value); err != nil {
			m.fail(fmt.Errorf("mail: the header %s %w", canonical, err))
		}
	}
	if m.headers == nil {
		m.headers = map[string]string{}
	}
	m.headers[canonical] = value
	return m
}

func reserved(name string) bool {
	switch name {
	case "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject", "Date", "Message-Id", "Mime-Version", "Return-Path",
		"Received", "Dkim-Signature", "Authentication-Results":
		return true
	}
	return strings.HasPrefix(name, "Content-") || strings.HasPrefix(name, "Resent-") || strings.HasPrefix(name, "Arc-")
}

// IdempotencyKey names the occasion, such as "invoice 4711". The message's id is
// made of it, so that one that is sent twice is known as the same; with Options.Sent
// it is not sent again at all.
func (m *Message) IdempotencyKey(key string) *Message {
	m.key = key
	return m
}

// Recipients lists everybody who gets the message, sorted and each once.
func (m *Message) Recipients() []string {
	seen := map[string]bool{}
	for _, list := range [][]Address{m.to, m.cc, m.bcc} {
		for _, a := range list {
			seen[a.Address] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// checkText refuses what would end a header or hide in it.
func checkText(s string) error {
	if len(s) > 900 {
		return fmt.Errorf("has %d bytes, more than 900", len(s))
	}
	if !utf8.ValidString(s) {
		return errors.New("is not UTF-8")
	}
	if strings.Contains(s, "=?") {
		return errors.New("has \"=?\", which mail programs decode")
	}
	for _, r := range s {
		if forbidden(r) {
			return fmt.Errorf("has the character %U, which would end it or hide in it", r)
		}
	}
	return nil
}
