package openapi

import (
	"encoding/json"
	"slices"
)

// Downgrade returns the document in OpenAPI 3.0.3, whose schemas are not JSON Schema.
// What 3.0 cannot say is left out: names of properties, roles of schemes that are not
// OAuth 2, the licence's identifier. It accepts no less than the document itself.
func (d *Document) Downgrade() *Document {
	root := down(d.root, false).(object)
	root.Set("openapi", "3.0.3")
	drop(&root, "jsonSchemaDialect")
	info := slices.Clone(objectAt(root, "info"))
	drop(&info, "summary")
	if license := slices.Clone(objectAt(info, "license")); license != nil {
		if id := textAt(license, "identifier"); urlSafe(id) { // one licence, not an expression
			license.Set("url", "https://spdx.org/licenses/"+id+".html")
		}
		drop(&license, "identifier")
		info.Set("license", license)
	}
	root.Set("info", info)
	schemes := objectAt(objectAt(root, "components"), "securitySchemes")
	for _, item := range objectAt(root, "paths") {
		operations := item.Value.(object)
		for i, op := range operations {
			operation := op.Value.(object)
			if list := listAt(operation, "security"); list != nil {
				operation.Set("security", withoutRoles(list, schemes))
				operations[i].Value = operation
			}
		}
	}
	return &Document{root: root, left: d.left}
}

// withoutRoles empties the lists that only OAuth 2 and OpenID Connect may have in 3.0.
func withoutRoles(list []any, schemes object) []any {
	out := []any{}
	seen := map[string]bool{}
	for _, entry := range list {
		requirement := slices.Clone(entry.(object))
		for i, m := range requirement {
			if kind := textAt(objectAt(schemes, m.Name), "type"); kind != "oauth2" && kind != "openIdConnect" {
				requirement[i].Value = []any{}
			}
		}
		text, _ := json.Marshal(requirement)
		if !seen[string(text)] {
			seen[string(text)] = true
			out = append(out, requirement)
		}
	}
	return out
}

func drop(doc *object, name string) {
	*doc = slices.DeleteFunc(slices.Clone(*doc), func(m member) bool { return m.Name == name })
}

// down copies a part of a document and rewrites the schemas in it.
func down(value any, names bool) any {
	switch v := value.(type) {
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = m
			if names || !isData(m.Name) {
				out[i].Value = down(m.Value, !names && nameMaps[m.Name])
			}
		}
		if names {
			return out
		}
		return downSchema(out)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = down(item, false)
		}
		return out
	}
	return value
}

// downSchema rewrites what 3.0 says in other words. An object that is no schema has
// none of it.
func downSchema(doc object) object {
	if types := listAt(doc, "type"); types != nil {
		for _, t := range types {
			if t == "null" {
				doc.Set("nullable", true)
			} else {
				doc.Set("type", t)
			}
		}
	}
	if value, ok := doc.Get("const").(string); ok {
		drop(&doc, "const")
		doc.Set("enum", []any{value})
	}
	if examples := listAt(doc, "examples"); len(examples) > 0 {
		drop(&doc, "examples")
		doc.Set("example", examples[0])
	}
	if textAt(doc, "contentEncoding") == "base64" && doc.Get("format") == nil {
		doc.Set("format", "byte")
	}
	if doc.Get("type") == "string" {
		drop(&doc, "contentEncoding")
		drop(&doc, "contentMediaType")
	}
	if doc.Get("type") == "object" {
		drop(&doc, "propertyNames")
	}
	for _, name := range []string{"Minimum", "Maximum"} {
		if bound, ok := doc.Get("exclusive" + name).(json.Number); ok {
			doc.Set(string(name[0]+'a'-'A')+name[1:], bound)
			doc.Set("exclusive"+name, true)
		}
	}
	doc = downNull(doc)
	if ref, ok := doc.Get("$ref").(string); ok && len(doc) > 1 { // siblings of a reference do not count in 3.0
		drop(&doc, "$ref")
		doc = append(object{{Name: "allOf", Value: []any{object{{Name: "$ref", Value: ref}}}}}, doc...)
	}
	return doc
}

// downNull writes "one of these or null" with nullable.
func downNull(doc object) object {
	either := listAt(doc, "anyOf")
	rest := slices.DeleteFunc(slices.Clone(either), func(v any) bool {
		o, ok := v.(object)
		return ok && len(o) == 1 && o.Get("type") == "null"
	})
	if len(rest) == len(either) {
		return doc
	}
	drop(&doc, "anyOf")
	if doc.Get("type") == nil {
		doc.Set("type", "object") // nullable counts beside a type only; what has a name is an object
	}
	doc.Set("nullable", true)
	if len(rest) == 1 {
		doc.Set("allOf", rest)
	} else {
		doc.Set("anyOf", rest)
	}
	return doc
}
