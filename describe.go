package ishaa

import (
	"reflect"
	"runtime"
	"strings"

	"github.com/ishaa-framework/ishaa/schema"
)

// This file is what a typed route says of itself to whoever documents or tests it.

// Binding is a value that a typed route, or a dependency of it, reads from the
// request.
type Binding struct {
	In       string        // "path", "query", "header", "cookie", "form", "file" or "body"
	Name     string        // of the parameter, field of the form or file; "" for the body
	Go       reflect.Type  // of the struct field that gets it
	Field    *schema.Field // type, constraints and documentation; nil for a file and for a body that is text or octets
	List     bool          // may occur several times
	Required bool          // a request without it is refused
}

// Bindings returns what the route reads from a request: first its own input, then
// its dependencies'. A value that several of them read is there once for each. It is
// nil for a route that is not typed, which does not say.
func (rt *Route) Bindings() []Binding {
	if rt.binds == nil {
		return nil
	}
	return rt.binds.bindings(map[*dependencyPlan]bool{})
}

func (p *bindPlan) bindings(seen map[*dependencyPlan]bool) []Binding {
	var list []Binding
	at := func(index []int) reflect.Type { return p.owner.FieldByIndex(index).Type }
	for _, param := range p.params {
		list = append(list, Binding{
			In: param.in, Name: param.name, Go: at(param.field.Index), Field: param.field,
			List: param.list, Required: param.field.Required || param.in == "path",
		})
	}
	for _, file := range p.files {
		list = append(list, Binding{In: "file", Name: file.name, Go: at(file.index), List: file.list, Required: file.required})
	}
	if body := p.body; body != nil {
		list = append(list, Binding{
			In: "body", Go: at(body.index), Field: body.field, Required: body.form == bodyAsJSON && !body.optional,
		})
	}
	for _, dependency := range p.dependencies {
		if !seen[dependency.plan] {
			seen[dependency.plan] = true
			list = append(list, dependency.plan.fields.bindings(seen)...)
		}
	}
	return list
}

// Status returns the status that the option Status gave, or 0.
func (rt *Route) Status() int { return rt.status }

// Function returns the name of the handler's function without its package, as
// "(*shop).CreateOrder", or "" for one that has none.
func (rt *Route) Function() string {
	var function any = rt.handler
	if rt.typed != nil {
		function = rt.typed
	}
	value := reflect.ValueOf(function)
	if value.Kind() != reflect.Func || value.IsNil() {
		return ""
	}
	of := runtime.FuncForPC(value.Pointer())
	if of == nil {
		return ""
	}
	name := strings.TrimSuffix(of.Name(), "-fm") // a method of a value
	name = name[strings.LastIndexByte(name, '/')+1:]
	_, name, _ = strings.Cut(name, ".")
	for part := range strings.SplitSeq(name, ".") {
		digits := strings.TrimLeft(strings.TrimPrefix(part, "gowrap"), "func")
		if digits != part && strings.Trim(digits, "0123456789") == "" || strings.Contains(part, "[") {
			return "" // a function literal, whose name says where it stands
		}
	}
	return name
}
