package openapi

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/ishaa-framework/ishaa"
)

// idOf is the operation's id: what was given, the route's name, or method and path.
// It depends on the route alone, unless two routes would have the same.
func (b *builder) idOf(route *ishaa.Route, given notes, method, path string, several bool) (string, error) {
	id, chosen := given.id, given.id != ""
	if id == "" && urlSafe(route.Name()) {
		id = route.Name()
	}
	suffix := ""
	if several {
		suffix = "." + strings.ToLower(method)
	}
	if id == "" {
		id, suffix = pathID(method, path), ""
	}
	id += suffix
	here := method + " " + route.Host() + path
	if other, taken := b.ids[id]; taken {
		if chosen {
			return "", fmt.Errorf("the operation id %q is that of %s too", id, other)
		}
		for n := 2; taken; n++ {
			suffix := strconv.Itoa(n)
			if _, taken = b.ids[id+suffix]; !taken {
				id += suffix
			}
		}
	}
	b.ids[id] = here
	return id, nil
}

// pathID makes "getUsersByIdOrders" of "GET" and "/users/{id}/orders".
func pathID(method, path string) string {
	var id strings.Builder
	id.WriteString(strings.ToLower(method))
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			id.WriteString("By" + capitalWords(strings.TrimSuffix(name, "}")))
			continue
		}
		id.WriteString(capitalWords(segment))
	}
	if path == "/" {
		id.WriteString("Root")
	} else if strings.HasSuffix(path, "/") {
		id.WriteString("Index") // "/users/" is not "/users"
	}
	return id.String()
}

// capitalWords runs the words of a text together: "new-order.json" is "NewOrderJson".
func capitalWords(text string) string {
	var out strings.Builder
	start := true
	for _, r := range text {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			start = true
			continue
		}
		if start {
			r = unicode.ToUpper(r)
		}
		start = false
		out.WriteRune(r)
	}
	return out.String()
}

// summaryOf is the name of the handler's function in words: "Create order".
func summaryOf(route *ishaa.Route) string {
	name := route.Function()
	name = name[strings.LastIndexByte(name, '.')+1:]
	var words []string
	var word []rune
	runes := []rune(name)
	for i, r := range runes {
		upper := unicode.IsUpper(r)
		begins := i > 0 && upper && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if r == '_' || begins {
			words, word = append(words, string(word)), nil
		}
		if r != '_' {
			word = append(word, r)
		}
	}
	words = append(words, string(word))
	for i, w := range words {
		if strings.ToUpper(w) != w || len(w) == 1 { // an abbreviation stays
			w = strings.ToLower(w)
		}
		if i == 0 && w != "" {
			first := []rune(w)
			first[0] = unicode.ToUpper(first[0])
			w = string(first)
		}
		words[i] = w
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

var componentName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// nameComponents renames schemas whose Go name has letters that OpenAPI does not allow
// in the name of a component.
func nameComponents(root object) object {
	schemas := objectAt(objectAt(root, "components"), "schemas")
	taken := map[string]bool{}
	for _, s := range schemas {
		taken[s.Name] = true
	}
	renamed := map[string]string{}
	for i, s := range schemas {
		if componentName.MatchString(s.Name) {
			continue
		}
		name := strings.Map(func(r rune) rune {
			if componentName.MatchString(string(r)) {
				return r
			}
			return '_'
		}, s.Name)
		for base, n := name, 2; taken[name]; n++ {
			name = base + strconv.Itoa(n)
		}
		taken[name] = true
		schemas[i].Name = name
		renamed["#/components/schemas/"+s.Name] = "#/components/schemas/" + name
	}
	if len(renamed) > 0 {
		rename := func(o object, name string) {
			for i, m := range o {
				if text, ok := m.Value.(string); ok && renamed[text] != "" && (name == "" || m.Name == name) {
					o[i].Value = renamed[text]
				}
			}
		}
		walk(root, func(o object) {
			rename(o, "$ref")
			rename(objectAt(o, "mapping"), "")
		})
	}
	return root
}

// nameMaps are the members whose value has names of the API's own, not of OpenAPI's.
var nameMaps = map[string]bool{
	"paths": true, "schemas": true, "securitySchemes": true, "properties": true, "responses": true, "content": true,
	"headers": true, "encoding": true, "variables": true, "mapping": true, "scopes": true,
}

// isData tells the members whose value is an example or a constant of the API, not a
// part of its description.
func isData(name string) bool {
	switch name {
	case "default", "example", "examples", "enum", "const":
		return true
	}
	return false
}

// walk visits every object that is part of the description.
func walk(value any, visit func(object)) { walkIn(value, false, visit) }

func walkIn(value any, names bool, visit func(object)) {
	switch v := value.(type) {
	case object:
		if !names {
			visit(v)
		}
		for _, m := range v {
			if names || !isData(m.Name) {
				walkIn(m.Value, !names && nameMaps[m.Name], visit)
			}
		}
	case []any:
		for _, item := range v {
			walkIn(item, false, visit)
		}
	}
}

// portPatterns writes regular expressions of Go as JavaScript has them, which JSON
// Schema goes by. One that has no such form is left out of "pattern" and noted.
func portPatterns(root object) {
	walk(root, func(o object) {
		for i, m := range o {
			if text, ok := m.Value.(string); ok && m.Name == "pattern" {
				ported, ok := portPattern(text)
				if !ok {
					o[i].Name = "x-pattern-re2"
					continue
				}
				o[i].Value = ported
			}
		}
	})
}

var (
	unportable = regexp.MustCompile(`\(\?[imsU-]+[:)]|\[\[:|\\[QCaA]`)
	shortClass = regexp.MustCompile(`\\([pP])([A-Z])`)
	longRune   = regexp.MustCompile(`\\x\{([0-9A-Fa-f]+)\}`)
)

func portPattern(text string) (string, bool) {
	if head, ok := strings.CutPrefix(text, `\A`); ok {
		text = "^" + head
	}
	if head, ok := strings.CutSuffix(text, `\z`); ok && !strings.HasSuffix(head, `\`) {
		text = head + "$"
	}
	if unportable.MatchString(text) || strings.Contains(text, `\z`) {
		return text, false
	}
	text = strings.ReplaceAll(text, "(?P<", "(?<")
	text = shortClass.ReplaceAllString(text, `\$1{$2}`)
	return longRune.ReplaceAllString(text, `\u{$1}`), true
}
