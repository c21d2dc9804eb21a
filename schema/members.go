package schema

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Which members a struct has: the rules of encoding/json.
//
// Exported fields, under the name of the json tag or else their own. An embedded struct without a name of its own gives
// its fields to the outer struct. Of several fields with one name the least deeply embedded counts; among equals the one
// whose name is from a tag; if that leaves several, none does.

type member struct {
	field      reflect.StructField
	owner      reflect.Type
	name       string
	tagged     bool
	index      []int
	throughNil bool
	omitEmpty  bool
	omitZero   bool
}

// embedded is a struct whose fields count for the outer one.
type embedded struct {
	typ        reflect.Type
	index      []int
	throughNil bool
}

func memberFields(t reflect.Type) ([]member, error) {
	var all []member
	level := []embedded{{typ: t}}
	visited := map[reflect.Type]bool{}
	times := map[reflect.Type]int{}
	for len(level) > 0 {
		var next []embedded
		nextTimes := map[reflect.Type]int{}
		for _, e := range level {
			if visited[e.typ] {
				continue
			}
			visited[e.typ] = true
			for i := range e.typ.NumField() {
				m, deeper, err := readMember(e, i)
				switch {
				case err != nil:
					return nil, err
				case deeper != nil:
					if nextTimes[deeper.typ]++; nextTimes[deeper.typ] == 1 {
						next = append(next, *deeper)
					}
				case m != nil:
					all = append(all, *m)
					if times[e.typ] > 1 {
						all = append(all, *m) // embedded twice at one depth: its fields hide each other
					}
				}
			}
		}
		level, times = next, nextTimes
	}
	return dominant(all), nil
}

// readMember reads field i of a struct: it is a member, or a struct to go into, or neither.
func readMember(e embedded, i int) (*member, *embedded, error) {
	sf := e.typ.Field(i)
	ft := sf.Type
	if sf.Anonymous {
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		if !sf.IsExported() && ft.Kind() != reflect.Struct {
			return nil, nil, nil
		}
	} else if !sf.IsExported() {
		return nil, nil, nil
	}
	tag := sf.Tag.Get("json")
	if tag == "-" {
		return nil, nil, nil
	}
	name, options, _ := strings.Cut(tag, ",")
	if !validName(name) {
		name = ""
	}
	m := &member{field: sf, owner: e.typ, name: name, tagged: name != "", index: append(slices.Clone(e.index), i), throughNil: e.throughNil}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			m.omitEmpty = true
		case "omitzero":
			m.omitZero = true
		case "string":
			return nil, nil, &DefinitionError{Type: e.typ, Field: sf.Name, Tag: "json", Problem: "has the option string, which makes one value two things",
				Fix: "drop the option, or make the field a string or json.Number"}
		}
	}
	if sf.Anonymous && name == "" && ft.Kind() == reflect.Struct {
		pointer := sf.Type.Kind() == reflect.Pointer
		if pointer && !sf.IsExported() {
			return nil, nil, &DefinitionError{Type: e.typ, Field: sf.Name, Problem: "is an embedded pointer to an unexported struct, which cannot be set",
				Fix: "embed the struct itself, or export its type"}
		}
		return nil, &embedded{typ: ft, index: m.index, throughNil: e.throughNil || pointer}, nil
	}
	if !sf.IsExported() {
		return nil, nil, nil // an unexported struct under a name of its own
	}
	if name == "" {
		m.name = sf.Name
	}
	return m, nil, nil
}

// validName is encoding/json's: letters, digits and most ASCII punctuation.
func validName(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// dominant keeps of each name the field that counts, in the order of the struct.
func dominant(all []member) []member {
	byName := map[string][]member{}
	for _, m := range all {
		byName[m.name] = append(byName[m.name], m)
	}
	var kept []member
	for _, same := range byName {
		slices.SortStableFunc(same, func(a, b member) int {
			if len(a.index) != len(b.index) {
				return len(a.index) - len(b.index)
			}
			switch {
			case a.tagged == b.tagged:
				return 0
			case a.tagged:
				return -1
			}
			return 1
		})
		if len(same) > 1 && len(same[0].index) == len(same[1].index) && same[0].tagged == same[1].tagged {
			continue
		}
		kept = append(kept, same[0])
	}
	slices.SortFunc(kept, func(a, b member) int { return slices.Compare(a.index, b.index) })
	return kept
}

// members are the fields of an Object, with what finding them takes.
type members struct {
	fields []*Field
	byName map[string]int // where there are more than a few
	want   []uint64       // bit i: something is to be done if field i is absent
}

const fewMembers = 8

// settle prepares for decoding, when all fields are known.
func (m *members) settle() {
	if m.want != nil {
		return
	}
	m.want = make([]uint64, (len(m.fields)+63)/64)
	if len(m.fields) > fewMembers {
		m.byName = make(map[string]int, len(m.fields))
	}
	for i, f := range m.fields {
		if m.byName != nil {
			m.byName[f.Name] = i
		}
		if f.Required || f.fillsDefault() {
			m.want[i/64] |= 1 << (i % 64)
		}
	}
}

// find returns the index of the field with a name, or -1. Members mostly come in the order of the struct, so the guess,
// the field after the last one found, is mostly right.
func (m *members) find(name []byte, guess int) int {
	if guess < len(m.fields) && m.fields[guess].Name == string(name) {
		return guess
	}
	if m.byName != nil {
		if i, ok := m.byName[string(name)]; ok {
			return i
		}
		return -1
	}
	for i, f := range m.fields {
		if f.Name == string(name) {
			return i
		}
	}
	return -1
}

// fillsDefault reports whether the absent field gets a value: its default, or those of the fields of its struct.
func (f *Field) fillsDefault() bool {
	if _, ok := f.Tag.Lookup("default"); ok {
		return true
	}
	return f.Type.kind == Object && !f.Type.nullable && slices.ContainsFunc(f.Type.members.fields, (*Field).fillsDefault)
}
