package openapi

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/schema"
)

// Build describes an application in OpenAPI 3.1. The route table has to be complete:
// call it when the application has been set up.
func Build(app *ishaa.App, info Info) (*Document, error) {
	if err := info.check(); err != nil {
		return nil, err
	}
	b := &builder{
		app: app, info: info,
		defs:  &schema.Definitions{Prefix: "#/components/schemas/"},
		ids:   map[string]string{},
		paths: map[string]*pathItem{},
	}
	if err := b.addProblems(); err != nil {
		return nil, err
	}
	for _, route := range b.documented() {
		if err := b.addRoute(route); err != nil {
			return nil, fmt.Errorf("openapi: route %s, registered at %s: %w", route, route.Source(), err)
		}
	}
	doc, err := newDocument(b.assemble())
	if err != nil {
		return nil, err
	}
	doc.root = nameComponents(doc.root)
	portPatterns(doc.root)
	doc.left = b.left
	return doc, nil
}

// builder gathers the document.
type builder struct {
	app  *ishaa.App
	info Info
	defs *schema.Definitions

	items    []*pathItem
	paths    map[string]*pathItem // by the path with the names of its parameters taken out
	ids      map[string]string    // operation id to the operation that has it
	tags     []string
	security securitySchemes
	left     []string

	problem, invalid object // references
}

// pathItem is a path with its operations.
type pathItem struct {
	path       string
	params     []string
	operations object
}

// documented lists the routes that belong into the document, one for each entry of
// the table.
func (b *builder) documented() []*ishaa.Route {
	var list []*ishaa.Route
	for _, route := range b.app.Routes() {
		given, _ := annotation.Of(route)
		if variants := route.Variants(); variants != nil && variants[0] != route {
			continue
		}
		if given.hidden || route.Mounted() || b.info.Skip != nil && b.info.Skip(route) {
			continue
		}
		list = append(list, route)
	}
	// A route for one method before one for any, which leaves that method to it.
	slices.SortStableFunc(list, func(x, y *ishaa.Route) int {
		return cmp.Or(strings.Compare(x.Pattern(), y.Pattern()), cmp.Compare(b2i(x.Methods() == nil), b2i(y.Methods() == nil)))
	})
	return list
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// methods are those that a path item has a member for, in the order documents have
// them. TRACE is never routed.
var methods = []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"}

// anyMethods are those that a route for every method is documented with.
var anyMethods = []string{"GET", "PUT", "POST", "DELETE", "PATCH"}

func (b *builder) addRoute(route *ishaa.Route) error {
	item := b.item(route)
	wanted := route.Methods()
	if wanted == nil {
		wanted = slices.DeleteFunc(slices.Clone(anyMethods), func(method string) bool {
			return item.operations.Get(strings.ToLower(method)) != nil
		})
	}
	for _, method := range wanted {
		switch {
		case !slices.Contains(methods, method):
			b.leave(route, method, "OpenAPI has no word for the method")
		case item.operations.Get(strings.ToLower(method)) != nil:
			b.leave(route, method, "another route has the same path but for the names and kinds of its parameters, or but for the host")
		default:
			operation, err := b.operation(route, method, item, len(wanted) > 1)
			if err != nil {
				return err
			}
			item.operations.Set(strings.ToLower(method), operation)
		}
	}
	return nil
}

func (b *builder) leave(route *ishaa.Route, method, reason string) {
	b.left = append(b.left, fmt.Sprintf("%s %s (%s): %s", method, route.Host()+route.Pattern(), route.Source(), reason))
}

// item finds the path of a route. Paths that differ by the names of parameters only
// are one to OpenAPI: the first one's names stand.
func (b *builder) item(route *ishaa.Route) *pathItem {
	path, params := templated(route)
	key := path
	for _, name := range params {
		key = strings.Replace(key, "{"+name+"}", "{}", 1)
	}
	item := b.paths[key]
	if item == nil {
		item = &pathItem{path: path, params: params}
		b.paths[key] = item
		b.items = append(b.items, item)
	}
	return item
}

// templated writes a pattern as OpenAPI has it: "/users/{id}".
func templated(route *ishaa.Route) (path string, params []string) {
	pattern := route.Pattern()
	for _, p := range route.Parameters() {
		params = append(params, p.Name)
		open := strings.IndexByte(pattern, '<')
		if open < 0 {
			break
		}
		end := strings.Index(pattern[open:], p.Name+">") // behind the expression of re, which may have any sign
		if p.Converter == "re" {
			end = strings.Index(pattern[open:], ":"+p.Name+">") + 1
		}
		path += pattern[:open] + "{" + p.Name + "}"
		pattern = pattern[open+end+len(p.Name)+1:]
	}
	return path + pattern, params
}

// operation describes a route under one method.
func (b *builder) operation(route *ishaa.Route, method string, item *pathItem, several bool) (object, error) {
	given, _ := annotation.Of(route)
	var op object
	if tags := b.tagsOf(route, given); len(tags) > 0 {
		op.Set("tags", tags)
	}
	op.Set("summary", cmp.Or(given.summary, summaryOf(route), method+" "+item.path))
	add(&op, "description", given.description)
	id, err := b.idOf(route, given, method, item.path, several)
	if err != nil {
		return nil, err
	}
	op.Set("operationId", id)
	in, err := b.input(route, item)
	if err != nil {
		return nil, err
	}
	if len(in.parameters) > 0 {
		op.Set("parameters", in.parameters)
	}
	if in.body != nil {
		op.Set("requestBody", in.body)
	}
	answers, err := b.answers(route, given, method, in)
	if err != nil {
		return nil, err
	}
	op.Set("responses", answers)
	if given.deprecated {
		op.Set("deprecated", true)
	}
	if requirements := b.security.of(route); requirements != nil {
		op.Set("security", requirements)
	}
	if host := route.Host(); host != "" {
		op.Set("servers", []object{hostServer(host)})
	}
	return op, nil
}

// hostServer is the server of a route with a host, whose parameters become variables.
func hostServer(host string) object {
	var variables object
	labels := strings.Split(host, ".")
	for i, label := range labels {
		if strings.HasPrefix(label, "<") {
			name := strings.Trim(label, "<>")
			labels[i] = "{" + name + "}"
			variables.Set(name, object{{Name: "default", Value: name}})
		}
	}
	server := object{{Name: "url", Value: "//" + strings.Join(labels, ".")}}
	if variables != nil {
		server.Set("variables", variables)
	}
	return server
}

func (b *builder) tagsOf(route *ishaa.Route, given notes) []string {
	tags := given.tags
	if tags == nil && route.Blueprint() != "" {
		tags = []string{route.Blueprint()}
	}
	for _, tag := range tags {
		if !slices.Contains(b.tags, tag) {
			b.tags = append(b.tags, tag)
		}
	}
	return tags
}

// assemble puts the whole together.
func (b *builder) assemble() object {
	doc := object{
		{Name: "openapi", Value: "3.1.0"},
		{Name: "info", Value: b.info.document()},
		{Name: "jsonSchemaDialect", Value: "https://spec.openapis.org/oas/3.1/dialect/base"},
		{Name: "servers", Value: b.info.servers()},
	}
	var tags []object
	for _, tag := range b.info.Tags {
		entry := object{{Name: "name", Value: tag.Name}}
		add(&entry, "description", tag.Description)
		tags = append(tags, entry)
	}
	for _, name := range b.tags {
		if !slices.ContainsFunc(b.info.Tags, func(t Tag) bool { return t.Name == name }) {
			tags = append(tags, object{{Name: "name", Value: name}, {Name: "description", Value: "The routes of " + name + "."}})
		}
	}
	if tags != nil {
		doc.Set("tags", tags)
	}
	doc.Set("security", []object{}) // what an operation needs stands there
	paths := object{}
	for _, item := range b.items {
		if len(item.operations) == 0 {
			continue
		}
		ordered := object{}
		for _, method := range methods {
			if op := item.operations.Get(strings.ToLower(method)); op != nil {
				ordered = append(ordered, member{Name: strings.ToLower(method), Value: op})
			}
		}
		paths = append(paths, member{Name: item.path, Value: ordered})
	}
	doc.Set("paths", paths)
	components := object{{Name: "schemas", Value: b.defs.All()}}
	if schemes := b.security.document(); schemes != nil {
		components.Set("securitySchemes", schemes)
	}
	doc.Set("components", components)
	return doc
}

// addProblems names the schemas of problems before any type of the program's, which
// then gets its package in front if it has the same name.
func (b *builder) addProblems() error {
	type Problem struct {
		Type     string `json:"type" doc:"a URI that names the kind of problem; without it the status says it all"`
		Title    string `json:"title" required:"true" doc:"the same for all problems of the kind"`
		Status   int32  `json:"status" required:"true" minimum:"400" maximum:"599"`
		Detail   string `json:"detail" doc:"what happened this time"`
		Instance string `json:"instance" doc:"a URI of this occurrence"`
	}
	type Violation struct {
		Pointer string `json:"pointer" required:"true" doc:"where: a JSON pointer (RFC 6901), beginning with the parameter's name where it is one"`
		In      string `json:"in" enum:"body,query,path,header,cookie,form"`
		Rule    string `json:"rule" required:"true" doc:"the JSON Schema keyword that is broken"`
		Message string `json:"message" required:"true"`
		Value   any    `json:"value" doc:"the offending value, where it may be shown"`
	}
	type InvalidProblem struct {
		Problem
		Errors []Violation `json:"errors" doc:"every value that does not fit"`
	}
	for _, p := range []struct {
		of   reflect.Type
		into *object
	}{{reflect.TypeFor[Problem](), &b.problem}, {reflect.TypeFor[InvalidProblem](), &b.invalid}} {
		t, err := schema.Of(p.of)
		if err != nil {
			return err
		}
		*p.into = t.JSONSchema(b.defs)
	}
	return nil
}

func problemContent(ref object) object {
	return object{{Name: "application/problem+json", Value: object{{Name: "schema", Value: ref}}}}
}

func statusText(status int) string {
	return cmp.Or(http.StatusText(status), fmt.Sprintf("Status %d", status))
}

// Path returns the path under which documents have a route: "/users/{id}". Where two
// routes' paths differ by the names of parameters only, documents have the names of
// the one that sorts first.
func Path(route *ishaa.Route) string {
	path, _ := templated(route)
	return path
}
