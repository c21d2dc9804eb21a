package template

import (
	"strconv"
	"strings"
)

// URLs. A browser reads a scheme up to the first ":" that comes before any of "/", "?" and "#"; what is behind
// "javascript:" is a program. So a value at the beginning of a URL has to have a harmless scheme or none, a value behind
// it cannot have a ":", and text that could make a value the scheme is an error, as is a value in a javascript: URL.

type urlPart uint8

const (
	urlStart  urlPart = iota // nothing of the URL is there yet: a value decides the scheme
	urlScheme                // something is, but no "/", "?", "#" or ":"
	urlRoot                  // it is "/": another one would make it the address of a host
	urlPath
	urlQuery  // also: it is not known where in the URL this is
	urlData   // behind "data:"; urlHead is what follows, up to the comma
	urlScript // behind "javascript:" or "vbscript:"
)

func (c *escContext) beginURL() { c.url, c.urlHead = urlStart, "" }

// urlText moves through a piece of a URL. It is an error if a value may be the scheme.
func (s *pageScan) urlText(part string) {
	for i := 0; i < len(part); i++ {
		b := part[i]
		switch {
		case s.url == urlScript:
			return
		case s.url == urlData:
			if !strings.HasSuffix(s.urlHead, ",") && len(s.urlHead) < 80 {
				s.urlHead += asciiLower(part[i : i+1])
			}
		case s.url == urlQuery && s.urlHead == "":
		case b == '?' || b == '#':
			s.url, s.urlHead = urlQuery, ""
		case s.url == urlRoot:
			s.url = urlPath
		case s.url == urlPath:
		case b == '/' || b == '\\':
			switch s.url {
			case urlStart:
				s.url = urlRoot
			case urlScheme:
				s.url = urlPath
			}
			s.urlHead = ""
		case b == ':':
			s.colon()
		case s.url == urlStart && b <= ' ' || b == '\t' || b == '\n' || b == '\r':
		default:
			s.urlHead += asciiLower(part[i : i+1])
			if len(s.urlHead) > 80 {
				s.urlHead = s.urlHead[:80]
			}
			s.url = max(s.url, urlScheme)
		}
		if s.err != nil {
			return
		}
	}
}

// colon is at the ":" that ends a URL's scheme.
func (s *pageScan) colon() {
	scheme := s.urlHead
	s.urlHead = ""
	switch {
	case strings.Contains(scheme, "?"):
		s.fail("a value in front of a \":\" may make it a URL of any scheme: write the scheme as text, or the whole URL as one value")
	case scheme == "javascript" || scheme == "vbscript" || scheme == "livescript":
		s.url = urlScript
	case scheme == "data":
		s.url = urlData
	case s.url != urlQuery:
		s.url = urlPath
	}
}

// unknownURL is behind something whose text is not known.
func (c *escContext) unknownURL() {
	if c.url == urlStart || c.url == urlScheme {
		c.urlHead = "?"
	}
	if c.url < urlQuery {
		c.url = urlQuery
	}
}

// joinURL is the place in a URL behind two branches.
func (c *escContext) joinURL(other escContext) bool {
	if c.url == other.url && c.urlHead == other.urlHead {
		return true
	}
	if c.attr == attrHTML {
		x, err := advance(escContext{}, c.urlHead)
		y, err2 := advance(escContext{}, other.urlHead)
		return err == nil && err2 == nil && x == y
	}
	if max(c.url, other.url) > urlQuery || c.attr == attrRefresh {
		return false
	}
	open := func(c *escContext) bool { return c.url < urlRoot || c.urlHead != "" }
	if open(c) || open(&other) {
		c.urlHead = "?"
	}
	c.url = urlQuery
	return true
}

// safeURL reports whether a URL is relative or has a scheme that only leads somewhere.
func safeURL(s string) bool {
	s = strings.TrimLeftFunc(s, func(r rune) bool { return r <= ' ' })
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return true
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "sms", "ftp":
		return true
	}
	return false
}

// urlEscaper gives the escaping of a value in a URL and the place behind it.
func (c escContext) urlEscaper(trusted bool) (escapeFunc, escContext, *escError) {
	part := c.url
	switch part {
	case urlScript:
		return nil, c, &escError{0, "a value in a javascript: URL: use an event handler"}
	case urlData:
		f, err := c.dataEscaper(trusted)
		return f, c, err
	case urlStart:
		c.url, c.urlHead = urlScheme, "?"
	case urlScheme:
		c.urlHead = strings.TrimSuffix(c.urlHead, "?") + "?"
	case urlRoot:
		c.url = urlPath
	}
	return func(b []byte, v value) []byte {
		if v.k == kInt {
			return strconv.AppendInt(b, v.int(), 10)
		}
		s := str(v)
		switch {
		case trusted:
			return append(b, s...)
		case part == urlStart && !safeURL(s):
			return append(b, Blocked...)
		}
		return appendURL(b, s, part)
	}, c, nil
}

// dataEscaper is for values behind "data:": the content of an image, sound, video or font in base64, and of an image also
// text where it is only looked at. Data that may be a page with scripts is an error.
func (c escContext) dataEscaper(trusted bool) (escapeFunc, *escError) {
	media, ok := strings.CutSuffix(c.urlHead, ",")
	media, base64 := strings.CutSuffix(media, ";base64")
	kind, _, _ := strings.Cut(media, "/")
	media, _, _ = strings.Cut(media, ";")
	looked := c.cssURL || c.element == "img" || c.element == "image" || c.element == "source" || c.element == "video"
	switch {
	case !ok || kind != "image" && kind != "audio" && kind != "video" && kind != "font":
		return nil, &escError{0, "a value in a data: URL that may be a page: begin it with data:image/png;base64, or the like"}
	case media == "image/svg+xml" && !looked, !base64 && !looked:
		return nil, &escError{0, "a value in a data: URL that may be a page: use an img element, or a style"}
	case trusted:
		return func(b []byte, v value) []byte { return append(b, str(v)...) }, nil
	case base64:
		return func(b []byte, v value) []byte {
			for s := range strings.Lines(str(v)) {
				s = strings.TrimRight(s, "\r\n")
				if strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_") != "" {
					return append(b, "blocked"...)
				}
				b = append(b, s...)
			}
			return b
		}, nil
	}
	return func(b []byte, v value) []byte { return appendURL(b, str(v), urlQuery) }, nil
}

// urlKeeps tells which bytes stand for themselves in any part of a URL, and which in all but a query.
var urlKeeps = func() (t [256]uint8) {
	for c := range t {
		switch b := byte(c); {
		case isLetter(b) || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0:
			t[c] = 2
		case strings.IndexByte("!#$&*+,/;=?@[]", b) >= 0:
			t[c] = 1
		}
	}
	return t
}()

// appendURL percent-encodes what a URL cannot hold; in a query everything but letters and digits.
func appendURL(b []byte, s string, part urlPart) []byte {
	last := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if k := urlKeeps[c]; k == 2 || k == 1 && part != urlQuery && !(c == '/' && i == 0 && part == urlRoot) {
			continue
		}
		if part != urlQuery && (c == ':' && part != urlScheme || c == '%' && i+2 < len(s) && isHex(s[i+1:i+3])) {
			continue
		}
		b = append(b, s[last:i]...)
		b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		last = i + 1
	}
	return append(b, s[last:]...)
}

// A meta element's refresh is a number and then an address: "5; url=/next", also "5;/next" (HTML standard, "shared
// declarative refresh steps"). urlHead is its text up to the address, with "?" for data.

// refreshTarget finds the address in a refresh: rest is what is behind the number and the separator, "url=" and a quote
// being taken off if full is set. ok is false if there is none.
func refreshTarget(s string, full bool) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t\n\r\f")
	rest = strings.TrimLeft(s, "0123456789.?")
	if rest == s || rest == "" || strings.IndexByte(";, \t\n\r\f", rest[0]) < 0 {
		return "", false
	}
	rest = strings.TrimLeft(rest, " \t\n\r\f")
	if rest != "" && (rest[0] == ';' || rest[0] == ',') {
		rest = strings.TrimLeft(rest[1:], " \t\n\r\f")
	}
	if !full {
		return rest, true
	}
	if len(rest) >= 3 && strings.EqualFold(rest[:3], "url") {
		if after, found := strings.CutPrefix(strings.TrimLeft(rest[3:], " \t\n\r\f"), "="); found {
			rest = strings.TrimLeft(after, " \t\n\r\f")
		}
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest = rest[1:]
	}
	return rest, true
}

// refreshText moves through the text of a meta element's content until its address begins or there can be none.
func (s *pageScan) refreshText(part string) {
	s.urlHead += part
	head := strings.TrimLeft(s.urlHead, " \t\n\r\f")
	rest, ok := refreshTarget(head, false)
	low := strings.ToLower(rest)
	explicit := strings.HasPrefix(low, "url") && strings.HasPrefix(strings.TrimLeft(low[3:], " \t\n\r\f"), "=")
	data := strings.Contains(head, "?")
	switch {
	case head == "" || strings.Trim(head, "0123456789.?") == "":
	case ok && (low == "" || low == "u" || low == "ur" || strings.TrimRight(low, " \t\n\r\f") == "url"):
	case ok && (explicit || s.kind == metaHTTP):
		rest, _ = refreshTarget(head, true)
		s.attr = attrURL
		s.beginURL()
		s.urlText(rest)
	case data && s.kind == metaHTTP || data && len(head) < 80 && ok:
	default:
		s.attr = attrPlain
	}
}

func (c escContext) refreshEscaper(trusted bool) escapeFunc {
	head := strings.ReplaceAll(c.urlHead, "?", "0")
	again := head != c.urlHead && c.kind == metaHTTP
	return func(b []byte, v value) []byte {
		s := str(v)
		if trusted {
			return append(b, s...)
		}
		if target, ok := refreshTarget(head+s, true); ok && !safeURL(target) {
			return append(b, Blocked...)
		}
		if again {
			s = strings.ReplaceAll(s, ":", "%3A")
		}
		return append(b, s...)
	}
}
