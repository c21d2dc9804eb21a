package schema_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
	"github.com/ishaa-framework/ishaa/schema"
)

// everyday has no rules of its own and no type that this package and encoding/json read differently.
type everyday struct {
	B    bool               `json:"b"`
	I8   int8               `json:"i8"`
	I    int                `json:"i"`
	U    uint32             `json:"u"`
	F    float64            `json:"f"`
	F32  float32            `json:"f32"`
	S    string             `json:"s"`
	Raw  []byte             `json:"raw"`
	L    []int              `json:"l"`
	A    [2]string          `json:"a"`
	M    map[string]float64 `json:"m"`
	P    *everyday          `json:"p"`
	T    time.Time          `json:"t"`
	Num  json.Number        `json:"num"`
	Any  any                `json:"any"`
	Own  *Pair              `json:"own"`
	Lev  Level              `json:"lev"`
	Json json.RawMessage    `json:"json"`
	Address
}

// plainNumbers reports whether encoding/json would read every integer of the text: it wants them without fraction and
// exponent, and takes no -0 for an unsigned one.
func plainNumbers(text []byte) bool {
	return !bytes.ContainsAny(text, "eE.") && !bytes.Contains(text, []byte("-0"))
}

// Decode never panics and always agrees with encoding/json: what it takes without a violation becomes the same value,
// and what it says is not JSON is refused by a strict reader too. Encoding the value and decoding that changes nothing.
func FuzzDecode(f *testing.F) {
	r := shop(f)
	plain, err := r.Of(reflect.TypeFor[everyday]())
	if err != nil {
		f.Fatal(err)
	}
	var strict []*schema.Type
	for _, typ := range agreed(f) {
		strict = append(strict, typ)
		f.Add([]byte(typ.Example(1)))
	}
	f.Add([]byte(plain.Example(2)))
	f.Add([]byte(`{"b":true,"i8":-5,"i":7,"u":8,"f":1.5,"f32":0.1,"s":"é","raw":"aGk=","l":[1,2],"a":["x","y"],"m":{"a":1},"p":{"i":1},` +
		`"t":"2026-01-31T12:00:00Z","num":12,"any":{"x":[null]},"own":[1,2],"lev":"high","json":[1],"street":"s"}`))
	f.Add([]byte(`{"S":"case","s":1,"s":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		well := strictjson.Check(text, 0)
		for _, typ := range strict {
			found, err := typ.Decode(text, newPointer(typ), schema.DecodeOptions{})
			if (err != nil) != (well != nil) {
				t.Fatalf("%v: %q: Decode says %v, Check says %v", typ.Go(), text, err, well)
			}
			_, _ = json.Marshal(found)
		}
		var got, want everyday
		found, err := plain.Decode(text, &got, schema.DecodeOptions{})
		if err != nil || found != nil {
			return
		}
		if err := json.Unmarshal(text, &want); err != nil {
			if plainNumbers(text) {
				t.Fatalf("%q: encoding/json refuses it: %v", text, err)
			}
			return
		}
		if !reflect.DeepEqual(got, want) && !otherCase(plain, text) {
			t.Fatalf("%q\ngot  %+v\nwant %+v", text, got, want)
		}
		stable(t, plain, got)
	})
}

// otherCase reports whether the text has a string that is a member's name but for its case: encoding/json sets the member.
func otherCase(typ *schema.Type, text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if name, ok := token.(string); ok {
			for _, f := range typ.Fields() {
				if f.Name != name && strings.EqualFold(f.Name, name) {
					return true
				}
			}
		}
	}
}

// stable checks that a decoded value survives encoding and decoding: nil slices and maps, which encoding/json writes as
// null, aside.
func stable(t *testing.T, typ *schema.Type, v everyday) {
	for at := &v; at != nil; at = at.P {
		if at.L == nil {
			at.L = []int{}
		}
		if at.Raw == nil {
			at.Raw = []byte{}
		}
		if at.M == nil {
			at.M = map[string]float64{}
		}
		if at.Street == "" {
			at.Street, at.Zip = "s", "12345"
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return // a year past 9999, a number that is none
	}
	var again everyday
	found, err := typ.Decode(text, &again, schema.DecodeOptions{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, violation := range found {
		if violation.Rule != "pattern" && violation.Rule != "minLength" {
			t.Fatalf("%s: %v", text, found)
		}
	}
	second, err := json.Marshal(again)
	if err != nil || len(found) == 0 && !bytes.Equal(text, second) {
		t.Fatalf("not stable:\n%s\n%s, %v", text, second, err)
	}
}

// SetText never panics, and what it takes Validate takes too.
func FuzzSetText(f *testing.F) {
	var all []*schema.Type
	for _, in := range []any{"", 0, int8(0), uint64(0), 0.0, float32(0), false, time.Time{}, time.Duration(0), UUID{}, Level(0), Money{}, json.Number(""), []byte{}, ptr(0)} {
		all = append(all, of(f, reflect.TypeOf(in)))
	}
	for _, text := range []string{"", "1", "-007", "1e5", "true", "on", "2026-01-31T12:00:00Z", "1h", "low", "1.50", "aGk=", "é", "1e999999999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range all {
			v := reflect.New(typ.Go()).Elem()
			if typ.SetText(v, text) == nil {
				if found := typ.Validate(v); found != nil {
					t.Fatalf("%v %q: %v", typ.Go(), text, found)
				}
			}
		}
	})
}
