package orm

import (
	"fmt"
	"hash"
	"reflect"
	"strings"
	"time"
)

// An array collects the values of one column for an argument: a []int64, []float64, []bool, []string, [][]byte or
// []time.Time, or, once a value is NULL, the same of pointers.
type array struct {
	room   int
	nulls  int // that came before the first value
	values valuesOf
}

func newArray(room int) *array { return &array{room: room} }

// add takes a driver value and reports whether it is of the same type as those before.
func (a *array) add(v any) bool {
	if a.values != nil {
		return a.values.add(v)
	}
	switch v.(type) {
	case nil:
		a.nulls++
		return true
	case int64:
		a.values = newValues[int64](a)
	case float64:
		a.values = newValues[float64](a)
	case bool:
		a.values = newValues[bool](a)
	case string:
		a.values = newValues[string](a)
	case []byte:
		a.values = newValues[[]byte](a)
	case time.Time:
		a.values = newValues[time.Time](a)
	default:
		return false
	}
	return a.values.add(v)
}

// argument is the array as it goes to the driver. Where all values are NULL, it does not matter what they are not.
func (a *array) argument() any {
	if a.values == nil {
		return make([]*string, a.nulls)
	}
	return a.values.argument()
}

type valuesOf interface {
	add(v any) bool
	argument() any
}

// typed is the values of one type. Those that are NULL are zero in list and named in null.
type typed[T any] struct {
	list []T
	null []bool // nil if there is none
}

func newValues[T any](a *array) *typed[T] {
	t := &typed[T]{list: make([]T, a.nulls, a.room)}
	for i := range a.nulls {
		t.markNull(i)
	}
	return t
}

func (t *typed[T]) markNull(i int) {
	for len(t.null) <= i {
		t.null = append(t.null, false)
	}
	t.null[i] = true
}

func (t *typed[T]) add(v any) bool {
	value, ok := v.(T)
	if v == nil {
		t.markNull(len(t.list))
		ok = true
	}
	t.list = append(t.list, value)
	return ok
}

func (t *typed[T]) argument() any {
	if t.null == nil {
		return t.list
	}
	pointers := make([]*T, len(t.list))
	for i := range t.list {
		if i >= len(t.null) || !t.null[i] {
			pointers[i] = &t.list[i]
		}
	}
	return pointers
}

// isArray reports whether a column's values may be arrays themselves, which make no array of arrays. The values of a
// type that writes itself may be anything.
func (c *column) isArray() bool {
	return c.own || strings.ContainsRune(c.sql.Custom, '[') || strings.Contains(strings.ToLower(c.sql.Custom), "array")
}

// digestArgument adds an argument to a digest: by what it holds, not by where that lies.
func digestArgument(sum hash.Hash, arg any) {
	switch v := arg.(type) {
	case time.Time:
		arg = v.UTC().Format(time.RFC3339Nano)
	case []byte:
		arg = string(v)
	default:
		if r := reflect.ValueOf(arg); r.Kind() == reflect.Slice {
			fmt.Fprintf(sum, "%d values\x00", r.Len())
			for i := range r.Len() {
				digestArgument(sum, r.Index(i).Interface())
			}
			return
		} else if r.Kind() == reflect.Pointer {
			if r.IsNil() {
				arg = nil
			} else {
				digestArgument(sum, r.Elem().Interface())
				return
			}
		}
	}
	fmt.Fprintf(sum, "%T %v\x00", arg, arg)
}
