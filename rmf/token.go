package rmf

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// What comes back from a client is signed: HMAC-SHA-256 under keys that are derived from the application's secret (HKDF,
// RFC 5869), one for each purpose, so that a cookie is never a token nor the other way round. A signed text is
//
//	base64url(fields, each with its length) "." base64url(the first 16 bytes of the HMAC)
//
// and 128 bits cannot be guessed. Lengths stand before fields, so that no two lists of fields are the same text.

// purposes of keys.
const (
	forHeader = "ishaa rmf header"
	forSticky = "ishaa rmf sticky cookie"
	forID     = "ishaa rmf anonymous id"
)

// signer signs for one purpose.
type signer struct{ key []byte }

func newSigner(secret []byte, purpose, audience string) (signer, error) {
	key, err := hkdf.Key(sha256.New, secret, []byte(audience), purpose, 32)
	return signer{key}, err
}

func (s signer) mac(payload string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(payload))
	return h.Sum(nil)[:16]
}

var b64 = base64.RawURLEncoding.Strict()

func (s signer) sign(fields ...string) string {
	var text []byte
	for _, f := range fields {
		text = append(append(strconv.AppendInt(text, int64(len(f)), 10), ':'), f...)
	}
	payload := b64.EncodeToString(text)
	return payload + "." + b64.EncodeToString(s.mac(payload))
}

// maxSigned bounds what is looked at.
const maxSigned = 1024

// open returns the fields of a text that this signer signed.
func (s signer) open(signed string, count int) ([]string, bool) {
	payload, macText, ok := strings.Cut(signed, ".")
	if !ok || len(signed) > maxSigned {
		return nil, false
	}
	mac, err := b64.DecodeString(macText)
	if err != nil || !hmac.Equal(mac, s.mac(payload)) {
		return nil, false
	}
	text, err := b64.DecodeString(payload)
	if err != nil {
		return nil, false
	}
	fields := make([]string, 0, count)
	for rest := string(text); rest != ""; {
		size, after, ok := strings.Cut(rest, ":")
		n, err := strconv.Atoi(size)
		if !ok || err != nil || n < 0 || n > len(after) {
			return nil, false
		}
		fields, rest = append(fields, after[:n]), after[n:]
	}
	return fields, len(fields) == count
}

// signers are the keys of an application.
type signers struct{ header, sticky, id signer }

func newSigners(secret, audience string) (s signers, err error) {
	material := []byte(secret)
	if secret == "" {
		material = make([]byte, 32)
		if _, err := rand.Read(material); err != nil {
			return s, err
		}
	}
	for purpose, at := range map[string]*signer{forHeader: &s.header, forSticky: &s.sticky, forID: &s.id} {
		var failure error
		*at, failure = newSigner(material, purpose, audience)
		err = errors.Join(err, failure)
	}
	return s, err
}

// Token returns what X-Reality takes: whoever sends it, to this application and until it expires, gets the reality on
// the experiment's route, whatever the lot, the window or the experiment's stage say. The experiment is the route's, as
// Stats names it ("GET /recommend"). A token is a password for a version: hand it to people, do not put it into pages.
//
//	token, err := realities.Token("GET /recommend", "experimental", 24*time.Hour)
//	// curl -H "X-Reality: $token" …
func (m *Realities) Token(experiment, reality string, lifetime time.Duration) (string, error) {
	e, err := m.find(experiment)
	if err != nil {
		return "", err
	}
	if _, ok := e.indexOf(reality); !ok {
		return "", e.unknown(reality)
	}
	if lifetime <= 0 {
		return "", fmt.Errorf("rmf: Token: a lifetime of %v: give a positive one", lifetime)
	}
	expires := m.app.Clock().Now().Add(lifetime).Unix()
	return m.keys.header.sign(reality, e.name, m.options.Audience, strconv.FormatInt(expires, 10)), nil
}

// byToken returns the reality that a signed header names for the experiment.
func (e *experiment) byToken(token string, now time.Time) (int, bool) {
	fields, ok := e.m.keys.header.open(token, 4)
	if !ok || fields[1] != e.name || fields[2] != e.m.options.Audience {
		return 0, false
	}
	expires, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || now.Unix() >= expires {
		return 0, false
	}
	return e.indexOf(fields[0])
}

// The sticky cookie says in which reality a visitor was put, in which drawing and epoch. In another epoch the shares
// are others, and the hash puts everybody where they belong by them; whoever was in a candidate whose share grew stays.

const stickyLifetime = 30 * 24 * time.Hour

func (e *experiment) stickyValue(index int, p *policy, now time.Time) string {
	return e.m.keys.sticky.sign(e.realities[index].name, e.name, p.mark, strconv.FormatInt(now.Add(stickyLifetime).Unix(), 10))
}

func (e *experiment) bySticky(value string, p *policy, now time.Time) (int, bool) {
	fields, ok := e.m.keys.sticky.open(value, 4)
	if !ok || fields[1] != e.name || fields[2] != p.mark {
		return 0, false
	}
	expires, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil || now.Unix() >= expires {
		return 0, false
	}
	return e.indexOf(fields[0])
}

// An anonymous id is 128 random bits and their signature: a client cannot choose its lot by trying ids of its own.

const idLifetime = 365 * 24 * time.Hour

func (m *Realities) newID() (id, signed string) {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // it never fails: crypto/rand ends the program instead
	id = b64.EncodeToString(raw[:])
	return id, m.keys.id.sign(id)
}

func (m *Realities) openID(signed string) (string, bool) {
	fields, ok := m.keys.id.open(signed, 1)
	if !ok {
		return "", false
	}
	return fields[0], true
}

// cookieName gives a name its prefix: over TLS browsers take "__Host-" from this host alone.
func cookieName(r *ishaa.Request, name string) string {
	if r.Scheme() == "https" {
		return "__Host-" + name
	}
	return name
}

func setCookie(r *ishaa.Request, name, value string, lifetime time.Duration) {
	tls := r.Scheme() == "https"
	c := secure.DefaultCookie(cookieName(r, name), value, tls)
	c.MaxAge = int(lifetime / time.Second)
	r.Response().SetCookie(c)
}

// privately marks an answer that was chosen for one visitor: a cache in between would show everybody one reality.
func privately(header http.Header) {
	header["Vary"] = append(header["Vary"], "Cookie", "X-Reality")
	if header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"private"}
	}
}
