package schema

import (
	"math/bits"
	"reflect"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// Objects from JSON: which members came is kept in a set of bits, so that zero values never pass for absent ones.

func (t *Type) decodeObject(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '{' {
		return d.mismatch(Object.article())
	}
	empty, err := d.s.BeginObject()
	if err != nil {
		return err
	}
	m := t.members
	var few [2]uint64
	seen := few[:]
	if len(m.want) > len(few) {
		seen = make([]uint64, len(m.want))
	}
	unknown := unknownNames{tag: d.tag}
	d.tag = ""
	count, next := 0, 0
	for more := !empty; more; count++ {
		name, err := d.s.Name()
		if err != nil {
			return err
		}
		if i := m.find(name, next); i < 0 {
			err = d.skipUnknown(&unknown, name)
		} else {
			if seen[i/64]&(1<<(i%64)) != 0 {
				return d.s.Repeated()
			}
			seen[i/64] |= 1 << (i % 64)
			next = i + 1
			err = m.fields[i].decodeInto(d, v)
		}
		if err != nil {
			return err
		}
		if more, err = d.s.MoreMembers(); err != nil {
			return err
		}
	}
	unknown.close(d)
	for w, want := range m.want {
		if absent := want &^ seen[w]; absent != 0 {
			t.fillAbsent(&d.recorder, v, w, absent)
		}
	}
	if t.rules != nil {
		t.rules.members.check(&d.recorder, count, "Properties", "member", "members")
	}
	return nil
}

func (f *Field) decodeInto(d *decoder, v reflect.Value) error {
	mark := len(d.found)
	if f.Secret {
		d.secret++
	}
	err := f.Type.decode(d, f.in(v))
	if f.Secret {
		d.secret--
	}
	if mark != len(d.found) {
		d.within(mark, f.Name)
	}
	return err
}

// in is the field in a struct; embedded pointers on the way are made.
func (f *Field) in(v reflect.Value) reflect.Value {
	if len(f.Index) == 1 {
		return v.Field(f.Index[0])
	}
	if !f.throughNil {
		return v.FieldByIndex(f.Index)
	}
	for i, at := range f.Index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(at)
	}
	return v
}

// unknownNames keeps the names of one object that no field has, to find them twice.
type unknownNames struct {
	names strictjson.Names
	open  bool
	tag   string // the discriminator, which is known even if no field has it
}

func (d *decoder) skipUnknown(u *unknownNames, name []byte) error {
	if !u.open {
		u.names, u.open = d.s.OpenNames(), true
	}
	if err := d.s.Distinct(&u.names); err != nil {
		return err
	}
	if d.closed && (u.tag == "" || string(name) != u.tag) {
		d.at(string(name), "additionalProperties", "is not a known member")
	}
	return d.s.Skip()
}

func (u *unknownNames) close(d *decoder) {
	if u.open {
		d.s.CloseNames(&u.names)
	}
}

// fillAbsent reports the required ones among the absent fields of one word of the set, and gives the others defaults.
func (t *Type) fillAbsent(r *recorder, v reflect.Value, word int, absent uint64) {
	for ; absent != 0; absent &= absent - 1 {
		f := t.members.fields[word*64+bits.TrailingZeros64(absent)]
		if f.Required {
			r.at(f.Name, "required", "is required")
		} else {
			f.SetDefault(f.in(v))
		}
	}
}

// SetDefault sets dst, which is of the field's type, to the field's default. Without one, a struct gets the defaults of
// its own fields and anything else stays as it is.
func (f *Field) SetDefault(dst reflect.Value) {
	switch {
	case f.fill.IsValid():
		dst.Set(f.fill)
	case f.Default != nil:
		_, _ = f.Type.DecodeValue(f.Default, dst, DecodeOptions{}) // it was tried when the field was described
	default:
		f.Type.ApplyDefaults(dst)
	}
}

// ApplyDefaults makes of a zero value of the type, which can be set, what decoding "{}" makes of it, required fields
// aside: every field gets its default, in nested structs too. Types that are not Objects are left alone, and so are
// pointers.
func (t *Type) ApplyDefaults(dst reflect.Value) {
	if t.kind != Object || t.nullable {
		return
	}
	for _, f := range t.members.fields {
		if f.fillsDefault() {
			f.SetDefault(f.in(dst))
		}
	}
}
