package schema

import ("testing";"time";"reflect";"encoding/json")

type line struct {
	SKU string `json:"sku" minLength:"2" required:"true"`
	N   int    `json:"n" minimum:"1" default:"1"`
}
type order struct {
	Customer int               `json:"customer" minimum:"1" required:"true"`
	Coupon   string            `json:"coupon" maxLength:"12"`
	Lines    []line            `json:"lines" minItems:"1" maxItems:"50" required:"true"`
	Due      time.Time         `json:"due"`
	Wait     time.Duration     `json:"wait" default:"1h30m"`
	Tags     []string          `json:"tags" maxLength:"3" uniqueItems:"true"`
	Meta     map[string]any    `json:"meta"`
	Parent   *order            `json:"parent"`
	Price    *float64          `json:"price" multipleOf:"0.1"`
	Pin      string            `json:"pin" secret:"true" pattern:"^[0-9]{4}$"`
}

func TestSmoke(t *testing.T) {
	ty, err := Of(reflect.TypeFor[order]())
	if err != nil { t.Fatal(err) }
	for _, s := range []string{
		`{"customer":1,"lines":[{"sku":"ab"}],"price":0.3,"meta":{"a":[1,2,{"b":null}]},"parent":null}`,
		`{"customer":0,"coupon":"1234567890123","lines":[],"tags":["abcd","a","a"],"due":"x","wait":3,"price":0.35,"pin":"abc","parent":{"lines":[{"n":0}]}}`,
		`{"customer":1.5,"lines":null,`,
	} {
		var o order
		vs, err := ty.Decode([]byte(s), &o, DecodeOptions{})
		b, _ := json.Marshal(o)
		t.Log(string(b), err)
		for _, v := range vs { t.Logf("%+v", v) }
	}
}
