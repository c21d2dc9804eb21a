package mail

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/ishaa-framework/ishaa/internal/secure"
	gomail "github.com/wneessen/go-mail"
)

// maxMessage is the largest message, in bytes: what mail systems usually take.
const maxMessage = 25 << 20

// built is a message as it goes out.
type built struct {
	id         string
	when       time.Time
	from       Address
	recipients []string
	subject    string
	text, html string
	files      []file
	raw        []byte
	detail     string // what makes it the same as another, for a shadow
}

func (b *built) target() string { return strings.Join(b.recipients, ",") }

// build checks and renders a message.
func (m *Mailer) build(ctx context.Context, message *Message) (*built, error) {
	if message == nil {
		return nil, errors.New("mail: the message is nil")
	}
	if message.failure != nil {
		return nil, message.failure
	}
	b := &built{
		when: m.now(), from: m.from, recipients: message.Recipients(), subject: message.subject,
		text: message.text, html: message.html, files: message.files,
	}
	if len(message.from) > 0 {
		b.from = message.from[0]
	}
	switch {
	case b.from.Address == "":
		return nil, errors.New("mail: the message has no sender: set Options.From, or From on the message")
	case len(b.recipients) == 0:
		return nil, errors.New("mail: the message has no recipient")
	case len(b.recipients) > MaxRecipients:
		return nil, fmt.Errorf("mail: the message has %d recipients, more than %d", len(b.recipients), MaxRecipients)
	}
	if err := m.render(ctx, message, b); err != nil {
		return nil, err
	}
	if b.html != "" && b.text == "" {
		b.text = textOf(b.html)
	}
	b.id = messageID(message.key, b)
	b.detail = detailOf(message, b)
	raw, err := m.compose(message, b)
	if err != nil {
		return nil, err
	}
	if len(raw) > maxMessage {
		return nil, fmt.Errorf("mail: the message has %d bytes, more than %d", len(raw), maxMessage)
	}
	b.raw = raw
	return b, nil
}

// render fills in what templates make.
func (m *Mailer) render(ctx context.Context, message *Message, b *built) error {
	for _, t := range message.templates {
		if m.options.Templates == nil {
			return fmt.Errorf("mail: the template %q: the mailer has no Options.Templates", t.name)
		}
		var out bytes.Buffer
		if err := m.options.Templates.RenderContext(ctx, &out, t.name, t.data); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		if strings.HasSuffix(t.name, ".txt") {
			b.text = out.String()
		} else {
			b.html = out.String()
		}
	}
	return nil
}

// messageID is the same for every sending of one occasion to the same people
// (RFC 5322 §3.6.4).
func messageID(key string, b *built) string {
	local := secure.NewRequestID()
	if key != "" {
		local = digest(key + "\x00" + b.target())
	}
	return local + "@" + domainOf(b.from.Address)
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// detailOf tells two messages to the same people apart without telling what they say.
func detailOf(message *Message, b *built) string {
	h := sha256.New()
	field := func(s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
	for _, s := range []string{b.from.String(), b.subject, b.text, b.html, message.key} {
		field(s)
	}
	for _, name := range slices.Sorted(maps.Keys(message.headers)) {
		field(name)
		field(message.headers[name])
	}
	for _, f := range b.files {
		field(f.name)
		field(f.contentType)
		field(string(f.data))
	}
	return fmt.Sprintf("message %s with %d files", hex.EncodeToString(h.Sum(nil)[:8]), len(b.files))
}

// compose writes the message as RFC 5322 and MIME have it.
func (m *Mailer) compose(message *Message, b *built) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(b.from.std())
	for _, list := range []struct {
		add  func(*netmail.Address)
		from []Address
	}{{msg.AddToMailAddress, message.to}, {msg.AddCcMailAddress, message.cc}} {
		for _, a := range list.from {
			list.add(a.std())
		}
	}
	if len(message.to)+len(message.cc) == 0 {
		msg.SetGenHeaderPreformatted("To", "undisclosed-recipients:;")
	}
	if len(message.replyTo) > 0 {
		var replies []string
		for _, a := range message.replyTo {
			replies = append(replies, a.String())
		}
		msg.SetGenHeaderPreformatted("Reply-To", strings.Join(replies, ",\r\n "))
	}
	msg.Subject(b.subject)
	msg.SetDateWithValue(b.when)
	msg.SetMessageIDWithValue(b.id)
	for _, name := range slices.Sorted(maps.Keys(message.headers)) {
		msg.SetGenHeader(gomail.Header(name), message.headers[name])
	}
	switch {
	case b.html == "":
		msg.SetBodyString(gomail.TypeTextPlain, b.text)
	default:
		msg.SetBodyString(gomail.TypeTextPlain, b.text)
		msg.AddAlternativeString(gomail.TypeTextHTML, b.html)
	}
	for _, f := range b.files {
		options := []gomail.FileOption{gomail.WithFileContentType(gomail.ContentType(f.contentType))}
		add := msg.AttachReadSeeker
		if f.inline {
			options = append(options, gomail.WithFileContentID("<"+f.name+">"))
			add = msg.EmbedReadSeeker
		}
		add(f.name, bytes.NewReader(f.data), options...)
	}
	var out bytes.Buffer
	if _, err := msg.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("mail: composing the message: %w", err)
	}
	if m.signing == nil {
		return out.Bytes(), nil
	}
	var signed bytes.Buffer
	if err := dkim.Sign(&signed, &out, m.signing); err != nil {
		return nil, fmt.Errorf("mail: signing the message: %w", err)
	}
	return signed.Bytes(), nil
}

func (a Address) std() *netmail.Address { return &netmail.Address{Name: a.Name, Address: a.Address} }

// DKIM says how messages are signed (RFC 6376): with relaxed canonicalisation, and so
// that no second From or Subject can be put in front.
type DKIM struct {
	Domain   string        // whose DNS has the public key: "example.com"
	Selector string        // under SELECTOR._domainkey.DOMAIN
	Key      crypto.Signer // RSA of 1024 bits or more, or Ed25519
}

// DKIMKey reads a private key in PEM form, PKCS #1 or PKCS #8.
func DKIMKey(pem []byte) (crypto.Signer, error) {
	key, err := gomail.PrivKeyFromPEM(pem)
	if err != nil {
		return nil, fmt.Errorf("mail: reading the DKIM key: %w", err)
	}
	return key, nil
}

// signedHeaders are the fields that the signature covers (RFC 6376 §5.4.1). Those
// that are listed once more than they occur cannot be added on the way (§5.4.2).
var signedHeaders = []string{
	"From", "From", "To", "To", "Cc", "Cc", "Reply-To", "Reply-To", "Subject", "Subject", "Date", "Date",
	"Message-ID", "MIME-Version", "Content-Type", "Content-Type", "Content-Transfer-Encoding",
}

// options checks the settings and returns them as the library takes them. Its Sign is
// used and not that of the composing library, which folds a long list of fields after
// it has signed it.
func (d *DKIM) options() (*dkim.SignOptions, error) {
	switch {
	case !hostName(d.Domain):
		return nil, fmt.Errorf("%q is not a domain", d.Domain)
	case !hostName(d.Selector + ".x"):
		return nil, fmt.Errorf("%q is not a selector", d.Selector)
	case d.Key == nil:
		return nil, errors.New("there is no key")
	}
	switch public := d.Key.Public().(type) {
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if public.N.BitLen() < 1024 {
			return nil, fmt.Errorf("an RSA key of %d bits: give one of 2048", public.N.BitLen())
		}
	default:
		return nil, fmt.Errorf("a %T cannot sign: give RSA or Ed25519", public)
	}
	return &dkim.SignOptions{
		Domain: d.Domain, Selector: d.Selector, Signer: d.Key, HeaderKeys: signedHeaders,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}, nil
}
