package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// sniffSize is how much http.DetectContentType looks at.
const sniffSize = 512

var errFinished = errors.New("server: the handler has returned; its ResponseWriter is of no more use")

// field is a header with its values.
type field struct {
	name   string
	values []string
}

// sortedFields appends the headers to an empty list, in the order of their names. There are few.
func sortedFields(h http.Header, list []field) []field {
	for name, values := range h {
		at := len(list)
		list = append(list, field{})
		for at > 0 && list[at-1].name > name {
			list[at] = list[at-1]
			at--
		}
		list[at] = field{name, values}
	}
	return list
}

// appendFields writes the headers that do not depend on how the answer goes on, and notes those that say how it does.
func (w *response) appendFields(out []byte) []byte {
	if len(w.header) == 1 {
		for name, values := range w.header {
			if w.keep(name, values) {
				out = appendField(out, name, values)
			}
		}
		return out
	}
	var room [12]field
	for _, f := range sortedFields(w.header, room[:0]) {
		if w.keep(f.name, f.values) {
			out = appendField(out, f.name, f.values)
		}
	}
	return out
}

// keep notes what a header says to the server, and reports whether it is written as it is.
func (w *response) keep(name string, values []string) bool {
	switch name {
	case "Content-Length":
		w.declareLength(values)
		return false
	case "Transfer-Encoding":
		if len(values) > 0 {
			w.c.fields.coding, w.c.fields.set = values[0], true
		}
		return false
	case "Connection":
		w.c.fields.connection, w.c.fields.set = values, true
		return false
	case "Content-Type":
		w.hasType = true
		return w.status != http.StatusNotModified
	case "Content-Encoding":
		w.encoded = len(values) > 0 && values[0] != ""
	case "Date":
		w.hasDate = true
	case "Upgrade":
		w.upgrade = len(values) > 0 && values[0] != ""
	case "Trailer":
		w.declareTrailers(values)
	default:
		if len(name) > len(http.TrailerPrefix) && strings.HasPrefix(name, http.TrailerPrefix) {
			w.prefixed = true
			return false
		}
	}
	return true
}

func (w *response) declareLength(values []string) {
	if len(values) == 0 || values[0] == "" {
		return
	}
	length, ok := parseLength(trimSpace(values[0]))
	if !ok {
		w.c.server.logf("server: invalid Content-Length of %q", values[0])
		return
	}
	w.declared = length
}

func (w *response) declareTrailers(values []string) {
	for _, list := range values {
		for len(list) > 0 {
			var item string
			if item, list = cutComma(list); item == "" {
				continue
			}
			if name, _, ok := canonicalName(item); ok && sendableTrailer(name) {
				w.c.fields.trailers, w.c.fields.set = append(w.c.fields.trailers, name), true
			}
		}
	}
}

// sendableTrailer refuses trailers that a client would have needed before the content (RFC 9110 §6.5.1).
func sendableTrailer(name string) bool {
	switch name {
	case "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type",
		"Expect", "Host", "Keep-Alive", "Max-Forwards", "Pragma", "Range", "Te", "Trailer", "Transfer-Encoding":
		return false
	}
	return !strings.HasPrefix(name, "If-")
}

// appendField writes a header, a line for each value. Names that are none are left out, and characters that would end a line
// become spaces.
func appendField(out []byte, name string, values []string) []byte {
	if !validToken(name) {
		return out
	}
	for _, value := range values {
		out = append(out, name...)
		out = append(out, ": "...)
		out = appendValue(out, value)
		out = append(out, "\r\n"...)
	}
	return out
}

func appendValue(out []byte, value string) []byte {
	value = trimSpace(value)
	from := len(out)
	out = append(out, value...)
	for i, c := range out[from:] {
		if c == '\r' || c == '\n' || c == 0 {
			out[from+i] = ' '
		}
	}
	return out
}

// appendStatus writes the status line.
func (w *response) appendStatus(out []byte) []byte {
	if w.status == http.StatusOK && !w.old {
		return append(out, "HTTP/1.1 200 OK\r\n"...)
	}
	if w.old {
		out = append(out, "HTTP/1.0 "...)
	} else {
		out = append(out, "HTTP/1.1 "...)
	}
	return appendStatusText(out, int(w.status))
}

func appendStatusText(out []byte, status int) []byte {
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	if text := http.StatusText(status); text != "" {
		out = append(out, text...)
	} else {
		out = append(out, "status code "...)
		out = strconv.AppendInt(out, int64(status), 10)
	}
	return append(out, "\r\n"...)
}

// sendHead completes the head and moves it to what is ready. first is the first content; final says that it is all.
func (w *response) sendHead(first []byte, final bool) {
	w.sent = true
	if w.body != nil {
		w.body.stopContinue()
	}
	w.decideClose(first, final)
	c := w.c
	b := w.space()
	if w.hasContentType(first) {
		b.head = append(b.head, "Content-Type: "...)
		b.head = append(b.head, http.DetectContentType(first)...)
		b.head = append(b.head, "\r\n"...)
	}
	if !w.hasDate {
		b.head = c.server.date.append(b.head)
	}
	b.head = w.appendFraming(b.head)
	b.head = w.appendConnection(b.head)
	b.head = append(b.head, "\r\n"...)
	c.own()
	b.out = append(b.out, b.head...)
}

// decideClose settles the length, and whether the connection is closed after the answer.
func (w *response) decideClose(first []byte, final bool) {
	if w.c.fields.coding != "" && w.declared >= 0 && w.c.fields.coding != "identity" {
		w.c.server.logf("server: an answer has both Transfer-Encoding %q and Content-Length %d", w.c.fields.coding, w.declared)
		w.declared = -1
	}
	if final && w.declared < 0 && w.c.fields.coding == "" && len(w.c.fields.trailers) == 0 && !w.prefixed && !w.bodyless && (!w.isHead || len(first) > 0) {
		w.declared = w.written
	}
	if w.old && (!w.keepOld || !w.isHead && w.declared < 0 && !w.bodyless) {
		w.close = true
	}
	if !w.c.server.keepsAlive() || hasClose(w.c.fields.connection) {
		w.close = true
	}
	if w.body == nil || w.fullDuplex.Load() {
		return
	}
	// Many clients read nothing before they have sent all: so it is read before the answer starts.
	if !w.close && !w.body.discard() {
		w.close = true
	}
}

func hasClose(values []string) bool {
	for _, value := range values {
		if hasToken(value, "close") {
			return true
		}
	}
	return false
}

// hasContentType reports whether the type is to be found out from the content.
func (w *response) hasContentType(first []byte) bool {
	return !w.hasType && !w.encoded && !w.bodyless && w.c.fields.coding == "" && len(first) > 0
}

// appendFraming writes how the client finds the end of the content (RFC 9112 §6.3).
func (w *response) appendFraming(out []byte) []byte {
	switch {
	case w.bodyless:
	case w.declared >= 0:
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, w.declared, 10)
		out = append(out, "\r\n"...)
	case w.isHead:
	case w.old || w.c.fields.coding == "identity":
		w.close = true
	default:
		w.chunked = true
		if w.c.fields.coding != "" && !equalFold(w.c.fields.coding, "chunked") {
			out = appendField(out, "Transfer-Encoding", []string{w.c.fields.coding})
		}
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	return out
}

func (w *response) appendConnection(out []byte) []byte {
	switches := w.status == http.StatusSwitchingProtocols && w.upgrade
	if w.close && !switches {
		if w.old {
			return out // it closes unless told otherwise
		}
		return append(out, "Connection: close\r\n"...)
	}
	if w.c.fields.connection != nil {
		return appendField(out, "Connection", w.c.fields.connection)
	}
	if w.keepOld {
		return append(out, "Connection: keep-alive\r\n"...)
	}
	return out
}

// endChunks writes the last chunk and the trailers.
func (w *response) endChunks() {
	b := w.c.own()
	b.out = append(b.out, "0\r\n"...)
	for _, name := range w.c.fields.trailers {
		b.out = appendField(b.out, name, w.header[name])
	}
	if len(w.header) > 0 {
		for _, f := range sortedFields(w.header, make([]field, 0, 16)) {
			if name, ok := strings.CutPrefix(f.name, http.TrailerPrefix); ok {
				if name, _, ok := canonicalName(name); ok && sendableTrailer(name) {
					b.out = appendField(b.out, name, f.values)
				}
			}
		}
	}
	b.out = append(b.out, "\r\n"...)
}
