package schema_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

func TestValidate(t *testing.T) {
	type item struct {
		N    int               `json:"n" minimum:"1"`
		S    string            `json:"s,omitempty" minLength:"2"`
		Z    time.Time         `json:"z,omitzero"`
		P    *int              `json:"p" maximum:"5"`
		L    []string          `json:"l" maxItems:"2" uniqueItems:"true" maxLength:"3"`
		M    map[string]uint   `json:"m" maxProperties:"1" maximum:"9"`
		F    float32           `json:"f" maximum:"0.1" multipleOf:"0.05"`
		U    uint8             `json:"u" enum:"0,1"`
		E    string            `json:"e,omitempty" enum:"a,b"`
		D    time.Duration     `json:"d" pattern:"s$"`
		A    [2]int            `json:"a" minimum:"0"`
		Next *item             `json:"next"`
		Any  any               `json:"any"`
		Pin  string            `json:"pin" secret:"true" maxLength:"4"`
		Sh   []Shape           `json:"sh"`
		Keys map[Level]Address `json:"keys,omitempty"`
		C    []Address         `json:"c" uniqueItems:"true"`
	}
	good := func() item { return item{N: 1} }
	for _, c := range []struct {
		name string
		make func(*item)
		want []string
	}{
		{"good", func(*item) {}, nil},
		{"number", func(i *item) { i.N = 0 }, []string{"/n minimum"}},
		{"omitempty leaves out the empty", func(i *item) { i.S = "" }, nil},
		{"and checks the rest", func(i *item) { i.S = "x" }, []string{"/s minLength"}},
		{"pointer", func(i *item) { i.P = ptr(6) }, []string{"/p maximum"}},
		{"list", func(i *item) { i.L = []string{"a", "abcd", "a"} }, []string{"/l maxItems", "/l/1 maxLength", "/l/2 uniqueItems"}},
		{"map", func(i *item) { i.M = map[string]uint{"x/": 10, "y": 1} }, []string{"/m maxProperties", "/m/x~1 maximum"}},
		{"float32 as written", func(i *item) { i.F = 0.1 }, nil},
		{"float32 beyond", func(i *item) { i.F = 0.15 }, []string{"/f maximum"}},
		{"enum", func(i *item) { i.U = 2 }, []string{"/u enum"}},
		{"text enum", func(i *item) { i.E = "c" }, []string{"/e enum"}},
		{"text form", func(i *item) { i.D = time.Nanosecond }, nil},
		{"array", func(i *item) { i.A[1] = -1 }, []string{"/a/1 minimum"}},
		{"nested", func(i *item) { i.Next = &item{Next: &item{N: 1}} }, []string{"/next/n minimum"}},
		{"secret", func(i *item) { i.Pin = "12345" }, []string{"/pin maxLength"}},
		{"variants", func(i *item) { i.Sh = []Shape{Circle{Radius: 1}, &Square{}, nil, Circle{}} }, []string{"/sh/1/side minimum", "/sh/2 type", "/sh/3/radius exclusiveMinimum"}},
		{"keys", func(i *item) { i.Keys = map[Level]Address{1: {}} }, []string{"/keys/high/street minLength", "/keys/high/zip pattern"}},
		{"equal structs", func(i *item) {
			i.C = []Address{{"s", "c", "12345"}, {"s", "c", "12345"}}
		}, []string{"/c/1 uniqueItems"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := good()
			c.make(&v)
			found := of(t, reflect.TypeFor[item]()).Validate(reflect.ValueOf(v))
			if got := brief(found); len(got) != len(c.want) || len(got) > 0 && !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			for _, v := range found {
				if v.Pointer == "/pin" && v.Value != nil {
					t.Error("a secret shows")
				}
			}
		})
	}
	loop := good()
	loop.Next = &loop
	if found := of(t, reflect.TypeFor[item]()).Validate(reflect.ValueOf(loop)); len(found) != 1 || found[0].Rule != "depth" {
		t.Error("a value that contains itself:", found)
	}
	if found := of(t, reflect.TypeFor[item]()).Validate(reflect.ValueOf(1)); len(found) != 1 || found[0].Rule != "type" {
		t.Error("another type:", found)
	}
}

// Boundaries are what they say: each valid one is accepted, each other one breaks the rule at the place, and every
// constraint of the type is among them from both sides.
func TestBoundaries(t *testing.T) {
	type limits struct {
		N int               `json:"n" minimum:"3" maximum:"7" required:"true"`
		X float64           `json:"x" exclusiveMinimum:"0" maximum:"1" multipleOf:"0.25"`
		S string            `json:"s" minLength:"2" maxLength:"4"`
		P string            `json:"p" pattern:"^[A-Z]{2}-[0-9]{3,5}$"`
		E string            `json:"e" enum:"red,green"`
		L []int8            `json:"l" minItems:"1" maxItems:"3" uniqueItems:"true"`
		M map[string]string `json:"m" minProperties:"1" maxProperties:"2"`
		F *string           `json:"f" format:"email"`
	}
	typ := of(t, reflect.TypeFor[limits]())
	all := typ.Boundaries(1)
	sides := map[string][2]bool{}
	for _, b := range all {
		found, err := typ.Decode(b.JSON, new(limits), schema.DecodeOptions{})
		if err != nil || (len(found) == 0) != b.Valid {
			t.Errorf("%s: valid %v, found %v, %v", b.JSON, b.Valid, found, err)
		}
		if !b.Valid && (len(found) != 1 || found[0].Rule != b.Rule || found[0].Pointer != b.Pointer && b.Rule != "uniqueItems") {
			t.Errorf("%s: want only %s %s, found %v", b.JSON, b.Pointer, b.Rule, brief(found))
		}
		key := b.Pointer + " " + b.Rule
		side := sides[key]
		if b.Valid {
			side[0] = true
		} else {
			side[1] = true
		}
		sides[key] = side
	}
	for _, key := range []string{"/n minimum", "/n maximum", "/x maximum", "/x multipleOf", "/s minLength", "/s maxLength", "/e enum", "/l minItems",
		"/l maxItems", "/l/0 minimum", "/l/0 maximum", "/m minProperties", "/m maxProperties", "/f type"} {
		if key == "/f type" {
			if !sides[key][0] || !sides[key][1] {
				t.Errorf("%s: %v", key, sides[key])
			}
			continue
		}
		if sides[key] != [2]bool{true, true} {
			t.Errorf("%s: inside and outside %v", key, sides[key])
		}
	}
	for _, key := range []string{"/n required", "/n type", "/x exclusiveMinimum", "/p pattern", "/l uniqueItems", "/f format", " type"} {
		if !sides[key][1] {
			t.Errorf("nothing breaks %s", key)
		}
	}
	if fmt.Sprint(typ.Boundaries(1)) != fmt.Sprint(all) {
		t.Error("not the same twice")
	}
}

func TestEveryTypeHasAnExampleAndBoundaries(t *testing.T) {
	for name, typ := range agreed(t) {
		for seed := range uint64(20) {
			example := typ.Example(seed)
			if example == nil {
				t.Fatalf("%s: no example for seed %d", name, seed)
			}
			if found, err := typ.Decode(example, newPointer(typ), schema.DecodeOptions{}); err != nil || found != nil {
				t.Errorf("%s: %s: %v, %v", name, example, found, err)
			}
		}
		if len(typ.Boundaries(1)) == 0 {
			t.Errorf("%s: no boundaries", name)
		}
	}
}
