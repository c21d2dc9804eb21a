package schema

import (
	"reflect"
	"strings"
)

// Values from text: path segments, query parameters, headers, cookies, form fields.
//
// The text of a number is what JSON allows, and zeros in front ("07", as people write dates); there is no plus sign, no
// white space, no other base. A boolean is true, false, 1, 0, or on, which browsers send for a ticked box. Everything
// else is as in a JSON string. The empty text is a value of strings alone.

// SetText sets dst, which is of the type and can be set, to the value of a text. A nil result means that it fits; the
// other means that dst holds nothing of use. Text for a type that is not [Type.Textual] never fits.
func (t *Type) SetText(dst reflect.Value, text string) []Violation {
	if t.quickText(dst, text) {
		return nil
	}
	r := newRecorder()
	t.setTextInto(r, dst, text)
	return r.release()
}

func (t *Type) setTextInto(r *recorder, dst reflect.Value, text string) {
	if t.setText == nil {
		r.add("type", "cannot be given as text; it is "+t.kind.article(), nil)
		return
	}
	t.setText(r, dst, text)
}

// SetTexts sets dst to the values of a parameter that may occur several times: a [Type.TextualList] takes one element
// of each, anything else takes exactly one. Pointers of violations name the element: "/1".
func (t *Type) SetTexts(dst reflect.Value, texts []string) []Violation {
	r := newRecorder()
	t.setTexts(r, dst, texts)
	return r.release()
}

func (t *Type) setTexts(r *recorder, dst reflect.Value, texts []string) {
	if t.kind != Array {
		if len(texts) != 1 {
			r.add("single", "must be given once, not "+counted(len(texts), "time", "times"), nil)
			return
		}
		t.setTextInto(r, dst, texts[0])
		return
	}
	if t.inner != nil {
		dst.Set(reflect.New(t.inner.goType))
		t.inner.setTexts(r, dst.Elem(), texts)
		return
	}
	t.checkCount(r, len(texts))
	keep := len(texts)
	if t.rules != nil && t.rules.items.max > 0 {
		keep = min(keep, t.rules.items.max)
	}
	if t.fixed >= 0 {
		keep = min(keep, t.fixed)
	} else {
		dst.Set(reflect.MakeSlice(t.goType, keep, keep))
	}
	unique := t.newUnique()
	for i := range keep {
		mark := len(r.found)
		t.element.setTextInto(r, dst.Index(i), texts[i])
		if unique != nil && mark == len(r.found) {
			unique.add(r, t.element.textJSON(texts[i]), i)
		}
		r.withinIndex(mark, i)
	}
}

// textJSON is the JSON of a text that fits.
func (t *Type) textJSON(text string) []byte {
	switch t.kind {
	case Integer, Number:
		return []byte(trimZeros(text))
	}
	return quoteJSON(text)
}

// SetText is SetTexts of one text that is not split.
func (f *Field) SetText(dst reflect.Value, text string) []Violation {
	r := newRecorder()
	if f.Secret {
		r.secret++
	}
	f.Type.setTextInto(r, dst, text)
	return r.release()
}

// SetTexts is [Type.SetTexts] by the field's tags: with `explode:"false"` a list is one text with commas ("1,2,3", the
// empty text being the empty list), and the values of a field marked secret show in no violation.
func (f *Field) SetTexts(dst reflect.Value, texts []string) []Violation {
	r := newRecorder()
	if f.Secret {
		r.secret++
	}
	if f.Type.kind == Array && !f.Explode {
		if len(texts) != 1 {
			r.add("single", "must be given once, with commas between the values", nil)
			return r.release()
		}
		if texts[0] == "" {
			texts = nil
		} else {
			texts = strings.Split(texts[0], ",")
		}
	}
	f.Type.setTexts(r, dst, texts)
	return r.release()
}

func (t *Type) setTextPointer(r *recorder, v reflect.Value, text string) {
	target := reflect.New(t.inner.goType)
	t.inner.setText(r, target.Elem(), text)
	v.Set(target)
}

func (t *Type) setTextForm(r *recorder, v reflect.Value, text string) {
	raw := []byte(text)
	if t.kind == Number || t.kind == Integer {
		raw = []byte(trimZeros(text))
		n, ok := parseDecimal(string(raw))
		if !ok || t.kind == Integer && !n.integral() {
			r.add("type", "must be "+t.kind.article(), text)
			return
		}
	}
	t.setForm(r, v, raw)
}

func setTextBool(r *recorder, v reflect.Value, text string) {
	switch text {
	case "true", "1", "on":
		v.SetBool(true)
	case "false", "0":
		v.SetBool(false)
	default:
		r.add("type", "must be true or false", text)
	}
}

func (t *Type) setTextSigned(r *recorder, v reflect.Value, text string) {
	if n, ok := signedFrom(r, trimZeros(text), v.Kind()); ok {
		if t.rules != nil {
			t.rules.checkSigned(r, n)
		}
		v.SetInt(n)
	}
}

func (t *Type) setTextUnsigned(r *recorder, v reflect.Value, text string) {
	if n, ok := unsignedFrom(r, trimZeros(text), v.Kind()); ok {
		if t.rules != nil {
			t.rules.checkUnsigned(r, n)
		}
		v.SetUint(n)
	}
}

func (t *Type) setTextFloat(r *recorder, v reflect.Value, text string) {
	raw := trimZeros(text)
	if !isNumber(raw) {
		r.add("type", "must be a number", text)
		return
	}
	setFloat(t, r, v, raw)
}

// trimZeros takes the zeros in front of a number's first digit away: "-007" becomes "-7".
func trimZeros(text string) string {
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "-", text[1:]
	}
	end := 0
	for end+1 < len(digits) && digits[end] == '0' && '0' <= digits[end+1] && digits[end+1] <= '9' {
		end++
	}
	if end == 0 {
		return text
	}
	return sign + digits[end:]
}
