package mail

import (
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a mailbox: an address, and the name that is shown with it.
type Address struct {
	Name    string // "Ann Example", or ""
	Address string // "ann@example.com", its domain in ASCII
}

// The limits of RFC 5321 §4.5.3.1, and ones of our own for names and lists.
const (
	maxLocal   = 64
	maxDomain  = 255
	maxName    = 200
	maxMailbox = 1024
	// MaxRecipients is how many recipients a message may have.
	MaxRecipients = 1000
)

// ParseAddress reads one mailbox: "ann@example.com", "<ann@example.com>", "Ann
// <ann@example.com>" or "\"Ann, of Example\" <ann@example.com>".
//
// The address is one that mail systems agree about: letters, digits and
// !#$%&'*+-/=?^_`{|}~ with single dots between, "@", and a host name. Quoted local
// parts, comments, routes, groups, address literals and local parts outside of ASCII
// are refused; a domain in another script becomes its ASCII form. A name may be in
// any script, but has no control characters and none that reorder or hide text.
// The time is linear in the length.
func ParseAddress(text string) (Address, error) {
	if len(text) > maxMailbox {
		return Address{}, fmt.Errorf("mail: an address of %d bytes: more than %d", len(text), maxMailbox)
	}
	if !utf8.ValidString(text) {
		return Address{}, fmt.Errorf("mail: the address %q is not UTF-8", shorten(text))
	}
	for _, r := range text {
		if forbidden(r) || reorders(r) {
			return Address{}, fmt.Errorf("mail: the address %q has the character %U, which has no place there", shorten(text), r)
		}
	}
	name, address := "", strings.TrimSpace(text)
	if open := strings.LastIndexByte(address, '<'); open >= 0 {
		if !strings.HasSuffix(address, ">") {
			return Address{}, fmt.Errorf("mail: the address %q has no \">\" at its end", shorten(text))
		}
		name, address = strings.TrimSpace(address[:open]), address[open+1:len(address)-1]
		var err error
		if name, err = displayName(name); err != nil {
			return Address{}, fmt.Errorf("mail: the address %q: %w", shorten(text), err)
		}
	}
	address, err := plainAddress(address)
	if err != nil {
		return Address{}, fmt.Errorf("mail: the address %q: %w", shorten(text), err)
	}
	return Address{name, address}, nil
}

// ParseAddresses reads a list of mailboxes with commas between, at most
// MaxRecipients.
func ParseAddresses(list string) ([]Address, error) {
	var parsed []Address
	for list != "" {
		var one string
		one, list = nextMailbox(list)
		if strings.TrimSpace(one) == "" {
			continue
		}
		if len(parsed) == MaxRecipients {
			return nil, fmt.Errorf("mail: a list of more than %d addresses", MaxRecipients)
		}
		address, err := ParseAddress(one)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, address)
	}
	return parsed, nil
}

// nextMailbox cuts a list at its first comma that is not within quotes.
func nextMailbox(list string) (one, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '"':
			quoted = !quoted
		case '\\':
			if quoted {
				i++
			}
		case ',':
			if !quoted {
				return list[:i], list[i+1:]
			}
		}
	}
	return list, ""
}

// displayName reads a name, with its quotes or without.
func displayName(text string) (string, error) {
	if strings.HasPrefix(text, `"`) {
		if len(text) < 2 || !strings.HasSuffix(text, `"`) {
			return "", fmt.Errorf("the name %q has no quote at its end", shorten(text))
		}
		var name strings.Builder
		for inner := text[1 : len(text)-1]; inner != ""; {
			switch c := inner[0]; {
			case c == '"', c == '\\' && len(inner) == 1:
				return "", fmt.Errorf("the name %q is not quoted right", shorten(text))
			case c == '\\':
				inner = inner[1:]
				_, size := utf8.DecodeRuneInString(inner)
				name.WriteString(inner[:size])
				inner = inner[size:]
			default:
				name.WriteByte(c)
				inner = inner[1:]
			}
		}
		text = name.String()
	} else if strings.ContainsAny(text, `"\<>`) {
		return "", fmt.Errorf("the name %q has to be in quotes", shorten(text))
	}
	return text, checkName(text)
}

func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("a name of %d bytes: more than %d", len(name), maxName)
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("the name %q is not UTF-8", shorten(name))
	}
	if strings.Contains(name, "=?") {
		return fmt.Errorf("the name %q has \"=?\", which mail programs decode", shorten(name))
	}
	for _, r := range name {
		if forbidden(r) || reorders(r) {
			return fmt.Errorf("the name %q has the character %U, which has no place there", shorten(name), r)
		}
	}
	return nil
}

// plainAddress checks an address without a name and gives its domain in ASCII.
func plainAddress(text string) (string, error) {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 || at == len(text)-1 {
		return "", fmt.Errorf("it is not of the form name@host")
	}
	local, domain := text[:at], text[at+1:]
	if len(local) > maxLocal {
		return "", fmt.Errorf("the part before the @ has %d bytes: more than %d", len(local), maxLocal)
	}
	for i := range len(local) {
		switch c := local[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0:
		case c == '.' && i > 0 && i < len(local)-1 && local[i-1] != '.':
		default:
			return "", fmt.Errorf("%q before the @ is not of letters, digits and single dots", local)
		}
	}
	if len(domain) > maxDomain {
		return "", fmt.Errorf("the host has %d bytes: more than %d", len(domain), maxDomain)
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !hostName(ascii) {
		return "", fmt.Errorf("%q is not a host name", domain)
	}
	return local + "@" + ascii, nil
}

func hostName(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
				return false
			}
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != "" // not an IPv4 address
}

// String gives the mailbox as it stands in a header: with an encoded name if that
// needs it (RFC 2047).
func (a Address) String() string {
	if a.Name == "" {
		return "<" + a.Address + ">"
	}
	plain := true
	for i := range len(a.Name) {
		plain = plain && a.Name[i] >= ' ' && a.Name[i] < 0x7f
	}
	if !plain {
		encoding := mime.QEncoding
		if strings.ContainsAny(a.Name, "\"#$%&'(),.:;<>@[]^`{|}~") { // which must not show in an encoded phrase (RFC 2047, section 5)
			encoding = mime.BEncoding
		}
		return encoding.Encode("utf-8", a.Name) + " <" + a.Address + ">"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name) + `" <` + a.Address + ">"
}

// forbidden reports characters that have no place in a header: controls, among them
// line breaks and NUL, and the line breaks of Unicode.
func forbidden(r rune) bool {
	return r < ' ' || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == utf8.RuneError
}

// reorders reports characters by which a text shows as another one: marks of
// direction, joiners of nothing, tags.
func reorders(r rune) bool {
	return r == 0x061c || 0x200b <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x2060 <= r && r <= 0x206f ||
		r == 0xfeff || 0xfff0 <= r && r <= 0xfffb || 0xe0000 <= r && r <= 0xe0fff || r == 0x00ad
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
