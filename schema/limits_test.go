package schema_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/schema"
)

// A million members, known to nobody or becoming a map, take bounded time and memory.
func TestAMillionMembers(t *testing.T) {
	members := func(n int) string { // without the closing brace
		var b strings.Builder
		b.WriteByte('{')
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"k` + strconv.Itoa(i) + `":0`)
		}
		return b.String()
	}
	million := members(1_000_000)
	text := []byte(million + "}")
	for _, c := range []struct {
		goType   reflect.Type
		allocate uint64
	}{
		{reflect.TypeFor[Address](), 200 << 20},
		{reflect.TypeFor[map[string]int](), 600 << 20},
		{reflect.TypeFor[struct {
			A map[string]int `maxProperties:"10"`
		}](), 200 << 20},
	} {
		typ := of(t, c.goType)
		testenv.Linear(t, c.goType.String(), 5_000, func(n int) func() {
			text := []byte(members(n) + "}")
			return func() {
				if _, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{DisallowUnknown: true}); err != nil {
					t.Fatal(err)
				}
			}
		})
		if t.Failed() {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{DisallowUnknown: true}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > c.allocate {
			t.Errorf("%v allocated %d MiB", c.goType, allocated>>20)
		}
	}
	repeated := []byte(million + `,"k0":1}`)
	for _, goType := range []reflect.Type{reflect.TypeFor[Address](), reflect.TypeFor[map[string]int](), reflect.TypeFor[any]()} {
		typ := of(t, goType)
		if _, err := typ.Decode(repeated, newPointer(typ), schema.DecodeOptions{}); err == nil || !strings.Contains(err.Error(), `duplicate key "k0"`) {
			t.Error(goType, err)
		}
	}
}

// Hundreds of thousands of items are compared for being unique in one pass.
func TestUniqueItemsIsLinear(t *testing.T) {
	typ := of(t, reflect.TypeFor[struct {
		A []string `json:"a" uniqueItems:"true"`
		B []any    `json:"b" uniqueItems:"true"`
	}]())
	testenv.Linear(t, "items", 12_500, func(n int) func() {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"` + strconv.Itoa(i) + `",`)
		}
		text := []byte(`{"a":[` + b.String() + `"0"],"b":[` + b.String() + `{"x":[1.0,"a"],"y":2},{"y":2e0,"x":[1,"\u0061"]}]}`)
		first, second := fmt.Sprintf("/a/%d", n), fmt.Sprintf("/b/%d", n+1)
		return func() {
			found, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{})
			if err != nil || len(found) != 2 || found[0].Pointer != first || found[1].Pointer != second {
				t.Fatal(found, err)
			}
		}
	})
}

// Numbers that would be long if written out are not.
func TestHugeExponentsAreCheap(t *testing.T) {
	for _, goType := range []reflect.Type{
		reflect.TypeFor[int](), reflect.TypeFor[uint8](), reflect.TypeFor[float64](),
		reflect.TypeFor[struct {
			N json.Number `json:"n" multipleOf:"0.7" minimum:"-1e9" maximum:"1e400"`
		}](),
	} {
		typ := of(t, goType)
		for _, n := range []string{"1e999999999", "-1e999999999", "1e-999999999", "1e99999999999999999999999", "1e-99999999999999999999999", "0e999999999", "1" + strings.Repeat("0", 10_000)} {
			text := n
			if typ.Kind() == schema.Object {
				text = `{"n":` + n + `}`
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			spent := testenv.Spent(func() {
				if _, err := typ.Decode([]byte(text), newPointer(typ), schema.DecodeOptions{}); err != nil {
					t.Error(err)
				}
			})
			runtime.ReadMemStats(&after)
			if spent > time.Second {
				t.Errorf("%v of %.20s took %v of the processor", goType, n, spent)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
				t.Errorf("%v of %.20s allocated %d KiB", goType, n, allocated>>10)
			}
		}
	}
}
