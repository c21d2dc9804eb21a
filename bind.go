package ishaa

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa/schema"
)

// Binding fills the struct that a typed handler or a dependency asks for. The
// struct is read once, when the route is registered, into a bindPlan; a request
// only walks the plan. Every field comes from exactly the source that its tag
// names, so nothing that a client sends can reach a field that did not ask for it.

// The tags that say where a field comes from.
var sources = []string{"path", "query", "header", "cookie", "form", "file", "body"}

// bindPlan says how to fill one struct.
type bindPlan struct {
	owner        reflect.Type
	dependencies []dependencyField
	provided     []providedField
	requests     [][]int // fields that get the *Request
	params       []paramField
	queries      int // how many of params come from the query, one by one
	files        []fileField
	body         *bodyField
	form         bool // some field comes from the form

	once sync.Once // of looking up what is provided
	err  error
}

type dependencyField struct {
	index []int
	plan  *dependencyPlan
}

type providedField struct {
	index []int
	name  string
	typ   reflect.Type
	value reflect.Value // found when the application starts
}

// paramField is a field that comes from text.
type paramField struct {
	in    string // path, query, header, cookie, form
	name  string
	field *schema.Field
	list  bool
	query int // its place among the single query parameters, or -1
}

type fileField struct {
	index    []int
	name     string
	list     bool
	required bool
}

type bodyField struct {
	index    []int
	typ      *schema.Type
	form     bodyForm
	optional bool // a pointer: no body leaves it nil
	secret   bool
}

type bodyForm uint8

const (
	bodyAsJSON bodyForm = iota
	bodyAsBytes
	bodyAsText
)

// planFields reads a struct. The path holds the dependencies above it.
func (a *App) planFields(t reflect.Type, path []reflect.Type) (*bindPlan, error) {
	plan := &bindPlan{owner: t}
	if err := a.planStruct(plan, t, nil, path); err != nil {
		return nil, err
	}
	if plan.body != nil && plan.form {
		return nil, fmt.Errorf("%s takes its body both as a form and as a whole; a request has one body", t)
	}
	return plan, nil
}

func (a *App) planStruct(plan *bindPlan, t reflect.Type, at []int, path []reflect.Type) error {
	for i := range t.NumField() {
		field := t.Field(i)
		field.Index = append(slices.Clone(at), i)
		if err := a.planField(plan, t, field, path); err != nil {
			var named *schema.DefinitionError
			if errors.As(err, &named) {
				return err // it says which field
			}
			return fmt.Errorf("field %s.%s: %w", t, field.Name, err)
		}
	}
	return nil
}

func (a *App) planField(plan *bindPlan, owner reflect.Type, field reflect.StructField, path []reflect.Type) error {
	source, name, err := sourceOf(field)
	if err != nil {
		return err
	}
	embedded := field.Anonymous && source == ""
	switch {
	case field.Tag.Get("bind") == "-":
		return nil
	case embedded && (promotes(field.Type, resolverType) || promotes(field.Type, closerType)):
		return fmt.Errorf("an embedded field with Resolve or Close lends its methods to %s; give the field a name", owner)
	case embedded && field.Type.Kind() == reflect.Struct:
		return a.planStruct(plan, field.Type, field.Index, path)
	case !field.IsExported():
		if source != "" {
			return fmt.Errorf("it has the tag %s but is not exported", source)
		}
		return nil
	case source == "":
		return a.planUntagged(plan, field, path)
	case source == "body":
		return a.planBody(plan, field)
	case source == "file":
		return plan.planFile(field, name)
	}
	return a.planParam(plan, owner, field, source, name)
}

func promotes(t, method reflect.Type) bool {
	return t.Implements(method) || reflect.PointerTo(t).Implements(method)
}

// sourceOf finds the one tag that says where a field comes from. A field named
// Body without any is the body.
func sourceOf(field reflect.StructField) (source, name string, err error) {
	for _, tag := range sources {
		text, ok := field.Tag.Lookup(tag)
		switch {
		case !ok:
			continue
		case source != "":
			return "", "", fmt.Errorf("it has the tags %s and %s; a field comes from one place", source, tag)
		case text == "" && tag != "body":
			return "", "", fmt.Errorf("its tag %s is empty; write %s:\"name\"", tag, tag)
		}
		source, name = tag, text
	}
	if source == "" && field.Name == "Body" && !field.Anonymous && field.Tag.Get("bind") == "" {
		source = "body"
	}
	return source, name, nil
}

// planUntagged is a field that the request does not fill: a dependency, something
// the application provides, or the Request itself.
func (a *App) planUntagged(plan *bindPlan, field reflect.StructField, path []reflect.Type) error {
	t := field.Type
	switch {
	case t == requestType:
		plan.requests = append(plan.requests, field.Index)
	case isDependency(t):
		dependency, err := a.planDependency(t, path)
		if err != nil {
			return err
		}
		plan.dependencies = append(plan.dependencies, dependencyField{field.Index, dependency})
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface:
		plan.provided = append(plan.provided, providedField{index: field.Index, name: field.Name, typ: t})
	case t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(resolverType):
		return fmt.Errorf("a dependency is a pointer: write *%s", t)
	default:
		return fmt.Errorf("a %s needs a tag that says where it comes from (path, query, header, cookie, form, file, body), or bind:\"-\" to be left alone", t)
	}
	return nil
}

func (a *App) planBody(p *bindPlan, field reflect.StructField) error {
	if p.body != nil {
		return fmt.Errorf("the body is taken twice")
	}
	body := &bodyField{index: field.Index, optional: field.Type.Kind() == reflect.Pointer, secret: field.Tag.Get("secret") == "true"}
	switch {
	case field.Type.Kind() == reflect.String:
		body.form = bodyAsText
	case field.Type == reflect.TypeFor[[]byte]():
		body.form = bodyAsBytes
	default:
		described, err := a.schemas.Field(p.owner, field)
		if err != nil {
			return err
		}
		body.typ = described.Type
	}
	p.body = body
	return nil
}

var (
	fileType  = reflect.TypeFor[*FormFile]()
	filesType = reflect.TypeFor[[]*FormFile]()
)

func (p *bindPlan) planFile(field reflect.StructField, name string) error {
	if field.Type != fileType && field.Type != filesType {
		return fmt.Errorf("a file is a *ishaa.FormFile or a []*ishaa.FormFile, not a %s", field.Type)
	}
	p.form = true
	p.files = append(p.files, fileField{field.Index, name, field.Type == filesType, field.Tag.Get("required") == "true"})
	return nil
}

func (a *App) planParam(p *bindPlan, owner reflect.Type, field reflect.StructField, source, name string) error {
	described, err := a.schemas.Field(owner, field)
	if err != nil {
		return err
	}
	list := described.Type.TextualList()
	switch {
	case !list && !described.Type.Textual():
		return fmt.Errorf("a %s cannot be read from text, as %s is", field.Type, source)
	case list && field.Type.Kind() == reflect.Array:
		return fmt.Errorf("a %s is a list of numbers; for a UUID use a string, or a type that has UnmarshalText", field.Type)
	case list && (source == "path" || source == "cookie"):
		return fmt.Errorf("a %s has one value; a list cannot come from it", source)
	case source == "path" && described.Default != nil:
		return fmt.Errorf("a path parameter is always there; drop the default")
	}
	if source == "header" {
		name = http.CanonicalHeaderKey(name)
	}
	p.form = p.form || source == "form"
	param := paramField{in: source, name: name, field: described, list: list, query: -1}
	if source == "query" && !list {
		param.query = p.queries
		p.queries++
	}
	p.params = append(p.params, param)
	return nil
}

// fits checks a plan, and the dependencies in it, against a route's pattern.
func (p *bindPlan) fits(route *Route) error {
	for _, param := range p.params {
		if param.in != "path" {
			continue
		}
		i := route.paramIndex(param.name)
		if i < 0 && !route.takes(param.name) {
			return fmt.Errorf("field %s.%s: the pattern has no parameter %q%s", p.owner, param.field.GoName, param.name, suggestParam(param.name, route))
		}
		if i >= 0 {
			if err := converterFits(route.params[i].Converter, param.field.Type.Kind()); err != nil {
				return fmt.Errorf("field %s.%s: the parameter %q %w", p.owner, param.field.GoName, param.name, err)
			}
		}
	}
	for _, dependency := range p.dependencies {
		if err := dependency.plan.fields.fits(route); err != nil {
			return err
		}
	}
	return nil
}

func suggestParam(name string, route *Route) string {
	known := map[string]bool{}
	for _, p := range route.params {
		known[p.Name] = true
	}
	return suggest(name, known)
}

func converterFits(converter string, kind schema.Kind) error {
	wrong := false
	switch converter {
	case "int":
		wrong = kind != schema.Integer && kind != schema.Number && kind != schema.String
	case "float":
		wrong = kind != schema.Number && kind != schema.String
	case "uuid", "slug", "path":
		wrong = kind != schema.String
	}
	if wrong {
		return fmt.Errorf("is <%s:…> in the pattern, which does not fit a field that is %s", converter, kind)
	}
	return nil
}

// lookUp finds what the application provides for the plan and its dependencies.
func (p *bindPlan) lookUp(a *App) error {
	p.once.Do(func() {
		for i := range p.provided {
			field := &p.provided[i]
			if field.value, p.err = a.provided.find(field.typ); p.err != nil {
				p.err = fmt.Errorf("field %s.%s: %w", p.owner, field.name, p.err)
				return
			}
		}
		for _, dependency := range p.dependencies {
			if p.err = dependency.plan.fields.lookUp(a); p.err != nil {
				return
			}
		}
	})
	return p.err
}

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
	for i := range p.params {
		violations = append(violations, p.params[i].bind(r, form, query, into)...)
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
	for range p.queries {
		into = append(into, parameter{})
	}
	if p.queries == 0 {
		return into
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
// as it was, when something is.
func (p *bindPlan) scanQuery(raw string, into []parameter) bool {
	if isEscaped(raw) {
		return false
	}
	start, equals := 0, -1
	for i := 0; i <= len(raw); i++ {
		switch {
		case i < len(raw) && raw[i] == '=' && equals < 0:
			equals = i
		case i == len(raw) || raw[i] == '&':
			name, text := raw[start:i], ""
			if equals >= 0 {
				name, text = raw[start:equals], raw[equals+1:i]
			}
			if i > start {
				p.give(name, text, into)
			}
			start, equals = i+1, -1
		}
	}
	return true
}

// give notes one parameter of the query for the field that asked for it.
func (p *bindPlan) give(name, text string, into []parameter) {
	for i := range p.params {
		if f := &p.params[i]; f.query >= 0 && f.name == name {
			if into[f.query].count == 0 {
				into[f.query].text = text
			}
			into[f.query].count++
		}
	}
}

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
