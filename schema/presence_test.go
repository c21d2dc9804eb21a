package schema_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

// What counts is whether the member is in the input, not whether Go's value is zero: in every kind, the zero value
// satisfies required and keeps the default away, absence breaks required and brings the default, and null is a value of
// pointers and of any alone.
func TestPresenceInEveryKind(t *testing.T) {
	check[bool](t, `false`, `true`)
	check[int](t, `0`, `7`)
	check[int8](t, `0`, `7`)
	check[int16](t, `0`, `7`)
	check[int32](t, `0`, `7`)
	check[int64](t, `0`, `7`)
	check[uint](t, `0`, `7`)
	check[uint8](t, `0`, `7`)
	check[uint16](t, `0`, `7`)
	check[uint32](t, `0`, `7`)
	check[uint64](t, `0`, `7`)
	check[float32](t, `0`, `7.5`)
	check[float64](t, `0`, `7.5`)
	check[string](t, `""`, `"seven"`)
	check[json.Number](t, `0`, `7`)
	check[[]byte](t, `""`, `"aGk="`)
	check[time.Time](t, `"0001-01-01T00:00:00Z"`, `"2026-01-31T12:00:00Z"`)
	check[time.Duration](t, `"0s"`, `"7m"`)
	check[UUID](t, `"00000000-0000-0000-0000-000000000000"`, `"123e4567-e89b-12d3-a456-426614174000"`)
	check[Level](t, `"low"`, `"high"`)
	check[Money](t, `"0.00"`, `"7.00"`)
	check[[]int](t, `[]`, `[7]`)
	check[[2]int](t, `[0,0]`, `[7,7]`)
	check[map[string]int](t, `{}`, `{"seven":7}`)
	check[struct{ A int }](t, `{}`, `{"A":7}`)
	check[Shape](t, `{"type":"circle","radius":1}`, `{"type":"square","side":7}`)
	check[any](t, `null`, `7`)
	check[json.RawMessage](t, `null`, `7`)
	check[Pair](t, `[0,0]`, `[7,7]`)
	check[*int](t, `null`, `7`)
	check[*int](t, `0`, `7`)
	check[*string](t, `null`, `"seven"`)
	check[*[]int](t, `null`, `[7]`)
	check[*struct{ A int }](t, `null`, `{"A":7}`)
	check[*time.Time](t, `null`, `"2026-01-31T12:00:00Z"`)
}

// fieldOf makes struct{ V T `json:"v" tag` }.
func fieldOf(goType reflect.Type, tag string) reflect.Type {
	return reflect.StructOf([]reflect.StructField{{Name: "V", Type: goType, Tag: reflect.StructTag(`json:"v" ` + tag)}})
}

func check[T any](t *testing.T, zero, other string) {
	t.Helper()
	goType := reflect.TypeFor[T]()
	t.Run(fmt.Sprintf("%v %s", goType, zero), func(t *testing.T) {
		required := of(t, fieldOf(goType, `required:"true"`))
		withDefault := of(t, fieldOf(goType, fmt.Sprintf(`default:%q`, unquoted(other))))
		decode := func(typ *schema.Type, text string) (any, []string) {
			t.Helper()
			v := reflect.New(typ.Go())
			violations, err := typ.Decode([]byte(text), v.Interface(), schema.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return v.Elem().Field(0).Interface(), brief(violations)
		}
		present := func(text string) string { return `{"v":` + text + `}` }

		if _, got := decode(required, `{}`); !slices.Equal(got, []string{"/v required"}) {
			t.Errorf("required and absent: %q", got)
		}
		want, got := decode(required, present(zero))
		if len(got) > 0 {
			t.Errorf("required and %s: %q", zero, got)
		}
		if v, got := decode(withDefault, present(zero)); len(got) > 0 || !reflect.DeepEqual(v, want) {
			t.Errorf("default and %s: %#v, %q", zero, v, got)
		}
		want, _ = decode(required, present(other))
		if v, got := decode(withDefault, `{}`); len(got) > 0 || !reflect.DeepEqual(v, want) {
			t.Errorf("default and absent: %#v, want %#v, %q", v, want, got)
		}
		fits := required.Fields()[0].Type.Nullable()
		own := goType == reflect.TypeFor[Pair]() // whose own UnmarshalJSON refuses null
		if _, got := decode(required, present(`null`)); fits && !own && len(got) > 0 || (!fits || own) && !slices.Equal(got, []string{"/v type"}) {
			t.Errorf("null: %q", got)
		}
	})
}

func unquoted(value string) string {
	var text string
	if json.Unmarshal([]byte(value), &text) == nil && value != "null" {
		return text
	}
	return value
}

func TestDefaults(t *testing.T) {
	type inner struct {
		Limit int      `json:"limit" default:"20"`
		Tags  []string `json:"tags" default:"a,b"`
	}
	type Embedded struct {
		Sort string `json:"sort" default:"name"`
	}
	type outer struct {
		inner
		*Embedded
		In      inner          `json:"in"`
		Pointer *inner         `json:"pointer"`
		Map     map[string]int `json:"map" default:"{\"a\":1}"`
		Number  *int           `json:"number" default:"5"`
		Plain   int            `json:"plain"`
	}
	typ := of(t, reflect.TypeFor[outer]())
	filled := inner{20, []string{"a", "b"}}
	five := 5
	want := outer{filled, &Embedded{"name"}, filled, nil, map[string]int{"a": 1}, &five, 0}

	var decoded, applied outer
	if violations, err := typ.Decode([]byte(`{}`), &decoded, schema.DecodeOptions{}); err != nil || violations != nil {
		t.Fatal(violations, err)
	}
	typ.ApplyDefaults(reflect.ValueOf(&applied).Elem())
	for _, got := range []outer{decoded, applied} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	// Each value has its own slices and maps.
	decoded.Tags[0], decoded.Map["a"], *decoded.Number = "changed", 2, 6
	if !reflect.DeepEqual(applied, want) {
		t.Errorf("defaults are shared: %+v", applied)
	}
	// A struct that is present in part gets the rest.
	var part outer
	_, _ = typ.Decode([]byte(`{"in":{"limit":1},"pointer":{}}`), &part, schema.DecodeOptions{})
	if part.In.Limit != 1 || len(part.In.Tags) != 2 || part.Pointer == nil || part.Pointer.Limit != 20 {
		t.Errorf("%+v", part)
	}
}
