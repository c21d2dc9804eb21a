package template

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

func text(v value) string {
	return str(v)
}

// soft is the value as text, HTML staying HTML.
func soft(v value) value {
	if v.isText() {
		return v
	}
	return stringValue(str(v))
}

func textFilters(add func(names, params string, fn filterFn), raw func(string, func(*frame, value, args) value)) {
	mapped := func(names string, fn func(string) string) {
		add(names, "", func(f *frame, v value, _ argv) value { return soft(v).like(fn(text(v))) })
	}
	mapped("upper", upper)
	mapped("lower", strings.ToLower)
	mapped("capitalize", capitalize)
	add("title", "", func(f *frame, v value, _ argv) value { return stringValue(titleCase(text(v))) }) // HTML becomes text, as in Jinja
	add("string", "", func(f *frame, v value, _ argv) value { return soft(v) })
	add("trim strip", "chars", func(f *frame, v value, a argv) value {
		if len(a) > 0 && a.has(0) && a[0].k != kNone {
			return soft(v).like(strings.Trim(text(v), a.str(0, "")))
		}
		return soft(v).like(strings.TrimSpace(text(v)))
	})
	add("center", "width", func(f *frame, v value, a argv) value {
		s := text(v)
		pad := a.int(0, 80) - utf8.RuneCountInString(s)
		f.st.grow(max(0, pad))
		if pad <= 0 {
			return soft(v)
		}
		left := pad/2 + pad&a.int(0, 80)&1
		return soft(v).like(strings.Repeat(" ", left) + s + strings.Repeat(" ", pad-left))
	})
	add("replace", "old new count", func(f *frame, v value, a argv) value {
		n := a.int(2, -1)
		if len(a) > 2 && a[2].k == kNone {
			n = -1
		}
		s, old, with := text(v), a.str(0, ""), a.str(1, "")
		if f.auto && (v.k == kMarkup || a[0].k == kMarkup || a[1].k == kMarkup) {
			s, old, with = escapeHTML(soft(v)), escapeHTML(a[0]), escapeHTML(a[1])
			v = markup("")
		}
		f.st.grow(strings.Count(s, old) * len(with))
		return soft(v).like(strings.Replace(s, old, with, n))
	})
	add("truncate", "length killwords end leeway", truncate)
	add("wordwrap", "width break_long_words wrapstring break_on_hyphens", wordwrap)
	add("indent", "width first blank", indent)
	add("urlencode", "", urlencode)
	add("wordcount", "", func(f *frame, v value, _ argv) value {
		return intValue(int64(len(words.FindAllString(text(v), -1))))
	})
	add("pprint", "", func(f *frame, v value, _ argv) value { return stringValue(repr(v)) })
	raw("format", func(f *frame, v value, a args) value {
		if len(a.kw) > 0 {
			d := newDict()
			for _, k := range a.kw {
				d.set(stringValue(k.name), k.v)
			}
			return formatPercent(f, soft(v), []value{object(d)})
		}
		return formatPercent(f, soft(v), a.pos)
	})
}

var words = regexp.MustCompile(`[\pL\pN_]+`)

// upper follows Unicode's full mapping for the sharp s, which has no capital of its own.
func upper(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "ß", "SS")) }

func capitalize(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToTitle(r)) + strings.ToLower(s[n:])
}

// titleCase begins each word with a capital; words end at white space, hyphens and opening brackets.
func titleCase(s string) string {
	var b strings.Builder
	start := true
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || strings.ContainsRune("-({[<", r):
			b.WriteRune(r)
			start = true
			continue
		case start:
			b.WriteString(upper(string(r)))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		start = false
	}
	return b.String()
}

func truncate(f *frame, v value, a argv) value {
	n, end, leeway := a.int(0, 255), a.str(2, "..."), a.int(3, 5)
	if len(a) > 3 && a[3].k == kNone {
		leeway = 5
	}
	s := []rune(text(v))
	ellipsis := utf8.RuneCountInString(end)
	if n < ellipsis {
		raise(KindRuntime, "truncate to %d characters leaves no room for %q", n, end)
	}
	if len(s) <= n+leeway {
		return soft(v)
	}
	cut := string(s[:n-ellipsis])
	if !a.bool(1, false) {
		if i := strings.LastIndexByte(cut, ' '); i >= 0 {
			cut = cut[:i]
		}
	}
	if v.k == kMarkup {
		return markup(cut + escapeHTML(a.value(2, end)))
	}
	return stringValue(cut + end)
}

func (a argv) value(i int, otherwise string) value {
	if a.has(i) {
		return soft(a[i])
	}
	return stringValue(otherwise)
}

func indent(f *frame, v value, a argv) value {
	pad := ""
	if a.has(0) && a[0].isText() {
		pad = a[0].s
	} else {
		n := max(0, a.int(0, 4))
		f.st.grow(n)
		pad = strings.Repeat(" ", n)
	}
	v = soft(v)
	lines := strings.Split(v.s+"\n", "\n")
	lines = lines[:len(lines)-1]
	f.st.grow(len(lines) * len(pad))
	for i := range lines {
		if (i > 0 || a.bool(1, false)) && (lines[i] != "" || i == 0 || a.bool(2, false)) {
			lines[i] = pad + lines[i]
		}
	}
	return v.like(strings.Join(lines, "\n"))
}

func quoteURL(s, keep string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isLetter(c) || c >= '0' && c <= '9' || strings.IndexByte("_.-~", c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b = append(b, c)
		} else {
			b = fmt.Appendf(b, "%%%02X", c)
		}
	}
	return string(b)
}

func urlencode(f *frame, v value, _ argv) value {
	if v.isText() || v.k != kObject {
		return stringValue(quoteURL(text(v), "/"))
	}
	var parts []string
	var items []value
	if isMapping(v) {
		items = pairs(v)
	} else {
		s := iterate(v)
		items = s.all()
	}
	for _, item := range items {
		s := iterate(item)
		if s.n != 2 {
			raise(KindRuntime, "urlencode takes a mapping or pairs")
		}
		parts = append(parts, url.QueryEscape(str(s.at(0)))+"="+url.QueryEscape(str(s.at(1))))
	}
	return stringValue(strings.Join(parts, "&"))
}
