package shell

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// Completion does not run anything: it reads the line up to the cursor, follows the chain of names, calls and indexes in
// front of it, and knows what the methods of models, queries and rows give.

// shape is what is known of a value that is not there yet.
type shape struct {
	is    string // "model", "query", "row", "list" of rows, or "" with a value
	model *model
	value starlark.Value
}

// complete returns the line in front of the word at the cursor, what the word may become, and the line behind it.
func (s *session) complete(line string, pos int) (head string, options []string, tail string) {
	runes := []rune(line)
	pos = min(max(pos, 0), len(runes))
	before, tail := string(runes[:pos]), string(runes[pos:])
	list, open := tokens(before)
	if open == '#' {
		return before, nil, tail
	}
	word := ""
	if open != 0 { // within a text
		last := list[len(list)-1]
		word, list = last.text, list[:len(list)-1]
		head = before[:len(before)-len(word)]
		return head, matching(word, s.texts(list)), tail
	}
	if n := len(list); n > 0 && list[n-1].kind == 'a' && list[n-1].end == len(before) {
		word, list = list[n-1].text, list[:n-1]
	}
	head = before[:len(before)-len(word)]
	if n := len(list); n > 0 && list[n-1].text == "." {
		what, _ := s.shapeOf(list[:n-1])
		return head, matching(word, s.behindDot(what)), tail
	}
	options = matching(word, s.keywords(list, word))
	var names []string
	for name := range s.names() {
		names = append(names, name)
	}
	return head, append(options, matching(word, names)...), tail
}

func matching(word string, list []string) []string {
	var found []string
	for _, text := range list {
		if strings.HasPrefix(text, word) {
			found = append(found, text)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func (s *session) behindDot(what shape) []string {
	switch what.is {
	case "model":
		return what.model.AttrNames()
	case "query":
		return (*query)(nil).AttrNames()
	case "row":
		return slices.Collect(maps.Keys(what.model.attributes()))
	case "list":
		return starlark.NewList(nil).AttrNames()
	}
	if v, ok := what.value.(starlark.HasAttrs); ok {
		return v.AttrNames()
	}
	return nil
}

// keywords are the names of arguments where the next argument of a call may begin: fields, relations and lookups.
func (s *session) keywords(list []token, word string) []string {
	callee, method, ok := s.callee(list)
	if !ok || callee.model == nil {
		return nil
	}
	m := callee.model
	var names []string
	switch {
	case method == "" && callee.is == "model", method == "create", method == "update":
		for _, name := range m.names {
			names = append(names, name+"=")
		}
	case slices.Contains([]string{"filter", "exclude", "get"}, method):
		names = lookupNames(s, m, word)
	}
	return names
}

// texts are what a text may be: names of fields in order_by and only, names of routes in url.
func (s *session) texts(list []token) []string {
	callee, method, ok := s.callee(list)
	if !ok {
		return nil
	}
	var names []string
	switch {
	case method == "url" && callee.is == "":
		for _, route := range s.app.Routes() {
			if route.Name() != "" {
				names = append(names, route.Name())
			}
		}
	case callee.model != nil && (method == "order_by" || method == "only"):
		for _, name := range callee.model.names {
			names = append(names, name)
			if method == "order_by" {
				names = append(names, "-"+name)
			}
		}
	}
	return names
}

// callee is what the innermost call that is open is of, if the cursor is where an argument begins.
func (s *session) callee(list []token) (on shape, method string, ok bool) {
	if n := len(list); n == 0 || list[n-1].text != "(" && list[n-1].text != "," {
		return shape{}, "", false
	}
	depth := 0
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i].text {
		case ")", "]", "}":
			depth++
		case "[", "{":
			if depth--; depth < 0 {
				return shape{}, "", false
			}
		case "(":
			if depth--; depth >= 0 {
				continue
			}
			if i == 0 || list[i-1].kind != 'a' {
				return shape{}, "", false
			}
			name := list[i-1].text
			if i >= 2 && list[i-2].text == "." {
				on, ok = s.shapeOf(list[:i-2])
				return on, name, ok
			}
			on, ok = s.shapeOf(list[:i])
			if on.is == "" {
				return on, name, true
			}
			return on, "", ok
		}
	}
	return shape{}, "", false
}

// shapeOf follows the chain that ends the list.
func (s *session) shapeOf(list []token) (shape, bool) {
	n := len(list)
	if n == 0 {
		return shape{}, false
	}
	switch last := list[n-1]; {
	case last.text == ")" || last.text == "]":
		begin := opening(list)
		if begin < 0 {
			return shape{}, false
		}
		inner, ok := s.shapeOf(list[:begin])
		if last.text == "]" {
			if ok && inner.is == "list" {
				return shape{is: "row", model: inner.model}, true
			}
			return shape{}, false
		}
		if begin == 0 || !ends(list[begin-1]) { // brackets around an expression
			return s.shapeOf(list[begin+1 : n-1])
		}
		if !ok && list[begin-1].kind == 'a' && begin >= 3 && list[begin-2].text == "." {
			on, found := s.shapeOf(list[:begin-2])
			if !found {
				return shape{}, false
			}
			return gives(on, list[begin-1].text)
		}
		if ok && inner.is == "model" {
			return shape{is: "row", model: inner.model}, true
		}
		return shape{}, false
	case last.kind != 'a':
		return shape{}, false
	case n >= 2 && list[n-2].text == ".":
		return s.attribute(list)
	default:
		return s.named(last.text)
	}
}

// ends reports whether an expression may end with a token, so that a bracket behind it is a call or an index.
func ends(t token) bool { return t.kind == 'a' || t.text == ")" || t.text == "]" }

// attribute is a relation of a row, or something behind the dot of a value that is there.
func (s *session) attribute(list []token) (shape, bool) {
	n := len(list)
	on, ok := s.shapeOf(list[:n-2])
	if !ok {
		return shape{}, false
	}
	if on.is == "row" {
		relation := on.model.relation(list[n-1].text)
		if relation == nil {
			return shape{}, false
		}
		target := s.tables[relation.Table]
		if target == nil {
			return shape{}, false
		}
		if relation.Kind == "has many" || relation.Kind == "many to many" {
			return shape{is: "list", model: target}, true
		}
		return shape{is: "row", model: target}, true
	}
	if v, isValue := on.value.(starlark.HasAttrs); isValue && on.is == "" {
		if inner, err := v.Attr(list[n-1].text); err == nil && inner != nil {
			return shapeOfValue(inner), true
		}
	}
	return shape{}, false
}

// gives is what a method gives.
func gives(on shape, method string) (shape, bool) {
	if on.is != "model" && on.is != "query" {
		return shape{}, false
	}
	switch method {
	case "create", "get", "first", "one":
		return shape{is: "row", model: on.model}, true
	case "all":
		return shape{is: "list", model: on.model}, true
	case "count", "exists", "update", "delete", "sql":
		return shape{}, false
	}
	return shape{is: "query", model: on.model}, true
}

func (s *session) named(name string) (shape, bool) {
	v, ok := s.globals[name]
	if !ok {
		return shape{}, false
	}
	return shapeOfValue(v), true
}

func shapeOfValue(v starlark.Value) shape {
	switch v := v.(type) {
	case *model:
		return shape{is: "model", model: v}
	case *query:
		return shape{is: "query", model: v.m}
	case *row:
		return shape{is: "row", model: v.m}
	case *starlark.List:
		if v.Len() > 0 {
			if r, ok := v.Index(0).(*row); ok {
				return shape{is: "list", model: r.m}
			}
		}
	}
	return shape{value: v}
}

// opening finds the bracket that the last one closes.
func opening(list []token) int {
	depth := 0
	for i := len(list) - 1; i >= 0; i-- {
		switch list[i].text {
		case ")", "]", "}":
			depth++
		case "(", "[", "{":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// The lookups that fit a kind of column.
var (
	lookupsOfAll  = []string{"exact", "ne", "gt", "gte", "lt", "lte", "in", "notin", "range", "isnull"}
	lookupsOfText = []string{"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like", "ilike", "regex", "iregex"}
	lookupsOfTime = []string{"year", "month", "day", "date", "hour", "minute", "second", "weekday"}
)

// lookupNames are the lookups that begin with the part of a word up to its last "__".
func lookupNames(s *session, m *model, word string) []string {
	prefix := ""
	if i := strings.LastIndex(word, "__"); i >= 0 {
		prefix = word[:i]
	}
	var column string
	for part := range strings.SplitSeq(prefix, "__") {
		if part == "" {
			continue
		}
		if relation := m.relation(part); relation != nil && s.tables[relation.Table] != nil {
			m, column = s.tables[relation.Table], ""
			continue
		}
		c := m.column(part)
		if c == nil {
			return nil
		}
		column = c.Kind
	}
	var names []string
	add := func(list ...string) {
		for _, name := range list {
			if prefix != "" {
				name = prefix + "__" + name
			}
			names = append(names, name)
		}
	}
	if column != "" {
		fitting := map[string][]string{"text": lookupsOfText, "time": lookupsOfTime}[column]
		for _, name := range slices.Concat(lookupsOfAll, fitting) {
			add(name + "=")
		}
		return names
	}
	for _, name := range m.names {
		add(name + "=")
		add(name + "__")
	}
	for _, relation := range m.table.Relations {
		add(relation.Lookup+"=", relation.Lookup+"__")
	}
	return names
}

// token is a word, a number, a text or a sign of a line.
type token struct {
	kind byte // 'a' a name, '1' a number, '"' a text, '.' a sign
	text string
	end  int // where it ends, in bytes
}

// tokens reads a line. If it ends within a text, open is its quote and the last token is what there is of it; within
// a comment open is '#'.
func tokens(line string) (list []token, open byte) {
	for i := 0; i < len(line); {
		c := line[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\\':
			i++
		case c == '#':
			end := strings.IndexByte(line[i:], '\n')
			if end < 0 {
				return list, '#'
			}
			i += end
		case isLetter(c):
			for i < len(line) && (isLetter(line[i]) || isDigit(line[i])) {
				i++
			}
			if i < len(line) && (line[i] == '"' || line[i] == '\'') && strings.Trim(line[start:i], "rRbB") == "" {
				continue // the prefix of a text
			}
			list = append(list, token{'a', line[start:i], i})
		case isDigit(c):
			for i < len(line) && (isLetter(line[i]) || isDigit(line[i]) || line[i] == '.') {
				i++
			}
			list = append(list, token{'1', line[start:i], i})
		case c == '"' || c == '\'':
			quote := string(c)
			if strings.HasPrefix(line[i:], strings.Repeat(quote, 3)) {
				quote = strings.Repeat(quote, 3)
			}
			i += len(quote)
			begin := i
			for i < len(line) && !strings.HasPrefix(line[i:], quote) {
				if line[i] == '\\' {
					i++
				}
				i++
			}
			if i >= len(line) {
				return append(list, token{'"', line[min(begin, len(line)):], len(line)}), c
			}
			i += len(quote)
			list = append(list, token{'"', line[start:i], i})
		default:
			i++
			list = append(list, token{'.', line[start:i], i})
		}
	}
	return list, 0
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
