package multiform

import (
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/secure"
)

// How a multipart body is kept within its limits: mime/multipart finds the boundaries, but by itself it reads any
// preamble, up to 10 MiB of headers for one part, and so on. So it reads through an allowance: before it looks for the
// next part it may take as many bytes as a boundary and one part's headers need, and while a part's content is read as
// many as the limits of the content leave. What does not come within the allowance is cut off there and then.

// readAhead is how far mime/multipart reads beyond what it has used.
const readAhead = 4 * kib

// maxEpilogue is how much may follow the last boundary: nothing sends more than a line break there.
const maxEpilogue = 4 * kib

// allowance passes reads on until a budget or the limit of the whole body is used up.
type allowance struct {
	body   io.Reader
	whole  int64 // left of the body's limit
	budget int64 // left for the current step
	what   *Error

	refused *Error // set once a read was refused: the true reason of whatever error the lexer makes of it
}

func (a *allowance) allow(n int64, what *Error) { a.budget, a.what = n, what }

func (a *allowance) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if a.whole < 0 {
		return 0, a.refuse(errWhole)
	}
	if a.budget <= 0 {
		return 0, a.refuse(a.what)
	}
	if int64(len(p)) > a.budget {
		p = p[:a.budget]
	}
	n, err := a.body.Read(p)
	a.budget -= int64(n)
	if a.whole -= int64(n); a.whole < 0 {
		return 0, a.refuse(errWhole)
	}
	return n, err
}

func (a *allowance) refuse(reason *Error) error {
	a.refused = reason
	return reason
}

var (
	errWhole   = tooLarge("form: the body is larger than allowed")
	errHeaders = tooLarge("form: the headers of a part, or what stands before the first boundary, are larger than allowed")
)

// reading is the state of one multipart body being read.
type reading struct {
	limits Limits
	source *allowance
	form   *Form
	parts  int
	files  int
	held   int64 // bytes of files in memory
	text   int64 // bytes of names and values
	buffer []byte
}

func parseMultipart(body io.Reader, boundary string, l Limits) (*Form, error) {
	if !validBoundary(boundary) {
		return nil, bad("form: multipart/form-data needs a boundary of 1 to 70 characters")
	}
	r := &reading{
		limits: l,
		source: &allowance{body: body, whole: l.MaxBytes},
		form:   &Form{Values: url.Values{}, Files: map[string][]*File{}},
		buffer: make([]byte, 32*kib),
	}
	if err := r.run(multipart.NewReader(r.source, boundary)); err != nil {
		r.form.Close()
		return nil, err
	}
	return r.form, nil
}

func (r *reading) run(parts *multipart.Reader) error {
	for {
		r.source.allow(int64(r.limits.MaxHeaderBytes)+readAhead, errHeaders)
		// Raw: no deployed client encodes parts, and a firewall in front reads them raw too (RFC 7578 §4.7).
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return r.epilogue()
		}
		if err != nil {
			return r.partError(err)
		}
		if r.parts++; r.parts > r.limits.MaxParts {
			return tooLarge("form: more parts than allowed")
		}
		if err := r.part(part); err != nil {
			return err
		}
	}
}

// partError keeps the text of mime/multipart and net/textproto, which quotes the body, out of what callers log.
func (r *reading) partError(err error) *Error {
	if r.source.refused != nil {
		return r.source.refused
	}
	e := readError(err)
	if e.Err != nil && e.Status == 400 {
		return &Error{Status: 400, Msg: "form: the multipart body is malformed or ends too early", Err: quiet{err}}
	}
	return e
}

// quiet is a cause whose text is not repeated.
type quiet struct{ err error }

func (q quiet) Error() string { return "malformed multipart body" }
func (q quiet) Unwrap() error { return q.err }

// epilogue reads what follows the last boundary, so that the connection can be used again, but not much of it.
func (r *reading) epilogue() error {
	r.source.allow(maxEpilogue+1, bad("form: there is data after the last boundary"))
	for {
		_, err := r.source.Read(r.buffer)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return readError(err)
		}
	}
}

func (r *reading) part(part *multipart.Part) error {
	if err := r.checkHeader(part.Header); err != nil {
		return err
	}
	kind, parameters, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	name, named := parameters["name"]
	if err != nil || kind != "form-data" || !named {
		return bad("form: a part has no Content-Disposition header of the form: form-data; name=\"…\"")
	}
	if !utf8.ValidString(name) {
		return bad("form: the name of a part is not valid UTF-8")
	}
	if r.text += int64(len(name)); r.text > r.limits.MaxFormBytes {
		return errFormBytes
	}
	entry := Entry{Name: name, ContentType: part.Header.Get("Content-Type")}
	if filename, isFile := parameters["filename"]; isFile {
		return r.file(part, entry, filename)
	}
	return r.value(part, entry)
}

// checkHeader applies the exact limits; the allowance before was coarser, because it counts what is read ahead.
func (r *reading) checkHeader(header textproto.MIMEHeader) error {
	lines, size := 0, 0
	for name, values := range header {
		lines += len(values)
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	if lines > r.limits.MaxPartHeaders || size > r.limits.MaxHeaderBytes {
		return errHeaders
	}
	if len(header["Content-Disposition"]) > 1 {
		return bad("form: a part has more than one Content-Disposition header")
	}
	switch strings.ToLower(header.Get("Content-Transfer-Encoding")) {
	case "", "7bit", "8bit", "binary":
		return nil
	}
	return bad("form: the content of a part is transfer-encoded, which HTTP does not use (RFC 7578 section 4.7)")
}

var (
	errFormBytes  = tooLarge("form: the names and values are larger than allowed together")
	errFields     = tooLarge("form: more fields than allowed")
	errValueBytes = tooLarge("form: a value is larger than allowed; a file needs a filename")
)

func (r *reading) value(part *multipart.Part, entry Entry) error {
	if len(r.form.Order)-r.files >= r.limits.MaxFields {
		return errFields
	}
	room, refusal := r.limits.MaxValueBytes, errValueBytes
	if left := r.limits.MaxFormBytes - r.text; left < room {
		room, refusal = left, errFormBytes
	}
	r.source.allow(saturate(room, readAhead), refusal)
	var text strings.Builder
	n, err := r.copy(&text, part, room)
	if err != nil {
		return err
	}
	if n > room {
		return refusal
	}
	r.text += n
	entry.Value = text.String()
	if !utf8.ValidString(entry.Value) {
		return bad("form: a value is not valid UTF-8")
	}
	r.form.Values[entry.Name] = append(r.form.Values[entry.Name], entry.Value)
	r.form.Order = append(r.form.Order, entry)
	return nil
}

func (r *reading) file(part *multipart.Part, entry Entry, filename string) error {
	if r.files >= r.limits.MaxFiles {
		return tooLarge("form: more files than allowed")
	}
	r.source.allow(unlimited, nil)
	file := &File{
		Filename: secure.BaseName(filename), RawFilename: filename,
		ContentType: entry.ContentType, Header: part.Header,
	}
	if err := r.content(part, file); err != nil {
		return err
	}
	if filename == "" && file.Size == 0 {
		return nil // how browsers say that no file was chosen
	}
	r.files++
	entry.File = file
	r.form.Files[entry.Name] = append(r.form.Files[entry.Name], file)
	r.form.Order = append(r.form.Order, entry)
	return nil
}

// content reads a file into memory while there is room for it, and as a whole into the spool otherwise.
func (r *reading) content(part *multipart.Part, file *File) error {
	room := max(r.limits.MaxMemory-r.held, 0)
	var memory growing
	n, err := r.copy(&memory, part, room)
	if err != nil {
		return err
	}
	if n <= room {
		file.memory, file.Size = memory.bytes, n
		r.held += n
		return nil
	}
	if r.form.spool == nil {
		if r.form.spool, err = newSpool(r.limits.TempDir); err != nil {
			return spoolError(err)
		}
	}
	s := r.form.spool
	file.spool, file.offset = s, s.size
	if _, err := s.Write(memory.bytes); err != nil {
		return spoolError(err)
	}
	if _, err := r.copy(s, part, unlimited); err != nil {
		return err
	}
	file.Size = s.size - file.offset
	return nil
}

func spoolError(err error) *Error {
	return &Error{Status: 500, Msg: "form: an uploaded file could not be written to the temporary folder", Err: err}
}

// copy moves a part's content until it ends or more than limit bytes have been moved, and returns how many were.
func (r *reading) copy(dst io.Writer, part *multipart.Part, limit int64) (int64, error) {
	var total int64
	for total <= limit {
		n, err := part.Read(r.buffer[:min(int64(len(r.buffer)), saturate(limit-total, 1))])
		total += int64(n)
		if n > 0 {
			if _, err := dst.Write(r.buffer[:n]); err != nil {
				return total, spoolError(err)
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, r.partError(err)
		}
	}
	return total, nil
}

// growing is memory to write to.
type growing struct{ bytes []byte }

func (g *growing) Write(p []byte) (int, error) {
	g.bytes = append(g.bytes, p...)
	return len(p), nil
}

// saturate adds without passing the largest number, which stands for no limit.
func saturate(a, b int64) int64 {
	if a > unlimited-b {
		return unlimited
	}
	return a + b
}

// validBoundary reports a boundary of RFC 2046 §5.1.1, and the few more characters that real clients use in one.
func validBoundary(s string) bool {
	if s == "" || len(s) > 70 || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
