package schema

import (
	"slices"
	"strconv"

	"github.com/ishaa-framework/ishaa/internal/strictjson"
)

// uniqueness finds equal items by their canonical text, in time linear in the text.
type uniqueness struct{ first map[string]int }

func (t *Type) newUnique() *uniqueness {
	if t.rules == nil || !t.rules.unique {
		return nil
	}
	return &uniqueness{first: map[string]int{}}
}

func (u *uniqueness) add(r *recorder, raw []byte, n int) {
	text := canonical(raw)
	if first, ok := u.first[text]; ok {
		r.add("uniqueItems", "must differ from item "+strconv.Itoa(first), nil)
		return
	}
	u.first[text] = n
}

// canonical is one text for all JSON texts of a value: no white space, names sorted, numbers and strings in one form.
func canonical(raw []byte) string {
	var d decoder
	if d.s.Reset(raw, strictjson.LargestDepth) != nil {
		return string(raw)
	}
	defer d.s.Release()
	b, err := d.appendCanonical(nil)
	if err != nil {
		return string(raw)
	}
	return string(b)
}

func (d *decoder) appendCanonical(b []byte) ([]byte, error) {
	switch d.s.Peek() {
	case '"':
		text, err := d.s.Text()
		return strconv.AppendQuote(b, string(text)), err
	case '0':
		raw, err := d.s.Number()
		n, _ := parseDecimal(string(raw))
		return append(b, n.String()...), err
	case '[':
		b = append(b, '[')
		empty, err := d.s.BeginArray()
		for more := !empty; more && err == nil; {
			if b, err = d.appendCanonical(b); err == nil {
				b = append(b, ',')
				more, err = d.s.MoreElements()
			}
		}
		return append(b, ']'), err
	case '{':
		return d.appendCanonicalObject(b)
	}
	from := d.s.Offset()
	err := d.s.Skip()
	return append(b, d.trimmed(from)...), err
}

func (d *decoder) appendCanonicalObject(b []byte) ([]byte, error) {
	var members []string
	empty, err := d.s.BeginObject()
	for more := !empty; more && err == nil; {
		var name []byte
		if name, err = d.s.Name(); err != nil {
			break
		}
		member := append(strconv.AppendQuote(nil, string(name)), ':')
		if member, err = d.appendCanonical(member); err != nil {
			break
		}
		members = append(members, string(member))
		more, err = d.s.MoreMembers()
	}
	slices.Sort(members)
	b = append(b, '{')
	for _, m := range members {
		b = append(append(b, m...), ',')
	}
	return append(b, '}'), err
}
