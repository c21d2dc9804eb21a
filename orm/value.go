package orm

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// JSON is a field that is stored as JSON: jsonb in PostgreSQL, json elsewhere.
//
//	Meta orm.JSON[map[string]any]
//	…
//	users.Filter("meta__address__city", "Berlin")
type JSON[T any] struct{ V T }

// NewJSON returns a value as a JSON field.
func NewJSON[T any](v T) JSON[T] { return JSON[T]{v} }

// MarshalJSON writes the value itself.
func (j JSON[T]) MarshalJSON() ([]byte, error) { return json.Marshal(j.V) }

// UnmarshalJSON reads the value itself.
func (j *JSON[T]) UnmarshalJSON(b []byte) error {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	j.V = v
	return nil
}

// stored is the JSON of a column, in which "<" is "<": MariaDB compares keys as they are written.
func (j *JSON[T]) stored() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(j.V)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// jsonColumn is what every JSON[T] is.
type jsonColumn interface{ stored() ([]byte, error) }

// Decimal is an exact decimal number as text: "12.50". The zero value is zero. In SQLite, which has no decimals, up to
// 15 significant digits are kept exactly; a number with more is refused there.
type Decimal string

// ParseDecimal checks and normalises a decimal number: an optional sign, digits, and a fraction.
func ParseDecimal(s string) (Decimal, error) {
	if s == "" {
		return "0", nil
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" ||
		len(s)-len(digits) > 1 || len(s) > 1024 {
		return "", errors.New("not a decimal number: write it like 12.50")
	}
	whole = strings.TrimLeft(whole[:len(whole)-1], "0") + whole[len(whole)-1:]
	if point {
		whole += "." + fraction
	}
	if s[0] == '-' && strings.Trim(whole, "0.") != "" {
		whole = "-" + whole
	}
	return Decimal(whole), nil
}

// Rat returns the number for exact arithmetic, and false if it is none.
func (d Decimal) Rat() (*big.Rat, bool) {
	n, err := ParseDecimal(string(d))
	if err != nil {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// scaled returns the number with exactly so many digits after the point, as a database gives it.
func (d Decimal) scaled(scale int) Decimal {
	r, ok := d.Rat()
	if !ok {
		return d
	}
	return Decimal(r.FloatString(scale))
}

// fraction counts the digits after the point that matter.
func (d Decimal) fraction() int {
	_, digits, _ := strings.Cut(string(d), ".")
	return len(strings.TrimRight(digits, "0"))
}

// whole counts the digits before the point.
func (d Decimal) whole() int {
	digits, _, _ := strings.Cut(strings.TrimPrefix(string(d), "-"), ".")
	return len(strings.TrimLeft(digits, "0"))
}

// significant counts the digits that matter.
func (d Decimal) significant() int {
	digits := strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(string(d), "-"), ".", ""), "0")
	return len(strings.TrimRight(digits, "0"))
}

func formatUUID(u [16]byte) string {
	var b [36]byte
	hex.Encode(b[:], u[:4])
	hex.Encode(b[9:], u[4:6])
	hex.Encode(b[14:], u[6:8])
	hex.Encode(b[19:], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

func parseUUID(s string) (u [16]byte, err error) {
	compact := s
	if len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' {
		compact = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	if len(compact) != 32 {
		return u, fmt.Errorf("not a UUID: it has %d characters", len(s))
	}
	if _, err := hex.Decode(u[:], []byte(compact)); err != nil {
		return u, errors.New("not a UUID: it has other characters than hexadecimal digits")
	}
	return u, nil
}
