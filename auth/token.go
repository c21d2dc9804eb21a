package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// A token is read in an order that keeps what is not yet trusted small: its size,
// its three parts, the few members of its header that count, then the signature by a
// key that the program has. Only then are the claims looked at.

// envelope is a token taken apart, before its signature was checked.
type envelope struct {
	alg, kid, typ string
	signed        string // header and claims as they were signed
	payload       string // in base64url
	signature     []byte
}

func openToken(text string, limit int) (e envelope, err error) {
	switch {
	case text == "":
		return e, errEmpty
	case len(text) > limit:
		return e, errTooLarge
	}
	head, rest, ok := strings.Cut(text, ".")
	if !ok {
		return e, errParts
	}
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.IndexByte(signature, '.') >= 0 {
		return e, errParts
	}
	header, err := decodePart(head)
	if err != nil {
		return e, err
	}
	if err := e.readHeader(header); err != nil {
		return e, err
	}
	if e.signature, err = decodePart(signature); err != nil {
		return e, err
	}
	e.signed, e.payload = text[:len(head)+1+len(payload)], payload
	return e, nil
}

var base64url = base64.RawURLEncoding.Strict()

// decodePart refuses what decoders differ on: padding, line breaks, which Go's own
// skips, the other alphabet, and bits behind the last octet, which would give one
// token several spellings.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errBase64
	}
	data, err := base64url.DecodeString(part)
	if err != nil {
		return nil, errBase64
	}
	return data, nil
}

const jsonDepth = 16

// readHeader takes alg, kid and typ. Members that would have the token bring its
// own key (jwk, jku, x5c, x5u), change what is signed (b64, zip, enc, cty) or be
// understood in a way that this code does not know (crit) are refused; others, such as
// the thumbprint x5t, are ignored, as RFC 7515 §4 says.
func (e *envelope) readHeader(data []byte) error {
	hasAlg := false
	err := eachMember(data, errHeader, func(name, value []byte) error {
		var target *string
		switch string(name) {
		case "alg":
			target, hasAlg = &e.alg, true
		case "kid":
			target = &e.kid
		case "typ":
			target = &e.typ
		case "jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc", "cty", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c":
			return errHeaderField
		default:
			return nil
		}
		text, ok := jsonText(value)
		if !ok || target == &e.kid && (text == "" || len(text) > maxKeyID) {
			return errHeaderType
		}
		*target = text
		return nil
	})
	if err == nil && !hasAlg {
		return errHeaderType
	}
	return err
}

// members calls visit with the members of a JSON object that is valid to the last
// byte and has no name twice, not even in other case: a decoder that ignores case
// would take the one, and this code has looked at the other.
func members(data []byte, invalid error, visit func(name string, value []byte) error) error {
	return eachMember(data, invalid, func(name, value []byte) error { return visit(string(name), value) })
}

// eachMember is members for names that are not kept.
func eachMember(data []byte, invalid error, visit func(name, value []byte) error) error {
	if strictjson.Check(data, jsonDepth) != nil {
		return invalid
	}
	var s strictjson.Scanner
	defer s.Release()
	if s.Reset(data, jsonDepth) != nil {
		return invalid
	}
	empty, err := s.BeginObject()
	if err != nil {
		return invalid
	}
	var name []byte // a copy: the scanner's own lasts until the next text only
	unusual := false
	for more := !empty; more; {
		read, err := s.Name()
		if err != nil {
			return invalid
		}
		name = append(name[:0], read...)
		unusual = unusual || bytes.ContainsFunc(name, func(c rune) bool { return c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' })
		start := s.Offset()
		if s.Skip() != nil {
			return invalid
		}
		if err := visit(name, bytes.TrimRight(s.Raw(start, s.Offset()), " \t\r\n")); err != nil {
			return err
		}
		if more, err = s.MoreMembers(); err != nil {
			return invalid
		}
	}
	if unusual && foldsTogether(data) {
		return invalid
	}
	return nil
}

// foldsTogether reports whether two names of an object, which is known to be valid,
// differ in case only.
func foldsTogether(data []byte) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return true
	}
	seen := make(map[string]bool, len(object))
	for name := range object {
		folded := strings.Map(smallestFold, name)
		if seen[folded] {
			return true
		}
		seen[folded] = true
	}
	return false
}

// smallestFold gives one letter for all that differ in case only, the long s and the
// Kelvin sign included.
func smallestFold(c rune) rune {
	least := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

// jsonText decodes a JSON string that is known to be valid.
func jsonText(value []byte) (string, bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	var s strictjson.Scanner
	defer s.Release()
	if s.Reset(value, 1) != nil {
		return "", false
	}
	text, err := s.Text()
	return string(text), err == nil
}

// jsonTexts decodes a string or an array of strings.
func jsonTexts(value []byte) ([]string, bool) {
	if text, ok := jsonText(value); ok {
		return []string{text}, true
	}
	var s strictjson.Scanner
	defer s.Release()
	if s.Reset(value, 1) != nil {
		return nil, false
	}
	empty, err := s.BeginArray()
	if err != nil {
		return nil, false
	}
	var list []string
	for more := !empty; more; {
		text, err := s.Text()
		if err != nil || len(list) == maxList {
			return nil, false
		}
		list = append(list, string(text))
		if more, err = s.MoreElements(); err != nil {
			return nil, false
		}
	}
	return list, true
}

// maxList is how many audiences or roles a token may have.
const maxList = 256

// latestDate is the last second of the year 9999.
const latestDate = 253402300799

// claimSet is what is looked at of every token's claims.
type claimSet struct {
	issuer, subject, id  string
	audience, roles      []string
	hasAudience, hasExp  bool
	expires, begins, iat int64
}

// readClaims reads the registered claims (RFC 7519 §4.1) and the roles.
func readClaims(data []byte, isRole func(name []byte) bool) (claimSet, error) {
	c := claimSet{begins: math.MinInt64, iat: math.MinInt64}
	err := eachMember(data, errPayload, func(name, value []byte) error {
		switch string(name) {
		case "exp":
			c.hasExp = true
			return readDate(value, &c.expires)
		case "nbf":
			return readDate(value, &c.begins)
		case "iat":
			return readDate(value, &c.iat)
		case "iss":
			return readText(value, &c.issuer)
		case "sub":
			return readText(value, &c.subject)
		case "jti":
			return readText(value, &c.id)
		case "aud":
			list, ok := jsonTexts(value)
			if !ok {
				return errAudience
			}
			c.audience, c.hasAudience = list, true
		default:
			if isRole(name) {
				list, _ := jsonTexts(value) // of another form: no roles
				c.roles = append(c.roles, list...)
			}
		}
		return nil
	})
	return c, err
}

// readDate reads a NumericDate. RFC 7519 would allow fractions, which nobody needs
// and decoders round in different ways.
func readDate(value []byte, date *int64) error {
	n, err := strconv.ParseUint(string(value), 10, 63)
	if err != nil || n > latestDate {
		return errDate
	}
	*date = int64(n)
	return nil
}

func readText(value []byte, text *string) error {
	var ok bool
	if *text, ok = jsonText(value); !ok {
		return errText
	}
	return nil
}
