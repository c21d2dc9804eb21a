package schema

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
)

// Numbers as JSON writes them, exactly: sign, digits and a power of ten. Constraints on floating-point numbers use this
// where float64 would give wrong answers (0.3 is a multiple of 0.1), and numbers of unlimited size everywhere. No
// operation takes longer than the text is long, whatever its exponent says: 1e999999999 is never written out.

// decimal is (-1 if neg) × digits × 10^exp, digits without zeros at either end; zero has no digits.
type decimal struct {
	neg    bool
	digits string
	exp    int64
}

const hugeExponent = 1 << 40

// parseDecimal reads a number in JSON's grammar.
func parseDecimal(text string) (d decimal, ok bool) {
	if !isNumber(text) {
		return d, false
	}
	rest := text
	if d.neg = strings.HasPrefix(rest, "-"); d.neg {
		rest = rest[1:]
	}
	end := digitsEnd(rest, 0)
	whole, fraction := rest[:end], ""
	rest = rest[end:]
	if strings.HasPrefix(rest, ".") {
		end = digitsEnd(rest, 1)
		fraction, rest = rest[1:end], rest[end:]
	}
	if rest != "" {
		d.exp, _ = parseExponent(rest)
	}
	d.digits = whole
	if fraction != "" {
		d.digits += fraction
		d.exp -= int64(len(fraction))
	}
	d.digits = strings.TrimLeft(d.digits, "0")
	if trimmed := strings.TrimRight(d.digits, "0"); len(trimmed) < len(d.digits) {
		d.exp += int64(len(d.digits) - len(trimmed))
		d.digits = trimmed
	}
	if d.digits == "" {
		return decimal{}, true
	}
	return d, true
}

// isNumber reports whether a text is a number in JSON's grammar.
func isNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	end := digitsEnd(rest, 0)
	if end == 0 || end > 1 && rest[0] == '0' {
		return false
	}
	rest = rest[end:]
	if strings.HasPrefix(rest, ".") {
		if end = digitsEnd(rest, 1); end == 1 {
			return false
		}
		rest = rest[end:]
	}
	if rest == "" {
		return true
	}
	_, ok := parseExponent(rest)
	return ok
}

func parseExponent(text string) (exp int64, ok bool) {
	if text[0]|0x20 != 'e' {
		return 0, false
	}
	text = text[1:]
	sign := int64(1)
	if text != "" && (text[0] == '+' || text[0] == '-') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	if text == "" || digitsEnd(text, 0) != len(text) {
		return 0, false
	}
	exp, err := strconv.ParseInt(text, 10, 64)
	if err != nil || exp > hugeExponent {
		exp = hugeExponent
	}
	return sign * exp, true
}

func digitsEnd(text string, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

func floatDecimal(f float64) decimal {
	d, _ := parseDecimal(strconv.FormatFloat(f, 'e', -1, 64))
	return d
}

func (d decimal) zero() bool { return d.digits == "" }

func (d decimal) integral() bool { return d.exp >= 0 || d.zero() }

// cmp is -1, 0 or 1 as d is less than, equal to or greater than e.
func (d decimal) cmp(e decimal) int {
	switch {
	case d.zero() && e.zero():
		return 0
	case d.zero():
		return e.sign() * -1
	case e.zero() || d.neg != e.neg:
		return d.sign()
	}
	order := cmp.Compare(d.exp+int64(len(d.digits)), e.exp+int64(len(e.digits))) // of the leading digits' powers of ten
	if order == 0 {
		order = strings.Compare(d.digits, e.digits)
	}
	switch {
	case order == 0:
		return 0
	case order > 0:
		return d.sign()
	}
	return -d.sign()
}

func (d decimal) sign() int {
	switch {
	case d.zero():
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// multipleOf reports whether d is a whole number of times m, which is greater than zero.
func (d decimal) multipleOf(m decimal) bool {
	if d.zero() {
		return true
	}
	shift := d.exp - m.exp
	if shift < 0 && -shift > int64(len(d.digits)) {
		return false // m's last digit counts more than all of d
	}
	digits, _ := new(big.Int).SetString(d.digits, 10)
	divisor, _ := new(big.Int).SetString(m.digits, 10)
	if digits == nil || divisor == nil {
		return false
	}
	ten := big.NewInt(10)
	if shift < 0 {
		divisor.Mul(divisor, ten.Exp(ten, big.NewInt(-shift), nil))
	} else {
		digits.Mul(digits.Mod(digits, divisor), ten.Exp(ten, big.NewInt(shift), divisor))
	}
	return digits.Mod(digits, divisor).Sign() == 0
}

// String is the number in one fixed form, the same for equal numbers.
func (d decimal) String() string {
	if d.zero() {
		return "0"
	}
	sign := ""
	if d.neg {
		sign = "-"
	}
	return sign + d.digits + "e" + strconv.FormatInt(d.exp, 10)
}

// parseInteger reads a number in JSON's grammar as sign and magnitude.
func parseInteger[T string | []byte](text T) (neg bool, magnitude uint64, fits integerFit) {
	i := 0
	if i < len(text) && text[i] == '-' {
		neg = true
		i++
	}
	if digits := len(text) - i; digits > 0 && digits < 20 {
		for ; i < len(text); i++ {
			c := text[i] - '0'
			if c > 9 {
				return parseWide(string(text))
			}
			magnitude = magnitude*10 + uint64(c)
		}
		return neg, magnitude, integerOK
	}
	return parseWide(string(text))
}

type integerFit uint8

const (
	integerOK   integerFit = iota
	notIntegral            // it has a fraction
	outOfRange             // it is an integer of more than 64 bits
	notANumber             // only for texts that did not come from a JSON number
)

func parseWide(text string) (neg bool, magnitude uint64, fits integerFit) {
	d, ok := parseDecimal(text)
	switch {
	case !ok:
		return false, 0, notANumber
	case !d.integral():
		return d.neg, 0, notIntegral
	case int64(len(d.digits))+d.exp > 20:
		return d.neg, 0, outOfRange
	}
	digits := d.digits
	if digits == "" {
		digits = "0"
	}
	magnitude, err := strconv.ParseUint(digits+strings.Repeat("0", int(d.exp)), 10, 64)
	if err != nil {
		return d.neg, 0, outOfRange
	}
	return d.neg, magnitude, integerOK
}
