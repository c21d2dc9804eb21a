package ishaatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// payload is a request's body as its options describe it. Form fields and files
// add up; everything else stands alone.
type payload struct {
	kind        string // the option that made it, for messages
	contentType string
	data        []byte
	stream      io.Reader
	fields      []formField
	files       []formFile
}

type formField struct{ name, value string }

type formFile struct {
	field, filename string
	content         []byte
}

// Form sends name, value pairs as a form: urlencoded, or multipart when there is a
// File too. A name may be given several times.
func Form(pairs ...string) RequestOption {
	return requestOption(func(r *request) {
		if len(pairs)%2 != 0 {
			r.refuse("Form: %d arguments are no name, value pairs", len(pairs))
			return
		}
		if !r.takes("Form") {
			return
		}
		for i := 0; i < len(pairs); i += 2 {
			r.body.fields = append(r.body.fields, formField{pairs[i], pairs[i+1]})
		}
	})
}

// File uploads a file in a multipart form. Its content type is what the content
// looks like.
func File[T string | []byte](field, filename string, content T) RequestOption {
	return requestOption(func(r *request) {
		if r.takes("Form") {
			r.body.files = append(r.body.files, formFile{field, filename, []byte(content)})
		}
	})
}

// JSON sends a value as JSON. A json.RawMessage is sent as it is, well-formed or
// not.
func JSON(value any) RequestOption {
	return requestOption(func(r *request) {
		if !r.takes("JSON") {
			return
		}
		r.body.contentType = "application/json"
		if text, ok := value.(json.RawMessage); ok {
			r.body.data = text
			return
		}
		data, err := json.Marshal(value)
		if err != nil {
			r.refuse("JSON: %v", err)
		}
		r.body.data = data
	})
}

// Body sends bytes of a content type; "" leaves the type out.
func Body[T string | []byte](contentType string, content T) RequestOption {
	return requestOption(func(r *request) {
		if r.takes("Body") {
			r.body.contentType, r.body.data = contentType, []byte(content)
		}
	})
}

// BodyFrom sends what a reader gives, as it gives it, without saying how long it
// will be. A reader that is an io.Closer is closed.
func BodyFrom(contentType string, content io.Reader) RequestOption {
	return requestOption(func(r *request) {
		if r.takes("BodyFrom") {
			r.body.contentType, r.body.stream = contentType, content
		}
	})
}

// takes notes which option describes the body, and refuses a second one.
func (r *request) takes(kind string) bool {
	if r.body.kind != "" && (r.body.kind != kind || kind != "Form") {
		r.refuse("%s: the request has a body already, by %s", kind, r.body.kind)
		return false
	}
	r.body.kind = kind
	return true
}

// encode turns form fields and files into bytes.
func (p *payload) encode() error {
	switch {
	case p.kind != "Form":
		return nil
	case len(p.files) == 0:
		p.contentType, p.data = "application/x-www-form-urlencoded", p.urlencoded()
		return nil
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, field := range p.fields {
		if err := w.WriteField(field.name, field.value); err != nil {
			return err
		}
	}
	for _, file := range p.files {
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition(file.field, file.filename)},
			"Content-Type":        {http.DetectContentType(file.content)},
		})
		if err != nil {
			return err
		}
		if _, err := part.Write(file.content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	p.contentType, p.data = w.FormDataContentType(), buf.Bytes()
	return nil
}

func (p *payload) urlencoded() []byte {
	var out strings.Builder
	for i, field := range p.fields {
		if i > 0 {
			out.WriteByte('&')
		}
		fmt.Fprintf(&out, "%s=%s", url.QueryEscape(field.name), url.QueryEscape(field.value))
	}
	return []byte(out.String())
}

// reader returns the body for one sending of the request, and its length: -1 when
// it is not known.
func (p *payload) reader() (io.ReadCloser, int64) {
	switch stream := p.stream.(type) {
	case nil:
		if len(p.data) == 0 {
			return http.NoBody, 0
		}
		return io.NopCloser(bytes.NewReader(p.data)), int64(len(p.data))
	case io.ReadCloser:
		return stream, -1
	}
	return io.NopCloser(p.stream), -1
}
