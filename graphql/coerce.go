package graphql

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ishaa-framework/ishaa/schema"
)

// Coercion (section 3 of the specification, "Input Coercion") takes what a client wrote, as a literal of the document or as
// JSON of a variable, to the values that leaf.go describes. Binding takes those to Go.

// literal coerces a value of the document. It is false where the value does not fit, which for a checked document takes a
// variable that is absent or null.
func (s *Schema) literal(t *ast.Type, v *ast.Value, vars map[string]any) (any, bool) {
	if v == nil {
		return nil, false
	}
	if v.Kind == ast.Variable {
		value, ok := vars[v.Raw]
		return value, ok && (value != nil || !t.NonNull)
	}
	if v.Kind == ast.NullValue {
		return nil, !t.NonNull
	}
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			item, ok := s.literal(t.Elem, v, vars)
			return []any{item}, ok
		}
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			if absent(child.Value, vars) {
				if t.Elem.NonNull {
					return nil, false
				}
				continue // null
			}
			item, ok := s.literal(t.Elem, child.Value, vars)
			if !ok {
				return nil, false
			}
			list[i] = item
		}
		return list, true
	}
	def := s.ast.Types[t.NamedType]
	if def == nil {
		return nil, false
	}
	switch def.Kind {
	case ast.Enum:
		return v.Raw, v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) != nil
	case ast.InputObject:
		return s.literalObject(def, v, vars)
	case ast.Scalar:
		return literalScalar(def.Name, v, vars)
	}
	return nil, false
}

func absent(v *ast.Value, vars map[string]any) bool {
	if v == nil {
		return true
	}
	if v.Kind != ast.Variable {
		return false
	}
	_, ok := vars[v.Raw]
	return !ok
}

func (s *Schema) literalObject(def *ast.Definition, v *ast.Value, vars map[string]any) (any, bool) {
	if v.Kind != ast.ObjectValue {
		return nil, false
	}
	object := make(map[string]any, len(v.Children))
	for _, child := range v.Children {
		if def.Fields.ForName(child.Name) == nil {
			return nil, false
		}
	}
	for _, f := range def.Fields {
		child := v.Children.ForName(f.Name)
		if absent(child, vars) {
			if f.DefaultValue == nil && f.Type.NonNull {
				return nil, false
			}
			continue // binding fills the default in
		}
		value, ok := s.literal(f.Type, child, vars)
		if !ok {
			return nil, false
		}
		object[f.Name] = value
	}
	return object, oneOfHolds(def, object)
}

func oneOfHolds(def *ast.Definition, object map[string]any) bool {
	if def.Directives.ForName("oneOf") == nil {
		return true
	}
	for _, v := range object {
		return len(object) == 1 && v != nil
	}
	return false
}

func literalScalar(name string, v *ast.Value, vars map[string]any) (any, bool) {
	switch name {
	case "Int":
		n, err := strconv.ParseInt(v.Raw, 10, 32)
		return n, v.Kind == ast.IntValue && err == nil
	case "Float":
		f, err := strconv.ParseFloat(v.Raw, 64)
		return f, (v.Kind == ast.IntValue || v.Kind == ast.FloatValue) && err == nil
	case "String":
		return v.Raw, v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "Boolean":
		return v.Raw == "true", v.Kind == ast.BooleanValue
	case "ID":
		return v.Raw, v.Kind == ast.StringValue || v.Kind == ast.BlockValue || v.Kind == ast.IntValue
	}
	return asJSON(v, vars), true
}

// asJSON is a literal for a scalar of the program's own.
func asJSON(v *ast.Value, vars map[string]any) any {
	switch v.Kind {
	case ast.Variable:
		return vars[v.Raw]
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return v.Raw
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = asJSON(child.Value, vars)
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(v.Children))
		for _, child := range v.Children {
			object[child.Name] = asJSON(child.Value, vars)
		}
		return object
	}
	return nil
}

// misfit says where a variable does not fit its type.
type misfit struct {
	path    []any
	message string
}

func unfit(format string, args ...any) *misfit { return &misfit{message: fmt.Sprintf(format, args...)} }

func (m *misfit) below(step any) *misfit {
	m.path = append(m.path, step)
	return m
}

func (m *misfit) place(variable string) string {
	text := "$" + variable
	for _, step := range slices.Backward(m.path) {
		switch step := step.(type) {
		case int:
			text += "[" + strconv.Itoa(step) + "]"
		case string:
			text += "." + step
		}
	}
	return text
}

// variables coerces the variables of an operation. Errors are of the whole request.
func (s *Schema) variables(op *ast.OperationDefinition, given map[string]any) (map[string]any, []*Error) {
	if len(op.VariableDefinitions) == 0 {
		return nil, nil
	}
	vars := make(map[string]any, len(op.VariableDefinitions))
	var errs []*Error
	fail := func(d *ast.VariableDefinition, format string, args ...any) {
		e := Errorf(CodeBadUserInput, format, args...)
		if d.Position != nil {
			e.Locations = []Location{{d.Position.Line, d.Position.Column}}
		}
		errs = append(errs, e)
	}
	for _, d := range op.VariableDefinitions {
		value, ok := given[d.Variable]
		if !ok {
			if d.DefaultValue != nil {
				if vars[d.Variable], ok = s.literal(d.Type, d.DefaultValue, nil); !ok {
					fail(d, "The default of $%s is no %s.", d.Variable, d.Type)
				}
			} else if d.Type.NonNull {
				fail(d, "Variable $%s of required type %s was not provided.", d.Variable, d.Type)
			}
			continue
		}
		coerced, wrong := s.variable(d.Type, value)
		if wrong != nil {
			fail(d, "Variable %s: %s.", wrong.place(d.Variable), wrong.message)
			continue
		}
		vars[d.Variable] = coerced
	}
	return vars, errs
}

// variable coerces JSON, whose numbers are json.Number.
func (s *Schema) variable(t *ast.Type, v any) (any, *misfit) {
	if v == nil {
		if t.NonNull {
			return nil, unfit("must not be null, it is %s", t)
		}
		return nil, nil
	}
	if t.Elem != nil {
		given, ok := v.([]any)
		if !ok {
			item, wrong := s.variable(t.Elem, v)
			return []any{item}, wrong
		}
		list := make([]any, len(given))
		for i := range given {
			item, wrong := s.variable(t.Elem, given[i])
			if wrong != nil {
				return nil, wrong.below(i)
			}
			list[i] = item
		}
		return list, nil
	}
	def := s.ast.Types[t.NamedType]
	switch def.Kind {
	case ast.Enum:
		name, ok := v.(string)
		if !ok || def.EnumValues.ForName(name) == nil {
			return nil, unfit("must be a value of the enum %s", def.Name)
		}
		return name, nil
	case ast.InputObject:
		return s.variableObject(def, v)
	}
	return variableScalar(def.Name, v)
}

func (s *Schema) variableObject(def *ast.Definition, v any) (any, *misfit) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, unfit("must be an object, it is %s", def.Name)
	}
	for name := range given {
		if def.Fields.ForName(name) == nil {
			return nil, unfit("%s has no field %q", def.Name, name)
		}
	}
	object := make(map[string]any, len(given))
	for _, f := range def.Fields {
		value, ok := given[f.Name]
		if !ok {
			if f.DefaultValue == nil && f.Type.NonNull {
				return nil, unfit("%s needs the field %q", def.Name, f.Name)
			}
			continue
		}
		coerced, wrong := s.variable(f.Type, value)
		if wrong != nil {
			return nil, wrong.below(f.Name)
		}
		object[f.Name] = coerced
	}
	if !oneOfHolds(def, object) {
		return nil, unfit("%s takes exactly one field, which is not null", def.Name)
	}
	return object, nil
}

func variableScalar(name string, v any) (any, *misfit) {
	number, isNumber := v.(json.Number)
	switch name {
	case "Int":
		if n, ok := whole(number); isNumber && ok && n == int64(int32(n)) {
			return n, nil
		}
		return nil, unfit("must be an integer of 32 bits")
	case "Float":
		if f, err := strconv.ParseFloat(number.String(), 64); isNumber && err == nil {
			return f, nil
		}
		return nil, unfit("must be a number")
	case "String":
		if text, ok := v.(string); ok {
			return text, nil
		}
		return nil, unfit("must be a text")
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, unfit("must be true or false")
	case "ID":
		if text, ok := v.(string); ok {
			return text, nil
		}
		if n, ok := whole(number); isNumber && ok {
			return strconv.FormatInt(n, 10), nil
		}
		return nil, unfit("must be a text or an integer")
	}
	return v, nil
}

// whole reads a number without a fraction, however it is written: 1.0 and 1e2 are whole.
func whole(number json.Number) (int64, bool) {
	if n, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// fill binds a coerced object to a struct: what is absent gets its default.
func (in *inputType) fill(dst reflect.Value, object map[string]any, at string, wrong *[]schema.Violation) {
	for _, f := range in.fields {
		value, given := object[f.name]
		if !given {
			if f.def == "" {
				continue
			}
			value = f.fallback
		}
		f.set(dst.FieldByIndex(f.index), value, at+"/"+f.name, wrong)
	}
}

// set binds one field and holds it to its constraints.
func (f *inputField) set(dst reflect.Value, value any, at string, wrong *[]schema.Violation) {
	if f.optional {
		dst.FieldByName("Present").SetBool(true)
		if value == nil {
			dst.FieldByName("Null").SetBool(true)
			return
		}
		dst = dst.FieldByName("Value")
	}
	before := len(*wrong)
	f.node.set(dst, value, at, wrong)
	if value == nil || len(*wrong) > before {
		return
	}
	if f.check != nil {
		for _, v := range f.check.Validate(dst) {
			v.Pointer = at + v.Pointer
			*wrong = append(*wrong, v)
		}
	}
	if list, ok := value.([]any); ok && f.minItems > len(list) {
		*wrong = append(*wrong, schema.Violation{Pointer: at, Rule: "minItems", Message: fmt.Sprintf("must have at least %d items", f.minItems)})
	} else if ok && f.maxItems >= 0 && len(list) > f.maxItems {
		*wrong = append(*wrong, schema.Violation{Pointer: at, Rule: "maxItems", Message: fmt.Sprintf("must have at most %d items", f.maxItems)})
	}
}

func (n *inputNode) set(dst reflect.Value, value any, at string, wrong *[]schema.Violation) {
	switch {
	case value == nil && (n.leaf == nil || !n.leaf.nullable):
		return // the type allows it; Go's zero value says it
	case n.leaf != nil:
		if err := n.leaf.set(dst, value); err != nil {
			*wrong = append(*wrong, schema.Violation{Pointer: at, Rule: "type", Message: err.Error()})
		}
	case n.object != nil:
		n.object.fill(dst, value.(map[string]any), at, wrong)
	case n.typ.Kind() == reflect.Pointer:
		dst.Set(reflect.New(n.typ.Elem()))
		n.elem.set(dst.Elem(), value, at, wrong)
	default:
		list := value.([]any)
		dst.Set(reflect.MakeSlice(n.typ, len(list), len(list)))
		for i := range list {
			n.elem.set(dst.Index(i), list[i], at+"/"+strconv.Itoa(i), wrong)
		}
	}
}

// violated is the error of arguments that break constraints.
func violated(wrong []schema.Violation) *Error {
	first := wrong[0]
	for i := range wrong {
		wrong[i].In = "argument"
	}
	e := Errorf(CodeBadUserInput, "Argument %s: %s", first.Pointer[1:], first.Message)
	e.Extensions["violations"] = wrong
	return e
}
