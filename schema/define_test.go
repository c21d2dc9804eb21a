package schema_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

type unexported struct{ X int }

// A type or tag that cannot work is refused when it is described, with the field, the tag and what to do.
func TestDefinitionErrors(t *testing.T) {
	type Order struct {
		Coupon int `maxLength:"12"`
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{Order{}, "field Order.Coupon: maxLength on an integer; use maximum"},
		{struct {
			A string `minimum:"1"`
		}{}, `A: minimum on a string; use minLength`},
		{struct {
			A []bool `minLength:"1"`
		}{}, "A: minLength on an array; use minItems"},
		{struct {
			A map[string]bool `maxItems:"1"`
		}{}, "A: maxItems on an object; use maxProperties"},
		{struct {
			A bool `pattern:"x"`
		}{}, "A: pattern on true or false"},
		{struct {
			A float64 `uniqueItems:"true"`
		}{}, "A: uniqueItems on a number"},
		{struct {
			A any `maximum:"1"`
		}{}, "A: maximum on a value"},
		{struct {
			A float64 `exclusiveMinimum:"x"`
		}{}, `A: exclusiveMinimum "x" is not a decimal number`},
		{struct {
			A int `minimum:"0.5"`
		}{}, `A: minimum "0.5" is not an integer that the field can hold`},
		{struct {
			A int8 `maximum:"128"`
		}{}, "A: maximum 128 does not fit the field's 8 bits"},
		{struct {
			A uint `minimum:"-1"`
		}{}, `A: minimum "-1" is not an integer that the field can hold`},
		{struct {
			A int `multipleOf:"0"`
		}{}, `A: multipleOf "0" is not an integer above 0`},
		{struct {
			A float64 `multipleOf:"-1"`
		}{}, `A: multipleOf "-1" is not above 0`},
		{struct {
			A int `minimum:"5" maximum:"4"`
		}{}, "A: maximum nothing lies between 5 and 4"},
		{struct {
			A float64 `exclusiveMinimum:"5" maximum:"5"`
		}{}, "A: maximum nothing lies between 5 and 5"},
		{struct {
			A string `maxLength:"-1"`
		}{}, `A: maxLength "-1" is not a whole number from 1 on`},
		{struct {
			A string `minLength:"5" maxLength:"4"`
		}{}, "A: maxLength 4 is less than the minimum 5"},
		{struct {
			A string `pattern:"("`
		}{}, "A: pattern error parsing regexp: missing closing ): `(`; RE2 has no look-around and no back-references"},
		{struct {
			A int `enum:"1,x"`
		}{}, "A: enum lists x, which is not JSON: line 1, column 1: expected a value, found 'x'"},
		{struct {
			A int8 `enum:"1,128"`
		}{}, "A: enum lists 128, which must be at most 127"},
		{struct {
			A string `enum:"a,a"`
		}{}, `A: enum lists "a" twice`},
		{struct {
			A bool `enum:"true"`
		}{}, "A: enum on true or false"},
		{struct {
			A string `required:"yes"`
		}{}, `A: required "yes" is neither true nor false`},
		{struct {
			A string `required:"true" default:"x"`
		}{}, "A: default on a required field; drop one of the two"},
		{struct {
			A int `default:"x"`
		}{}, `A: default "x" does not fit: it is not JSON`},
		{struct {
			A int `default:"11" maximum:"10"`
		}{}, `A: default "11" does not fit: it must be at most 10`},
		{struct {
			A []int `default:"1,x"`
		}{}, `A: default "1,x" does not fit: it is not JSON`},
		{struct {
			A string `example:"abc" maxLength:"2"`
		}{}, `A: example "abc" does not fit: it must be at most 2 characters long`},
		{struct {
			A time.Time `example:"today"`
		}{}, `A: example "today" does not fit: it must be a date and time like 2026-01-31T12:00:00Z`},
		{struct {
			A time.Time `format:"date"`
		}{}, "A: format on a type that has the format date-time; drop the tag, or make the field a string"},
		{struct {
			A string `maxlength:"2"`
		}{}, "A: maxlength is not a tag; write maxLength"},
		{struct {
			A string `Required:"true"`
		}{}, "A: Required is not a tag; write required"},
		{struct {
			A int `json:"a,string"`
		}{}, "A: json has the option string, which makes one value two things; drop the option, or make the field a string or json.Number"},
		{struct{ A chan int }{}, `A: has the type chan int, which JSON cannot express; leave the field out with json:"-"`},
		{struct{ A func() }{}, "A: has the type func(), which JSON cannot express"},
		{struct{ A complex128 }{}, "A: has the type complex128, which JSON cannot express"},
		{struct{ A io.Reader }{}, "A: has the interface type Reader, and nothing says what may stand there; register its variants with schema.RegisterOneOf"},
		{struct{ A map[int]string }{}, "A: has the type map[int]string, whose keys are not text; use string keys, or a key type with UnmarshalText"},
		{struct{ *unexported }{}, "unexported: is an embedded pointer to an unexported struct, which cannot be set; embed the struct itself"},
		{[]chan int{}, "type chan int: has the type chan int, which JSON cannot express"},
	} {
		_, err := schema.Of(reflect.TypeOf(c.in))
		var definition *schema.DefinitionError
		if !errors.As(err, &definition) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T\n got %v\nwant %s", c.in, err, c.want)
		}
	}
	if _, err := schema.Of(nil); err == nil {
		t.Error("no type was accepted")
	}
}

// What failed once fails again, and leaves nothing behind.
func TestAFailedDescriptionIsNotKept(t *testing.T) {
	type Inner struct{ A chan int }
	type Outer struct {
		Good Address
		In   *Inner
	}
	var r schema.Registry
	for range 2 {
		for _, goType := range []reflect.Type{reflect.TypeFor[Outer](), reflect.TypeFor[Inner]()} {
			if _, err := r.Of(goType); err == nil {
				t.Errorf("%v was accepted", goType)
			}
		}
	}
	if _, err := r.Of(reflect.TypeFor[Address]()); err != nil {
		t.Error(err)
	}
}

func TestRegistrationErrors(t *testing.T) {
	var used schema.Registry
	_, _ = used.Of(reflect.TypeFor[int]())
	var twice schema.Registry
	parse := func([]byte) (Money, error) { return Money{}, nil }
	_ = schema.Register(&twice, schema.Custom[Money]{Kind: schema.String, Parse: parse})
	for name, err := range map[string]error{
		"without Parse":      schema.Register(new(schema.Registry), schema.Custom[Money]{Kind: schema.String}),
		"any without Parse":  schema.Register(new(schema.Registry), schema.Custom[Money]{}),
		"kind":               schema.Register(new(schema.Registry), schema.Custom[Money]{Kind: schema.Array, Parse: parse}),
		"pattern":            schema.Register(new(schema.Registry), schema.Custom[Money]{Kind: schema.String, Parse: parse, Constraints: schema.Constraints{Pattern: "("}}),
		"after use":          schema.Register(&used, schema.Custom[Money]{Kind: schema.String, Parse: parse}),
		"twice":              schema.Register(&twice, schema.Custom[Money]{Kind: schema.String, Parse: parse}),
		"not an interface":   schema.RegisterOneOf(new(schema.Registry), "type", map[string]Circle{"circle": {}}),
		"no discriminator":   schema.RegisterOneOf(new(schema.Registry), "", map[string]Shape{"circle": Circle{}}),
		"no variants":        schema.RegisterOneOf(new(schema.Registry), "type", map[string]Shape{}),
		"variant not struct": schema.RegisterOneOf(new(schema.Registry), "type", map[string]any{"x": 1}),
		"nil variant":        schema.RegisterOneOf(new(schema.Registry), "type", map[string]Shape{"x": nil}),
	} {
		var definition *schema.DefinitionError
		if !errors.As(err, &definition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoRegistriesDoNotMeet(t *testing.T) {
	type Holder struct{ Price Money }
	if typ, err := shop(t).Of(reflect.TypeFor[Holder]()); err != nil || typ.Fields()[0].Type.Kind() != schema.String {
		t.Error(err)
	}
	typ, err := schema.Of(reflect.TypeFor[Holder]())
	if err != nil || typ.Fields()[0].Type.Kind() != schema.Object {
		t.Error("the built-in registry knows a type registered elsewhere", err)
	}
}

func TestDescriptionsAreMadeOnceByManyGoroutines(t *testing.T) {
	var r schema.Registry
	var group sync.WaitGroup
	types := make([]*schema.Type, 20)
	for i := range types {
		group.Go(func() {
			typ, err := r.Of(reflect.TypeFor[Node]())
			if err != nil {
				t.Error(err)
				return
			}
			var n Node
			if found, err := typ.Decode([]byte(`{"name":"a","left":{"name":"b"}}`), &n, schema.DecodeOptions{}); err != nil || found != nil {
				t.Error(found, err)
			}
			types[i] = typ
		})
	}
	group.Wait()
	for _, typ := range types {
		if typ != types[0] {
			t.Fatal("described twice")
		}
	}
}

// Members are those of encoding/json, found with the same rules of embedding.
func TestMembersAreThoseOfEncodingJSON(t *testing.T) {
	type A struct {
		X, Y int
		Z    int `json:"z"`
	}
	type B struct {
		X int
		Z int
	}
	type low struct{ L int }
	type number int
	for _, c := range []struct {
		in   any
		want string
	}{
		{struct {
			A
			B
			X string
		}{}, "Y z Z X"},
		{struct {
			A
			B
		}{}, "Y z Z"},
		{struct {
			A `json:"a"`
			B
		}{}, "a X Z"},
		{struct {
			low
			number
			M int
		}{}, "L M"},
		{struct {
			//lint:ignore SA5008 the comma makes "-" a name
			Keep int `json:"-,"`
			Drop int `json:"-"`
			//lint:ignore SA5008 what is not a name is ignored
			Wrong int `json:"a\"b"`
			Empty int `json:",omitempty"`
		}{}, "- Wrong Empty"},
		{struct {
			*A
			T time.Time `json:"time"`
		}{}, "X Y z time"},
	} {
		typ, err := schema.Of(reflect.TypeOf(c.in))
		if err != nil {
			t.Errorf("%T: %v", c.in, err)
			continue
		}
		var names []string
		for _, f := range typ.Fields() {
			names = append(names, f.Name)
			if typ.Field(f.Name) != f {
				t.Errorf("%T: Field(%q) is another", c.in, f.Name)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%T: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestTypeTellsWhatItIs(t *testing.T) {
	type Params struct {
		Name  string         `json:"name" required:"true" doc:"the name" example:"Ada" secret:"true"`
		Tags  []string       `json:"tags,omitempty" maxItems:"3" maxLength:"9" deprecated:"true"`
		Index map[UUID]*int8 `json:"index" default:"{}"`
		Shape Shape          `json:"shape"`
	}
	typ := of(t, reflect.TypeFor[*Params]())
	if typ.Kind() != schema.Object || !typ.Nullable() || typ.Name() != "Params" || typ.Textual() || typ.Go() != reflect.TypeFor[*Params]() {
		t.Error(typ.Kind(), typ.Nullable(), typ.Name(), typ.Textual(), typ.Go())
	}
	f := typ.Fields()
	if n := f[0]; n.Name != "name" || n.GoName != "Name" || !n.Required || n.Doc != "the name" || string(n.Example) != `"Ada"` || !n.Secret || n.Deprecated || n.OmitEmpty {
		t.Errorf("%+v", n)
	}
	if n := f[1]; !n.OmitEmpty || !n.Deprecated || n.Type.Constraints().MaxItems != 3 || n.Type.Elem().Constraints().MaxLength != 9 || !n.Type.TextualList() {
		t.Errorf("%+v", n)
	}
	if n := f[2]; n.Type.Key().Format() != "uuid" || n.Type.Elem().Format() != "int8" || !n.Type.Elem().Nullable() || string(n.Default) != "{}" {
		t.Errorf("%+v", n)
	}
	if name, variants := f[3].Type.Discriminator(); name != "type" || len(variants) != 3 || variants["circle"].Name() != "Circle" {
		t.Error(name, variants)
	}
	if got := of(t, reflect.TypeFor[Page[Address]]()).Name(); got != "PageAddress" {
		t.Error(got)
	}
	if got := schema.OneOf.String() + schema.Kind(200).String(); got != "oneOfunknown" {
		t.Error(got)
	}
}
