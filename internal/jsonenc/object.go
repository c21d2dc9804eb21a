package jsonenc

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// field is one member of an object.
type field struct {
	offset uintptr
	op     op
	comma  string                    // `,"name":`; with the first quote of a string
	first  string                    // `{"name":`; likewise
	absent func(memory.Pointer) bool // nil where it is always written
	encode encoder                   // of opOther
}

// op is what is done for a member: the usual ones are done without a call.
type op uint8

const (
	opOther op = iota
	opString
	opInt
	opBool
	opStrings
)

func opOf(t reflect.Type) op {
	switch {
	case !compiles(t):
		return opOther
	case t.Kind() == reflect.String:
		return opString
	case t.Kind() == reflect.Int:
		return opInt
	case t.Kind() == reflect.Bool:
		return opBool
	case t == stringsType:
		return opStrings
	}
	return opOther
}

func compileStruct(t reflect.Type) encoder {
	var fields []field
	names := map[string]bool{}
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("json")
		if sf.Anonymous {
			return viaStandard(t)
		}
		if !sf.IsExported() || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !validName(name) {
			name = sf.Name
		}
		f := field{offset: sf.Offset, op: opOf(sf.Type)}
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "omitempty":
				f.absent = either(f.absent, isEmpty(sf.Type))
			case "omitzero":
				if hasIsZero(sf.Type) {
					return viaStandard(t)
				}
				f.absent = either(f.absent, isZero(sf.Type))
			case "string":
				return viaStandard(t)
			}
		}
		if names[name] {
			return viaStandard(t)
		}
		names[name] = true
		text := string(appendString(nil, name)) + ":"
		if f.op == opString {
			text += `"`
		}
		f.comma, f.first = ","+text, "{"+text
		f.encode = of(sf.Type)
		fields = append(fields, f)
	}
	return func(dst []byte, p memory.Pointer, at place) ([]byte, error) {
		return appendObject(dst, p, fields, at)
	}
}

func appendObject(dst []byte, p memory.Pointer, fields []field, at place) ([]byte, error) {
	some := false
	for i := range fields {
		f := &fields[i]
		member := memory.Add(p, f.offset)
		if f.absent != nil && f.absent(member) {
			continue
		}
		if some {
			dst = append(dst, f.comma...)
		} else {
			dst = append(dst, f.first...)
			some = true
		}
		switch f.op {
		case opString:
			dst = appendRest(dst, *memory.At[string](member, 0))
		case opInt:
			dst = strconv.AppendInt(dst, int64(*memory.At[int](member, 0)), 10)
		case opBool:
			dst = strconv.AppendBool(dst, *memory.At[bool](member, 0))
		case opStrings:
			dst = appendStrings(dst, *memory.At[[]string](member, 0))
		default:
			var err error
			if dst, err = f.encode(dst, member, at); err != nil {
				return dst, err
			}
		}
	}
	if !some {
		dst = append(dst, '{')
	}
	return append(dst, '}'), nil
}

// either joins the reasons to leave a member out.
func either(a, b func(memory.Pointer) bool) func(memory.Pointer) bool {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(p memory.Pointer) bool { return a(p) || b(p) }
}

// hasIsZero reports whether omitzero would ask a method.
func hasIsZero(t reflect.Type) bool {
	isZeroer := reflect.TypeFor[interface{ IsZero() bool }]()
	return t.Implements(isZeroer) || reflect.PointerTo(t).Implements(isZeroer)
}

// isZero is what omitzero means.
func isZero(t reflect.Type) func(memory.Pointer) bool {
	return func(p memory.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
}

// isEmpty is what omitempty means; nil is never.
func isEmpty(t reflect.Type) func(memory.Pointer) bool {
	switch t.Kind() {
	case reflect.String:
		return func(p memory.Pointer) bool { return *memory.At[string](p, 0) == "" }
	case reflect.Slice:
		return func(p memory.Pointer) bool { _, length := memory.List(p); return length == 0 }
	case reflect.Pointer:
		return func(p memory.Pointer) bool { return memory.Pointee(p) == nil }
	case reflect.Array, reflect.Map:
		return func(p memory.Pointer) bool { return reflect.NewAt(t, p).Elem().Len() == 0 }
	case reflect.Struct:
		return nil
	}
	return isZero(t)
}

// validName says which names a tag can give.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return name != ""
}
