package uuid

import (
	"strings"
	"testing"
	"testing/quick"
)

func TestParse(t *testing.T) {
	const text = "123e4567-e89b-12d3-a456-426614174000"
	id, ok := Parse(text)
	if !ok || id != [16]byte{0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0x00} {
		t.Fatalf("Parse gives %x, %t", id, ok)
	}
	if upper, ok := Parse(strings.ToUpper(text)); !ok || upper != id {
		t.Errorf("in upper case: %x, %t", upper, ok)
	}
	for i := range text {
		for _, wrong := range []string{"g", "-", " ", "\x00", "é", ""} {
			if bad := text[:i] + wrong + text[i+1:]; bad != text && Valid(bad) {
				t.Errorf("%q is taken for a UUID", bad)
			}
		}
	}
	for _, bad := range []string{"", text + "0", "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", "")} {
		if id, ok := Parse(bad); ok || id != [16]byte{} {
			t.Errorf("Parse(%q) gives %x, %t", bad, id, ok)
		}
	}
}

func TestFormatThenParse(t *testing.T) {
	same := func(id [16]byte) bool {
		got, ok := Parse(Format(id))
		return ok && got == id && strings.ToLower(Format(id)) == Format(id)
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}
