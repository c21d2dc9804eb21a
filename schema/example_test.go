package schema_test

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/ishaa-framework/ishaa/schema"
)

func Example() {
	type Line struct {
		SKU   string `json:"sku" pattern:"^[A-Z]{2}[0-9]+$" required:"true"`
		Count int    `json:"count" minimum:"1" default:"1"`
	}
	type Order struct {
		Customer int    `json:"customer" minimum:"1" required:"true"`
		Coupon   string `json:"coupon" maxLength:"5"`
		Lines    []Line `json:"lines" minItems:"1" required:"true"`
	}
	order, err := schema.For[Order]()
	if err != nil {
		panic(err)
	}
	for _, body := range []string{
		`{"customer": 7, "lines": [{"sku": "AB12"}]}`,
		`{"coupon": "SPRING", "lines": [{"sku": "AB12", "count": 0}]}`,
		`{"customer": 7, "customer": 8}`,
	} {
		var o Order
		violations, err := order.Decode([]byte(body), &o, schema.DecodeOptions{})
		switch {
		case err != nil:
			fmt.Println("400:", err)
		case len(violations) > 0:
			fmt.Println("422:")
			for _, v := range violations {
				fmt.Printf("  %s %s\n", v.Pointer, v.Message)
			}
		default:
			fmt.Printf("200: %+v\n", o)
		}
	}
	// Output:
	// 200: {Customer:7 Coupon: Lines:[{SKU:AB12 Count:1}]}
	// 422:
	//   /coupon must be at most 5 characters long
	//   /lines/0/count must be at least 1
	//   /customer is required
	// 400: line 1, column 17: duplicate key "customer"
}

func ExampleType_JSONSchema() {
	type Line struct {
		SKU   string `json:"sku" required:"true" doc:"what is bought"`
		Count uint8  `json:"count" minimum:"1" default:"1"`
	}
	line, _ := schema.For[Line]()
	var defs schema.Definitions
	reference, _ := json.Marshal(line.JSONSchema(&defs))
	fmt.Println(string(reference))
	definitions, _ := json.MarshalIndent(defs.All(), "", " ")
	fmt.Println(string(definitions))
	// Output:
	// {"$ref":"#/$defs/Line"}
	// {
	//  "Line": {
	//   "type": "object",
	//   "properties": {
	//    "sku": {
	//     "type": "string",
	//     "description": "what is bought"
	//    },
	//    "count": {
	//     "type": "integer",
	//     "format": "uint8",
	//     "maximum": 255,
	//     "minimum": 1,
	//     "default": 1
	//    }
	//   },
	//   "required": [
	//    "sku"
	//   ]
	//  }
	// }
}

func ExampleType_SetText() {
	type Page struct {
		Limit int `minimum:"1" maximum:"100" default:"20"`
	}
	page := reflect.TypeFor[Page]()
	limit, err := new(schema.Registry).Field(page, page.Field(0))
	if err != nil {
		panic(err)
	}
	var p Page
	dst := reflect.ValueOf(&p).Elem().Field(0)
	limit.SetDefault(dst)
	fmt.Println(p.Limit)
	fmt.Println(limit.SetText(dst, "50"), p.Limit)
	fmt.Println(limit.SetText(dst, "1000")[0].Message)
	// Output:
	// 20
	// [] 50
	// must be at most 100
}

func ExampleType_Boundaries() {
	age, _ := schema.For[struct {
		Age int `json:"age" minimum:"18" maximum:"120" required:"true"`
	}]()
	for _, b := range age.Boundaries(1) {
		if b.Rule != "" {
			fmt.Printf("%-5t %-14s %s\n", b.Valid, b.JSON, b.Rule)
		}
	}
	// Output:
	// false "text"         type
	// false null           type
	// false {}             required
	// true  {"age":18}     minimum
	// false {"age":"text"} type
	// false {"age":null}   type
	// false {"age":1.5}    type
	// false {"age":17}     minimum
	// true  {"age":120}    maximum
	// false {"age":121}    maximum
}

type Vehicle interface{ Wheels() int }

type Bike struct {
	Kind string `json:"kind"`
	Bell bool   `json:"bell"`
}

func (Bike) Wheels() int { return 2 }

type Truck struct {
	Kind  string  `json:"kind"`
	Loads float64 `json:"loads" minimum:"0"`
}

func (*Truck) Wheels() int { return 6 }

func ExampleRegisterOneOf() {
	var registry schema.Registry
	err := schema.RegisterOneOf(&registry, "kind", map[string]Vehicle{"bike": Bike{}, "truck": &Truck{}})
	if err != nil {
		panic(err)
	}
	vehicle, _ := registry.Of(reflect.TypeFor[Vehicle]())
	var v Vehicle
	_, _ = vehicle.Decode([]byte(`{"loads": 3.5, "kind": "truck"}`), &v, schema.DecodeOptions{})
	fmt.Printf("%T %d\n", v, v.Wheels())
	violations, _ := vehicle.Decode([]byte(`{"kind": "boat"}`), &v, schema.DecodeOptions{})
	fmt.Println(violations[0].Pointer, violations[0].Message)
	// Output:
	// *schema_test.Truck 6
	// /kind must be one of bike, truck
}
