// Package schema reads a Go type once and makes a description of it that binds JSON and text to values, validates them,
// documents them as JSON Schema 2020-12 and yields values at the edge of what is allowed.
//
//	type Order struct {
//		Customer int       `json:"customer" minimum:"1" required:"true"`
//		Coupon   string    `json:"coupon" maxLength:"12"`
//		Lines    []Line    `json:"lines" minItems:"1" maxItems:"50" required:"true"`
//		Due      time.Time `json:"due"`
//		Copies   int       `json:"copies" default:"1"`
//	}
//
//	func main() {
//		order, err := schema.Of(reflect.TypeFor[Order]())
//		if err != nil {
//			log.Fatal(err) // a tag that does not fit: field Order.Coupon: minimum on a string; use minLength
//		}
//		var o Order
//		violations, err := order.Decode(body, &o, schema.DecodeOptions{})
//		// err: the text is not JSON. violations: every way in which it does not fit, each with a JSON pointer.
//	}
//
// # What a value must be
//
// Names are those encoding/json uses, of the json tag and of embedded structs, but matched exactly: "ADMIN" does not set
// a field named "admin". A name twice in one object is an error of the text. Names that no field has are ignored, or
// violations with [DecodeOptions.DisallowUnknown]. The option ",string" of the json tag is refused.
//
// Fields are optional; `required:"true"` demands that the member be there, with whatever value. What counts is the input,
// not Go's zero value: 0, "" and false are values. `default:"…"` applies when the member is absent, and only then; a
// struct that is absent as a whole gets the defaults of its own fields. null is allowed for pointers and values of any
// kind only; it makes a pointer nil.
//
// Constraints are tags with the names of JSON Schema's keywords: minimum, maximum, exclusiveMinimum, exclusiveMaximum,
// multipleOf, minLength, maxLength, pattern (RE2), format, enum (comma-separated, or a JSON array), minItems, maxItems,
// uniqueItems, minProperties, maxProperties. On a slice, array or map a constraint that does not fit it goes to its
// elements: `maxItems:"5" maxLength:"20"` on a []string is at most five texts of at most twenty characters. default and
// example hold a value as text, or in JSON for objects and lists; doc, deprecated and secret document.
//
// # Go types
//
//	bool, integers, floats  boolean, integer (1.0 and 1e2 too, if in range), number
//	string, json.Number     string, number of any size
//	[]byte                  string in base64 (RFC 4648, with padding); lengths count the base64 text
//	time.Time               string, RFC 3339
//	time.Duration           string as Go writes it: "1h30m", "250ms". Mind that encoding/json writes a number of nanoseconds
//	encoding.TextUnmarshaler string; a [16]byte type also has the format uuid
//	json.Unmarshaler        any JSON, checked by the type itself; describe it better with [Register]
//	slices, arrays          array; a Go array needs all its elements
//	maps                    object; keys are strings or have UnmarshalText
//	pointers                what they point to, or null
//	structs                 object
//	any, json.RawMessage    any JSON
//	interfaces              one of the structs given to [RegisterOneOf]
package schema
