package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

func of(t testing.TB, goType reflect.Type) *schema.Type {
	t.Helper()
	typ, err := shop(t).Of(goType)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func ptr[T any](v T) *T { return &v }

// brief is a violation as the tables write it: "/pointer rule".
func brief(violations []schema.Violation) []string {
	out := []string{}
	for _, v := range violations {
		out = append(out, v.Pointer+" "+v.Rule)
	}
	slices.Sort(out)
	return out
}

func mustTime(text string) time.Time {
	v, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return v
}

// What a JSON value becomes, by Go type.
func TestDecodeBinds(t *testing.T) {
	type named string
	type flat struct {
		Address
		Name string `json:"name"`
	}
	type viaPointer struct {
		*Address
		Name string `json:"name"`
	}
	type deep struct {
		In struct {
			More []map[string]*Address `json:"more"`
		} `json:"in"`
	}
	for _, c := range []struct {
		text string
		want any
	}{
		{`true`, true}, {`false`, false}, {` false `, false},
		{`0`, 0}, {`-0`, 0}, {`17`, 17}, {`-17`, -17}, {`1.0`, 1}, {`1e2`, 100}, {`100e-2`, 1}, {`1.50e1`, 15}, {`0e99999999999`, 0},
		{`127`, int8(127)}, {`-128`, int8(-128)}, {`32767`, int16(32767)}, {`-32768`, int16(-32768)},
		{`2147483647`, int32(math.MaxInt32)}, {`-2147483648`, int32(math.MinInt32)},
		{`9223372036854775807`, int64(math.MaxInt64)}, {`-9223372036854775808`, int64(math.MinInt64)},
		{`9.223372036854775807e18`, int64(math.MaxInt64)}, {`12300000000000000000e-2`, int64(123000000000000000)},
		{`255`, uint8(255)}, {`65535`, uint16(65535)}, {`4294967295`, uint32(math.MaxUint32)},
		{`18446744073709551615`, uint64(math.MaxUint64)}, {`-0`, uint(0)}, {`1.8446744073709551615e19`, uint64(math.MaxUint64)},
		{`0.5`, 0.5}, {`-1e-3`, -0.001}, {`1e308`, 1e308}, {`1e-999`, 0.0}, {`3`, 3.0}, {`0.1`, float32(0.1)},
		{`""`, ""}, {`"a"`, "a"}, {`"\u00e9\ud83d\ude00\n\"\\\/"`, "é😀\n\"\\/"}, {`"x"`, named("x")}, {"\"\u2028\"", "\u2028"},
		{`"aGk="`, []byte("hi")}, {`""`, []byte{}},
		{`"2026-01-31T12:00:00Z"`, mustTime("2026-01-31T12:00:00Z")},
		{`"1h30m"`, 90 * time.Minute}, {`"0"`, time.Duration(0)}, {`"-1.5s"`, -1500 * time.Millisecond},
		{`"123e4567-e89b-12d3-a456-426614174000"`, UUID{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40}},
		{`"high"`, Level(1)}, {`[1,2]`, Pair{1, 2}}, {`"12.34"`, Money{1234}},
		{`1e999`, json.Number("1e999")}, {`{ "a" : [1 , 2] }`, json.RawMessage(`{ "a" : [1 , 2] }`)}, {`null`, json.RawMessage("null")},
		{`[]`, []int{}}, {`[1,2]`, []int{1, 2}}, {`[[],[1]]`, [][]int{{}, {1}}}, {`[1,2,3]`, [3]int{1, 2, 3}}, {`[]`, [0]int{}},
		{`["a","b","c","d","e","f","g","h","i"]`, strings.Split("abcdefghi", "")},
		{`{}`, map[string]int{}}, {`{"a":1,"b":2}`, map[string]int{"a": 1, "b": 2}}, {`{"":1}`, map[string]int{"": 1}},
		{`{"high":1}`, map[Level]int{1: 1}}, {`{"x":{"y":true}}`, map[named]map[string]bool{"x": {"y": true}}},
		{`1`, ptr(1)}, {`null`, (*int)(nil)}, {`null`, (**int)(nil)}, {`1`, ptr(ptr(1))}, {`[null,2]`, []*int{nil, ptr(2)}},
		{`{"a":null}`, map[string]*int{"a": nil}}, {`null`, (*Address)(nil)},
		{`{"street":"s","city":"c","zip":"12345"}`, Address{"s", "c", "12345"}}, {`{"zip":"12345","street":"s"}`, Address{Street: "s", Zip: "12345"}},
		{`{"\u0073treet":"s"}`, Address{Street: "s"}},
		{`{"name":"n","street":"s"}`, flat{Address{Street: "s"}, "n"}},
		{`{"name":"n","street":"s"}`, viaPointer{&Address{Street: "s"}, "n"}},
		{`{"in":{"more":[{"x":{"street":"s"}},{"y":null}]}}`, func() (d deep) {
			d.In.More = []map[string]*Address{{"x": {Street: "s"}}, {"y": nil}}
			return d
		}()},
		{`{"name":"a","children":[{"name":"b"}],"left":{"name":"c"}}`, Node{Name: "a", Children: []Node{{Name: "b"}}, Left: &Node{Name: "c"}}},
		{`{"items":[{"street":"s"}],"next":2}`, Page[Address]{[]Address{{Street: "s"}}, 2}},
		{`{"unknown":[1,{"x":null}],"street":"s"}`, Address{Street: "s"}},
	} {
		t.Run(fmt.Sprintf("%T %s", c.want, c.text), func(t *testing.T) {
			typ := of(t, reflect.TypeOf(c.want))
			got := reflect.New(typ.Go())
			violations, err := typ.Decode([]byte(c.text), got.Interface(), schema.DecodeOptions{})
			if err != nil || violations != nil {
				t.Fatal(violations, err)
			}
			if !reflect.DeepEqual(got.Elem().Interface(), c.want) {
				t.Errorf("got %#v, want %#v", got.Elem().Interface(), c.want)
			}
		})
	}
}

// Any JSON becomes what encoding/json makes of it.
func TestDecodeAny(t *testing.T) {
	typ := of(t, reflect.TypeFor[any]())
	for _, text := range []string{`null`, `true`, `-1.5e3`, `"é\n"`, `[]`, `{}`, `[1,[2,{"a":null}]]`, `{"a":{"b":[false,"c"]},"d":1}`} {
		var got, want any
		violations, err := typ.Decode([]byte(text), &got, schema.DecodeOptions{})
		if err != nil || violations != nil {
			t.Fatal(text, violations, err)
		}
		_ = json.Unmarshal([]byte(text), &want)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", text, got, want)
		}
	}
	var got any
	violations, err := typ.Decode([]byte(`{"a":[0,1e999]}`), &got, schema.DecodeOptions{})
	if err != nil || !slices.Equal(brief(violations), []string{"/a/1 maximum"}) {
		t.Error(violations, err)
	}
}

// Every way not to fit, each with the place and the rule.
func TestDecodeViolations(t *testing.T) {
	type numbers struct {
		N int     `json:"n" minimum:"1" maximum:"10"`
		E int     `json:"e" exclusiveMinimum:"1" exclusiveMaximum:"10"`
		K uint    `json:"k" multipleOf:"3"`
		F float64 `json:"f" minimum:"-0.5" exclusiveMaximum:"2.5" multipleOf:"0.1"`
		G float32 `json:"g" maximum:"0.1"`
		S int     `json:"s" multipleOf:"5" minimum:"-10"`
	}
	type texts struct {
		L string     `json:"l" minLength:"2" maxLength:"3"`
		P string     `json:"p" pattern:"^[a-z]+$"`
		E string     `json:"e" enum:"red,green"`
		F string     `json:"f" format:"email"`
		M *string    `json:"m" maxLength:"1"`
		I int        `json:"i" enum:"1,2"`
		A float64    `json:"a" enum:"0.5,1"`
		N *int       `json:"n" enum:"7"`
		X []byte     `json:"x" maxLength:"4"`
		T *time.Time `json:"t"`
	}
	type lists struct {
		L []int          `json:"l" minItems:"1" maxItems:"2"`
		U []string       `json:"u" uniqueItems:"true"`
		E []string       `json:"e" maxLength:"2"`
		D [][]int        `json:"d" minimum:"0"`
		M map[string]int `json:"m" minProperties:"1" maxProperties:"2" maximum:"9"`
		A [2]int         `json:"a"`
		O []Address      `json:"o" uniqueItems:"true"`
		P *[]int         `json:"p" maxItems:"1"`
	}
	type count struct {
		A Address `json:"a" minProperties:"2" maxProperties:"2"`
	}
	for _, c := range []struct {
		in   any
		text string
		want string // comma-separated
	}{
		// another kind
		{true, `1`, " type"}, {true, `"true"`, " type"}, {true, `null`, " type"},
		{0, `"1"`, " type"}, {0, `true`, " type"}, {0, `null`, " type"}, {0, `[]`, " type"}, {0, `{}`, " type"}, {0, `1.5`, " type"}, {0, `1e-1`, " type"},
		{0.0, `"1"`, " type"}, {0.0, `null`, " type"}, {"", `1`, " type"}, {"", `null`, " type"}, {"", `["a"]`, " type"},
		{[]int{}, `{}`, " type"}, {[]int{}, `null`, " type"}, {[]int{}, `1`, " type"}, {[2]int{}, `"ab"`, " type"}, {[2]int{}, `null`, " type"},
		{map[string]int{}, `[]`, " type"}, {map[string]int{}, `null`, " type"}, {Address{}, `[]`, " type"}, {Address{}, `null`, " type"}, {Address{}, `"x"`, " type"},
		{time.Time{}, `1`, " type"}, {time.Time{}, `null`, " type"}, {time.Duration(0), `3600`, " type"}, {UUID{}, `null`, " type"}, {Money{}, `12.34`, " type"},
		{json.Number(""), `"1"`, " type"}, {[]byte{}, `[1,2]`, " type"}, {Level(0), `1`, " type"}, {Pair{}, `[1]`, " type"}, {ptr(0), `"1"`, " type"},
		// out of range
		{int8(0), `128`, " maximum"}, {int8(0), `-129`, " minimum"}, {int16(0), `32768`, " maximum"}, {int32(0), `2147483648`, " maximum"},
		{int64(0), `9223372036854775808`, " maximum"}, {int64(0), `-9223372036854775809`, " minimum"}, {int64(0), `1e400`, " maximum"}, {int64(0), `-1e99999999999`, " minimum"},
		{uint8(0), `256`, " maximum"}, {uint8(0), `-1`, " minimum"}, {uint64(0), `18446744073709551616`, " maximum"}, {uint64(0), `-1`, " minimum"},
		{0.0, `1e999`, " maximum"}, {float32(0), `1e39`, " maximum"}, {time.Duration(0), `"9999999999h"`, " format"},
		// text forms
		{time.Time{}, `"yesterday"`, " format"}, {time.Time{}, `"2026-02-30T00:00:00Z"`, " format"}, {time.Time{}, `"2026-01-31"`, " format"},
		{time.Duration(0), `"1"`, " format"}, {time.Duration(0), `"P1D"`, " format"}, {UUID{}, `"123e4567e89b12d3a456426614174000"`, " format"},
		{UUID{}, `""`, " format"}, {Level(0), `"middle"`, " format"}, {[]byte{}, `"a"`, " format"}, {[]byte{}, `"aGk"`, " format"}, {[]byte{}, `"aGk=\n"`, " format"},
		{Money{}, `"12"`, " pattern"}, {Money{}, `"123456789012.34"`, " maxLength"}, {map[Level]int{}, `{"high":1,"x":2}`, "/x format"},
		// numbers
		{numbers{}, `{"n":0}`, "/n minimum"}, {numbers{}, `{"n":11}`, "/n maximum"}, {numbers{}, `{"n":1}`, ""}, {numbers{}, `{"n":10}`, ""},
		{numbers{}, `{"e":1}`, "/e exclusiveMinimum"}, {numbers{}, `{"e":10}`, "/e exclusiveMaximum"}, {numbers{}, `{"e":2}`, ""}, {numbers{}, `{"e":9}`, ""},
		{numbers{}, `{"k":4}`, "/k multipleOf"}, {numbers{}, `{"k":9}`, ""}, {numbers{}, `{"k":0}`, ""}, {numbers{}, `{"f":0.3}`, ""}, {numbers{}, `{"f":0.35}`, "/f multipleOf"},
		{numbers{}, `{"f":-0.5}`, ""}, {numbers{}, `{"f":-0.6}`, "/f minimum"}, {numbers{}, `{"f":2.5}`, "/f exclusiveMaximum"}, {numbers{}, `{"f":2.4}`, ""},
		{numbers{}, `{"g":0.1}`, ""}, {numbers{}, `{"g":0.11}`, "/g maximum"}, {numbers{}, `{"s":-10}`, ""}, {numbers{}, `{"s":-15}`, "/s minimum"}, {numbers{}, `{"s":-9}`, "/s multipleOf"},
		{numbers{}, `{"f":-9.99}`, "/f minimum,/f multipleOf"},
		// texts
		{texts{}, `{"l":"a"}`, "/l minLength"}, {texts{}, `{"l":"ab"}`, ""}, {texts{}, `{"l":"abc"}`, ""}, {texts{}, `{"l":"abcd"}`, "/l maxLength"},
		{texts{}, `{"l":"😀"}`, "/l minLength"}, {texts{}, `{"l":"é😀日"}`, ""}, {texts{}, `{"l":"é😀日x"}`, "/l maxLength"}, {texts{}, `{"l":""}`, "/l minLength"},
		{texts{}, `{"p":"ab1"}`, "/p pattern"}, {texts{}, `{"p":"ab"}`, ""}, {texts{}, `{"p":"ab\n"}`, "/p pattern"}, {texts{}, `{"e":"blue"}`, "/e enum"}, {texts{}, `{"e":"red"}`, ""}, {texts{}, `{"e":""}`, "/e enum"},
		{texts{}, `{"f":"ada"}`, "/f format"}, {texts{}, `{"m":"ab"}`, "/m maxLength"}, {texts{}, `{"m":null}`, ""}, {texts{}, `{"i":3}`, "/i enum"}, {texts{}, `{"i":2.0}`, ""},
		{texts{}, `{"a":0.50}`, ""}, {texts{}, `{"a":0.51}`, "/a enum"}, {texts{}, `{"n":8}`, "/n enum"}, {texts{}, `{"n":null}`, ""}, {texts{}, `{"x":"aGVsbG8="}`, "/x maxLength"}, {texts{}, `{"t":""}`, "/t format"},
		// lists
		{lists{}, `{"l":[]}`, "/l minItems"}, {lists{}, `{"l":[1,2,3]}`, "/l maxItems"}, {lists{}, `{"l":[1,"2"]}`, "/l/1 type"}, {lists{}, `{"u":["a","b","a"]}`, "/u/2 uniqueItems"},
		{lists{}, `{"u":["a","\u0061"]}`, "/u/1 uniqueItems"}, {lists{}, `{"e":["ab","abc"]}`, "/e/1 maxLength"}, {lists{}, `{"d":[[0],[1,-1]]}`, "/d/1/1 minimum"},
		{lists{}, `{"m":{}}`, "/m minProperties"}, {lists{}, `{"m":{"a":1,"b":2,"c":3}}`, "/m maxProperties"}, {lists{}, `{"m":{"a/b~":10}}`, "/m/a~1b~0 maximum"},
		{lists{}, `{"a":[1]}`, "/a minItems"}, {lists{}, `{"a":[1,2,3]}`, "/a maxItems"}, {lists{}, `{"o":[{"street":"x","city":"y"},{"city":"y","street":"x"}]}`, "/o/1 uniqueItems"},
		{lists{}, `{"p":[1,2]}`, "/p maxItems"}, {lists{}, `{"p":null}`, ""},
		// members
		{Address{}, `{}`, "/street required"}, {Address{}, `{"Street":"x"}`, "/street required"}, {Address{}, `{"street":""}`, "/street minLength"}, {Address{}, `{"street":null}`, "/street type"},
		{Node{}, `{"name":"a","children":[{}],"left":{"name":1}}`, "/children/0/name required,/left/name type"}, {Node{}, `{"name":"a","index":{"k":{}}}`, "/index/k/name required"},
		{count{}, `{"a":{"street":"x"}}`, "/a minProperties"}, {count{}, `{"a":{"street":"x","y":1,"z":2}}`, "/a maxProperties"}, {count{}, `{"a":{"street":"x","y":1}}`, ""},
		{Address{}, `{"street":1,"city":"123456789012345678901","zip":"x"}`, "/city maxLength,/street type,/zip pattern"},
	} {
		t.Run(fmt.Sprintf("%T %s", c.in, c.text), func(t *testing.T) {
			typ := of(t, reflect.TypeOf(c.in))
			violations, err := typ.Decode([]byte(c.text), newPointer(typ), schema.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{}
			if c.want != "" {
				want = strings.Split(c.want, ",")
			}
			if got := brief(violations); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			for _, v := range violations {
				if v.Message == "" {
					t.Errorf("%s %s has no message", v.Pointer, v.Rule)
				}
			}
		})
	}
}

func TestDecodeRefusesWhatIsNotJSON(t *testing.T) {
	typ := of(t, reflect.TypeFor[Node]())
	for _, text := range []string{
		``, `{`, `{"name":"a"} x`, `{"name":"a","name":"b"}`, `{"name":"a","x":1,"x":2}`, `{"name":"a","n\u0061me":"b"}`, "{\"name\":\"\xff\"}", `{"name":"\ud800"}`,
		"\xef\xbb\xbf{}", `{"name":01}`, `{"index":{"a":null,"a":null}}`, `{"children":[{"x":{"y":1,"y":2}}]}`, `{'name':1}`, `{"name":nul}`, `[1,]`,
		strings.Repeat(`{"left":`, 70) + `{}` + strings.Repeat(`}`, 70), strings.Repeat(`[`, 100_000),
		`{"name":1,"children":7,"left":tru}`, // the text is wrong, though values are too
	} {
		violations, err := typ.Decode([]byte(text), new(Node), schema.DecodeOptions{})
		var syntax *schema.SyntaxError
		if !errors.As(err, &syntax) || violations != nil {
			t.Errorf("%.60q: %v, %v", text, violations, err)
		}
	}
	if _, err := typ.Decode([]byte(strings.Repeat(`{"left":`, 70)+`{}`+strings.Repeat(`}`, 70)), new(Node), schema.DecodeOptions{MaxDepth: 71}); err != nil {
		t.Error(err)
	}
}

func TestDecodeWantsAPointerOfItsType(t *testing.T) {
	typ := of(t, reflect.TypeFor[Address]())
	for _, dst := range []any{nil, Address{}, (*Address)(nil), new(Node), new(*Address)} {
		if _, err := typ.Decode([]byte(`{}`), dst, schema.DecodeOptions{}); err == nil {
			t.Errorf("%T was accepted", dst)
		}
	}
}

func TestUnknownMembersAreIgnoredOrRefused(t *testing.T) {
	typ := of(t, reflect.TypeFor[[]Address]())
	text := []byte(`[{"street":"s","admin":true,"x/y":{"a":1}}]`)
	if violations, err := typ.Decode(text, new([]Address), schema.DecodeOptions{}); err != nil || violations != nil {
		t.Error(violations, err)
	}
	violations, err := typ.Decode(text, new([]Address), schema.DecodeOptions{DisallowUnknown: true})
	want := []string{"/0/admin additionalProperties", "/0/x~1y additionalProperties"}
	if got := brief(violations); err != nil || !slices.Equal(got, want) {
		t.Error(got, err)
	}
}

// Names are matched exactly, so nobody sets a field by a spelling that a check in front of us did not look for.
func TestMassAssignmentByOtherSpellingsIsImpossible(t *testing.T) {
	type user struct {
		Name   string `json:"name"`
		Admin  bool   `json:"admin"`
		Hidden bool   `json:"-"`
		secret bool
		NoTag  bool
	}
	typ := of(t, reflect.TypeFor[user]())
	for _, name := range []string{"Admin", "ADMIN", "admin ", " admin", "ADM\u0131N", "\u212admin", "hidden", "Hidden", "-", "secret", "notag", "no_tag", "", "user.admin", "admin\\u0000"} {
		var u user
		violations, err := typ.Decode([]byte(`{"`+name+`":true}`), &u, schema.DecodeOptions{})
		if err != nil || violations != nil || u != (user{}) {
			t.Errorf("%q: %+v %v %v", name, u, violations, err)
		}
	}
	_ = user{}.secret
}

func TestViolationsShowTheValueUnlessSecret(t *testing.T) {
	type login struct {
		User  string `json:"user" maxLength:"3"`
		Pass  string `json:"pass" minLength:"8" secret:"true"`
		Pin   int    `json:"pin" maximum:"10" secret:"true"`
		Deep  []Pair `json:"deep" secret:"true"`
		Level Level  `json:"level" secret:"true"`
		Open  Level  `json:"open"`
		Age   int    `json:"age"`
		Flag  string `json:"flag"`
	}
	typ := of(t, reflect.TypeFor[login]())
	violations, err := typ.Decode([]byte(`{"user":"alice","pass":"hunter2","pin":99,"deep":[1234],"level":"sesame","open":"x","age":1.5,"flag":true}`), new(login), schema.DecodeOptions{})
	if err != nil || len(violations) != 8 {
		t.Fatal(violations, err)
	}
	for _, v := range violations {
		text, _ := json.Marshal(v)
		for _, secret := range []string{"hunter2", "99", "1234", "sesame"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s shows %s", text, secret)
			}
		}
	}
	want := map[string]any{"/user": "alice", "/open": "x", "/age": json.Number("1.5"), "/flag": true}
	for _, v := range violations {
		if v.Value != want[v.Pointer] {
			t.Errorf("%s: value %#v, want %#v", v.Pointer, v.Value, want[v.Pointer])
		}
	}
}

func TestViolationsAreBounded(t *testing.T) {
	typ := of(t, reflect.TypeFor[map[string][]int]())
	long := strings.Repeat("ключ", 50_000)
	text := []byte(`{"` + long + `":["` + long + `"` + strings.Repeat(`,"x"`, 100_000) + `]}`)
	violations, err := typ.Decode(text, new(map[string][]int), schema.DecodeOptions{})
	if err != nil || len(violations) != schema.DefaultMaxViolations {
		t.Fatal(len(violations), err)
	}
	answer, _ := json.Marshal(violations)
	if len(answer) > 100_000 {
		t.Errorf("the violations take %d octets", len(answer))
	}
	few, _ := typ.Decode(text, new(map[string][]int), schema.DecodeOptions{MaxViolations: 3})
	if len(few) != 3 {
		t.Error(len(few))
	}
}

// A list over its limit is read, not kept.
func TestItemsBeyondTheLimitAreNotKept(t *testing.T) {
	type request struct {
		IDs  []int          `json:"ids" maxItems:"3"`
		Tags map[string]int `json:"tags" maxProperties:"2"`
	}
	typ := of(t, reflect.TypeFor[request]())
	var r request
	violations, err := typ.Decode([]byte(`{"ids":[1`+strings.Repeat(",1", 100_000)+`],"tags":{"a":1,"b":2,"c":3}}`), &r, schema.DecodeOptions{})
	if err != nil || !slices.Equal(brief(violations), []string{"/ids maxItems", "/tags maxProperties"}) || len(r.IDs) != 3 || len(r.Tags) != 2 {
		t.Error(brief(violations), err, len(r.IDs), len(r.Tags))
	}
}
