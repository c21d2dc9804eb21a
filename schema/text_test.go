package schema_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

// What a piece of text becomes, by Go type; want is nil where it does not fit, and rule says why.
func TestSetText(t *testing.T) {
	for _, c := range []struct {
		in   any
		text string
		want any
		rule string
	}{
		{"", "", "", ""}, {"", "a b", "a b", ""}, {"", "null", "null", ""},
		{0, "17", 17, ""}, {0, "-17", -17, ""}, {0, "007", 7, ""}, {0, "-007", -7, ""}, {0, "1.0", 1, ""}, {0, "1e2", 100, ""}, {0, "00", 0, ""},
		{0, "", nil, "type"}, {0, "+1", nil, "type"}, {0, " 1", nil, "type"}, {0, "1 ", nil, "type"}, {0, "0x10", nil, "type"}, {0, "1_000", nil, "type"},
		{0, "1.5", nil, "type"}, {0, "-", nil, "type"}, {0, "abc", nil, "type"}, {0, "null", nil, "type"}, {0, "NaN", nil, "type"}, {0, "١", nil, "type"}, {0, "1\n", nil, "type"},
		{int8(0), "127", int8(127), ""}, {int8(0), "128", nil, "maximum"}, {int64(0), "9223372036854775808", nil, "maximum"},
		{uint8(0), "255", uint8(255), ""}, {uint8(0), "256", nil, "maximum"}, {uint8(0), "-1", nil, "minimum"}, {uint8(0), "-0", uint8(0), ""},
		{0.0, "1.5", 1.5, ""}, {0.0, "-01.5", -1.5, ""}, {0.0, "1e3", 1000.0, ""}, {0.0, ".5", nil, "type"}, {0.0, "Inf", nil, "type"}, {0.0, "1e999", nil, "maximum"}, {0.0, "0x1p4", nil, "type"}, {0.0, "", nil, "type"},
		{false, "true", true, ""}, {false, "1", true, ""}, {false, "on", true, ""}, {true, "false", false, ""}, {true, "0", false, ""},
		{false, "TRUE", nil, "type"}, {false, "yes", nil, "type"}, {false, "", nil, "type"}, {false, "t", nil, "type"},
		{time.Time{}, "2026-01-31T12:00:00Z", mustTime("2026-01-31T12:00:00Z"), ""}, {time.Time{}, "2026", nil, "format"},
		{time.Duration(0), "1h30m", 90 * time.Minute, ""}, {time.Duration(0), "90", nil, "format"},
		{UUID{}, "00000000-0000-0000-0000-000000000000", UUID{}, ""}, {UUID{}, "x", nil, "format"}, {Level(0), "high", Level(1), ""}, {Level(0), "1", nil, "format"},
		{Money{}, "1.50", Money{150}, ""}, {Money{}, "1.5", nil, "pattern"}, {[]byte{}, "aGk=", []byte("hi"), ""},
		{ptr(0), "5", ptr(5), ""}, {ptr(0), "x", nil, "type"}, {ptr(""), "", ptr(""), ""},
		{Address{}, "{}", nil, "type"}, {map[string]int{}, "{}", nil, "type"}, {[]int{}, "1", nil, "type"},
	} {
		t.Run(fmt.Sprintf("%T %q", c.in, c.text), func(t *testing.T) {
			typ := of(t, reflect.TypeOf(c.in))
			v := reflect.New(typ.Go()).Elem()
			found := typ.SetText(v, c.text)
			if c.want == nil {
				if len(found) != 1 || found[0].Rule != c.rule || found[0].Pointer != "" {
					t.Fatalf("got %v, want a violation of %s", found, c.rule)
				}
				return
			}
			if found != nil || !reflect.DeepEqual(v.Interface(), c.want) {
				t.Errorf("got %#v, %v; want %#v", v.Interface(), found, c.want)
			}
		})
	}
}

func TestSetTexts(t *testing.T) {
	type query struct {
		One    int      `maximum:"5"`
		Many   []int    `maxItems:"3" maximum:"5"`
		Comma  []string `explode:"false" maxLength:"2" uniqueItems:"true"`
		Fixed  [2]bool
		Maybe  *[]int `minItems:"2"`
		Secret []int  `secret:"true" maximum:"5"`
		Unique []int  `uniqueItems:"true"`
	}
	for _, c := range []struct {
		field string
		texts []string
		want  any
		found []string
	}{
		{"One", []string{"3"}, 3, nil}, {"One", []string{"3", "4"}, nil, []string{" single"}}, {"One", nil, nil, []string{" single"}},
		{"Many", []string{"1", "2"}, []int{1, 2}, nil}, {"Many", nil, []int{}, nil}, {"Many", []string{"1", "x", "9"}, nil, []string{"/1 type", "/2 maximum"}},
		{"Many", []string{"1", "2", "3", "4"}, nil, []string{" maxItems"}}, {"Many", []string{"1,2"}, nil, []string{"/0 type"}},
		{"Comma", []string{"a,b"}, []string{"a", "b"}, nil}, {"Comma", []string{""}, []string{}, nil}, {"Comma", []string{"a,"}, []string{"a", ""}, nil},
		{"Comma", []string{"a", "b"}, nil, []string{" single"}}, {"Comma", []string{"abc,d,d"}, nil, []string{"/0 maxLength", "/2 uniqueItems"}},
		{"Fixed", []string{"true", "0"}, [2]bool{true, false}, nil}, {"Fixed", []string{"true"}, nil, []string{" minItems"}}, {"Fixed", []string{"1", "1", "1"}, nil, []string{" maxItems"}},
		{"Maybe", []string{"1", "2"}, ptr([]int{1, 2}), nil}, {"Maybe", []string{"1"}, nil, []string{" minItems"}},
		{"Unique", []string{"1", "2", "01"}, nil, []string{"/2 uniqueItems"}},
	} {
		t.Run(fmt.Sprintf("%s %q", c.field, c.texts), func(t *testing.T) {
			owner := reflect.TypeFor[query]()
			sf, _ := owner.FieldByName(c.field)
			field, err := new(schema.Registry).Field(owner, sf)
			if err != nil {
				t.Fatal(err)
			}
			v := reflect.New(sf.Type).Elem()
			found := field.SetTexts(v, c.texts)
			if c.found != nil {
				if got := brief(found); !slices.Equal(got, c.found) {
					t.Errorf("got %q, want %q", got, c.found)
				}
				return
			}
			if found != nil || !reflect.DeepEqual(v.Interface(), c.want) {
				t.Errorf("got %#v, %v; want %#v", v.Interface(), found, c.want)
			}
		})
	}
	sf, _ := reflect.TypeFor[query]().FieldByName("Secret")
	field, _ := new(schema.Registry).Field(reflect.TypeFor[query](), sf)
	for _, v := range field.SetTexts(reflect.New(sf.Type).Elem(), []string{"77", "x"}) {
		if v.Value != nil {
			t.Errorf("a secret shows: %+v", v)
		}
	}
}

func TestTextOfASmallValueDoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		in    any
		texts []string
	}{{0, []string{"12345", "0"}}, {0.0, []string{"1.5"}}, {true, []string{"false"}}, {"", []string{"text"}}} {
		typ := of(t, reflect.TypeOf(c.in))
		v := reflect.New(typ.Go()).Elem()
		for _, text := range c.texts {
			if n := testing.AllocsPerRun(100, func() { typ.SetText(v, text) }); n > 0 && !testing.Short() {
				t.Errorf("%T %s: %v allocations", c.in, text, n)
			}
		}
	}
}

func TestSetTextKeepsToTheConstraints(t *testing.T) {
	type query struct {
		Least  int     `minimum:"3"`
		Most   int64   `maximum:"7"`
		Above  int     `exclusiveMinimum:"3"`
		Below  int     `exclusiveMaximum:"7"`
		Step   int     `multipleOf:"5"`
		Some   int     `enum:"1,2"`
		Colour string  `enum:"red,green"`
		Short  string  `maxLength:"2"`
		Maybe  *int    `maximum:"7"`
		Ratio  float64 `maximum:"0.5"`
		Secret string  `secret:"true" maxLength:"2"`
	}
	owner := reflect.TypeFor[query]()
	for _, c := range []struct {
		field, good, bad, rule string
	}{
		{"Least", "3", "2", "minimum"}, {"Most", "7", "8", "maximum"}, {"Most", "-9", "1000000000000", "maximum"}, {"Above", "4", "3", "exclusiveMinimum"},
		{"Below", "6", "7", "exclusiveMaximum"}, {"Step", "10", "12", "multipleOf"}, {"Some", "2", "3", "enum"}, {"Colour", "red", "RED", "enum"},
		{"Short", "éé", "abc", "maxLength"}, {"Maybe", "7", "8", "maximum"}, {"Ratio", "0.5", "0.51", "maximum"}, {"Secret", "ab", "abc", "maxLength"},
	} {
		sf, _ := owner.FieldByName(c.field)
		field, err := new(schema.Registry).Field(owner, sf)
		if err != nil {
			t.Fatal(err)
		}
		v := reflect.New(sf.Type).Elem()
		for name, set := range map[string]func(string) []schema.Violation{
			"Field.SetText":  func(text string) []schema.Violation { return field.SetText(v, text) },
			"Field.SetTexts": func(text string) []schema.Violation { return field.SetTexts(v, []string{text}) },
			"Type.SetText":   func(text string) []schema.Violation { return field.Type.SetText(v, text) },
		} {
			if found := set(c.good); found != nil {
				t.Errorf("%s of %s %q: %v", name, c.field, c.good, found)
			}
			found := set(c.bad)
			if len(found) != 1 || found[0].Rule != c.rule {
				t.Errorf("%s of %s %q: %v, want %s", name, c.field, c.bad, found, c.rule)
			}
			if c.field == "Secret" && name != "Type.SetText" && found[0].Value != nil {
				t.Errorf("%s shows a secret", name)
			}
		}
	}
}
