package server

import "net/http"

// Header names come in any case and are kept as http.CanonicalHeaderKey writes them. Those below are found in a table,
// which spares their characters' check and the making of a string; others are checked and, when they are written as
// the canonical form already, cut from the head of the request like values.

// nameID is a known name's place in the table; 0 is every other name.
type nameID uint8

const (
	otherName nameID = iota
	nameHost
	nameContentLength
	nameTransferEncoding
	nameConnection
	nameExpect
	nameTrailer
	namePragma
	nameCacheControl
	nameContentType
	firstPlainName
)

// names are the known names in canonical form, by nameID.
var names = [...]string{
	nameHost:             "Host",
	nameContentLength:    "Content-Length",
	nameTransferEncoding: "Transfer-Encoding",
	nameConnection:       "Connection",
	nameExpect:           "Expect",
	nameTrailer:          "Trailer",
	namePragma:           "Pragma",
	nameCacheControl:     "Cache-Control",
	nameContentType:      "Content-Type",
	firstPlainName:       "Accept",
	"Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
	"Access-Control-Request-Method", "Authorization", "Content-Disposition", "Content-Encoding", "Cookie",
	"Date", "Dnt", "Forwarded", "From", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Idempotency-Key", "Keep-Alive", "Last-Event-Id", "Max-Forwards", "Origin", "Priority", "Range", "Referer",
	"Sec-Ch-Ua", "Sec-Ch-Ua-Mobile", "Sec-Ch-Ua-Platform", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site",
	"Sec-Fetch-User", "Sec-Websocket-Extensions", "Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version",
	"Te", "Traceparent", "Tracestate", "Upgrade", "Upgrade-Insecure-Requests", "User-Agent", "Via", "X-Csrf-Token",
	"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "X-Request-Id", "X-Requested-With",
}

// nameTable finds a name by its hash; places that collide follow one another.
var nameTable = func() (table [512]nameID) {
	for id := int(nameHost); id < len(names); id++ {
		at := nameHash(names[id])
		for table[at] != otherName {
			at = (at + 1) % len(table)
		}
		table[at] = nameID(id)
	}
	return table
}()

// nameHash is the same for a name in any case. The name is not empty.
func nameHash(name string) int {
	first, last, middle := name[0]|0x20, name[len(name)-1]|0x20, name[len(name)/2]|0x20
	return (len(name)*37 + int(first)*5 + int(last)*13 + int(middle)*3) % 512
}

// knownName finds a name in the table.
func knownName(name string) nameID {
	for at := nameHash(name); ; at = (at + 1) % len(nameTable) {
		id := nameTable[at]
		if id == otherName || names[id] == name || equalFold(names[id], name) {
			return id
		}
	}
}

// canonicalName returns a name as keys of http.Header are written, or false if it is none.
func canonicalName(name string) (string, nameID, bool) {
	if name == "" {
		return "", otherName, false
	}
	if id := knownName(name); id != otherName {
		return names[id], id, true
	}
	upper, canonical := true, true
	for i := range len(name) {
		c := name[i]
		if !isToken[c] {
			return "", otherName, false
		}
		if upper && 'a' <= c && c <= 'z' || !upper && 'A' <= c && c <= 'Z' {
			canonical = false
		}
		upper = c == '-'
	}
	if !canonical {
		name = http.CanonicalHeaderKey(name)
	}
	return name, otherName, true
}

// equalFold compares ASCII without regard to case.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// isToken has the characters of a token (RFC 9110 §5.6.2).
var isToken = func() (set [256]bool) {
	for c := range set {
		set[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		set[c] = true
	}
	return set
}()

func validToken(s string) bool {
	for i := range len(s) {
		if !isToken[s[i]] {
			return false
		}
	}
	return s != ""
}

// validValue reports whether a header value has no control characters but tabs (RFC 9110 §5.5). Bytes from 0x80 may be in it.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// trimSpace cuts spaces and tabs off both ends.
func trimSpace(s string) string {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// hasToken reports whether a list of tokens, separated by commas, has one. The token is in lower case.
func hasToken(list, token string) bool {
	for len(list) > 0 {
		var item string
		item, list = cutComma(list)
		if equalFold(item, token) {
			return true
		}
	}
	return false
}

// cutComma returns the first item of a list, trimmed, and the rest.
func cutComma(list string) (item, rest string) {
	for i := range len(list) {
		if list[i] == ',' {
			return trimSpace(list[:i]), list[i+1:]
		}
	}
	return trimSpace(list), ""
}
