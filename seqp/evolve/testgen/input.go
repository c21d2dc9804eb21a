package testgen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/types"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/seqp/evolve/risk"
)

// field is a value of a request.
type field struct {
	from     string // path, query, header, cookie, form or body
	name     string
	kind     string // string, integer, number, boolean or other
	tag      reflect.StructTag
	required bool
	typed    bool // the framework checks it
}

// fieldsOf are what a client may send to a route.
func fieldsOf(route risk.Route) []field {
	var list []field
	if route.Input != nil {
		list = structFields(route.Input, "", "", 0)
	}
	for _, p := range risk.Parameters(route.Pattern) {
		i := slices.IndexFunc(list, func(f field) bool { return f.from == "path" && f.name == p.Name })
		kind := "string"
		if p.Converter == "int" || p.Converter == "float" {
			kind = "integer"
		}
		format := map[string]string{"uuid": `format:"uuid"`, "re": `format:"re"`, "path": `format:"rest"`}[p.Converter]
		if i < 0 {
			list = append(list, field{from: "path", name: p.Name, kind: kind, tag: reflect.StructTag(format), required: true})
		} else {
			if format != "" {
				list[i].tag = reflect.StructTag(format)
			}
			list[i].required = true
		}
	}
	for _, read := range route.Reads {
		if !slices.ContainsFunc(list, func(f field) bool { return f.name == read.Name }) && read.From != "header" && read.From != "cookie" && read.From != "body" {
			list = append(list, field{from: read.From, name: read.Name, kind: cmp.Or(read.Kind, "string")})
		}
	}
	return list
}

func structFields(t types.Type, within, path string, depth int) []field {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	structure, ok := t.Underlying().(*types.Struct)
	if !ok || depth > 3 {
		return nil
	}
	var list []field
	for i := range structure.NumFields() {
		v, tag := structure.Field(i), reflect.StructTag(structure.Tag(i))
		if v.Embedded() && structure.Tag(i) == "" {
			list = append(list, structFields(v.Type(), within, path, depth+1)...)
			continue
		}
		if v.Name() == "Body" && within == "" || tag.Get("body") != "" {
			list = append(list, structFields(v.Type(), "body", "", depth+1)...)
			continue
		}
		f := field{from: within, tag: tag, kind: kindOf(v.Type()), required: tag.Get("required") == "true", typed: true}
		if within == "body" {
			f.name, _, _ = strings.Cut(tag.Get("json"), ",")
			if f.name != "" && f.name != "-" && v.Exported() && f.kind == "other" {
				inner, at := v.Type(), path+f.name+"/"
				if slice, ok := inner.Underlying().(*types.Slice); ok { // a list of one
					inner, at = slice.Elem(), at+"0/"
				}
				list = append(list, structFields(inner, "body", at, depth+1)...)
			}
			if f.name != "" && f.name != "-" {
				f.name = path + f.name
			}
		} else {
			for _, from := range []string{"path", "query", "header", "cookie", "form"} {
				if name, ok := tag.Lookup(from); ok {
					f.from = from
					f.name, _, _ = strings.Cut(name, ",")
				}
			}
		}
		if f.name != "" && f.name != "-" && f.from != "" && v.Exported() {
			list = append(list, f)
		}
	}
	return list
}

func kindOf(t types.Type) string {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil {
		if path := named.Obj().Pkg().Path() + "." + named.Obj().Name(); path == "time.Duration" || path == "time.Time" {
			return "other"
		}
	}
	basic, ok := t.Underlying().(*types.Basic)
	switch {
	case !ok:
		return "other"
	case basic.Info()&types.IsString != 0:
		return "string"
	case basic.Info()&types.IsInteger != 0:
		return "integer"
	case basic.Info()&types.IsFloat != 0:
		return "number"
	case basic.Info()&types.IsBoolean != 0:
		return "boolean"
	}
	return "other"
}

// number is a constraint of a tag.
func (f field) number(name string) (float64, bool) {
	n, err := strconv.ParseFloat(f.tag.Get(name), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// fits is a value that fits, or nil where none is known.
func (f field) fits() any {
	if list, ok := f.tag.Lookup("enum"); ok {
		first, _, _ := strings.Cut(list, ",")
		return first
	}
	if text, ok := f.tag.Lookup("example"); ok {
		return text
	}
	switch f.kind {
	case "integer", "number":
		least, has := f.number("minimum")
		most, bounded := f.number("maximum")
		n := 1.0
		if has && n < least {
			n = least
		}
		if bounded && n > most {
			n = most
		}
		return n
	case "boolean":
		return true
	case "string":
		if text := map[string]string{"email": "ada@example.com", "uuid": "7d444840-9dc0-11d1-b245-5ffdce74fad2", "date": "2030-01-02",
			"date-time": "2030-01-02T03:04:05Z", "uri": "https://example.com/", "ipv4": "192.0.2.1", "re": ""}[f.tag.Get("format")]; text != "" {
			return text
		}
		if f.tag.Get("pattern") != "" || f.tag.Get("format") == "re" {
			return nil
		}
		least, _ := f.number("minLength")
		return strings.Repeat("a", int(min(max(least, 3), 10_000)))
	}
	return nil
}

// request is one request of a test.
type request struct {
	method, path string
	query        url.Values
	form         url.Values
	body         map[string]any
	header       []string // name, value, name, value
	raw          string   // of the body, in place of the fields
	rawType      string
}

// build makes a request of values by field; fields without a value are left out. It is false where a value that has to be
// there is not known.
func build(route risk.Route, fields []field, values map[string]any) (request, bool) {
	method, _, _ := strings.Cut(route.Method, ",")
	if method == "*" {
		method = "GET"
	}
	q := request{method: method, query: url.Values{}, form: url.Values{}}
	path := route.Pattern
	for _, f := range fields {
		value, given := values[f.from+" "+f.name]
		if given && value == nil || !given && f.from != "path" {
			continue
		}
		text := textOf(value)
		switch f.from {
		case "path":
			if !given || text == "" {
				return q, false
			}
			begin, end := placeOf(path, f.name)
			if begin < 0 {
				return q, false
			}
			path = path[:begin] + url.PathEscape(text) + path[end:]
		case "query":
			q.query.Set(f.name, text)
		case "form":
			q.form.Set(f.name, text)
		case "body":
			if q.body == nil {
				q.body = map[string]any{}
			}
			put(q.body, strings.Split(f.name, "/"), value)
		}
	}
	if strings.ContainsAny(path, "<>") {
		return q, false
	}
	q.path = path
	return q, true
}

// put puts a value where a path leads, in objects and in lists of one.
func put(object map[string]any, path []string, value any) {
	name := path[0]
	switch {
	case len(path) == 1:
		object[name] = value
	case path[1] == "0" && len(path) > 2:
		list, ok := object[name].([]any)
		if !ok {
			list = []any{map[string]any{}}
			object[name] = list
		}
		put(list[0].(map[string]any), path[2:], value)
	default:
		inner, ok := object[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[name] = inner
		}
		put(inner, path[1:], value)
	}
}

// placeOf is where a pattern has a parameter.
func placeOf(pattern, name string) (begin, end int) {
	for from := 0; ; {
		i := strings.IndexByte(pattern[from:], '<')
		if i < 0 {
			return -1, -1
		}
		i += from
		j := strings.IndexByte(pattern[i:], '>')
		if j < 0 {
			return -1, -1
		}
		text := pattern[i+1 : i+j]
		if text == name || strings.HasSuffix(text, ":"+name) {
			return i, i + j + 1
		}
		from = i + j + 1
	}
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// target is the path with its query.
func (q request) target() string {
	if len(q.query) == 0 {
		return q.path
	}
	return q.path + "?" + q.query.Encode()
}

// content is the body and its type.
func (q request) content() (contentType, body string) {
	switch {
	case q.raw != "" || q.rawType != "":
		return q.rawType, q.raw
	case q.body != nil:
		text, err := json.Marshal(q.body)
		if err != nil {
			return "", ""
		}
		return "application/json", string(text)
	case len(q.form) > 0:
		return "application/x-www-form-urlencoded", q.form.Encode()
	}
	return "", ""
}

// sent is the request as it is sent; nothing where there is none.
func (q request) sent() sent {
	if q.method == "" {
		return sent{}
	}
	contentType, body := q.content()
	return sent{q.method, q.target(), contentType, body, q.header}
}

// literal is the request as Go.
func (q request) literal() string {
	text := fmt.Sprintf("seqpRequest{Method: %q, Target: %q", q.method, q.target())
	if contentType, body := q.content(); contentType != "" {
		text += fmt.Sprintf(", Type: %q, Body: %s", contentType, quoted(body))
	}
	if len(q.header) > 0 {
		text += ", Header: []string{" + quotedList(q.header) + "}"
	}
	return text + "}"
}

// code is the request as a call of a client.
func (q request) code() string {
	text := "client.Do(" + strconv.Quote(q.method) + ", " + strconv.Quote(q.target())
	if contentType, body := q.content(); contentType != "" {
		text += ", ishaatest.Body(" + strconv.Quote(contentType) + ", " + quoted(body) + ")"
	}
	return text + ")"
}

func quoted(text string) string {
	if strconv.CanBackquote(text) && strings.ContainsAny(text, `"\`) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// curl is the request as a command line.
func (q request) curl() string {
	text := "curl -i -X " + q.method
	for i := 0; i+1 < len(q.header); i += 2 {
		text += " -H " + shell(q.header[i]+": "+q.header[i+1])
	}
	if contentType, body := q.content(); contentType != "" {
		text += " -H " + shell("Content-Type: "+contentType) + " --data-binary " + shell(body)
	}
	return text + " " + shell("http://127.0.0.1:8000"+q.target())
}

func shell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
