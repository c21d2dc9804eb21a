package jsonenc

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"
)

type color int

func (c color) MarshalText() ([]byte, error) { return []byte("color<" + string(rune('a'+c))), nil }

type byPointer struct{ N int }

func (p *byPointer) MarshalJSON() ([]byte, error) { return []byte(`{"by": "pointer"}`), nil }

type embedded struct{ Inner string }

type kinds struct {
	B    bool
	I    int
	I8   int8
	U    uint64
	F32  float32
	F64  float64 `json:"f64"`
	S    string  `json:"s,omitempty"`
	P    *string `json:"p"`
	PO   *int    `json:"po,omitempty"`
	L    []int
	LO   []string `json:"lo,omitempty"`
	LL   [][]string
	A    [2]bool
	Raw  []byte
	Any  any
	M    map[string]float64
	MO   map[int]string `json:"mo,omitempty"`
	T    time.Time
	TZ   time.Time `json:"tz,omitzero"`
	D    time.Duration
	C    color
	Ptr  byPointer
	PPtr *byPointer
	Sub  struct {
		X int `json:"<x>&"`
		Y int `json:"-"`
		//lint:ignore SA5008 the comma makes "-" a name
		Z int `json:"-,"`
		w int
	}
	Zero int `json:"zero,omitzero"`
	Msg  json.RawMessage
	Num  json.Number
	Odd  int `json:"ünï ☃"`
	//lint:ignore SA5008 what is not a name is ignored
	Bad   int `json:"a\"b"`
	Addr  netip.Addr
	Items []item
}

type item struct {
	Name string
	Next *item `json:",omitempty"`
}

type withEmbedded struct {
	embedded
	N int
}

type quoted struct {
	N int `json:",string"`
}

// twins has two members of one name, which encoding/json leaves out both.
var twins = reflect.StructOf([]reflect.StructField{
	{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
	{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"x"`},
	{Name: "C", Type: reflect.TypeFor[int]()},
})

func encode(value any) (string, error) {
	out, err := Of(reflect.TypeOf(value))(nil, value)
	return string(out), err
}

// same fails unless both say the same, or both refuse.
func same(t *testing.T, value any) {
	t.Helper()
	want, wantErr := json.Marshal(value)
	got, err := encode(value)
	if (err != nil) != (wantErr != nil) {
		t.Errorf("%T %+v: error %v, encoding/json has %v", value, value, err, wantErr)
		return
	}
	if err == nil && got != string(want) {
		t.Errorf("%T\n got %s\nwant %s", value, got, want)
	}
}

func TestSameAsStandard(t *testing.T) {
	text, number := "x", 0
	filled := kinds{
		B: true, I: -5, I8: -128, U: math.MaxUint64, F32: 1.5e-7, F64: 1e21, S: "<a>&\u2028\x00\xff\t", P: &text, PO: &number,
		L: []int{1, 2}, LO: []string{"a"}, LL: [][]string{nil, {}, {"x"}}, Raw: []byte{1, 2}, Any: map[string]any{"k": 1},
		M: map[string]float64{"b": 1, "a": 2}, MO: map[int]string{2: "x"}, T: time.Unix(1, 2).UTC(), TZ: time.Unix(1, 2).UTC(), D: 5,
		C: 2, PPtr: &byPointer{}, Zero: 1, Msg: json.RawMessage(`{"a" : "<"}`), Num: "12.50", Addr: netip.MustParseAddr("::1"),
		Items: []item{{Name: "a", Next: &item{Name: "b"}}, {}},
	}
	for _, value := range []any{
		kinds{}, &kinds{}, filled, &filled, []kinds{filled}, []*kinds{&filled, nil}, (*kinds)(nil),
		true, 5, "x", 1.5, float32(0.1), []string{}, []string(nil), [0]int{}, map[string]int(nil), struct{}{}, color(1),
		byPointer{}, &byPointer{}, []byPointer{{}}, [1]byPointer{}, withEmbedded{embedded{"x"}, 1}, quoted{5}, reflect.New(twins).Interface(),
		json.RawMessage(`[1 , 2]`), json.RawMessage(`{`), json.Number("x"), make(chan int), struct{ F func() }{}, math.NaN(), math.Inf(1),
		[]float64{0, math.Copysign(0, -1), 1e-6, 9.99e-7, 1e20, 1e21, 123456789.123, math.MaxFloat64, math.SmallestNonzeroFloat64},
		[]float32{1e-6, 9.99e-7, 1e20, 1e21, math.MaxFloat32, math.SmallestNonzeroFloat32, 16777216},
		[]any{nil, 1, "a"}, [][]byte{nil, {}, {1}}, []color{0, 1}, map[color]int{1: 2},
	} {
		same(t, value)
	}
}

func TestCycleIsAnError(t *testing.T) {
	loop := &item{Name: "a"}
	loop.Next = loop
	if _, err := encode(loop); err == nil {
		t.Error("a value that contains itself was encoded")
	}
	long := &item{Name: "end"}
	for range 3 * deepest {
		long = &item{Name: "x", Next: long}
	}
	same(t, long)
	type list []list
	nest := list{}
	for range 2 * deepest {
		nest = list{nest}
	}
	same(t, nest)
}

func TestConcurrentCompile(t *testing.T) {
	type tree struct {
		Left, Right *tree
		N           int
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if got, err := encode(tree{Left: &tree{N: 1}}); err != nil || !strings.HasPrefix(got, `{"Left":{"Left":null`) {
				t.Errorf("%s %v", got, err)
			}
		})
	}
	wg.Wait()
}

func TestQuick(t *testing.T) {
	type sample struct {
		A string            `json:"a"`
		B []string          `json:"b,omitempty"`
		C map[string]int    `json:"c"`
		D *float64          `json:"d"`
		E []float32         `json:"e"`
		F [3]int64          `json:"f"`
		G struct{ H uint8 } `json:"g"`
		I []*bool           `json:"i"`
	}
	check := func(v sample) bool {
		want, _ := json.Marshal(v)
		got, err := encode(v)
		return err == nil && got == string(want)
	}
	if err := quick.Check(check, &quick.Config{MaxCount: 3000}); err != nil {
		t.Error(err)
	}
}

func FuzzStrings(f *testing.F) {
	f.Add("a<b>&c\u2028\xff\\\"\n", 1.5)
	f.Fuzz(func(t *testing.T, s string, n float64) {
		type pair struct {
			S string
			N float64
			M float32
			K []string
		}
		same(t, pair{s, n, float32(n), []string{s, s}})
	})
}

func BenchmarkStruct(b *testing.B) {
	type out struct {
		ID   int    `json:"id"`
		Page int    `json:"page"`
		Sort string `json:"sort"`
		Name string `json:"name"`
	}
	value := &out{42, 3, "age", "Ada"}
	b.Run("jsonenc", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst, _ = Of(reflect.TypeFor[*out]())(dst[:0], value)
		}
	})
	b.Run("standard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			json.Marshal(value)
		}
	})
}
