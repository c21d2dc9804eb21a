// Package memory is the one place that looks at values without their types: what a request does for every field of a
// struct that was read once, when its route was registered, and what it does with bytes that nobody changes any more.
//
//	offset := reflect.TypeFor[Album]().Field(1).Offset // when the program starts
//	*memory.At[string](memory.Of(album), offset) = "x" // for each request: no reflection
//
// Three rules keep it right. A Pointer is only made from a pointer that the program holds, so the garbage collector knows
// what it points into. An offset only comes from package reflect, of a field of the very struct pointed to, so a result
// lies within the same value. And a type given to At is of the same kind, and so of the same layout, as the field's.
// The race detector's build checks the first two (checkptr).
package memory

import "unsafe"

// Pointer is where a value lies. The collector follows it like any pointer.
type Pointer = unsafe.Pointer

// Of returns where a value lies.
func Of[T any](value *T) Pointer { return Pointer(value) }

// At returns the part of a value that lies at an offset.
func At[T any](p Pointer, offset uintptr) *T { return (*T)(unsafe.Add(p, offset)) }

// Add returns where the part of a value at an offset lies.
func Add(p Pointer, offset uintptr) Pointer { return unsafe.Add(p, offset) }

// Pointee returns where the pointer at p leads, or nil.
func Pointee(p Pointer) Pointer { return *(*Pointer)(p) }

// slice is how Go holds a slice of any type.
type slice struct {
	data Pointer
	len  int
	cap  int
}

// List returns where the elements of the slice at p lie, and how many there are. The first is nil for a nil slice alone.
func List(p Pointer) (first Pointer, length int) {
	s := (*slice)(p)
	return s.data, s.len
}

// boxed is how Go holds a value of a type that it does not know, which is no interface.
type boxed struct {
	typ  Pointer
	data Pointer
}

// Boxed returns where the value in an interface lies, which must be of a type that Go does not hold in the interface
// itself: one whose size is not that of a pointer, or a number. The value is not to be changed.
func Boxed(value any) Pointer { return (*boxed)(Pointer(&value)).data }

// Text returns bytes as a string. They must not be changed as long as the string is in use.
func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Bytes returns a text as bytes, which are not to be changed. There is no room behind them.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
