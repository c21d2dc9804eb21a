package ishaa

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/memory"
	"github.com/ishaa-framework/ishaa/schema"
)

// This file walks a bindPlan for a request; bind.go makes the plan.

// bind fills the struct. Dependencies come first, so that one which refuses the
// client does so before anything is said about its input; then all that does not
// fit is reported at once.
func (p *bindPlan) bind(r *Request, into reflect.Value) error {
	for _, index := range p.requests {
		into.FieldByIndex(index).Set(reflect.ValueOf(r))
	}
	for i := range p.provided {
		into.FieldByIndex(p.provided[i].index).Set(p.provided[i].value)
	}
	for _, dependency := range p.dependencies {
		value, err := r.dependency(dependency.plan)
		if err != nil {
			return err
		}
		into.FieldByIndex(dependency.index).Set(value)
	}
	var form *Form
	if p.form {
		var err error
		if form, err = r.Form(); err != nil {
			return err
		}
	}
	var violations []schema.Violation
	var inline [8]parameter
	query := p.readQuery(r, inline[:0])
	base := into.Addr().UnsafePointer()
	for i := range p.params {
		f := &p.params[i]
		if f.quick != nil && f.bindQuickly(r, query, base) {
			continue // by far the most
		}
		violations = append(violations, f.bind(r, form, query, into)...)
	}
	for i := range p.files {
		violations = append(violations, p.files[i].bind(form, into)...)
	}
	if p.body != nil {
		more, err := p.body.bind(r, into)
		if err != nil {
			return err
		}
		violations = append(violations, more...)
	}
	if len(violations) > 0 {
		return violated(violations)
	}
	return nil
}

// bindQuickly sets the field if its text is of the usual kind, and otherwise leaves
// it.
func (f *paramField) bindQuickly(r *Request, query []parameter, base memory.Pointer) bool {
	if f.query >= 0 {
		got := &query[f.query]
		return got.count == 1 && f.quick.Set(memory.Add(base, f.offset), got.text)
	}
	if f.in != "path" || r.recorder != nil {
		return false
	}
	i := r.route.paramIndex(f.name)
	return i >= 0 && i < r.params.Len() && f.quick.Set(memory.Add(base, f.offset), r.params.Text(i))
}

// violated is the 422 problem that names everything that does not fit.
func violated(violations []schema.Violation) *Problem {
	detail := "1 value does not fit"
	if len(violations) > 1 {
		detail = fmt.Sprintf("%d values do not fit", len(violations))
	}
	return (&Problem{Status: http.StatusUnprocessableEntity, Detail: detail}).With("errors", violations)
}

// bind reads one parameter. Absent and empty differ: only an absent one gets the
// default or breaks "required".
func (f *paramField) bind(r *Request, form *Form, query []parameter, into reflect.Value) []schema.Violation {
	target := fieldAt(into, f.field.Index)
	if f.list {
		values := f.values(r, form)
		if values == nil {
			return f.absent(target)
		}
		if f.in == "header" {
			return f.mark(f.field.Type.SetTexts(target, values))
		}
		return f.mark(f.field.SetTexts(target, values))
	}
	var got parameter
	if f.query >= 0 {
		got = query[f.query]
	} else {
		got = f.text(r, form)
	}
	switch got.count {
	case 0:
		return f.absent(target)
	case 1:
		if got.text == "" && f.in == "form" && f.field.Type.Kind() != schema.String {
			return f.absent(target) // a form sends the fields that nobody filled in, too
		}
		if violations := f.field.Type.SetText(target, got.text); violations != nil {
			return f.mark(violations)
		}
		return nil
	}
	return f.mark([]schema.Violation{{Rule: "single", Message: fmt.Sprintf("is given %d times and may be given once", got.count)}})
}

// parameter is a parameter of the request: its first text and how many there are.
type parameter struct {
	text  string
	count int
}

// readQuery finds all single query parameters in one pass.
func (p *bindPlan) readQuery(r *Request, into []parameter) []parameter {
	if len(p.queries) == 0 {
		return into
	}
	for range p.queries {
		into = append(into, parameter{})
	}
	if r.recorder == nil && p.scanQuery(r.raw.URL.RawQuery, into) {
		return into
	}
	for i := range p.params {
		if f := &p.params[i]; f.query >= 0 {
			text, count := r.queryCount(f.name)
			into[f.query] = parameter{text, count}
			if r.recorder != nil {
				r.recordQuery(f.name, text, count)
			}
		}
	}
	return into
}

// scanQuery reads a query in which nothing is escaped. It reports false, with into
// as it was, when something is. Parameters mostly come in the order of the fields, so
// each is first taken for the one after the last.
func (p *bindPlan) scanQuery(raw string, into []parameter) bool {
	next := 0
	for len(raw) > 0 {
		start := 0 // of the text, if the guess is right
		if p.distinct && next < len(p.queries) {
			if name := p.queries[next]; len(raw) > len(name) && raw[len(name)] == '=' && raw[:len(name)] == name {
				start = len(name) + 1
			}
		}
		end, equals := start, -1
	pair:
		for ; end < len(raw); end++ {
			switch queryBytes[raw[end]] {
			case queryEquals:
				if equals < 0 {
					equals = end
				}
			case queryAnd:
				break pair
			case queryEscape:
				clear(into)
				return false
			}
		}
		switch {
		case start > 0:
			into[next].note(raw[start:end])
			next++
		case equals >= 0:
			p.give(raw[:equals], raw[equals+1:end], into)
		case end > 0:
			p.give(raw[:end], "", into)
		}
		raw = raw[min(end+1, len(raw)):]
	}
	return true
}

// give notes a parameter for the fields that asked for it.
func (p *bindPlan) give(name, text string, into []parameter) {
	for i := range p.queries {
		if p.queries[i] == name {
			into[i].note(text)
		}
	}
}

func (got *parameter) note(text string) {
	if got.count == 0 {
		got.text = text
	}
	got.count++
}

// What a byte means in a query.
const (
	queryText = iota
	queryEquals
	queryAnd
	queryEscape
)

var queryBytes = [256]uint8{'=': queryEquals, '&': queryAnd, '%': queryEscape, '+': queryEscape, ';': queryEscape}

func (f *paramField) absent(target reflect.Value) []schema.Violation {
	if f.field.Required {
		return f.mark([]schema.Violation{{Rule: "required", Message: "is required"}})
	}
	f.field.SetDefault(target)
	return nil
}

// fieldAt is FieldByIndex without the loop where the field is the struct's own.
func fieldAt(v reflect.Value, index []int) reflect.Value {
	if len(index) == 1 {
		return v.Field(index[0])
	}
	return v.FieldByIndex(index)
}

// pointerEscaper writes a name as a part of a JSON pointer (RFC 6901 §3).
var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// mark says where the violations are.
func (f *paramField) mark(violations []schema.Violation) []schema.Violation {
	for i := range violations {
		v := &violations[i]
		v.In = f.in
		v.Pointer = "/" + pointerEscaper.Replace(f.name) + v.Pointer
		if f.field.Secret {
			v.Value = nil
		}
	}
	return violations
}

// text returns a single value that does not come from the query.
func (f *paramField) text(r *Request, form *Form) parameter {
	switch f.in {
	case "path":
		if r.recorder != nil {
			r.Param(f.name)
		}
		return once(r.param(f.name))
	case "header":
		if r.recorder != nil {
			r.recordHeader(f.name)
		}
		return firstOf(r.raw.Header[f.name])
	case "cookie":
		return once(r.Cookie(f.name))
	}
	return firstOf(form.parsed.Values[f.name])
}

func once(text string, ok bool) parameter {
	if ok {
		return parameter{text, 1}
	}
	return parameter{}
}

func firstOf(values []string) parameter {
	if len(values) == 0 {
		return parameter{}
	}
	return parameter{values[0], len(values)}
}

// values returns a list: repeated parameters, or with explode:"false" one whose
// parts are separated by commas, which the field takes apart. Header lists are both
// (RFC 9110 §5.3). It is nil when the parameter is absent.
func (f *paramField) values(r *Request, form *Form) []string {
	switch f.in {
	case "query":
		if r.recorder != nil {
			r.record(Input{Kind: InputQueryAll}, r.raw.URL.RawQuery)
		}
		return r.parsedQuery()[f.name]
	case "form":
		return form.parsed.Values[f.name]
	}
	if r.recorder != nil {
		r.recordHeader(f.name)
	}
	lines := r.raw.Header[f.name]
	if lines == nil {
		return nil
	}
	parts := []string{}
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.TrimSpace(part); part != "" {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

func (f *fileField) bind(form *Form, into reflect.Value) []schema.Violation {
	files := form.Files(f.name)
	wrong := func(rule, message string) []schema.Violation {
		return []schema.Violation{{Pointer: "/" + f.name, In: "form", Rule: rule, Message: message}}
	}
	switch {
	case len(files) == 0 && f.required:
		return wrong("required", "is required")
	case len(files) == 0:
		return nil
	case f.list:
		into.FieldByIndex(f.index).Set(reflect.ValueOf(files))
	case len(files) > 1:
		return wrong("single", fmt.Sprintf("is given %d times and may be given once", len(files)))
	default:
		into.FieldByIndex(f.index).Set(reflect.ValueOf(files[0]))
	}
	return nil
}

func (f *bodyField) bind(r *Request, into reflect.Value) ([]schema.Violation, error) {
	target := into.FieldByIndex(f.index)
	switch f.form {
	case bodyAsText:
		text, err := r.Text()
		target.SetString(text)
		return nil, err
	case bodyAsBytes:
		data, err := r.Bytes()
		target.SetBytes(data)
		return nil, err
	}
	if f.optional && r.raw.ContentLength == 0 {
		r.record(Input{Kind: InputBody}, "")
		return nil, nil
	}
	data, err := r.jsonBytes()
	if err != nil {
		return nil, err
	}
	violations, err := f.typ.DecodeValue(data, target, schema.DecodeOptions{MaxDepth: MaxJSONDepth})
	if err != nil {
		return nil, BadRequest("the body is not valid JSON: %v", err).Wrap(err)
	}
	for i := range violations {
		violations[i].In = "body"
		if f.secret {
			violations[i].Value = nil
		}
	}
	return violations, nil
}
