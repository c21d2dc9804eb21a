package graphql

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/memory"
)

// ID is GraphQL's type of identifiers: a text, which clients may also write as an integer.
type ID string

// Optional is an argument or input field that the client may leave out, which is not the same as null:
//
//	type UserPatch struct{ Nickname graphql.Optional[string] } // left alone, removed or set
//
// With a default tag it is never left out.
type Optional[T any] struct {
	Value   T
	Present bool // the client gave it, or it has a default
	Null    bool // as null
}

func (Optional[T]) isOptional() {}

type optional interface{ isOptional() }

var optionalType = reflect.TypeFor[optional]()

// Upload is a file of a multipart request (the GraphQL multipart request specification). It can be read while the
// operation runs.
type Upload struct{ *ishaa.FormFile }

// Content opens the file.
func (u Upload) Content() (io.ReadCloser, error) {
	if u.FormFile == nil {
		return nil, fmt.Errorf("graphql: no file was uploaded here")
	}
	return u.FormFile.Open()
}

// TypeInfo is what Describe says of a type. Empty fields leave what Go says.
type TypeInfo struct {
	Name string
	Doc  string
}

// Describe names and describes the type of T.
func Describe[T any](s *Schema, info TypeInfo) {
	if info.Name != "" && !validName(info.Name) {
		s.mistake(caller(), "%q is no name for %s", info.Name, reflect.TypeFor[T]())
	}
	s.infos[reflect.TypeFor[T]()] = info
}

// OneOf makes the input type of T one of whose fields exactly one is given (@oneOf). The fields are pointers.
func OneOf[T any](s *Schema) { s.oneOfs[reflect.TypeFor[T]()] = true }

// abstract is a union or an interface.
type abstract struct {
	union   bool
	fields  []string
	members []reflect.Type // structs
	source  string
}

// Union makes the Go interface I a union of the structs that the members point to:
//
//	graphql.Union[Hit](schema, &User{}, &Post{})
func Union[I any](s *Schema, members ...I) {
	addAbstract(s, &abstract{union: true}, members)
}

// Interface makes the Go interface I a GraphQL interface with these fields, which every member must have with the same
// types:
//
//	graphql.Interface[Node](schema, []string{"id"}, &User{}, &Post{})
func Interface[I any](s *Schema, fields []string, members ...I) {
	addAbstract(s, &abstract{fields: fields}, members)
}

func addAbstract[I any](s *Schema, a *abstract, members []I) {
	a.source = caller()
	t := reflect.TypeFor[I]()
	if t.Kind() != reflect.Interface || len(members) == 0 {
		s.mistake(a.source, "%s: a Go interface and at least one member make a union or an interface", t)
	}
	for _, member := range members {
		m := reflect.TypeOf(member)
		if m == nil || m.Kind() != reflect.Pointer || m.Elem().Kind() != reflect.Struct {
			s.mistake(a.source, "%s: its member %v is not a pointer to a struct", t, m)
			continue
		}
		a.members = append(a.members, m.Elem())
	}
	s.kinds[t] = a
}

// EnumValue is one value of an enum.
type EnumValue[T comparable] struct {
	Value      T
	Name       string // as in GraphQL: ADMIN
	Doc        string
	Deprecated string // the reason
}

// Enum makes T an enum of the values. Their names are the texts in capitals, with _ for what is neither letter nor digit:
// "in progress" is IN_PROGRESS.
func Enum[T ~string](s *Schema, values ...T) {
	list := make([]EnumValue[T], len(values))
	for i, v := range values {
		list[i] = EnumValue[T]{Value: v, Name: capitals(string(v))}
	}
	addEnum(s, list)
}

// EnumOf is Enum with a name, and more, for each value; T need not be a text.
func EnumOf[T comparable](s *Schema, values ...EnumValue[T]) { addEnum(s, values) }

func capitals(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c - 'a' + 'A'
		case c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
			return c
		}
		return '_'
	}, text)
}

func addEnum[T comparable](s *Schema, values []EnumValue[T]) {
	t := reflect.TypeFor[T]()
	l := &leaf{kind: leafEnum, name: goName(t)}
	texts, byName := map[T]string{}, map[string]T{}
	for _, v := range values {
		if _, twice := byName[v.Name]; twice || !validName(v.Name) || v.Name == "true" || v.Name == "false" || v.Name == "null" {
			s.mistake(caller(), "enum %s: %q is no name for a value, or is there twice", t, v.Name)
		}
		texts[v.Value], byName[v.Name] = `"`+v.Name+`"`, v.Value
		l.values = append(l.values, enumText{v.Name, v.Doc, v.Deprecated})
	}
	if len(values) == 0 {
		s.mistake(caller(), "enum %s has no values", t)
	}
	l.append = func(dst []byte, p memory.Pointer) ([]byte, error) {
		text, ok := texts[*memory.At[T](p, 0)]
		if !ok {
			return dst, fmt.Errorf("enum %s has no value %v", l.name, *memory.At[T](p, 0))
		}
		return append(dst, text...), nil
	}
	l.set = func(dst reflect.Value, v any) error {
		name, _ := v.(string)
		value, ok := byName[name]
		if !ok {
			return fmt.Errorf("enum %s has no value %q", l.name, name)
		}
		dst.Set(reflect.ValueOf(value))
		return nil
	}
	s.leaves[t] = l
}
