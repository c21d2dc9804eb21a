package memory_test

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

type album struct {
	ID     int32
	Title  string
	Tracks []string
	Next   *album
}

func TestFields(t *testing.T) {
	typ := reflect.TypeFor[album]()
	a := &album{ID: 5}
	p := memory.Of(a)
	*memory.At[string](p, typ.Field(1).Offset) = "x"
	*memory.At[[]string](p, typ.Field(2).Offset) = []string{"a", "b"}
	*memory.At[*album](p, typ.Field(3).Offset) = &album{ID: 6}
	runtime.GC()
	if *memory.At[int32](p, typ.Field(0).Offset) != 5 || a.Title != "x" || a.Tracks[1] != "b" || a.Next.ID != 6 {
		t.Errorf("%+v", a)
	}
	if next := memory.Pointee(memory.Add(p, typ.Field(3).Offset)); memory.At[album](next, 0).ID != 6 {
		t.Error("the pointer leads elsewhere")
	}
	first, length := memory.List(memory.Of(&a.Tracks))
	if length != 2 || *memory.At[string](first, reflect.TypeFor[string]().Size()) != "b" {
		t.Error("the list is another")
	}
	var none []string
	if first, length := memory.List(memory.Of(&none)); first != nil || length != 0 {
		t.Error("nil is a list")
	}
	if first, _ := memory.List(memory.Of(&[]struct{}{})); first == nil {
		t.Error("an empty list is nil")
	}
}

func TestBoxed(t *testing.T) {
	if got := memory.At[album](memory.Boxed(album{ID: 7}), 0).ID; got != 7 {
		t.Error(got)
	}
	if got := *memory.At[int](memory.Boxed(7000), 0); got != 7000 {
		t.Error(got)
	}
}

func TestTextAndBytes(t *testing.T) {
	for _, text := range []string{"", "x", "some text"} {
		if got := memory.Text(memory.Bytes(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if got := memory.Text([]byte(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
		if got := memory.Bytes(text); string(got) != text || cap(got) != len(text) {
			t.Errorf("%q became %q with room for %d", text, got, cap(got))
		}
	}
	if memory.Text(nil) != "" {
		t.Error("nothing became something")
	}
}

func Example() {
	offset := reflect.TypeFor[album]().Field(1).Offset // once
	a := &album{}
	*memory.At[string](memory.Of(a), offset) = "For Those About To Rock" // many times
	fmt.Println(a.Title)
	// Output: For Those About To Rock
}
