package schema

import (
	"reflect"
)

// Arrays and maps from JSON.

func (t *Type) decodeSlice(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '[' {
		return d.mismatch(Array.article())
	}
	empty, err := d.s.BeginArray()
	if err != nil {
		return err
	}
	most := 0
	if t.rules != nil {
		most = t.rules.items.max
	}
	unique := t.newUnique()
	v.SetZero()
	if empty {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	n := 0
	for more := !empty; more; n++ {
		if most > 0 && n >= most { // what is too many is counted, not kept
			if err := d.s.Skip(); err != nil {
				return err
			}
		} else {
			if n == v.Cap() {
				v.Grow(max(1, min(4, 256/int(1+v.Type().Elem().Size()))))
			}
			v.SetLen(n + 1)
			if err := t.decodeElement(d, v.Index(n), n, unique); err != nil {
				return err
			}
		}
		if more, err = d.s.MoreElements(); err != nil {
			return err
		}
	}
	if t.rules != nil {
		t.rules.items.check(&d.recorder, n, "Items", "item", "items")
	}
	return nil
}

func (t *Type) decodeElement(d *decoder, v reflect.Value, n int, unique *uniqueness) error {
	mark, from := len(d.found), d.s.Offset()
	if err := t.element.decode(d, v); err != nil {
		return err
	}
	if unique != nil && mark == len(d.found) {
		unique.add(&d.recorder, d.trimmed(from), n)
	}
	d.withinIndex(mark, n)
	return nil
}

func (t *Type) decodeArray(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '[' {
		return d.mismatch(Array.article())
	}
	empty, err := d.s.BeginArray()
	if err != nil {
		return err
	}
	unique := t.newUnique()
	n := 0
	for more := !empty; more; n++ {
		if n < t.fixed {
			err = t.decodeElement(d, v.Index(n), n, unique)
		} else {
			err = d.s.Skip()
		}
		if err == nil {
			more, err = d.s.MoreElements()
		}
		if err != nil {
			return err
		}
	}
	t.checkCount(&d.recorder, n)
	return nil
}

// checkCount checks the number of items of an array, of which a Go array states the size.
func (t *Type) checkCount(r *recorder, n int) {
	switch {
	case t.fixed >= 0 && n < t.fixed:
		r.add("minItems", "must have exactly "+counted(t.fixed, "item", "items"), nil)
	case t.fixed >= 0 && n > t.fixed:
		r.add("maxItems", "must have exactly "+counted(t.fixed, "item", "items"), nil)
	}
	if t.rules != nil {
		t.rules.items.check(r, n, "Items", "item", "items")
	}
}

func (t *Type) decodeMap(d *decoder, v reflect.Value) error {
	if d.s.Peek() != '{' {
		return d.mismatch(Map.article())
	}
	empty, err := d.s.BeginObject()
	if err != nil {
		return err
	}
	most := 0
	if t.rules != nil {
		most = t.rules.members.max
	}
	into := v.Type()
	v.Set(reflect.MakeMap(into))
	key, value := reflect.New(into.Key()).Elem(), reflect.New(into.Elem()).Elem()
	names := d.s.OpenNames()
	n := 0
	for more := !empty; more; n++ {
		text, err := d.s.Name()
		if err != nil {
			return err
		}
		if err = d.s.Distinct(&names); err != nil {
			return err
		}
		if most > 0 && n >= most {
			err = d.s.Skip()
		} else {
			err = t.decodeEntry(d, v, key, value, string(text))
		}
		if err != nil {
			return err
		}
		if more, err = d.s.MoreMembers(); err != nil {
			return err
		}
	}
	d.s.CloseNames(&names)
	if t.rules != nil {
		t.rules.members.check(&d.recorder, n, "Properties", "member", "members")
	}
	return nil
}

func (t *Type) decodeEntry(d *decoder, into, key, value reflect.Value, name string) error {
	mark := len(d.found)
	key.SetZero()
	value.SetZero()
	t.key.setText(&d.recorder, key, name)
	keyFits := mark == len(d.found)
	if err := t.element.decode(d, value); err != nil {
		return err
	}
	switch {
	case !keyFits:
	case t.key.text != nil && into.MapIndex(key).IsValid(): // {"A":…,"a":…} where the key type ignores case
		d.add("propertyNames", "must not be the same as another key", nil)
	default:
		into.SetMapIndex(key, value)
	}
	d.within(mark, name)
	return nil
}
