package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/schema"
)

func TestSumTypes(t *testing.T) {
	typ := of(t, reflect.TypeFor[Shape]())
	for _, c := range []struct {
		text string
		want Shape
		bad  []string
	}{
		{`{"type":"circle","radius":2}`, Circle{"circle", 2}, nil},
		{`{"radius":2,"type":"circle"}`, Circle{"circle", 2}, nil},
		{`{"\u0074ype":"circle","radius":2}`, Circle{"circle", 2}, nil},
		{`{"side":3,"x":{"type":"circle"},"type":"square"}`, &Square{3}, nil},
		{`{"type":"group","shapes":[{"type":"group","shapes":[{"side":1,"type":"square"}]}]}`,
			Group{"group", []Shape{Group{"group", []Shape{&Square{1}}}}}, nil},
		{`{}`, nil, []string{"/type required"}},
		{`{"radius":2}`, nil, []string{"/type required"}},
		{`{"Type":"circle","radius":2}`, nil, []string{"/type required"}},
		{`{"type":"triangle"}`, nil, []string{"/type enum"}},
		{`{"type":7}`, nil, []string{"/type type"}},
		{`{"type":null}`, nil, []string{"/type type"}},
		{`null`, nil, []string{" type"}},
		{`[]`, nil, []string{" type"}},
		{`{"type":"circle"}`, nil, []string{"/radius required"}},
		{`{"type":"group","shapes":[{"type":"square","side":0},{"type":"x"}]}`, nil, []string{"/shapes/0/side minimum", "/shapes/1/type enum"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			var got Shape
			found, err := typ.Decode([]byte(c.text), &got, schema.DecodeOptions{DisallowUnknown: false})
			if err != nil {
				t.Fatal(err)
			}
			if b := brief(found); len(b) != len(c.bad) || len(b) > 0 && !slices.Equal(b, c.bad) {
				t.Fatalf("got %q, want %q", b, c.bad)
			}
			if c.bad == nil && !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
	for _, text := range []string{
		`{"type":"circle","type":"square"}`, `{"type":"circle","radius":1,"radius":2}`, `{"type":"x","a":1,"a":2}`, `{"a":1,"a":2}`, `{"type":"circle",}`, `{"a":tru,"type":"circle"}`,
		`{"type":"square","side":1,"type":"square"}`,
	} {
		var got Shape
		if _, err := typ.Decode([]byte(text), &got, schema.DecodeOptions{}); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

// The discriminator is a known member, also of a variant that has no field for it.
func TestTheDiscriminatorIsNotUnknown(t *testing.T) {
	typ := of(t, reflect.TypeFor[[]Shape]())
	var got []Shape
	found, err := typ.Decode([]byte(`[{"type":"square","side":1},{"type":"square","side":1,"x":{"type":1}}]`), &got, schema.DecodeOptions{DisallowUnknown: true})
	if err != nil || !slices.Equal(brief(found), []string{"/1/x additionalProperties"}) {
		t.Error(found, err)
	}
}

// A discriminator that comes last, at every level, makes each level be read twice, and no more.
func TestALateDiscriminatorStaysCheap(t *testing.T) {
	typ := of(t, reflect.TypeFor[Shape]())
	text := strings.Repeat(`{"shapes":[`, 30) + `{"type":"square","side":1}` + strings.Repeat(`],"type":"group"}`, 30)
	var got Shape
	if found, err := typ.Decode([]byte(text), &got, schema.DecodeOptions{}); err != nil || found != nil {
		t.Fatal(found, err)
	}
	again, _ := json.Marshal(got)
	if n := strings.Count(string(again), "group"); n != 30 {
		t.Errorf("%d groups", n)
	}
}

type decimalNumber struct{ text string }

func TestRegisteredTypes(t *testing.T) {
	var r schema.Registry
	even := func(text []byte) (int16, error) {
		var n int16
		if _, err := fmt.Sscan(string(text), &n); err != nil || n%2 != 0 {
			return 0, errors.New("not even")
		}
		return n, nil
	}
	err := errors.Join(
		schema.Register(&r, schema.Custom[decimalNumber]{
			Kind: schema.Number, Constraints: schema.Constraints{Minimum: "0", Maximum: "1e40", MultipleOf: "0.01"},
			Parse: func(text []byte) (decimalNumber, error) { return decimalNumber{string(text)}, nil },
			Text:  func(d decimalNumber) (string, error) { return d.text, nil },
		}),
		schema.Register(&r, schema.Custom[int16]{Kind: schema.Integer, Parse: even}),
		schema.Register(&r, schema.Custom[unexported]{Kind: schema.Any, Examples: []string{`[1]`}, Parse: func(raw []byte) (u unexported, err error) {
			var one [1]int
			err = json.Unmarshal(raw, &one)
			return unexported{one[0]}, err
		}}),
		schema.Register(&r, schema.Custom[Level]{Kind: schema.String, Constraints: schema.Constraints{Enum: []json.RawMessage{[]byte(`"low"`), []byte(`"high"`)}}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	type all struct {
		D decimalNumber `json:"d" maximum:"5"`
		E int16         `json:"e"`
		U *unexported   `json:"u"`
		L Level         `json:"l"`
	}
	typ, err := r.Of(reflect.TypeFor[all]())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		`{"d":4.99,"e":2,"u":[3],"l":"high"}`: {}, `{"u":null}`: {}, `{"d":4.999}`: {"/d multipleOf"}, `{"d":-1}`: {"/d minimum"}, `{"d":6}`: {"/d maximum"}, `{"d":"1"}`: {"/d type"},
		`{"e":3}`: {"/e format"}, `{"e":1.5}`: {"/e type"}, `{"u":{}}`: {"/u type"}, `{"l":"middle"}`: {"/l enum"}, `{"d":1e999999999}`: {"/d maximum"},
	} {
		var v all
		found, err := typ.Decode([]byte(text), &v, schema.DecodeOptions{})
		if err != nil || !slices.Equal(brief(found), want) {
			t.Errorf("%s: got %q, want %q, %v", text, brief(found), want, err)
		}
		if len(want) == 0 && strings.Contains(text, "4.99") && (v.D.text != "4.99" || v.E != 2 || v.U.X != 3 || v.L != 1) {
			t.Errorf("%+v", v)
		}
	}
	found := typ.Validate(reflect.ValueOf(all{D: decimalNumber{"7"}, E: 2}))
	if !slices.Equal(brief(found), []string{"/d maximum"}) {
		t.Error(found)
	}
	if typ.Example(1) == nil {
		t.Error("no example")
	}
}
