// Package uuid reads and writes UUIDs in their usual text form (RFC 9562 §4): 32 hexadecimal digits, in either case, in
// groups of 8-4-4-4-12:
//
//	id, ok := uuid.Parse("123e4567-e89b-12d3-a456-426614174000")
//	fmt.Println(ok, uuid.Format(id)) // true 123e4567-e89b-12d3-a456-426614174000
package uuid

import "encoding/hex"

const form = len("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

// Parse returns the 16 bytes that a text stands for, and whether it has the form.
func Parse(text string) (id [16]byte, ok bool) {
	if len(text) != form {
		return id, false
	}
	n := 0
	for i := 0; i < form; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return [16]byte{}, false
			}
			i++
			continue
		}
		high, low := digits[text[i]], digits[text[i+1]]
		if high|low > 15 {
			return [16]byte{}, false
		}
		id[n] = high<<4 | low
		n++
		i += 2
	}
	return id, true
}

// Valid reports whether a text has the form.
func Valid(text string) bool {
	_, ok := Parse(text)
	return ok
}

// Format writes the bytes in lower case.
func Format(id [16]byte) string {
	var text [form]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// digits is the value of each hexadecimal digit, and 255 for what is none.
var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range "0123456789abcdef" {
		table[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		table[c] = byte(10 + i)
	}
	return table
}()
