package openapitest

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/ishaa-framework/ishaa/openapi"
)

// check lists what is wrong with an exchange.
func (b *book) check(e *exchange) []string {
	op := b.operations[e.request.Method+" "+nameless(openapi.Path(e.route))]
	if op == nil {
		return nil
	}
	faults := b.checkAnswer(op, e)
	if e.status < 400 {
		faults = append(faults, b.checkParameters(op, e)...)
		faults = append(faults, b.checkBody(op, e)...)
	}
	for i := range faults {
		faults[i] = op.label + ": " + faults[i]
	}
	return faults
}

func (b *book) checkAnswer(op *operation, e *exchange) []string {
	name, answer := answerOf(op.answers, e.status)
	if answer == nil {
		return []string{fmt.Sprintf("answer %d: the document has %s; name it by openapi.Problems or openapi.Answer",
			e.status, strings.Join(slices.Sorted(maps.Keys(op.answers)), ", "))}
	}
	say := func(text string) []string { return []string{fmt.Sprintf("answer %d: %s", e.status, text)} }
	content := child(answer, "content")
	body, ok := decoded(e)
	switch {
	case !ok || e.request.Method == http.MethodHead:
		return nil
	case content == nil && len(body) > 0:
		return say("the document has no content for it")
	case content == nil:
		return nil
	}
	given := e.header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(given)
	found, media := mediaOf(content, mediaType)
	if media == nil {
		if e.status >= 400 && mediaType == "text/html" && strings.Contains(e.request.Header.Get("Accept"), "text/html") {
			return nil
		}
		return say(fmt.Sprintf("its type is %q, and the document has %s", given, strings.Join(slices.Sorted(maps.Keys(content)), ", ")))
	}
	schema := child(media, "schema")
	if schema == nil {
		return nil
	}
	pointer := op.pointer + "/responses/" + name + "/content/" + escaped(found) + "/schema"
	if fault := b.checkContent(mediaType, pointer, schema, body); fault != "" {
		return say(mediaType + ": " + fault)
	}
	return nil
}

// answerOf finds what the document has for a status: itself, its class or the default.
func answerOf(answers node, status int) (string, node) {
	for _, name := range []string{strconv.Itoa(status), strconv.Itoa(status/100) + "XX", "default"} {
		if found := child(answers, name); found != nil {
			return name, found
		}
	}
	return "", nil
}

// mediaOf finds a media type or the range that it is in.
func mediaOf(content node, mediaType string) (string, node) {
	kind, _, _ := strings.Cut(mediaType, "/")
	for _, name := range []string{mediaType, kind + "/*", "*/*"} {
		if found := child(content, name); found != nil {
			return name, found
		}
	}
	return "", nil
}

// decoded is the answer's body, if it is there as a whole and in a coding we know.
func decoded(e *exchange) ([]byte, bool) {
	body := e.got.Bytes()
	switch coding := e.header.Get("Content-Encoding"); {
	case e.got.cut:
		return nil, false
	case coding == "" || coding == "identity":
		return body, true
	case coding == "gzip":
		reader, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, len(body) == 0
		}
		body, err = io.ReadAll(io.LimitReader(reader, maxKept))
		return body, err == nil
	}
	return nil, false
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func (b *book) checkContent(mediaType, pointer string, schema node, body []byte) string {
	switch {
	case isJSON(mediaType):
		return b.checkJSON(pointer, body)
	case mediaType == "application/x-ndjson" && schema["x-item-schema"] != nil:
		lines := bufio.NewScanner(bytes.NewReader(body))
		lines.Buffer(nil, maxKept)
		for n := 1; lines.Scan(); n++ {
			if fault := b.checkJSON(pointer+"/x-item-schema", lines.Bytes()); fault != "" {
				return fmt.Sprintf("line %d: %s", n, fault)
			}
		}
	case mediaType == "text/event-stream" && len(child(schema, "x-item-schema")) > 0:
		for n, data := range eventData(body) {
			if fault := b.checkJSON(pointer+"/x-item-schema", []byte(data)); fault != "" {
				return fmt.Sprintf("event %d: %s", n+1, fault)
			}
		}
	}
	return ""
}

// eventData lists the data of server-sent events of the default type.
func eventData(body []byte) []string {
	var list []string
	for event := range strings.SplitSeq(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n\n") {
		var data []string
		named := false
		for line := range strings.SplitSeq(event, "\n") {
			if text, ok := strings.CutPrefix(line, "data:"); ok {
				data = append(data, strings.TrimPrefix(text, " "))
			}
			named = named || strings.HasPrefix(line, "event:")
		}
		if data != nil && !named {
			list = append(list, strings.Join(data, "\n"))
		}
	}
	return list
}

func (b *book) checkJSON(pointer string, text []byte) string {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Sprintf("it is not JSON: %v", err)
	}
	return b.fits(pointer, value)
}

func (b *book) checkParameters(op *operation, e *exchange) []string {
	var faults []string
	query := e.request.URL.Query()
	inPath := 0
	for _, p := range op.parameters {
		var texts []string
		switch p.in {
		case "path":
			texts = e.params[inPath : inPath+1]
			inPath++
		case "query":
			texts = query[p.name]
		case "header":
			texts = e.request.Header.Values(p.name)
		case "cookie":
			for _, cookie := range e.request.CookiesNamed(p.name) {
				texts = append(texts, cookie.Value)
			}
		}
		if texts == nil {
			if p.required {
				faults = append(faults, fmt.Sprintf("accepted without the parameter %s in %s, which the document requires", p.name, p.in))
			}
			continue
		}
		if fault := b.fits(p.pointer, valueOf(p.schema, texts, p.in == "header" || !p.explode)); fault != "" {
			faults = append(faults, fmt.Sprintf("accepted, but the parameter %s in %s does not fit: %s", p.name, p.in, fault))
		}
	}
	return faults
}

// valueOf reads texts as the schema's type wants them; what cannot be read stays text,
// which then does not fit.
func valueOf(schema node, texts []string, split bool) any {
	if schema["type"] == "array" {
		list := []any{}
		for _, text := range texts {
			parts := []string{text}
			if split {
				parts = strings.Split(text, ",")
			}
			for _, part := range parts {
				if split {
					part = strings.TrimSpace(part)
				}
				if part != "" || !split {
					list = append(list, valueOf(child(schema, "items"), []string{part}, false))
				}
			}
		}
		return list
	}
	text := texts[0]
	switch schema["type"] {
	case "integer", "number":
		if value, err := jsonschema.UnmarshalJSON(strings.NewReader(text)); err == nil {
			if number, ok := value.(json.Number); ok {
				return number
			}
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil { // forms that JSON does not have: "007"
			return f
		}
	case "boolean":
		if value, err := strconv.ParseBool(text); err == nil {
			return value
		}
		switch text {
		case "on", "yes":
			return true
		case "off", "no":
			return false
		}
	}
	return text
}

func (b *book) checkBody(op *operation, e *exchange) []string {
	if op.body == nil || e.sent.cut {
		return nil
	}
	sent := e.sent.Bytes()
	if len(sent) == 0 && e.request.ContentLength <= 0 {
		if op.body["required"] == true {
			return []string{"accepted without a body, which the document requires"}
		}
		return nil
	}
	mediaType, params, _ := mime.ParseMediaType(e.request.Header.Get("Content-Type"))
	found, media := mediaOf(child(op.body, "content"), mediaType)
	if media == nil {
		if isJSON(mediaType) { // of application/json
			found, media = mediaOf(child(op.body, "content"), "application/json")
		}
		if media == nil {
			return nil // octets and text are taken whatever they are called
		}
	}
	pointer := op.pointer + "/requestBody/content/" + escaped(found) + "/schema"
	fault := ""
	switch {
	case isJSON(mediaType):
		fault = b.checkJSON(pointer, sent)
	case mediaType == "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(sent))
		if err == nil {
			fault = b.checkForm(pointer, media, values, nil)
		}
	case mediaType == "multipart/form-data":
		form, err := multipart.NewReader(bytes.NewReader(sent), params["boundary"]).ReadForm(maxKept)
		if err == nil {
			files := map[string]int{}
			for name, list := range form.File {
				files[name] = len(list)
			}
			fault = b.checkForm(pointer, media, form.Value, files)
			_ = form.RemoveAll()
		}
	}
	if fault != "" {
		return []string{"accepted, but the body does not fit: " + fault}
	}
	return nil
}

// checkForm makes an object of a form and checks that. A field that nobody filled in
// counts as absent, unless it is text.
func (b *book) checkForm(pointer string, media node, values url.Values, files map[string]int) string {
	schema := child(media, "schema")
	form := node{}
	for name, property := range child(schema, "properties") {
		property := property.(node)
		encoding := child(child(media, "encoding"), name)
		texts := values[name]
		if n := files[name]; n > 0 {
			texts = make([]string, n)
		} else if texts == nil || len(texts) == 1 && texts[0] == "" && property["type"] != "string" && property["type"] != "array" {
			continue
		}
		form[name] = valueOf(property, texts, encoding != nil && encoding["explode"] == false)
	}
	return b.fits(pointer, form)
}
