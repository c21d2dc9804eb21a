package template

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

func numberFilters(add func(names, params string, fn filterFn)) {
	add("abs", "", func(f *frame, v value, _ argv) value {
		need(v)
		v = plain(v)
		switch {
		case v.k == kFloat:
			return floatValue(math.Abs(v.float()))
		case v.isNumber():
			return intValue(max(v.int(), -v.int()))
		}
		raise(KindRuntime, "abs needs a number, not a %s", typeName(v))
		return value{}
	})
	add("int", "default base", toIntFilter)
	add("float", "default", func(f *frame, v value, a argv) value {
		v = plain(v)
		switch {
		case v.isNumber():
			return floatValue(v.asFloat())
		case v.isText():
			if n, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(v.s), "_", ""), 64); err == nil && !strings.ContainsAny(v.s, "xX") {
				return floatValue(n)
			}
		}
		if a != nil && a.has(0) {
			return a[0]
		}
		return floatValue(0)
	})
	add("round", "precision method", round)
	add("filesizeformat", "binary", filesize)
	add("format_number", "decimals", formatNumber)
}

func toIntFilter(f *frame, v value, a argv) value {
	v = plain(v)
	otherwise := intValue(0)
	if a != nil && a.has(0) {
		otherwise = a[0]
	}
	switch {
	case v.k == kFloat:
		if x := v.float(); math.Abs(x) < 1<<63 {
			return intValue(int64(x))
		}
		return otherwise
	case v.isNumber():
		return intValue(v.int())
	case !v.isText():
		return otherwise
	}
	s := strings.ReplaceAll(strings.TrimSpace(v.s), "_", "")
	base := 10
	if a != nil {
		base = a.int(1, 10)
	}
	if base < 0 || base == 1 || base > 36 {
		return otherwise
	}
	low := strings.ToLower(s)
	for prefix, of := range map[string]int{"0x": 16, "0o": 8, "0b": 2} {
		if base == of {
			low = strings.TrimPrefix(low, prefix)
		}
	}
	if n, err := strconv.ParseInt(low, base, 64); err == nil {
		return intValue(n)
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(x) < 1<<63 {
		return intValue(int64(x))
	}
	return otherwise
}

func round(f *frame, v value, a argv) value {
	need(v)
	v = plain(v)
	if !v.isNumber() {
		raise(KindRuntime, "round needs a number, not a %s", typeName(v))
	}
	precision, method, x := 0, "common", v.asFloat()
	if a != nil {
		precision, method = max(-300, min(300, a.int(0, 0))), a.str(1, "common")
	}
	switch method {
	case "common":
		if v.k != kFloat {
			if precision >= 0 {
				return intValue(v.int())
			}
			p := math.Pow(10, float64(-precision))
			return intValue(int64(math.RoundToEven(x/p) * p))
		}
		if precision < 0 {
			p := math.Pow(10, float64(-precision))
			return floatValue(math.RoundToEven(x/p) * p)
		}
		// The decimal digits of the exact value decide, as in Python.
		s := new(big.Float).SetPrec(2000).SetFloat64(x)
		if math.IsInf(x, 0) || math.IsNaN(x) {
			return v
		}
		n, _ := strconv.ParseFloat(s.Text('f', precision), 64)
		return floatValue(n)
	case "ceil", "floor":
		p := math.Pow(10, float64(precision))
		if method == "ceil" {
			return floatValue(math.Ceil(x*p) / p)
		}
		return floatValue(math.Floor(x*p) / p)
	}
	raise(KindRuntime, "round knows the methods common, ceil and floor, not %q", method)
	return value{}
}

func filesize(f *frame, v value, a argv) value {
	v = plain(v)
	if v.isText() {
		if n, err := strconv.ParseFloat(v.s, 64); err == nil {
			v = floatValue(n)
		}
	}
	if !v.isNumber() {
		need(v)
		raise(KindRuntime, "filesizeformat needs a number, not a %s", typeName(v))
	}
	bytes, base, suffix := v.asFloat(), 1000.0, "B"
	prefixes := []string{"k", "M", "G", "T", "P", "E", "Z", "Y"}
	if a != nil && a.bool(0, false) {
		base, suffix = 1024, "iB"
		prefixes[0] = "K"
	}
	if bytes == 1 {
		return stringValue("1 Byte")
	}
	if bytes < base {
		return stringValue(strconv.FormatInt(int64(bytes), 10) + " Bytes")
	}
	unit := base
	for i, p := range prefixes {
		if bytes < unit*base || i == len(prefixes)-1 {
			return stringValue(fmt.Sprintf("%.1f %s%s", bytes/unit, p, suffix))
		}
		unit *= base
	}
	return value{}
}

// formatNumber groups the digits by thousands: 1234567.891|format_number(2) is 1,234,567.89.
func formatNumber(f *frame, v value, a argv) value {
	need(v)
	v = plain(v)
	if !v.isNumber() {
		raise(KindRuntime, "format_number needs a number, not a %s", typeName(v))
	}
	decimals := -1
	if a != nil {
		decimals = min(a.int(0, -1), 100)
	}
	s := strconv.FormatInt(v.int(), 10)
	if v.k == kFloat || decimals >= 0 {
		s = strconv.FormatFloat(v.asFloat(), 'f', decimals, 64)
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + fraction
	}
	return stringValue(sign + whole)
}
