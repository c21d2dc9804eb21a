// Package fieldline carries header fields of answers from those who set them to a server that writes them, ready for the
// wire: no map is made and no name is looked up for what is the same on every answer.
//
//	var nosniff = fieldline.New(fieldline.Field{Name: "X-Content-Type-Options", Values: []string{"nosniff"}})
//
//	head.Add(nosniff) // for each answer
//
// As soon as somebody asks the writer for its map, the fields go there (see Head.MoveTo), and all is as it is with any
// http.ResponseWriter.
package fieldline

import (
	"net/http"
	"net/textproto"
	"strconv"

	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Field is a header field with its values, a line for each.
type Field struct {
	Name   string
	Values []string
}

// Lines are fields that are made ready once, for any number of answers. They never change.
type Lines struct {
	fields []Field
	text   string // as on the wire
	typed  bool   // one is Content-Type
}

// New makes fields ready. It returns nil, which no Head takes, where one of them is nothing for it: a name or value that no
// field has, or a name that tells a server how the answer goes on.
func New(fields ...Field) *Lines {
	lines := &Lines{fields: fields}
	for _, f := range fields {
		if !secure.ValidHeaderName(f.Name) || f.Name != textproto.CanonicalMIMEHeaderKey(f.Name) || forServers[f.Name] {
			return nil
		}
		lines.typed = lines.typed || f.Name == "Content-Type"
		for _, value := range f.Values {
			if !secure.ValidHeaderValue(value) || value != textproto.TrimString(value) {
				return nil
			}
			lines.text += f.Name + ": " + value + "\r\n"
		}
	}
	return lines
}

// forServers are names that a server reads itself before it writes an answer.
var forServers = map[string]bool{
	"Connection": true, "Content-Encoding": true, "Content-Length": true, "Date": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// Writer is an http.ResponseWriter that takes fields this way.
type Writer interface {
	http.ResponseWriter

	// FieldHead returns the head of the answer, or nil when the map of headers is in use.
	FieldHead() *Head
}

// most is how many entries a Head holds.
const most = 6

// Head is the fields of one answer, until they are written or moved to a map. It belongs to the goroutine of its request.
type Head struct {
	writer http.ResponseWriter
	count  int
	moved  bool // to the map of the writer
	typed  bool
	length int // of the content; -1 is unknown
	list   [most]entry
}

// entry is lines, or a name with a value of this answer alone.
type entry struct {
	lines *Lines
	name  string
	value *[1]string
}

// Reset makes the head that of another answer.
func (h *Head) Reset(writer http.ResponseWriter) {
	h.writer, h.count, h.moved, h.typed, h.length = writer, 0, false, false, -1
}

// Header returns the writer's map, with everything in it that was added.
func (h *Head) Header() http.Header { return h.writer.Header() }

// Empty reports whether nothing was added.
func (h *Head) Empty() bool { return h.count == 0 && h.length < 0 }

// Add adds fields that the answer does not have, and reports whether it could: not once the map is in use. Two Content-Types
// are one too many.
func (h *Head) Add(lines *Lines) bool {
	if lines == nil || h.moved || h.count == most || lines.typed && h.typed {
		return false
	}
	h.list[h.count] = entry{lines: lines}
	h.count++
	h.typed = h.typed || lines.typed
	return true
}

// AddValue adds a field whose value a later map may share. The name is canonical, and name and value are such as fields have.
func (h *Head) AddValue(name string, value *[1]string) bool {
	if h.moved || h.count == most {
		return false
	}
	h.list[h.count] = entry{name: name, value: value}
	h.count++
	return true
}

// SetLength says how long the content is.
func (h *Head) SetLength(length int) bool {
	if h.moved {
		return false
	}
	h.length = length
	return true
}

// MoveTo puts everything into a map, which has it from now on.
func (h *Head) MoveTo(header http.Header) {
	h.moved = true
	for i := range h.count {
		e := &h.list[i]
		if e.lines == nil {
			header[e.name] = e.value[:]
			continue
		}
		for _, f := range e.lines.fields {
			header[f.Name] = f.Values
		}
	}
	if h.length >= 0 {
		header["Content-Length"] = []string{strconv.Itoa(h.length)}
	}
}

// Written is what AppendTo leaves to the server.
type Written struct {
	Typed  bool // Content-Type was among the fields
	Length int  // of the content; -1 is unknown
}

// AppendTo writes the fields, a line each.
func (h *Head) AppendTo(out []byte) ([]byte, Written) {
	for i := range h.count {
		e := &h.list[i]
		if e.lines != nil {
			out = append(out, e.lines.text...)
			continue
		}
		out = append(out, e.name...)
		out = append(out, ": "...)
		out = append(out, e.value[0]...)
		out = append(out, "\r\n"...)
	}
	return out, Written{h.typed, h.length}
}
