package schema

import (
	"reflect"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// SyntaxError says why [Type.Decode] could not read a text and where. It is not the fault of a value but of the JSON
// itself: line, column and reason are safe to show to the client.
type SyntaxError = strictjson.SyntaxError

// A DefinitionError says what is wrong with a Go type or a tag, found by [Registry.Of] before any value is read.
type DefinitionError struct {
	Type    reflect.Type // the struct, or the type itself where no field is to blame
	Field   string       // the Go name of the field, or ""
	Tag     string       // the tag, or ""
	Problem string       // what is wrong
	Fix     string       // what to do, or ""
}

// Error returns for instance "field Order.Coupon: minimum on a string; use minLength".
func (e *DefinitionError) Error() string {
	var b strings.Builder
	if e.Field != "" {
		b.WriteString("field " + typeName(e.Type) + "." + e.Field + ": ")
	} else if e.Type != nil {
		b.WriteString("type " + typeName(e.Type) + ": ")
	}
	if e.Tag != "" {
		b.WriteString(e.Tag + " ")
	}
	b.WriteString(e.Problem)
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// misuse is a DefinitionError in the making: the code that finds it does not know the field.
type misuse struct{ tag, problem, fix string }

func (m *misuse) Error() string { return m.tag + " " + m.problem }

func typeName(t reflect.Type) string {
	if t == nil {
		return "?"
	}
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}
