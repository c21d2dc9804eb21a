package template

import (
	"encoding/json"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
)

func htmlFilters(add func(names, params string, fn filterFn)) {
	add("escape e", "", func(f *frame, v value, _ argv) value { return markup(escapeHTML(v)) })
	add("forceescape", "", func(f *frame, v value, _ argv) value { return markup(string(appendHTML(nil, str(v)))) })
	add("safe", "", func(f *frame, v value, _ argv) value { return markup(str(v)) })
	add("striptags", "", func(f *frame, v value, _ argv) value { return stringValue(striptags(str(v))) })
	add("xmlattr", "autospace", xmlattr)
	add("urlize", "trim_url_limit nofollow target rel extra_schemes", urlize)
	add("tojson", "indent", func(f *frame, v value, a argv) value {
		style := jsonStyle{spaces: true}
		if a != nil && a.has(0) && a[0].k != kNone {
			n := max(0, min(a.int(0, 0), 100))
			style.indent, style.pretty = strings.Repeat(" ", n), true
		}
		return markup(string(appendJSON(nil, v, style)))
	})
}

var (
	htmlComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	htmlTag     = regexp.MustCompile(`(?s)<.*?>`)
)

func striptags(s string) string {
	s = htmlTag.ReplaceAllString(htmlComment.ReplaceAllString(s, ""), "")
	return html.UnescapeString(strings.Join(strings.Fields(s), " "))
}

func xmlattr(f *frame, v value, a argv) value {
	return attributes(f, v, a, func(b []byte, _ string, v value) []byte { return append(b, escapeHTML(v)...) })
}

// attributesFilter is xmlattr for pages that escape by the place: each value is escaped as in an attribute of its name
// that stands in the text. What is a constant of the template counts as such text.
func (c *compiler) attributesFilter(x *filterX) *builtin {
	constants := map[string]bool{}
	if d, ok := x.of.(*dictX); ok {
		for i, k := range d.keys {
			name, isName := k.(*constX)
			_, isConst := d.values[i].(*constX)
			if isName && isConst {
				constants[str(name.v)] = true
			}
		}
	}
	element := ""
	if c.esc.state == inTag || c.esc.state == inTagName {
		element = c.esc.element
	}
	return &builtin{name: x.name, params: []string{"autospace"}, fn: func(f *frame, v value, a argv) value {
		return attributes(f, v, a, func(b []byte, name string, v value) []byte {
			place := escContext{element: element, name: strings.ToLower(name)}
			place.beginAttribute()
			place.beginValue('"')
			last := ""
			if v.k == kMarkup || constants[name] {
				last = "safe"
			}
			esc, _, err := place.escaper(last)
			if err != nil {
				raise(KindRuntime, "%s", err.message)
			}
			return esc.value(b, v)
		})
	}}
}

// attributes writes a mapping as attributes, leaving out those that are none or undefined.
func attributes(f *frame, v value, a argv, escape func(b []byte, name string, v value) []byte) value {
	var b []byte
	for _, p := range pairs(v) {
		item := p.o.(*list).items
		if item[1].k == kNone || item[1].k == kUndefined {
			continue
		}
		name := str(item[0])
		if strings.ContainsAny(name, " \t\n\r\f/>=\"'<\x00") {
			raise(KindRuntime, "%q cannot be the name of an attribute", name)
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(appendHTML(b, name), `="`...)
		b = append(escape(b, name, item[1]), '"')
	}
	if len(b) > 0 && (a == nil || a.bool(0, true)) {
		b = append([]byte(" "), b...)
	}
	if f.auto {
		return markup(string(b))
	}
	return stringValue(string(b))
}

var (
	spaces  = regexp.MustCompile(`(\s+)`)
	webURL  = regexp.MustCompile(`(?i)^((https?://|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?://)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(:[\d]{1,5})?([/?#]\S*)?$`)
	mailURL = regexp.MustCompile(`^\S+@\w[\w.-]*\.\w+$`)
	opening = regexp.MustCompile(`^(?:[(<]|&lt;)+`)
	closing = regexp.MustCompile(`(?:[)>.,\n]|&gt;)+$`)
)

// urlize makes links of web and mail addresses in a text.
func urlize(f *frame, v value, a argv) value {
	limit := a.int(0, -1)
	rel := strings.Fields(a.str(3, ""))
	if a.bool(1, false) {
		rel = append(rel, "nofollow")
	}
	rel = sortedUnique(append(rel, "noopener"))
	attrs := ""
	if a.has(2) && a[2].k != kNone {
		attrs = ` target="` + escapeHTML(a[2]) + `"`
	}
	relAttr := ` rel="` + string(appendHTML(nil, strings.Join(rel, " "))) + `"`
	var extra []string
	if a.has(4) && a[4].k != kNone {
		s := iterate(a[4])
		for _, scheme := range s.all() {
			extra = append(extra, str(scheme))
		}
	}
	source := escapeHTML(soft(v))
	var b strings.Builder
	last := 0
	for _, loc := range append(spaces.FindAllStringIndex(source, -1), []int{len(source), len(source)}) {
		b.WriteString(linkWord(source[last:loc[0]], limit, relAttr, attrs, extra))
		b.WriteString(source[loc[0]:loc[1]])
		last = loc[1]
	}
	if f.auto {
		return markup(b.String())
	}
	return stringValue(b.String())
}

func linkWord(word string, limit int, rel, attrs string, extra []string) string {
	head := opening.FindString(word)
	middle := word[len(head):]
	tail := ""
	if strings.HasSuffix(middle, ")") || strings.HasSuffix(middle, ">") || strings.HasSuffix(middle, ".") || strings.HasSuffix(middle, ",") || strings.HasSuffix(middle, "&gt;") {
		tail = closing.FindString(middle)
		middle = middle[:len(middle)-len(tail)]
	}
	for _, pair := range [][2]string{{"(", ")"}, {"<", ">"}, {"&lt;", "&gt;"}} {
		open := strings.Count(middle, pair[0])
		if open <= strings.Count(middle, pair[1]) {
			continue
		}
		for range min(open, strings.Count(tail, pair[1])) {
			end := strings.Index(tail, pair[1]) + len(pair[1])
			middle, tail = middle+tail[:end], tail[end:]
		}
	}
	short := func(s string) string {
		if r := []rune(s); limit >= 0 && len(r) > limit {
			return string(r[:limit]) + "..."
		}
		return s
	}
	switch {
	case webURL.MatchString(middle):
		target := middle
		if !strings.HasPrefix(target, "https://") && !strings.HasPrefix(target, "http://") {
			target = "https://" + target
		}
		middle = `<a href="` + target + `"` + rel + attrs + `>` + short(middle) + `</a>`
	case strings.HasPrefix(middle, "mailto:") && mailURL.MatchString(middle[7:]):
		middle = `<a href="` + middle + `">` + middle[7:] + `</a>`
	case strings.Contains(middle, "@") && !strings.HasPrefix(middle, "www.") && !strings.Contains(middle, ":") && !strings.HasPrefix(middle, "@") && mailURL.MatchString(middle):
		middle = `<a href="mailto:` + middle + `">` + middle + `</a>`
	default:
		for _, scheme := range extra {
			if middle != scheme && strings.HasPrefix(middle, scheme) {
				middle = `<a href="` + middle + `"` + rel + attrs + `>` + middle + `</a>`
				break
			}
		}
	}
	return head + middle + tail
}

type jsonStyle struct {
	spaces bool   // ", " and ": " as Python's json
	pretty bool   // a line for each entry
	indent string // of such a line, for each level
}

func (j jsonStyle) separator(b []byte, depth int) []byte {
	if j.pretty {
		return append(append(b, '\n'), strings.Repeat(j.indent, depth)...)
	}
	return b
}

const maxJSONDepth = 100

// appendJSON writes JSON that is safe in a script and in an attribute with quotes.
func appendJSON(b []byte, v value, j jsonStyle) []byte { return appendJSONAt(b, v, j, 0) }

func appendJSONAt(b []byte, v value, j jsonStyle, depth int) []byte {
	tooLong(b)
	if depth > maxJSONDepth {
		raise(KindRuntime, "the value nests too deep for JSON, or contains itself")
	}
	v = plain(v)
	switch v.k {
	case kNone:
		return append(b, "null"...)
	case kUndefined:
		need(v)
	case kBool:
		return strconv.AppendBool(b, v.n != 0)
	case kInt:
		return strconv.AppendInt(b, v.int(), 10)
	case kFloat:
		if f := v.float(); math.IsNaN(f) || math.IsInf(f, 0) {
			raise(KindRuntime, "JSON has no %s", repr(v))
		}
		return appendFloat(b, v.float())
	case kString, kMarkup:
		return appendJSONText(b, v.s)
	}
	if _, own := v.o.(json.Marshaler); own || !isMapping(v) && !isSequence(v) {
		out, err := json.Marshal(v.o)
		if err != nil {
			raise(KindRuntime, "no JSON: %v", err)
		}
		return appendJSONSafe(b, string(out))
	}
	comma := ","
	if j.spaces && !j.pretty {
		comma = ", "
	}
	colon := ":"
	if j.spaces {
		colon = ": "
	}
	open, end, n := byte('['), byte(']'), 0
	var entries []value
	if isMapping(v) {
		open, end = '{', '}'
		entries = sortedPairs(v)
	} else {
		s, _ := sequenceOf(v)
		entries = s.all()
	}
	b = append(b, open)
	for _, e := range entries {
		if n++; n > 1 {
			b = append(b, comma...)
		}
		b = j.separator(b, depth+1)
		if open == '{' {
			kv := e.o.(*list).items
			b = append(appendJSONText(b, jsonKey(kv[0])), colon...)
			e = kv[1]
		}
		b = appendJSONAt(b, e, j, depth+1)
	}
	if n > 0 {
		b = j.separator(b, depth)
	}
	return append(b, end)
}

func jsonKey(v value) string {
	switch v.k {
	case kNone:
		return "null"
	case kBool:
		return strconv.FormatBool(v.n != 0)
	}
	return str(v)
}

func isSequence(v value) bool {
	if v.k != kObject {
		return false
	}
	switch v.o.(type) {
	case *list:
		return true
	case callable, attributed:
		return false
	}
	_, ok := sequenceOf(v)
	return ok
}

func appendJSONText(b []byte, s string) []byte {
	out := strconv.AppendQuoteToASCII(nil, s)
	if strings.ContainsAny(string(out), "\\") { // Go's escapes are not JSON's
		out, _ = json.Marshal(s)
		var ascii []byte
		for _, r := range string(out) {
			switch {
			case r < 0x80:
				ascii = append(ascii, byte(r))
			case r > 0xffff:
				r -= 0x10000
				ascii = appendU(appendU(ascii, 0xd800+r>>10), 0xdc00+r&0x3ff)
			default:
				ascii = appendU(ascii, r)
			}
		}
		out = ascii
	}
	return appendJSONSafe(b, string(out))
}

func appendU(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

func appendJSONSafe(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '<', '>', '&', '\'':
			b = appendU(b, rune(c))
		default:
			b = append(b, c)
		}
	}
	return b
}
