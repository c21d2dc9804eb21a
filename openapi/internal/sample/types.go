package sample

import (
	"encoding/json"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi/internal/sample/billing"
)

// Everything has a field for each thing that package schema knows.
type Everything struct {
	Text     string                `json:"text" required:"true" minLength:"1" maxLength:"40" doc:"a short text" example:"hello"`
	Code     string                `json:"code,omitempty" pattern:"^[A-Z]{3}-[0-9]{2,4}$"`
	Color    string                `json:"color" enum:"red,green,blue" default:"red"`
	Count    int                   `json:"count" required:"true" minimum:"0" maximum:"1000"`
	Small    int8                  `json:"small"`
	Big      uint64                `json:"big"`
	Even     int32                 `json:"even" multipleOf:"2"`
	Ratio    float64               `json:"ratio,omitempty" exclusiveMinimum:"0" exclusiveMaximum:"1"`
	On       bool                  `json:"on" default:"true"`
	At       time.Time             `json:"at"`
	For      time.Duration         `json:"for" default:"1m"`
	Day      string                `json:"day,omitempty" format:"date"`
	ID       string                `json:"id,omitempty" format:"uuid"`
	Mail     string                `json:"mail,omitempty" format:"email"`
	Link     string                `json:"link,omitempty" format:"uri"`
	Price    string                `json:"price,omitempty" format:"decimal"`
	Blob     []byte                `json:"blob"`
	Maybe    *int                  `json:"maybe"`
	Perhaps  *string               `json:"perhaps,omitempty" enum:"a,b"`
	Tags     []string              `json:"tags" maxItems:"5" uniqueItems:"true" maxLength:"20"`
	Point    [2]float64            `json:"point"`
	Labels   map[string]int        `json:"labels" maxProperties:"4"`
	Home     Address               `json:"home"`
	Bill     *billing.Address      `json:"bill"`
	Tree     *Node                 `json:"tree"`
	Shape    Shape                 `json:"shape" required:"true"`
	Anything any                   `json:"anything"`
	Raw      json.RawMessage       `json:"raw"`
	Sizes    Page[Address]         `json:"sizes"`
	Old      string                `json:"old" deprecated:"true"`
	Password string                `json:"password" secret:"true"`
	Places   map[string][]*Address `json:"places,omitempty"`
	Example  string                `json:"example"`
	Default  string                `json:"default"`
	Const    string                `json:"const"`
	Größe    Größe                 `json:"größe"`
}

// Address has the name of another package's type.
type Address struct {
	Street string `json:"street" required:"true"`
	City   string `json:"city" required:"true"`
}

// Größe has a name that no component can have.
type Größe struct {
	Height int16 `json:"height"`
}

// Node contains itself.
type Node struct {
	Name     string  `json:"name" required:"true" maxLength:"20"`
	Children []*Node `json:"children" maxItems:"2"`
}

// Page is generic.
type Page[T any] struct {
	Items []T `json:"items" maxItems:"3"`
	Total int `json:"total" minimum:"0"`
}

// Shape is a sum type.
type Shape interface{ area() float64 }

// Circle is a Shape.
type Circle struct {
	Kind   string  `json:"kind"`
	Radius float64 `json:"radius" required:"true" minimum:"0"`
}

// Square is a Shape.
type Square struct {
	Kind string  `json:"kind"`
	Side float64 `json:"side" required:"true" minimum:"0"`
}

func (c Circle) area() float64  { return 3 * c.Radius * c.Radius }
func (s *Square) area() float64 { return s.Side * s.Side }

// Filter reads parameters of every kind.
type Filter struct {
	Word    string        `query:"word" minLength:"2" maxLength:"20" doc:"what to look for" example:"blue"`
	Page    int           `query:"page" minimum:"1" maximum:"100" default:"1"`
	Sort    string        `query:"sort" enum:"name,-name" default:"name"`
	Tag     []string      `query:"tag" maxItems:"3" maxLength:"10"`
	IDs     []int         `query:"ids" explode:"false" maxItems:"4"`
	Since   time.Time     `query:"since"`
	Within  time.Duration `query:"within" default:"24h"`
	Exact   *bool         `query:"exact"`
	Ratio   float64       `query:"ratio" exclusiveMinimum:"0" maximum:"1"`
	Owner   string        `query:"owner" format:"uuid"`
	Old     string        `query:"old" deprecated:"true"`
	Version int           `header:"X-Version" minimum:"1" maximum:"9"`
	Langs   []string      `header:"X-Langs" maxItems:"3"`
	Theme   string        `cookie:"theme" enum:"dark,light"`
}

// ByPath reads what converters have converted.
type ByPath struct {
	Section string  `path:"section" maxLength:"30"`
	ID      int     `path:"id" minimum:"1"`
	Ratio   float64 `path:"ratio"`
}

// ItemID is a parameter of the path that is a UUID.
type ItemID struct {
	ID string `path:"id"`
}

// PutItem has a path parameter and a body.
type PutItem struct {
	ItemID
	Body Address `doc:"the new address"`
}

// Put says whether something was made.
type Put struct {
	Status   int    `status:"201,200"`
	Location string `header:"Location" doc:"where it is"`
	Body     *Address
}

// Login is a form.
type Login struct {
	Name     string   `form:"name" required:"true" maxLength:"40"`
	Password string   `form:"password" required:"true" minLength:"8" secret:"true"`
	Roles    []string `form:"roles" maxItems:"3"`
	Remember bool     `form:"remember" default:"false"`
}

// Upload is a form with files.
type Upload struct {
	Title string            `form:"title" required:"true" maxLength:"60"`
	Cover *ishaa.FormFile   `file:"cover" required:"true"`
	Pages []*ishaa.FormFile `file:"pages"`
}

// Uploaded says what arrived.
type Uploaded struct {
	Title string `json:"title"`
	Bytes int64  `json:"bytes"`
	Pages int    `json:"pages"`
}

// Note is a body that is text, Blob one that is octets.
type (
	Note struct{ Body string }
	Blob struct{ Body []byte }
)

// Tick is an item of a stream.
type Tick struct {
	N  int       `json:"n"`
	At time.Time `json:"at"`
}

// Problem has the name of what errors are.
type Problem struct {
	Question string `json:"question" required:"true"`
}
