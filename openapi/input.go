package openapi

import (
	"encoding/json"
	"reflect"
	"slices"

	"github.com/ishaa-framework/ishaa"
)

// input is what an operation reads.
type input struct {
	parameters []object
	body       object
	checked    bool // something is bound, which may not fit
}

// input describes what a route reads. The parameters of the pattern are there also
// where no field binds them.
func (b *builder) input(route *ishaa.Route, item *pathItem) (input, error) {
	var in input
	var form []ishaa.Binding
	bound := map[string]bool{}
	bindings := route.Bindings()
	for i, p := range route.Parameters() {
		name := item.params[i] // which may be another route's
		at := slices.IndexFunc(bindings, func(bd ishaa.Binding) bool { return bd.In == "path" && bd.Name == p.Name })
		var doc object
		if at >= 0 {
			doc = b.parameter(bindings[at], name)
			doc.Set("schema", converted(doc.Get("schema").(object), p, b.app))
		} else {
			doc = object{
				{Name: "name", Value: name}, {Name: "in", Value: "path"}, {Name: "required", Value: true},
				{Name: "schema", Value: converted(object{{Name: "type", Value: "string"}}, p, b.app)},
			}
		}
		if p.Converter == "path" && doc.Get("description") == nil {
			doc.Set("description", "The rest of the path; it may have slashes.")
		}
		in.parameters = append(in.parameters, doc)
	}
	for _, binding := range bindings {
		in.checked = in.checked || binding.Field != nil || binding.In == "file"
		key := binding.In + " " + binding.Name
		if binding.In == "file" {
			key = "form " + binding.Name
		}
		if bound[key] {
			continue
		}
		bound[key] = true
		switch binding.In {
		case "query", "cookie":
			in.parameters = append(in.parameters, b.parameter(binding, binding.Name))
		case "header":
			if !reservedHeader(binding.Name) {
				in.parameters = append(in.parameters, b.parameter(binding, binding.Name))
			}
		case "form", "file":
			form = append(form, binding)
		case "body":
			in.body = b.wholeBody(binding)
		}
	}
	if form != nil {
		in.body = b.formBody(form)
	}
	return in, nil
}

// reservedHeader tells the headers that OpenAPI has other words for: security, the
// media types of bodies and answers.
func reservedHeader(name string) bool {
	return name == "Authorization" || name == "Accept" || name == "Content-Type"
}

func (b *builder) parameter(binding ishaa.Binding, name string) object {
	field := binding.Field
	doc := object{{Name: "name", Value: name}, {Name: "in", Value: binding.In}}
	add(&doc, "description", field.Doc)
	if binding.Required {
		doc.Set("required", true)
	}
	if field.Deprecated {
		doc.Set("deprecated", true)
	}
	if binding.List && binding.In == "query" && !field.Explode {
		doc.Set("style", "form")
		doc.Set("explode", false)
	}
	doc.Set("schema", b.textSchema(binding))
	if field.Example != nil {
		doc.Set("example", field.Example)
	}
	return doc
}

// textSchema is the schema of what comes as text. Text is never null.
func (b *builder) textSchema(binding ishaa.Binding) object {
	doc := withoutNull(binding.Field.Type.JSONSchema(b.defs))
	if binding.Field.Default != nil && string(binding.Field.Default) != "null" {
		doc.Set("default", binding.Field.Default)
	}
	if binding.Field.Secret && doc.Get("type") == "string" && doc.Get("format") == nil {
		doc.Set("format", "password")
	}
	return doc
}

// withoutNull takes null out of what schema.Type has said.
func withoutNull(doc object) object {
	doc = slices.Clone(doc)
	if types, ok := doc.Get("type").([]string); ok {
		doc.Set("type", types[0])
		if values, ok := doc.Get("enum").([]json.RawMessage); ok {
			doc.Set("enum", slices.DeleteFunc(slices.Clone(values), func(v json.RawMessage) bool { return string(v) == "null" }))
		}
	}
	if either, ok := doc.Get("anyOf").([]object); ok && len(either) == 2 && either[1].Get("type") == "null" {
		return either[0]
	}
	return doc
}

// converted adds to the schema of a path parameter what its converter demands.
func converted(doc object, p ishaa.Parameter, app *ishaa.App) object {
	text := doc.Get("type") == "string"
	whenAbsent := func(name string, value any) {
		if doc.Get(name) == nil {
			doc.Set(name, value)
		}
	}
	switch p.Converter {
	case "int":
		if text {
			doc = object{{Name: "type", Value: "integer"}, {Name: "format", Value: "int64"}}
		}
	case "float":
		if text {
			doc = object{{Name: "type", Value: "number"}, {Name: "format", Value: "double"}}
		}
	case "uuid":
		whenAbsent("format", "uuid")
	case "slug":
		whenAbsent("format", "slug")
		whenAbsent("pattern", "^[A-Za-z0-9_-]+$")
	case "re":
		whenAbsent("pattern", "^(?:"+p.Expr+")$")
	case "path":
		whenAbsent("format", "path")
		if text {
			whenAbsent("minLength", 1)
		}
	case "str":
		if text {
			whenAbsent("minLength", 1)
		}
	default: // a registered one
		if text {
			whenAbsent("format", p.Converter)
			whenAbsent("minLength", 1)
		}
	}
	return doc
}

// wholeBody describes a body that is one value.
func (b *builder) wholeBody(binding ishaa.Binding) object {
	var doc object
	mediaType, content := "application/json", object(nil)
	switch {
	case binding.Field != nil:
		add(&doc, "description", binding.Field.Doc)
		content = binding.Field.Type.JSONSchema(b.defs)
		if !binding.Required {
			content = withoutNull(content)
		}
	case binding.Go.Kind() == reflect.String:
		mediaType, content = "text/plain", object{{Name: "type", Value: "string"}}
	default:
		mediaType, content = "application/octet-stream", octets()
	}
	media := object{{Name: "schema", Value: content}}
	if binding.Field != nil && binding.Field.Example != nil {
		media.Set("example", binding.Field.Example)
	}
	doc.Set("content", object{{Name: mediaType, Value: media}})
	if binding.Required {
		doc.Set("required", true)
	}
	return doc
}

// octets is the schema of content that is no text: "format" is what tools offer a
// file for, contentMediaType is what OpenAPI 3.1 says.
func octets() object {
	return object{
		{Name: "type", Value: "string"}, {Name: "format", Value: "binary"},
		{Name: "contentMediaType", Value: "application/octet-stream"},
	}
}

// formBody describes the fields and files of a form.
func (b *builder) formBody(bindings []ishaa.Binding) object {
	properties, encoding := object{}, object(nil)
	required := []string{}
	files := false
	for _, binding := range bindings {
		var doc object
		if binding.In == "file" {
			files = true
			doc = octets()
			if binding.List {
				doc = object{{Name: "type", Value: "array"}, {Name: "items", Value: doc}}
			}
		} else {
			doc = b.textSchema(binding)
			add(&doc, "description", binding.Field.Doc)
			if binding.Field.Deprecated {
				doc.Set("deprecated", true)
			}
			if binding.Field.Example != nil {
				doc.Set("examples", []json.RawMessage{binding.Field.Example})
			}
			if binding.List && !binding.Field.Explode {
				encoding.Set(binding.Name, object{{Name: "style", Value: "form"}, {Name: "explode", Value: false}})
			}
		}
		properties = append(properties, member{Name: binding.Name, Value: doc})
		if binding.Required {
			required = append(required, binding.Name)
		}
	}
	content := object{{Name: "type", Value: "object"}, {Name: "properties", Value: properties}}
	if len(required) > 0 {
		content.Set("required", required)
	}
	media := object{{Name: "schema", Value: content}}
	if encoding != nil {
		media.Set("encoding", encoding)
	}
	kinds := object{}
	if !files {
		kinds.Set("application/x-www-form-urlencoded", media)
	}
	kinds.Set("multipart/form-data", media)
	doc := object{{Name: "content", Value: kinds}}
	if len(required) > 0 {
		doc.Set("required", true)
	}
	return doc
}
