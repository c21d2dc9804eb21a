package schema_test

import (
	"encoding/json"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

// A million members, known to nobody or becoming a map, take bounded time and memory.
func TestAMillionMembers(t *testing.T) {
	const n = 1_000_000
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"k` + strconv.Itoa(i) + `":0`)
	}
	text := []byte(b.String() + "}")
	for _, c := range []struct {
		goType   reflect.Type
		mayTake  time.Duration
		allocate uint64
	}{
		{reflect.TypeFor[Address](), 10 * time.Second, 200 << 20},
		{reflect.TypeFor[map[string]int](), 20 * time.Second, 600 << 20},
		{reflect.TypeFor[struct {
			A map[string]int `maxProperties:"10"`
		}](), 10 * time.Second, 200 << 20},
	} {
		typ := of(t, c.goType)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		if _, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{DisallowUnknown: true}); err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if took > c.mayTake {
			t.Errorf("%v took %v", c.goType, took)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > c.allocate {
			t.Errorf("%v allocated %d MiB", c.goType, allocated>>20)
		}
	}
	repeated := []byte(b.String() + `,"k0":1}`)
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
	var b strings.Builder
	for i := range 100_000 {
		b.WriteString(`"` + strconv.Itoa(i) + `",`)
	}
	text := []byte(`{"a":[` + b.String() + `"0"],"b":[` + b.String() + `{"x":[1.0,"a"],"y":2},{"y":2e0,"x":[1,"\u0061"]}]}`)
	start := time.Now()
	found, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{})
	if err != nil || len(found) != 2 || found[0].Pointer != "/a/100000" || found[1].Pointer != "/b/100001" {
		t.Error(found, err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Error(took)
	}
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
			start := time.Now()
			if _, err := typ.Decode([]byte(text), newPointer(typ), schema.DecodeOptions{}); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%v of %.20s took %v", goType, n, took)
			}
		}
	}
}
