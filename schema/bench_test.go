package schema_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/schema"
)

type smallOrder struct {
	Customer int      `json:"customer" minimum:"1" required:"true"`
	Coupon   string   `json:"coupon" maxLength:"12"`
	Express  bool     `json:"express"`
	Total    float64  `json:"total" minimum:"0"`
	Tags     []string `json:"tags" maxItems:"5" maxLength:"10"`
}

func (o *smallOrder) check() error {
	switch {
	case o.Customer < 1:
		return errors.New("customer must be at least 1")
	case len(o.Coupon) > 12:
		return errors.New("coupon must be at most 12 characters long")
	case o.Total < 0:
		return errors.New("total must be at least 0")
	case len(o.Tags) > 5:
		return errors.New("tags must have at most 5 items")
	}
	for _, tag := range o.Tags {
		if len(tag) > 10 {
			return errors.New("a tag must be at most 10 characters long")
		}
	}
	return nil
}

type benchLine struct {
	SKU   string    `json:"sku" required:"true" pattern:"^[A-Z]{2}[0-9]+$"`
	Count int       `json:"count" minimum:"1" default:"1"`
	Price float64   `json:"price" minimum:"0"`
	Due   time.Time `json:"due"`
}

type largeOrder struct {
	ID    int               `json:"id" required:"true"`
	Lines []benchLine       `json:"lines" minItems:"1"`
	Notes map[string]string `json:"notes"`
}

var smallJSON = []byte(`{"customer":17,"coupon":"SPRING","express":true,"total":99.5,"tags":["gift","blue"]}`)

func largeJSON() []byte {
	o := largeOrder{ID: 1, Notes: map[string]string{"a": "first", "b": "second"}}
	for range 50 {
		o.Lines = append(o.Lines, benchLine{SKU: "AB1234", Count: 3, Price: 12.25, Due: time.Unix(1767225600, 0).UTC()})
	}
	text, _ := json.Marshal(o)
	return text
}

func BenchmarkDecode(b *testing.B) {
	b.Run("small/schema", func(b *testing.B) { benchmarkSchema[smallOrder](b, smallJSON) })
	b.Run("small/encoding-json", func(b *testing.B) {
		benchmarkStandard(b, smallJSON, (*smallOrder).check)
	})
	large := largeJSON()
	b.Run("large/schema", func(b *testing.B) { benchmarkSchema[largeOrder](b, large) })
	b.Run("large/encoding-json unchecked", func(b *testing.B) {
		benchmarkStandard(b, large, func(*largeOrder) error { return nil })
	})
}

func benchmarkSchema[T any](b *testing.B, text []byte) {
	typ, err := schema.For[T]()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var o T
		if found, err := typ.Decode(text, &o, schema.DecodeOptions{}); err != nil || found != nil {
			b.Fatal(found, err)
		}
	}
}

func benchmarkStandard[T any](b *testing.B, text []byte, check func(*T) error) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var o T
		if err := json.Unmarshal(text, &o); err != nil {
			b.Fatal(err)
		}
		if err := check(&o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetText(b *testing.B) {
	typ, _ := schema.For[int]()
	v := reflect.New(typ.Go()).Elem()
	b.ReportAllocs()
	for b.Loop() {
		if found := typ.SetText(v, "12345"); found != nil {
			b.Fatal(found)
		}
	}
}
