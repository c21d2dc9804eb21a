package template

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Python's two ways to format: "%5.2f" % x, and "{:>5.2f}".format(x).

var verb = regexp.MustCompile(`%(?:\(([^)]*)\))?([-+ #0]*)(\d*|\*)(?:\.(\d+))?([a-zA-Z%])`)

// formatPercent is Python's "%" on strings.
func formatPercent(f *frame, format value, values []value) value {
	n := 0
	out := verb.ReplaceAllStringFunc(format.s, func(m string) string {
		p := verb.FindStringSubmatch(m)
		if p[5] == "%" {
			return "%"
		}
		if width, _ := strconv.Atoi(p[3]); width > 10_000 || len(p[4]) > 3 {
			raise(KindLimit, "a width of more than 10000 characters")
		}
		var v value
		if p[1] != "" {
			if len(values) != 1 || !isMapping(values[0]) {
				raise(KindRuntime, "format needs names for %q", m)
			}
			v, _ = mapGet(values[0], stringValue(p[1]))
		} else if n < len(values) {
			v = values[n]
			n++
		} else {
			raise(KindRuntime, "format has too few values for %q", format.s)
		}
		s := formatVerb(p, plain(v))
		if format.k == kMarkup && v.k != kMarkup {
			s = string(appendHTML(nil, s))
		}
		return s
	})
	f.st.grow(len(out))
	return format.like(out)
}

func formatVerb(p []string, v value) string {
	precision := ""
	if p[4] != "" {
		precision = "." + p[4]
	}
	spec := "%" + p[2] + p[3]
	switch p[5] {
	case "s", "r":
		s := str(v)
		if p[5] == "r" {
			s = repr(v)
		}
		return fmt.Sprintf("%"+strings.ReplaceAll(p[2], "0", "")+p[3]+precision+"s", s)
	case "c":
		if v.isText() && utf8.RuneCountInString(v.s) == 1 {
			return v.s
		}
	}
	if !v.isNumber() {
		need(v)
		raise(KindRuntime, "%%%s needs a number, not a %s", p[5], typeName(v))
	}
	switch p[5] {
	case "d", "i", "u":
		return fmt.Sprintf(spec+precision+"d", toInt(v))
	case "x", "X", "o":
		if v.k == kFloat {
			raise(KindRuntime, "%%%s needs a whole number", p[5])
		}
		if p[5] == "o" && strings.Contains(p[2], "#") {
			return fmt.Sprintf(strings.ReplaceAll(spec, "#", "")+precision+"O", toInt(v))
		}
		return fmt.Sprintf(spec+precision+p[5], toInt(v))
	case "c":
		return string(rune(toInt(v)))
	case "f", "F", "e", "E", "g", "G":
		if p[5] == "g" && precision == "" {
			precision = ".6"
		}
		return fmt.Sprintf(spec+precision+p[5], v.asFloat())
	}
	raise(KindRuntime, "format does not know %%%s", p[5])
	return ""
}

func toInt(v value) int64 {
	if v.k == kFloat {
		return int64(v.float())
	}
	return v.int()
}

// formatBraces is Python's str.format: fields are names or numbers with attributes and items behind them, a conversion
// and a format specification.
func formatBraces(f *frame, v value, a args) value {
	var b strings.Builder
	rest, n := v.s, 0
	for {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		brace := rest[i]
		rest = rest[i+1:]
		if rest != "" && rest[0] == brace {
			b.WriteByte(brace)
			rest = rest[1:]
			continue
		}
		field, after, ok := strings.Cut(rest, "}")
		if !ok || brace == '}' {
			raise(KindRuntime, "a single brace in %q", v.s)
		}
		rest = after
		field, spec, _ := strings.Cut(field, ":")
		field, conversion, converted := strings.Cut(field, "!")
		x := formatField(f, a, field, &n)
		switch {
		case converted && (conversion == "r" || conversion == "a"):
			x = stringValue(repr(x))
		case converted && conversion == "s":
			x = soft(x)
		case converted:
			raise(KindRuntime, "format does not know the conversion !%s", conversion)
		}
		if spec != "" {
			x = formatSpec(x, spec)
		}
		if v.k == kMarkup {
			b.WriteString(escapeHTML(x))
		} else {
			b.WriteString(str(x))
		}
		f.st.grow(b.Len())
	}
	return v.like(b.String())
}

// formatField finds the value of a field such as "", "0", "name" or "user.tags[0]".
func formatField(f *frame, a args, field string, next *int) value {
	end := strings.IndexAny(field, ".[")
	if end < 0 {
		end = len(field)
	}
	head, path := field[:end], field[end:]
	x := formatArgument(a, head, next)
	for path != "" {
		var key string
		if path[0] == '[' {
			inside, after, ok := strings.Cut(path[1:], "]")
			if !ok {
				raise(KindRuntime, "format: \"]\" is missing in {%s}", field)
			}
			key, path = inside, after
			if n, err := strconv.Atoi(key); err == nil {
				x = getItem(f, x, intValue(int64(n)))
			} else {
				x = getItem(f, x, stringValue(key))
			}
		} else {
			path = strings.TrimPrefix(path, ".")
			if end = strings.IndexAny(path, ".["); end < 0 {
				end = len(path)
			}
			key, path = path[:end], path[end:]
			x = getAttr(f, x, key, false)
		}
		need(x)
	}
	return x
}

func formatArgument(a args, head string, next *int) value {
	i := *next
	if head == "" {
		*next++
	} else if n, err := strconv.Atoi(head); err == nil {
		i = n
	} else {
		for _, k := range a.kw {
			if k.name == head {
				return k.v
			}
		}
		i = -1
	}
	if i < 0 || i >= len(a.pos) {
		raise(KindRuntime, "format has no value for {%s}", head)
	}
	return a.pos[i]
}

var specification = regexp.MustCompile(`^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d{0,5})([,_])?(?:\.(\d{1,3}))?([bcdeEfFgGnosxX%])?$`)

// formatSpec formats a value by Python's mini-language: [[fill]align][sign][#][0][width][grouping][.precision][type].
func formatSpec(v value, spec string) value {
	p := specification.FindStringSubmatch(spec)
	if p == nil {
		raise(KindRuntime, "%q is not a format specification", spec)
	}
	fill, align, sign, zero, grouping, precision, kind := p[1], p[2], p[3], p[6] != "", p[8], p[9], p[10]
	width, _ := strconv.Atoi(p[7])
	if width > 10_000 {
		raise(KindLimit, "a width of more than 10000 characters")
	}
	need(v)
	v = plain(v)
	number := v.isNumber() && kind != "s" && kind != "c"
	if !number && kind != "" && kind != "s" && kind != "c" {
		raise(KindRuntime, "the format %q needs a number, not a %s", spec, typeName(v))
	}
	var text, prefix string
	switch {
	case number:
		prefix, text = formatNumberSpec(v, sign, p[5] != "", grouping, precision, kind)
	case kind == "c":
		if v.k != kInt && v.k != kBool || v.int() < 0 || v.int() > utf8.MaxRune {
			raise(KindRuntime, "the format %q needs the number of a character", spec)
		}
		text = string(rune(v.int()))
	default:
		text = str(v)
		if precision != "" {
			n, _ := strconv.Atoi(precision)
			text = firstRunes(text, n)
		}
	}
	if zero && align == "" {
		fill, align = "0", "="
	}
	if fill == "" {
		fill = " "
	}
	if align == "" {
		align = "<"
		if number {
			align = ">"
		}
	}
	pad := max(0, width-utf8.RuneCountInString(prefix)-utf8.RuneCountInString(text))
	switch align {
	case "<":
		text = prefix + text + strings.Repeat(fill, pad)
	case ">":
		text = strings.Repeat(fill, pad) + prefix + text
	case "^":
		text = strings.Repeat(fill, pad/2) + prefix + text + strings.Repeat(fill, pad-pad/2)
	default:
		text = prefix + strings.Repeat(fill, pad) + text
	}
	return v.like(text)
}

// formatNumberSpec gives a number's sign and base apart from its digits.
func formatNumberSpec(v value, sign string, alternate bool, grouping, precision, kind string) (prefix, digits string) {
	negative := math.Signbit(v.asFloat())
	switch kind {
	case "b", "c", "d", "o", "x", "X", "n", "":
		if kind == "" && v.k == kFloat {
			break
		}
		if v.k == kFloat && kind == "n" {
			break
		}
		if v.k == kFloat {
			raise(KindRuntime, "the format %q needs a whole number", kind)
		}
		base := map[string]int{"b": 2, "o": 8, "x": 16, "X": 16}[kind]
		if base == 0 {
			base = 10
		}
		digits = strings.TrimPrefix(strconv.FormatInt(v.int(), base), "-")
		if kind == "X" {
			digits = strings.ToUpper(digits)
		}
		if alternate && base != 10 {
			prefix = "0" + kind
		}
	}
	if digits == "" {
		digits = strings.TrimPrefix(formatFloatSpec(v.asFloat(), precision, kind), "-")
	}
	if grouping != "" {
		every := 3
		if kind == "b" || kind == "o" || kind == "x" || kind == "X" {
			every = 4
		}
		digits = grouped(digits, grouping, every)
	}
	switch {
	case negative:
		prefix = "-" + prefix
	case sign == "+" || sign == " ":
		prefix = sign + prefix
	}
	return prefix, digits
}

func formatFloatSpec(x float64, precision, kind string) string {
	n := 6
	if precision != "" {
		n, _ = strconv.Atoi(precision)
	}
	switch kind {
	case "":
		if precision == "" {
			return string(appendFloat(nil, x))
		}
		s := fmt.Sprintf("%.*g", max(n, 1), x)
		if !strings.ContainsAny(s, ".enN") {
			s += ".0"
		}
		return s
	case "%":
		return strconv.FormatFloat(x*100, 'f', n, 64) + "%"
	case "n":
		kind = "g"
	case "F":
		kind = "f"
	}
	if kind == "g" || kind == "G" {
		n = max(n, 1)
	}
	return fmt.Sprintf("%.*"+kind, n, x)
}

// grouped puts a separator between the digits of the whole part.
func grouped(digits, sep string, every int) string {
	end := len(digits)
	if every == 3 {
		if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
			end = i
		}
	}
	for i := end - every; i > 0; i -= every {
		digits = digits[:i] + sep + digits[i:]
	}
	return digits
}
