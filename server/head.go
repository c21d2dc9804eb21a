package server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
)

// headScan looks for the end of a head in a buffer that grows: each byte is looked at once.
type headScan struct {
	line  int  // where the current line starts
	next  int  // where to go on
	empty bool // an empty line was before it
}

// find returns the index after the empty line that ends the head, or 0 while it has not come.
func (s *headScan) find(b []byte) (end int, f *fault) {
	for {
		i := bytes.IndexByte(b[s.next:], '\n')
		if i < 0 {
			s.next = len(b)
			return 0, nil
		}
		at := s.next + i
		if at == s.line || b[at-1] != '\r' {
			return 0, faultLineEnd
		}
		if at == s.line+1 {
			return at + 1, nil
		}
		s.line, s.next = at+1, at+1
	}
}

// maxFields is how many header lines a request may have.
const maxFields = 10_000

// fewFields is for how many values a request has room at once.
const fewFields = 6

// headOf is a request's head, as far as it says how the request is to be read and answered.
type headOf struct {
	major, minor int
	method       string
	target       string
	proto        string
	host         string
	header       http.Header
	trailer      http.Header // declared; values come with the body
	length       int64       // of the body; -1 is chunked
	close        bool        // "Connection: close"
	keepAlive    bool        // "Connection: keep-alive"
	expects      bool        // "Expect: 100-continue"
	expectsElse  bool

	hosts    int
	lengths  int
	types    int
	codings  []string
	trailers []string
	pragma   bool
	cached   bool // Cache-Control
}

// parseHead reads a head that ends with its empty line, and whose lines end with CR LF. Nothing is copied: all strings
// are parts of the text but names in an unusual case.
func parseHead(h *headOf, u *url.URL, values []string, text string) *fault {
	end := strings.IndexByte(text, '\n')
	if f := h.parseLine(text[:end-1]); f != nil {
		return f
	}
	text = text[end+1 : len(text)-2] // without the empty line
	count := strings.Count(text, "\n")
	if count > maxFields {
		return faultHeadTooLarge
	}
	if count > cap(values) {
		values = make([]string, 0, count)
	}
	if count == 1 { // Host, which is not kept there
		count = 0
	}
	h.header = make(http.Header, count)
	if f := h.parseFields(text, values); f != nil {
		return f
	}
	if f := h.frame(); f != nil {
		return f
	}
	if f := parseTarget(u, h.method, h.target); f != nil {
		return f
	}
	return h.settleHost(u)
}

// parseLine reads the request line (RFC 9112 §3).
func (h *headOf) parseLine(line string) *fault {
	first := strings.IndexByte(line, ' ')
	last := strings.LastIndexByte(line, ' ')
	if first <= 0 || first == last {
		return faultRequestLine
	}
	h.method, h.target, h.proto = line[:first], line[first+1:last], line[last+1:]
	if h.method != "GET" && !validToken(h.method) {
		return faultMethod
	}
	for i := range len(h.target) {
		if c := h.target[i]; c <= ' ' || c == 0x7f {
			return faultTarget
		}
	}
	return h.parseVersion()
}

func (h *headOf) parseVersion() *fault {
	p := h.proto
	if p == "HTTP/1.1" {
		h.proto = "HTTP/1.1" // not a part of the head
		h.major, h.minor = 1, 1
		return nil
	}
	if len(p) != len("HTTP/1.1") || p[:5] != "HTTP/" || p[6] != '.' || !isDigit(p[5]) || !isDigit(p[7]) {
		return faultVersion
	}
	h.major, h.minor = int(p[5]-'0'), int(p[7]-'0')
	if h.major != 1 {
		return faultMajor
	}
	return nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// parseFields reads the header lines. values has room for all of them.
func (h *headOf) parseFields(text string, values []string) *fault {
	var seen uint64 // of the known names, by their numbers
	for len(text) > 0 {
		end := strings.IndexByte(text, '\n')
		line := text[:end-1]
		text = text[end+1:]
		if line[0] == ' ' || line[0] == '\t' {
			return faultFold
		}
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			return faultNoColon
		}
		name, id, ok := canonicalName(line[:colon])
		if !ok {
			return faultName
		}
		value := trimSpace(line[colon+1:])
		if !validValue(value) {
			return faultValue
		}
		if id != otherName && id < firstPlainName {
			if keep, f := h.note(id, value); f != nil {
				return f
			} else if !keep {
				continue
			}
		}
		at := len(values)
		values = append(values, value)
		if id != otherName && id < 64 && seen&(1<<id) == 0 {
			seen |= 1 << id
			h.header[name] = values[at : at+1 : at+1]
			continue
		}
		if before := h.header[name]; before != nil {
			h.header[name] = append(before, value)
		} else {
			h.header[name] = values[at : at+1 : at+1]
		}
	}
	return nil
}

// note takes what the server itself has to know, and reports whether handlers find it among the headers too.
func (h *headOf) note(id nameID, value string) (keep bool, f *fault) {
	switch id {
	case nameHost:
		h.host = value
		if h.hosts++; h.hosts > 1 {
			return false, faultTwoHosts
		}
		return false, nil
	case nameContentLength:
		length, ok := parseLength(value)
		switch {
		case !ok:
			return false, faultLength
		case h.lengths > 0 && length != h.length:
			return false, faultLengths
		}
		h.length = length
		h.lengths++
		return h.lengths == 1, nil
	case nameTransferEncoding:
		h.codings = append(h.codings, value)
		return false, nil
	case nameConnection:
		h.close = h.close || hasToken(value, "close")
		h.keepAlive = h.keepAlive || hasToken(value, "keep-alive")
	case nameExpect:
		if equalFold(value, "100-continue") {
			h.expects = true
		} else if value != "" {
			h.expectsElse = true
		}
	case nameContentType:
		if h.types++; h.types > 1 {
			return false, faultTwoTypes
		}
	case nameTrailer:
		h.trailers = append(h.trailers, value)
		return false, nil
	case namePragma:
		h.pragma = h.pragma || value == "no-cache"
	case nameCacheControl:
		h.cached = true
	}
	return true, nil
}

// parseLength reads a Content-Length: digits alone.
func parseLength(text string) (int64, bool) {
	if text == "" || len(text) > 19 {
		return 0, false
	}
	var n uint64
	for i := range len(text) {
		if !isDigit(text[i]) {
			return 0, false
		}
		n = n*10 + uint64(text[i]-'0')
	}
	return int64(n), n < 1<<63
}

// frame decides where the body ends (RFC 9112 §6).
func (h *headOf) frame() *fault {
	if h.codings != nil {
		if f := h.frameChunks(); f != nil {
			return f
		}
	}
	if h.pragma && !h.cached {
		h.header["Cache-Control"] = []string{"no-cache"} // as net/http does for HTTP/1.0's word for it
	}
	if h.trailers == nil {
		return nil
	}
	if h.length >= 0 { // trailers come after chunks alone: it is a header like others
		h.header["Trailer"] = h.trailers
		return nil
	}
	h.trailer = http.Header{}
	for _, list := range h.trailers {
		for len(list) > 0 {
			var item string
			if item, list = cutComma(list); item == "" {
				continue
			}
			name, id, ok := canonicalName(item)
			if !ok || !allowedTrailer(id) {
				return faultTrailer
			}
			h.trailer[name] = nil
		}
	}
	return nil
}

func (h *headOf) frameChunks() *fault {
	switch {
	case h.minor == 0:
		return faultOldChunks
	case h.lengths > 0:
		return faultTwoFramings
	}
	var all []string
	for _, list := range h.codings {
		for {
			var item string
			item, list = cutComma(list)
			all = append(all, item)
			if list == "" {
				break
			}
		}
	}
	if last := len(all) - 1; !equalFold(all[last], "chunked") {
		for _, item := range all {
			if equalFold(item, "chunked") {
				return faultLastCoding
			}
		}
		return faultCoding
	}
	for _, item := range all[:len(all)-1] {
		if equalFold(item, "chunked") {
			return faultLastCoding
		}
	}
	if len(all) > 1 {
		return faultCoding
	}
	h.length = -1
	return nil
}

// allowedTrailer refuses what would change where a request ends or whom it is for, when it comes behind the body (RFC 9110
// §6.5.1). Others do no harm there: handlers find them in Request.Trailer alone.
func allowedTrailer(id nameID) bool {
	return id != nameHost && id != nameContentLength && id != nameTransferEncoding && id != nameTrailer
}

// settleHost finds the host that is asked for: the one in a whole URL, which counts whatever Host says (RFC 9112 §3.2.2), or
// Host's.
func (h *headOf) settleHost(u *url.URL) *fault {
	if h.hosts == 0 && h.minor > 0 {
		return faultNoHost
	}
	if !validHost(h.host) {
		return faultHost
	}
	if u.Host != "" {
		h.host = u.Host
	}
	return nil
}
