package ishaa

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/quickset"
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
	queries      []string // the names of those that come from the query, one by one
	distinct     bool     // no two of queries are the same, and none needs escaping
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

	offset uintptr          // where the field lies in the struct
	quick  *quickset.Setter // how most of its texts are set; nil where none is
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
	field    *schema.Field // typ and what the tags say beside it
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
	plan.distinct = plainNames(plan.queries)
	if plan.body != nil && plan.form {
		return nil, fmt.Errorf("%s takes its body both as a form and as a whole; a request has one body", t)
	}
	return plan, nil
}

// plainNames reports whether names are distinct and stand in a query as they are.
func plainNames(names []string) bool {
	for i, name := range names {
		if slices.Contains(names[:i], name) || strings.ContainsFunc(name, func(c rune) bool { return c >= utf8.RuneSelf || queryBytes[c] != queryText }) {
			return false
		}
	}
	return true
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
		body.typ, body.field = described.Type, described
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
	param := paramField{in: source, name: name, field: described, list: list, query: -1, offset: offsetOf(p.owner, field.Index)}
	if !list {
		param.quick = quickset.Of(described.Type)
	}
	if source == "query" && !list {
		param.query = len(p.queries)
		p.queries = append(p.queries, name)
	}
	p.params = append(p.params, param)
	return nil
}

// offsetOf is where a field lies in a struct. There is no pointer on the way to it.
func offsetOf(t reflect.Type, index []int) uintptr {
	var offset uintptr
	for _, i := range index {
		field := t.Field(i)
		offset += field.Offset
		t = field.Type
	}
	return offset
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
