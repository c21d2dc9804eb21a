package schema

import (
	"bytes"
	"encoding/json"
)

// A Document is a JSON object whose members keep their order: a JSON Schema, or a part of one. Values are what
// encoding/json takes, other Documents among them.
type Document []Member

// A Member is a name and its value.
type Member struct {
	Name  string
	Value any
}

// MarshalJSON writes the members in their order.
func (d Document) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, m := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encoder.Encode(m.Name); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encoder.Encode(m.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Get returns the value of a member, or nil.
func (d Document) Get(name string) any {
	for i := range d {
		if d[i].Name == name {
			return d[i].Value
		}
	}
	return nil
}

// Set replaces a member's value, or adds the member at the end.
func (d *Document) Set(name string, value any) {
	for i := range *d {
		if (*d)[i].Name == name {
			(*d)[i].Value = value
			return
		}
	}
	*d = append(*d, Member{name, value})
}
