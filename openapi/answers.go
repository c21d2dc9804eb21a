package openapi

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/schema"
)

// answers describes what a route answers with, by status.
func (b *builder) answers(route *ishaa.Route, given notes, method string, in input) (object, error) {
	var list []answer
	if route.Output() != nil {
		own, err := b.typedAnswers(route)
		if err != nil {
			return nil, err
		}
		list = own
	}
	explicit := false
	for _, note := range given.answers {
		content, err := b.noteContent(note)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(a answer) bool { return a.status == note.status || a.unknown })
		list = append(list, answer{status: note.status, description: note.description, content: content})
		explicit = explicit || note.status < 400
	}
	slices.SortStableFunc(list, func(x, y answer) int { return x.status - y.status })
	doc := object{}
	for _, a := range list {
		doc.Set(strconv.Itoa(a.status), a.document(method))
	}
	for _, status := range b.problemStatuses(route, given, method, in) {
		name := strconv.Itoa(status)
		if doc.Get(name) != nil {
			continue
		}
		ref := b.problem
		if status == http.StatusUnprocessableEntity && in.checked {
			ref = b.invalid
		}
		doc.Set(name, object{{Name: "description", Value: statusText(status)}, {Name: "content", Value: problemContent(ref)}})
	}
	if !slices.ContainsFunc(doc, func(m member) bool { return m.Name[0] == '4' }) {
		doc.Set("4XX", object{{Name: "description", Value: "The request was refused."}, {Name: "content", Value: problemContent(b.problem)}})
	}
	if route.Output() == nil && !explicit {
		doc.Set("default", object{
			{Name: "description", Value: "The answer, whose form the handler decides."}, {Name: "content", Value: anything()},
		})
	}
	return doc, nil
}

// problemStatuses lists what the framework itself refuses requests with, and what was
// named by Problems.
func (b *builder) problemStatuses(route *ishaa.Route, given notes, method string, in input) []int {
	list := slices.Clone(given.problems)
	if in.body != nil {
		list = append(list, 400, 413, 415)
	}
	if in.checked {
		list = append(list, 422)
	}
	if len(route.Parameters()) > 0 {
		list = append(list, 404)
	}
	if schemes, _ := ishaa.SecurityScheme.Of(route); len(schemes) > 0 {
		list = append(list, 401, 403)
	}
	if method != "GET" && method != "HEAD" && method != "OPTIONS" {
		list = append(list, 403) // the cross-origin check
	}
	for _, m := range slices.Concat(route.Middleware(), route.OwnMiddleware()) {
		switch m.Name {
		case "rate-limit":
			list = append(list, 429)
		case "permission", "role-required":
			list = append(list, 403)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// answer is one status with what comes with it.
type answer struct {
	status      int
	description string
	content     object // by media type; nil for none
	headers     object
	unknown     bool // the type does not tell
}

func (a answer) document(method string) object {
	description := a.description
	if description == "" {
		description = statusText(a.status)
	}
	doc := object{{Name: "description", Value: description}}
	if a.headers != nil {
		doc.Set("headers", a.headers)
	}
	if a.content != nil && a.status != http.StatusNoContent && a.status != http.StatusNotModified && method != "HEAD" {
		doc.Set("content", a.content)
	}
	return doc
}

// typedAnswers reads the output of a typed handler, as the root answers it.
func (b *builder) typedAnswers(route *ishaa.Route) ([]answer, error) {
	t := route.Output()
	if t == reflect.TypeFor[struct{}]() {
		return []answer{{status: http.StatusNoContent}}, nil
	}
	bare := t
	if t.Kind() == reflect.Pointer {
		bare = t.Elem()
	}
	if bare.Kind() == reflect.Struct && !isResponder(t) {
		if list, err := b.envelope(route, bare); list != nil || err != nil {
			return list, err
		}
	}
	content, known, err := b.content(t)
	status := http.StatusOK
	if route.Status() != 0 {
		status = route.Status()
	}
	return []answer{{status: status, content: content, unknown: !known}}, err
}

// envelope reads a struct that sets status, headers or cookies beside its body; nil
// when it is none.
func (b *builder) envelope(route *ishaa.Route, t reflect.Type) ([]answer, error) {
	var statuses []int
	var headers, content object
	found, hasBody, known := false, false, true
	for i := range t.NumField() {
		field := t.Field(i)
		if text, ok := field.Tag.Lookup("status"); ok {
			found = true
			for part := range strings.SplitSeq(text, ",") {
				status, err := strconv.Atoi(strings.TrimSpace(part))
				if err != nil {
					return nil, fmt.Errorf("field %s.%s: status:%q is not a list of numbers", t, field.Name, text)
				}
				statuses = append(statuses, status)
			}
		} else if name, ok := field.Tag.Lookup("header"); ok {
			found = true
			described, err := b.app.Schemas().Field(t, field)
			if err != nil {
				return nil, err
			}
			doc := object(nil)
			add(&doc, "description", described.Doc)
			doc.Set("schema", withoutNull(described.Type.JSONSchema(b.defs)))
			headers.Set(http.CanonicalHeaderKey(name), doc)
		} else if _, ok := field.Tag.Lookup("cookie"); ok {
			found = true
			headers.Set("Set-Cookie", object{{Name: "schema", Value: object{{Name: "type", Value: "string"}}}})
		} else if _, ok := field.Tag.Lookup("body"); ok || field.Name == "Body" {
			hasBody = true
			var err error
			if content, known, err = b.content(field.Type); err != nil {
				return nil, err
			}
		}
	}
	if !found {
		return nil, nil
	}
	if statuses == nil {
		switch {
		case route.Status() != 0:
			statuses = []int{route.Status()}
		case hasBody:
			statuses = []int{http.StatusOK}
		default:
			statuses = []int{http.StatusNoContent}
		}
	}
	var list []answer
	for _, status := range statuses {
		list = append(list, answer{status: status, headers: headers, content: content, unknown: !known})
	}
	return list, nil
}

func (b *builder) noteContent(note answerNote) (object, error) {
	if note.content == reflect.TypeFor[struct{}]() {
		return nil, nil
	}
	content, _, err := b.content(note.content)
	if err != nil || note.mediaTypes == nil {
		return content, err
	}
	named := object{}
	for _, mediaType := range note.mediaTypes {
		media := any(object{})
		if len(content) > 0 {
			media = content[0].Value
		}
		named.Set(mediaType, media)
	}
	return named, nil
}

var (
	responderType = reflect.TypeFor[ishaa.Responder]()
	errorType     = reflect.TypeFor[error]()
)

func isResponder(t reflect.Type) bool {
	return t.Implements(responderType) || t == reflect.TypeFor[*ishaa.Response]()
}

// anything is content of which nothing is known.
func anything() object { return object{{Name: "*/*", Value: object{}}} }

// content describes what a value of a type becomes, by media type. It reports false
// where the type does not tell.
func (b *builder) content(t reflect.Type) (object, bool, error) {
	one := func(mediaType string, doc object) (object, bool, error) {
		return object{{Name: mediaType, Value: object{{Name: "schema", Value: doc}}}}, true, nil
	}
	switch {
	case isResponder(t) || t.Implements(errorType) || t.Kind() == reflect.Interface && !b.isOneOf(t) && !t.Implements(reflect.TypeFor[io.Reader]()):
		return anything(), false, nil
	case t.Kind() == reflect.String && (t.PkgPath() == "" || t == reflect.TypeFor[template.HTML]()):
		return one("text/html", object{{Name: "type", Value: "string"}})
	case t == reflect.TypeFor[[]byte]() || t.Implements(reflect.TypeFor[io.Reader]()):
		return one("application/octet-stream", octets())
	case t.CanSeq() && t.Kind() == reflect.Func || t.CanSeq2() && t.Kind() == reflect.Func && t.In(0).In(1) == errorType:
		return b.sequence(t.In(0).In(0))
	case t.Kind() == reflect.Func || t.Kind() == reflect.Chan:
		return anything(), false, nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem() // nil is no body
	}
	described, err := b.app.Schemas().Of(t)
	if err != nil {
		return nil, false, err
	}
	doc := described.OutputSchema(b.defs)
	if kind := described.Kind(); kind == schema.Array || kind == schema.Map {
		doc = withoutNull(doc) // nil is an empty list
	}
	return one("application/json", doc)
}

func (b *builder) isOneOf(t reflect.Type) bool {
	described, err := b.app.Schemas().Of(t)
	return err == nil && described.Kind() == schema.OneOf
}

// sequence describes the three forms of a sequence. OpenAPI 3.1 has no word for the
// items of a stream: the schema of one stands in x-item-schema.
func (b *builder) sequence(item reflect.Type) (object, bool, error) {
	doc := object{}
	if item != reflect.TypeFor[ishaa.Event]() {
		described, err := b.app.Schemas().Of(item)
		if err != nil {
			return nil, false, err
		}
		doc = described.OutputSchema(b.defs)
	}
	stream := func(mediaType, description string) member {
		return member{Name: mediaType, Value: object{{Name: "schema", Value: object{
			{Name: "type", Value: "string"}, {Name: "description", Value: description}, {Name: "x-item-schema", Value: doc},
		}}}}
	}
	return object{
		{Name: "application/json", Value: object{{Name: "schema", Value: object{{Name: "type", Value: "array"}, {Name: "items", Value: doc}}}}},
		stream("application/x-ndjson", "One JSON value a line, each sent as it comes."),
		stream("text/event-stream", "Server-sent events; the data of each is one item in JSON."),
	}, true, nil
}
