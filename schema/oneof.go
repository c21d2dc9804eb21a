package schema

import (
	"reflect"
	"strings"
)

// Sum types. The discriminator may stand anywhere in the object, so it is looked for first and the object read then,
// from its beginning, as the variant it names.

type variants struct {
	discriminator string
	list          []variant
}

type variant struct {
	value string
	typ   *Type
}

func (vs *variants) find(value string) *variant {
	for i := range vs.list {
		if vs.list[i].value == value {
			return &vs.list[i]
		}
	}
	return nil
}

func (vs *variants) listed() string {
	values := make([]string, len(vs.list))
	for i := range vs.list {
		values[i] = vs.list[i].value
	}
	return strings.Join(values, ", ")
}

func (t *Type) decodeOneOf(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '{' {
		return d.mismatch(OneOf.article())
	}
	mark := d.s.Mark()
	found, err := d.findVariant(t.variants)
	if err != nil {
		return err
	}
	if found == nil {
		d.s.Rewind(mark)
		return d.s.Skip() // all of it has to be well-formed
	}
	d.s.Rewind(mark)
	d.tag = t.variants.discriminator
	value := reflect.New(found.typ.goType).Elem()
	if err := found.typ.decode(d, value); err != nil {
		return err
	}
	v.Set(value)
	return nil
}

// findVariant reads the object up to its discriminator, and records what is wrong with that.
func (d *decoder) findVariant(vs *variants) (*variant, error) {
	empty, err := d.s.BeginObject()
	for more := !empty; more && err == nil; {
		var name []byte
		if name, err = d.s.Name(); err != nil {
			break
		}
		if string(name) == vs.discriminator {
			return d.readDiscriminator(vs)
		}
		if err = d.s.Skip(); err == nil {
			more, err = d.s.MoreMembers()
		}
	}
	if err == nil {
		d.at(vs.discriminator, "required", "is required, and one of "+vs.listed())
	}
	return nil, err
}

func (d *decoder) readDiscriminator(vs *variants) (*variant, error) {
	mark := len(d.found)
	defer func() { d.within(mark, vs.discriminator) }()
	if d.s.Peek() != '"' {
		return nil, d.mismatch(String.article())
	}
	text, err := d.s.Text()
	if err != nil {
		return nil, err
	}
	found := vs.find(string(text))
	if found == nil {
		d.add("enum", "must be one of "+vs.listed(), string(text))
	}
	return found, nil
}

// variantOf is the variant that a Go value is.
func (vs *variants) variantOf(t reflect.Type) *variant {
	for i := range vs.list {
		if vs.list[i].typ.goType == t {
			return &vs.list[i]
		}
	}
	return nil
}
