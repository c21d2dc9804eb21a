package ishaa

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/memory"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Response is an answer: a status, headers and a body. Handlers usually return
// a plain value instead; a Response is for what a value cannot say.
//
//	return ishaa.JSON(order).WithStatus(201).WithHeader("Location", url), nil
//
// After hooks and Request.Response get the answer that is being built.
type Response struct {
	status   int32    // see statusOf
	built    bool     // the body is in place; further values replace it
	madeType madeType // of an answer made apart that has no other header yet
	touched  inside.Part
	header   http.Header     // nil until it is asked for, if there is a head
	head     *fieldline.Head // of a writer that takes fields without a map
	body     body
	rare     *rareAnswer
}

// madeType is the Content-Type of an answer that has no map of headers yet.
type madeType uint8

const (
	madeNone madeType = iota
	madeHTML
	madeText
	madeJSON
	madeNDJSON
	madeOctets
	madeOther // rareAnswer has it
)

// typeLines are the types as servers take them that need no map.
var typeLines = [...]*fieldline.Lines{
	madeHTML: typeLine(typeHTML), madeText: typeLine(typeText), madeJSON: typeLine(typeJSON),
	madeNDJSON: typeLine(typeNDJSON), madeOctets: typeLine(typeOctets), madeOther: nil,
}

func typeLine(value []string) *fieldline.Lines {
	return fieldline.New(fieldline.Field{Name: "Content-Type", Values: value})
}

// value is the header that a type stands for; nil of madeNone and madeOther.
func (t madeType) value() []string {
	switch t {
	case madeHTML:
		return typeHTML
	case madeText:
		return typeText
	case madeJSON:
		return typeJSON
	case madeNDJSON:
		return typeNDJSON
	case madeOctets:
		return typeOctets
	}
	return nil
}

// madeTypeOf is the type that a header is the value of, or madeNone.
func madeTypeOf(value []string) madeType {
	for t := madeHTML; t < madeOther; t++ {
		if slices.Equal(t.value(), value) {
			return t
		}
	}
	return madeNone
}

// ownType is the header that the answer's type stands for, or nil.
func (res *Response) ownType() []string {
	if res.madeType == madeOther {
		return res.rare.contentType
	}
	return res.madeType.value()
}

// rareAnswer is what most answers do not have; see rarelyUsed.
type rareAnswer struct {
	filters []func(io.Writer) io.WriteCloser
	stream  any // the value whose stream is in place, when Render found one
	err     error

	contentType []string // see madeOther
}

func (res *Response) more() *rareAnswer {
	if res.rare == nil {
		res.rare = &rareAnswer{}
	}
	return res.rare
}

// failure is what fail was first told.
func (res *Response) failure() error {
	if res.rare == nil {
		return nil
	}
	return res.rare.err
}

func (res *Response) filters() []func(io.Writer) io.WriteCloser {
	if res.rare == nil {
		return nil
	}
	return res.rare.filters
}

func (res *Response) addFilters(list []func(io.Writer) io.WriteCloser) {
	if len(list) > 0 {
		rare := res.more()
		rare.filters = append(rare.filters, list...)
	}
}

// body is what an answer carries: one of nothing, bytes, text, a value to be
// encoded, or a function that writes as it goes.
type body struct {
	kind bodyKind
	data string // of bodyText, and of bodyBytes, whose bytes nobody changes
	// Of bodyValue the value, of bodyStream a streamFunc, of bodyServe an http.HandlerFunc, of bodyBytes the *buffer
	// where they came from, if they did: it is given back once they are sent.
	content any
}

// inMemory is a body of bytes, which are not to be changed from here on.
func inMemory(data []byte) body { return body{kind: bodyBytes, data: memory.Text(data)} }

// inBuffer is a body of all bytes of a buffer, which goes with it.
func inBuffer(buf *buffer) body {
	return body{kind: bodyBytes, data: memory.Text(buf.data), content: buf}
}

type streamFunc func(*StreamWriter) error

type bodyKind uint8

const (
	bodyNone bodyKind = iota
	bodyBytes
	bodyText
	bodyValue  // encoded when the answer is rendered
	bodyStream // writes as it goes
	bodyServe  // a net/http handler writes as it likes
)

// Status returns the status set so far, or 0 when none was. After hooks see 0
// only where a net/http handler is still to choose.
func (res *Response) Status() int { return int(res.status) }

// SetStatus sets the status, from 200 to 599.
func (res *Response) SetStatus(status int) { res.status = statusOf(status) }

// statusOf keeps what no status can be apart from all that can.
func statusOf(status int) int32 { return int32(max(math.MinInt32, min(status, math.MaxInt32))) }

// Header returns the headers, to be read and changed.
func (res *Response) Header() http.Header {
	res.touched |= inside.Anyone
	return res.headers()
}

// headers returns the map of headers, with everything in it that is set.
func (res *Response) headers() http.Header {
	if res.header == nil {
		if res.head != nil {
			res.header = res.head.Header()
		} else {
			res.header = http.Header{}
		}
	}
	if res.madeType != madeNone {
		res.header["Content-Type"] = res.ownType()
		res.madeType = madeNone
	}
	return res.header
}

// headerFor is Header of the answer being built for code that is known to set nothing
// but what belongs to a part, which spares other parts a look for headers that nobody
// can have set. See inside.Header.
func (res *Response) headerFor(part inside.Part) (header http.Header, maybe bool) {
	maybe = res.touched&(part|inside.Anyone) != 0
	res.touched |= part
	return res.headers(), maybe
}

// addLines adds fields of a part that are ready for the wire, and reports whether it could: if the writer takes such,
// nobody has asked for the map yet, and the part has not been here before.
func (res *Response) addLines(part inside.Part, lines *fieldline.Lines) bool {
	if res.header != nil || res.head == nil || res.touched&part != 0 || !res.head.Add(lines) {
		return false
	}
	res.touched |= part
	return true
}

// addValue is addLines for a field whose value is this answer's own.
func (res *Response) addValue(name string, value *[1]string) bool {
	return res.header == nil && res.head != nil && res.head.AddValue(name, value)
}

// from makes the answer one that is written to w.
func (res *Response) from(w http.ResponseWriter) {
	if writer, ok := w.(fieldline.Writer); ok {
		if res.head = writer.FieldHead(); res.head != nil {
			return
		}
	}
	if res.header = w.Header(); len(res.header) > 0 {
		res.touched = inside.Anyone
	}
}

// open reports whether anyone but the framework may have set headers.
func (res *Response) open() bool { return res.touched&inside.Anyone != 0 }

func init() {
	inside.Header = func(response any, part inside.Part) (http.Header, bool) { return response.(*Response).headerFor(part) }
	inside.AddLines = func(response any, part inside.Part, lines *fieldline.Lines) bool {
		return response.(*Response).addLines(part, lines)
	}
	inside.AddValue = func(response any, name string, value *[1]string) bool {
		return response.(*Response).addValue(name, value)
	}
}

// Bytes returns the body and true, or false when the answer has a body that is
// not in memory: a stream, a file, a mounted handler. The bytes may be kept but
// are not to be changed; SetBytes replaces them.
func (res *Response) Bytes() ([]byte, bool) {
	switch res.body.kind {
	case bodyNone:
		return nil, true
	case bodyBytes:
		res.body.content = nil // now somebody else's too: no other answer may get this memory
		return memory.Bytes(res.body.data), true
	case bodyText:
		return []byte(res.body.data), true
	}
	return nil, false
}

// SetBytes replaces the body. The content type stays as it is.
func (res *Response) SetBytes(data []byte) {
	res.body.release()
	res.body = inMemory(data)
	res.forgetStream()
}

// Streams reports whether the body is written as it goes.
func (res *Response) Streams() bool {
	return res.body.kind == bodyStream || res.body.kind == bodyServe
}

// Filterable reports whether filters have an effect: on what a net/http handler
// writes they have none.
func (res *Response) Filterable() bool { return res.body.kind != bodyServe }

// Filter wraps the body's writer, for compression and the like. A filter added
// later is closer to the body. The filter's writer is closed after the last byte;
// a streamed body's Flush reaches it when it has a method Flush() error.
// Bodies written by a net/http handler, files among them, are not filtered.
func (res *Response) Filter(wrap func(io.Writer) io.WriteCloser) {
	rare := res.more()
	rare.filters = append(rare.filters, wrap)
}

// SetCookie adds a cookie that scripts cannot read (HttpOnly). Path defaults to "/"
// and SameSite to Lax, and over TLS every cookie is Secure. A cookie that browsers
// would drop or misread — a bad name or value, a __Host- cookie with a Domain,
// SameSite=None without Secure, more than 4096 bytes — makes the answer a 500 whose
// log entry says why.
func (res *Response) SetCookie(cookie *http.Cookie) {
	hidden := *cookie
	hidden.HttpOnly = true
	res.SetScriptCookie(&hidden)
}

// SetScriptCookie is SetCookie for a cookie that the page's own scripts have to
// read. Nothing that signs a person in belongs there.
func (res *Response) SetScriptCookie(cookie *http.Cookie) {
	copied := *cookie
	if copied.Path == "" {
		copied.Path = "/"
	}
	if copied.SameSite == 0 {
		copied.SameSite = http.SameSiteLaxMode
	}
	if err := secure.CheckCookie(&copied); err != nil {
		res.fail(fmt.Errorf("the cookie %q: %w", cookie.Name, err))
		return
	}
	res.Header().Add("Set-Cookie", copied.String())
}

// DeleteCookie tells the client to drop a cookie that was set with path "/".
func (res *Response) DeleteCookie(name string) {
	res.SetCookie(&http.Cookie{
		Name: name, MaxAge: -1, Expires: time.Unix(1, 0), HttpOnly: true,
		Secure: len(name) > 2 && name[:2] == "__",
	})
}

// fail remembers the first mistake made while building, to be answered as an
// error when the answer is rendered: builders can then be chained.
func (res *Response) fail(err error) {
	if rare := res.more(); rare.err == nil {
		rare.err = err
	}
}

// WithStatus sets the status and returns the answer.
func (res *Response) WithStatus(status int) *Response {
	res.status = statusOf(status)
	return res
}

// WithHeader sets a header and returns the answer. A name or value that no header
// can have, such as one with a line break, makes the answer a 500 whose log entry
// says why.
func (res *Response) WithHeader(name, value string) *Response {
	if !secure.ValidHeaderName(name) || !secure.ValidHeaderValue(value) {
		res.fail(fmt.Errorf("WithHeader(%q, %q): no header can have that name or value", name, value))
		return res
	}
	res.Header().Set(name, value)
	return res
}

// WithCookie adds a cookie, as SetCookie does, and returns the answer.
func (res *Response) WithCookie(cookie *http.Cookie) *Response {
	res.SetCookie(cookie)
	return res
}

// The headers that belong to a body, dropped when another body takes its place.
var bodyHeaders = []string{
	"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Content-Range",
	"Etag", "Last-Modified", "Cache-Control", "Expires", "Accept-Ranges",
}

// clearBody makes room for an error's answer: what described the body goes,
// what describes the exchange (cookies, CORS, request id) stays.
func (res *Response) clearBody() {
	res.body.release()
	res.body, res.rare, res.status, res.madeType = body{}, nil, 0, madeNone
	for _, name := range bodyHeaders {
		delete(res.header, name)
	}
}

func (res *Response) forgetStream() {
	if res.rare != nil {
		res.rare.stream = nil
	}
}

// merge takes over headers. Values of Set-Cookie and Vary join those that are
// there already; those of other headers take their place.
func (res *Response) merge(from http.Header) {
	header := res.Header()
	for name, values := range from {
		if name != "Set-Cookie" && name != "Vary" {
			header[name] = slices.Clip(values)
			continue
		}
		for _, value := range values {
			if !slices.Contains(header[name], value) {
				header[name] = append(slices.Clip(header[name]), value)
			}
		}
	}
}

// vary says that the answer depends on a request header.
func (res *Response) vary(name string) {
	if header := res.Header(); !slices.Contains(header["Vary"], name) {
		header.Add("Vary", name)
	}
}

// writeTo writes a body that is in memory and not empty.
func (b *body) writeTo(w io.Writer) (err error) {
	if b.kind == bodyText {
		_, err = io.WriteString(w, b.data)
	} else {
		_, err = w.Write(memory.Bytes(b.data))
	}
	return err
}

// release gives the body's memory back. The body is gone with it.
func (b *body) release() {
	if b.kind != bodyBytes || b.content == nil {
		return
	}
	b.content.(*buffer).free()
	b.content, b.data = nil, ""
}

// Header values that answers share: setting them allocates nothing.
var (
	typeHTML    = []string{"text/html; charset=utf-8"}
	typeText    = []string{"text/plain; charset=utf-8"}
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	typeOctets  = []string{"application/octet-stream"}
	typeNDJSON  = []string{"application/x-ndjson"}
	typeEvents  = []string{"text/event-stream"}
)

// withType is an answer of any type.
func withType(contentType string, b body) *Response {
	return &Response{madeType: madeOther, body: b, rare: &rareAnswer{contentType: []string{contentType}}}
}

// JSON answers with a value encoded as JSON.
func JSON(value any) *Response {
	return &Response{madeType: madeJSON, body: body{kind: bodyValue, content: value}}
}

// HTML answers with a page as it is given. Use HTMLf, or templates, for anything
// that holds data.
func HTML(page string) *Response {
	return &Response{madeType: madeHTML, body: body{kind: bodyText, data: page}}
}

// HTMLf answers with a page formatted as by fmt.Sprintf, every argument escaped
// for HTML text and quoted attribute values. It knows nothing of URLs, scripts
// and styles: use templates for data in those. A width or precision stands in the
// format itself; "*" is not supported.
func HTMLf(format string, args ...any) *Response {
	escaped := make([]any, len(args))
	for i, arg := range args {
		escaped[i] = escapedFormat{arg}
	}
	return HTML(fmt.Sprintf(format, escaped...))
}

// escapedFormat formats its value by whatever verb is used, then escapes it.
// Numbers too: %c makes any character of one.
type escapedFormat struct{ value any }

func (e escapedFormat) Format(state fmt.State, verb rune) {
	format := fmt.FormatString(state, verb)
	if text, ok := e.value.(string); ok && verb == 'q' {
		// The quotes are the page's own, as in title=%q: what is inside is escaped.
		fmt.Fprintf(state, format, html.EscapeString(text))
		return
	}
	io.WriteString(state, html.EscapeString(fmt.Sprintf(format, e.value)))
}

// Text answers with plain text.
func Text(text string) *Response {
	return &Response{madeType: madeText, body: body{kind: bodyText, data: text}}
}

// Bytes answers with bytes of the given content type.
func Bytes(contentType string, data []byte) *Response {
	return withType(contentType, inMemory(data))
}

// NoContent says 204: done, and there is nothing to show.
var NoContent any = noContent{}

type noContent struct{}

func (noContent) Respond(_ *Request, res *Response) error {
	res.SetStatus(http.StatusNoContent)
	return nil
}

// Redirect sends the client to another address: 303 See Other, so that the next
// request is a GET whatever this one was. Use WithStatus for 301, 302, 307 or
// 308. The target is the program's own: for one that came with a request use
// RedirectLocal.
func Redirect(target string) *Response {
	return (&Response{status: http.StatusSeeOther}).WithHeader("Location", asciiURL(target))
}

// asciiURL escapes what a URL in a header cannot hold as it is: spaces and
// characters outside ASCII (RFC 3986 §2).
func asciiURL(target string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(target) {
		if c := target[i]; c == ' ' || c >= utf8.RuneSelf {
			out.WriteByte('%')
			out.WriteByte(hex[c>>4])
			out.WriteByte(hex[c&15])
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// RedirectLocal is Redirect for a target that came with the request, such as
// ?next=: if the target could lead to another site in any browser, the client is
// sent to the fallback instead.
func RedirectLocal(target, fallback string) *Response {
	if !secure.LocalRedirect(target) {
		target = fallback
	}
	return Redirect(target)
}

// Attachment has the browser save the answer under the given file name, whatever
// characters the name holds (RFC 6266, RFC 8187). It returns the answer.
func (res *Response) Attachment(filename string) *Response {
	return res.WithHeader("Content-Disposition", secure.ContentDisposition("attachment", filename))
}

// Serve answers by a net/http handler that writes as it likes: streaming,
// hijacking and http.ResponseController work. Headers that hooks have set are
// on the writer before the handler runs.
func Serve(handler http.Handler) *Response {
	return &Response{body: body{kind: bodyServe, content: http.HandlerFunc(handler.ServeHTTP)}}
}

// filter runs a body in memory through the answer's filters, once.
func (res *Response) filter() error {
	if len(res.filters()) == 0 || len(res.body.data) == 0 {
		return nil
	}
	buf := newBuffer()
	out, closers := wrapFilters(buf, res.filters())
	err := res.body.writeTo(out)
	for _, closer := range closers {
		err = errors.Join(err, closer.Close())
	}
	if err != nil {
		buf.free()
		return fmt.Errorf("filtering the body: %w", err)
	}
	res.body.release()
	res.body = inBuffer(buf)
	res.rare.filters = nil
	return nil
}

func (res *Response) finalStatus() int {
	if res.status == 0 {
		return http.StatusOK
	}
	return int(res.status)
}
