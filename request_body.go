package ishaa

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// Bytes reads the whole body, within the route's body limit (see BodyLimit).
// It may be called again and gives the same bytes. The error of a body that is
// too large is a 413 problem, of one that could not be read a 400.
func (r *Request) Bytes() ([]byte, error) {
	r.record(Input{Kind: InputBody}, "")
	return r.bytes()
}

func (r *Request) bytes() ([]byte, error) {
	rare := r.more()
	if rare.bodyRead {
		return rare.body, rare.bodyErr
	}
	if rare.form != nil || rare.formErr != nil {
		return nil, errors.New("the body was already read as a form; use Form, or call Bytes before it")
	}
	rare.bodyRead = true
	if r.raw.Body == nil || r.raw.Body == http.NoBody || r.raw.ContentLength == 0 {
		return nil, nil
	}
	if r.raw.ContentLength > r.bodyLimit {
		rare.bodyErr = bodyTooLarge(r.bodyLimit)
		return nil, rare.bodyErr
	}
	rare.body, rare.bodyErr = readLimited(r.limitedBody(), r.raw.ContentLength)
	return rare.body, rare.bodyErr
}

// readLimited reads a body whose size is known (or -1) and maps its errors.
func readLimited(body io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		data, err := io.ReadAll(body)
		if err != nil {
			return nil, bodyError(err)
		}
		return data, nil
	}
	// A client that announces much gets memory for it only as it sends it.
	data := make([]byte, min(size, bodyChunk))
	for filled := 0; ; {
		n, err := io.ReadFull(body, data[filled:])
		if err != nil {
			return nil, bodyError(err)
		}
		if filled += n; int64(filled) == size {
			return data, nil
		}
		grown := make([]byte, min(size, 2*int64(filled)))
		copy(grown, data)
		data = grown
	}
}

// bodyChunk is how much memory is set aside for a body before any of it came.
const bodyChunk = 1 << 20

// limitedBody wraps the raw body by the route's limit, once.
func (r *Request) limitedBody() io.ReadCloser {
	if !r.guarded && r.raw.Body != nil {
		r.guarded = true
		r.raw.Body = http.MaxBytesReader(r.writer, r.raw.Body, r.bodyLimit)
	}
	return r.raw.Body
}

// Text reads the whole body as UTF-8 text. Other bytes are a 400 problem.
func (r *Request) Text() (string, error) {
	data, err := r.Bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", BadRequest("the body is not valid UTF-8 text")
	}
	return string(data), nil
}

// MaxJSONDepth is how deep arrays and objects of a JSON body may nest.
const MaxJSONDepth = 64

// DecodeJSON reads a JSON body into v, as encoding/json does, but strictly: a
// body that is not JSON by RFC 8259, has data after its value, names a member
// twice, is not UTF-8 or nests deeper than MaxJSONDepth is a 400 problem; one of
// another content type a 415; one that does not fit v a 422. Only into a
// *json.RawMessage, which nobody has read yet, are repeated names let through.
func (r *Request) DecodeJSON(v any) error {
	data, err := r.jsonBytes()
	if err != nil {
		return err
	}
	check := strictjson.Check
	if _, raw := v.(*json.RawMessage); raw {
		check = strictjson.CheckSyntax
	}
	if err := check(data, MaxJSONDepth); err != nil {
		return BadRequest("the body is not valid JSON: %v", err).Wrap(err)
	}
	return decodeJSON(r.route.app, data, v)
}

// jsonBytes reads the body of a request that says it is JSON.
func (r *Request) jsonBytes() ([]byte, error) {
	if r.recorder != nil {
		r.recordHeader("Content-Type")
	}
	if media := r.contentType(); !isJSON(media) {
		if media == "" {
			media = "none"
		}
		return nil, UnsupportedMediaType("expected Content-Type application/json, got %s", media)
	}
	data, err := r.Bytes()
	if err == nil && len(data) == 0 {
		err = BadRequest("the body is empty; expected JSON")
	}
	return data, err
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// HTTP returns the raw request, for code written for net/http. Its body is
// within the route's limit and its context is the Request's own. Engines cannot
// see what is read from it, so they treat the answer as depending on anything.
func (r *Request) HTTP() *http.Request {
	r.record(Input{Kind: InputRaw}, "")
	return r.http()
}

func (r *Request) http() *http.Request {
	if rare := r.rare; rare != nil && rare.bodyRead && rare.bodyErr == nil {
		r.raw.Body = io.NopCloser(bytes.NewReader(rare.body))
	} else {
		r.limitedBody()
	}
	if r.raw.Body == nil {
		r.raw.Body = http.NoBody // a request that did not come from a server may have none
	}
	if ctx := r.context(); r.raw.Context() != ctx {
		r.raw = r.raw.WithContext(ctx)
	}
	return r.raw
}
