package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

// The types that the tests of this package share.

type UUID [16]byte

func (u UUID) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), nil
}

func (u *UUID) UnmarshalText(text []byte) error {
	plain := strings.ReplaceAll(string(text), "-", "")
	if len(plain) != 32 {
		return errors.New("a UUID has 32 digits")
	}
	_, err := fmt.Sscanf(plain, "%x", (*sixteen)(u))
	return err
}

type sixteen [16]byte

func (s *sixteen) Scan(state fmt.ScanState, _ rune) error {
	for i := range s {
		if _, err := fmt.Fscanf(state, "%02x", &s[i]); err != nil {
			return err
		}
	}
	return nil
}

// Level has a text form of its own.
type Level int

func (l Level) MarshalText() ([]byte, error) { return []byte([]string{"low", "high"}[l]), nil }

func (l *Level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*l = 0
	case "high":
		*l = 1
	default:
		return fmt.Errorf("no level is called %q", text)
	}
	return nil
}

// Pair has a JSON form of its own.
type Pair struct{ A, B int }

func (p Pair) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{p.A, p.B}) }

func (p *Pair) UnmarshalJSON(text []byte) error {
	var both []int
	if err := json.Unmarshal(text, &both); err != nil || len(both) != 2 {
		return errors.New("a pair is [a, b]")
	}
	p.A, p.B = both[0], both[1]
	return nil
}

type Money struct{ Cents int64 }

type Shape interface{ Area() float64 }

type Circle struct {
	Type   string  `json:"type"`
	Radius float64 `json:"radius" exclusiveMinimum:"0" required:"true"`
}

func (c Circle) Area() float64 { return 3 * c.Radius * c.Radius }

type Square struct {
	Side int `json:"side" minimum:"1" required:"true"`
}

func (s *Square) Area() float64 { return float64(s.Side * s.Side) }

type Group struct {
	Type   string  `json:"type"`
	Shapes []Shape `json:"shapes" minItems:"1"`
}

func (g Group) Area() float64 { return 0 }

// shop is a registry with registered types.
func shop(t testing.TB) *schema.Registry {
	t.Helper()
	var r schema.Registry
	for _, err := range []error{
		schema.Register(&r, schema.Custom[Money]{
			Kind: schema.String, Constraints: schema.Constraints{Pattern: `^[0-9]+\.[0-9]{2}$`, MaxLength: 12},
			Parse: func(text []byte) (m Money, err error) {
				_, err = fmt.Sscanf(strings.Replace(string(text), ".", "", 1), "%d", &m.Cents)
				return m, err
			},
			Text: func(m Money) (string, error) { return fmt.Sprintf("%d.%02d", m.Cents/100, m.Cents%100), nil },
		}),
		schema.RegisterOneOf(&r, "type", map[string]Shape{"circle": Circle{}, "square": &Square{}, "group": Group{}}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return &r
}

type Address struct {
	Street string `json:"street" required:"true" minLength:"1"`
	City   string `json:"city" maxLength:"20"`
	Zip    string `json:"zip" pattern:"^[0-9]{5}$"`
}

type Audit struct {
	Created time.Time  `json:"created"`
	Deleted *time.Time `json:"deleted"`
}

type Node struct {
	Name     string           `json:"name" required:"true"`
	Children []Node           `json:"children"`
	Left     *Node            `json:"left"`
	Index    map[string]*Node `json:"index"`
}

type Page[T any] struct {
	Items []T `json:"items" required:"true"`
	Next  int `json:"next"`
}

type Wide struct {
	A1, A2, A3, A4, A5, A6, A7, A8, A9 int8   `json:",omitempty"`
	B                                  string `json:"the b" required:"true"`
	C                                  *bool
}

// agreed are the types on whose documents an independent validator must agree with us.
func agreed(t testing.TB) map[string]*schema.Type {
	t.Helper()
	r := shop(t)
	all := map[string]*schema.Type{}
	for i, goType := range []reflect.Type{
		reflect.TypeFor[struct {
			A bool `json:"a" required:"true"`
			B *bool
		}](),
		reflect.TypeFor[struct {
			I8  int8
			I16 int16
			I32 int32
			I64 int64
			I   int
		}](),
		reflect.TypeFor[struct {
			U8  uint8
			U16 uint16
			U32 uint32
			U64 uint64
			U   uint
		}](),
		reflect.TypeFor[struct {
			F float64 `minimum:"-1.5" maximum:"2.5"`
			G float32 `exclusiveMinimum:"0" exclusiveMaximum:"1"`
		}](),
		reflect.TypeFor[struct {
			N int     `json:"n" minimum:"1" maximum:"10"`
			M int     `json:"m" exclusiveMinimum:"1" exclusiveMaximum:"10"`
			K uint16  `json:"k" multipleOf:"7"`
			X float64 `json:"x" multipleOf:"0.1"`
		}](),
		reflect.TypeFor[struct {
			S string `json:"s" minLength:"2" maxLength:"4"`
			T string `json:"t" pattern:"^[a-c]+[0-9]{2}$"`
		}](),
		reflect.TypeFor[struct {
			E string  `json:"e" enum:"red,green,blue"`
			N int     `json:"n" enum:"1,2,3"`
			P *string `json:"p" enum:"[\"a,b\",\"c\"]"`
			F float64 `json:"f" enum:"0.5,1"`
		}](),
		reflect.TypeFor[struct {
			A string `format:"date-time"`
			B string `format:"date"`
			C string `format:"time"`
			D string `format:"email"`
		}](),
		reflect.TypeFor[struct {
			A string `format:"uri"`
			B string `format:"uuid"`
			C string `format:"ipv4"`
			D string `format:"ipv6"`
		}](),
		reflect.TypeFor[struct {
			A string `format:"hostname"`
			B string `format:"decimal"`
			C string `format:"decimal" pattern:"5"`
			D string `format:"phone"`
		}](),
		reflect.TypeFor[struct {
			A []int    `json:"a" minItems:"1" maxItems:"3"`
			B []string `json:"b" uniqueItems:"true"`
			C [2]int   `json:"c"`
		}](),
		reflect.TypeFor[struct {
			A []string       `json:"a" maxItems:"4" maxLength:"3" enum:"a,bb,ccc"`
			B [][]int        `json:"b" minItems:"1" minimum:"3"`
			C map[string]int `json:"c" minProperties:"1" maxProperties:"2" maximum:"9"`
		}](),
		reflect.TypeFor[Address](),
		reflect.TypeFor[struct {
			Home Address  `json:"home" required:"true"`
			Work *Address `json:"work"`
		}](),
		reflect.TypeFor[struct {
			Address
			*Audit
			Name string `json:"name"`
		}](),
		reflect.TypeFor[Node](),
		reflect.TypeFor[Page[Address]](),
		reflect.TypeFor[Wide](),
		reflect.TypeFor[Audit](),
		reflect.TypeFor[struct {
			D time.Duration  `json:"d" required:"true"`
			P *time.Duration `json:"p"`
		}](),
		reflect.TypeFor[struct {
			ID  UUID  `json:"id" required:"true"`
			Ref *UUID `json:"ref"`
		}](),
		reflect.TypeFor[struct {
			Raw []byte `json:"raw" maxLength:"8"`
		}](),
		reflect.TypeFor[struct {
			N json.Number  `json:"n" minimum:"-1e3" maximum:"1e30" multipleOf:"0.5"`
			M *json.Number `json:"m"`
		}](),
		reflect.TypeFor[struct {
			A any             `json:"a" required:"true"`
			R json.RawMessage `json:"r"`
		}](),
		reflect.TypeFor[map[string]Address](),
		reflect.TypeFor[map[UUID]int](),
		reflect.TypeFor[[]Address](),
		reflect.TypeFor[*Address](),
		reflect.TypeFor[string](),
		reflect.TypeFor[int32](),
		reflect.TypeFor[[]any](),
		reflect.TypeFor[map[string]map[string][]bool](),
		reflect.TypeFor[Shape](),
		reflect.TypeFor[struct {
			Main  Shape            `json:"main" required:"true"`
			More  []Shape          `json:"more"`
			Named map[string]Shape `json:"named"`
		}](),
		reflect.TypeFor[struct {
			Price Money   `json:"price" required:"true"`
			Was   *Money  `json:"was"`
			Steps []Money `json:"steps" uniqueItems:"true"`
		}](),
		reflect.TypeFor[struct {
			A []Address `json:"a" uniqueItems:"true"`
			B []float64 `json:"b" uniqueItems:"true"`
			C []any     `json:"c" uniqueItems:"true"`
		}](),
		reflect.TypeFor[struct {
			//lint:ignore SA5008 the comma makes "-" a name
			Dash   int `json:"-,"`
			Slash  int `json:"a/b~c" required:"true"`
			Umlaut int `json:"größe"`
			Hidden int `json:"-"`
		}](),
		reflect.TypeFor[struct {
			Limit int      `json:"limit" default:"20" minimum:"1" maximum:"100" doc:"how many" example:"50"`
			Sort  string   `json:"sort" default:"name" enum:"name,age"`
			Tags  []string `json:"tags" default:"a,b" deprecated:"true"`
			Pin   string   `json:"pin" secret:"true" pattern:"^[0-9]{4}$"`
		}](),
		reflect.TypeFor[struct {
			P **int           `json:"p" minimum:"3"`
			S *[]int          `json:"s" minItems:"2" maximum:"5"`
			M *map[string]int `json:"m" maxProperties:"1"`
		}](),
		reflect.TypeFor[struct {
			O struct {
				X int `json:"x" required:"true"`
			} `json:"o" maxProperties:"2"`
			L Address `json:"l" minProperties:"2"`
		}](),
		reflect.TypeFor[struct {
			A string `minLength:"3" format:"email" pattern:"@example"`
			B string `json:"b,omitempty" maxLength:"1"`
			C []UUID `json:"c,omitempty"`
		}](),
		reflect.TypeFor[struct {
			S struct{}    `json:"s"`
			N [3]struct{} `json:"n"`
			E []struct{}  `json:"e" maxItems:"2"`
		}](),
	} {
		typ, err := r.Of(goType)
		if err != nil {
			t.Fatalf("%v: %v", goType, err)
		}
		all[fmt.Sprintf("%02d %s", i, typ.Kind())] = typ
	}
	return all
}

func newPointer(typ *schema.Type) any { return reflect.New(typ.Go()).Interface() }
