package rmf

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// Answers are compared path by path. A path names a place in any answer, not in one: "$.items[].price" is the price of
// whichever item. What can differ is the status, chosen headers, and of JSON bodies what is missing or added, of another
// type, another value, another length or order; other bodies are the same octets or not.

// difference is one place in which two answers differ.
type difference struct {
	path, kind string
	was, is    string // redacted
}

// comparison is how answers of an application are compared.
type comparison struct {
	headers   []string
	tolerance float64
	reveal    func(path string) bool
	ignore    []string
}

func (m *Realities) comparison(ignore []string) *comparison {
	return &comparison{m.options.CompareHeaders, m.options.NumericTolerance, m.options.Reveal, ignore}
}

// answers compares an answer with the one that was sent. Of one that was an error only the status is known.
func (c *comparison) answers(s *simulation, answer *ishaa.Rendered) []difference {
	var d differ
	d.c = c
	if s.answer == nil {
		if answer.Status() != s.status {
			d.note("status", "value", json.Number(strconv.Itoa(s.status)), json.Number(strconv.Itoa(answer.Status())))
		}
		return d.found
	}
	if answer.Status() != s.answer.Status() {
		d.note("status", "value", json.Number(strconv.Itoa(s.answer.Status())), json.Number(strconv.Itoa(answer.Status())))
	}
	was, is := s.answer.Header(), answer.Header()
	for _, name := range c.headers {
		if !slices.Equal(was[name], is[name]) {
			d.note("header "+name, "value", strings.Join(was[name], ", "), strings.Join(is[name], ", "))
		}
	}
	d.bodies(s.answer.Bytes(), answer.Bytes(), isJSON(was) && isJSON(is))
	return d.found
}

func isJSON(h http.Header) bool {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	media = strings.TrimSpace(strings.ToLower(media))
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

type differ struct {
	c     *comparison
	found []difference
}

func (d *differ) note(path, kind string, was, is any) {
	for _, p := range d.c.ignore {
		if rest, ok := strings.CutPrefix(path, p); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return
		}
	}
	for _, f := range d.found {
		if f.path == path && f.kind == kind {
			return
		}
	}
	shown := d.c.reveal != nil && d.c.reveal(path)
	d.found = append(d.found, difference{path, kind, redacted(was, shown), redacted(is, shown)})
}

// absent stands for a member that is not there.
type absent struct{}

func (d *differ) bodies(was, is []byte, asJSON bool) {
	if bytes.Equal(was, is) {
		return
	}
	if asJSON {
		a, err1 := decode(was)
		b, err2 := decode(is)
		if err1 == nil && err2 == nil {
			d.values("$", a, b, 0)
			return
		}
	}
	x, y := sha256.Sum256(was), sha256.Sum256(is)
	d.found = append(d.found, difference{"body", "octets", fmt.Sprintf("%d octets, SHA-256 %x…", len(was), x[:4]), fmt.Sprintf("%d octets, SHA-256 %x…", len(is), y[:4])})
}

func decode(data []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

// maxDepth is how deep a body is walked; deeper values are compared as a whole.
const maxDepth = 64

func (d *differ) values(path string, was, is any, depth int) {
	if depth > maxDepth {
		if !reflect.DeepEqual(was, is) {
			d.note(path, "value", was, is)
		}
		return
	}
	switch a := was.(type) {
	case map[string]any:
		if b, ok := is.(map[string]any); ok {
			d.objects(path, a, b, depth)
			return
		}
	case []any:
		if b, ok := is.([]any); ok {
			d.lists(path, a, b, depth)
			return
		}
	case json.Number:
		if b, ok := is.(json.Number); ok {
			if !d.c.sameNumber(a, b) {
				d.note(path, sizeKind(a, b), a, b)
			}
			return
		}
	default:
		if reflect.TypeOf(was) == reflect.TypeOf(is) {
			if was != is {
				d.note(path, "value", was, is)
			}
			return
		}
	}
	d.note(path, "type", was, is)
}

func (d *differ) objects(path string, was, is map[string]any, depth int) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		below := member(path, name)
		if value, ok := is[name]; ok {
			d.values(below, was[name], value, depth+1)
		} else {
			d.note(below, "missing", was[name], absent{})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[name]; !ok {
			d.note(member(path, name), "added", absent{}, is[name])
		}
	}
}

// member is the path of an object's member.
func member(path, name string) string {
	plain := name != "" && strings.IndexFunc(name, func(c rune) bool {
		return !(c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > 127)
	}) < 0
	if plain {
		return path + "." + name
	}
	return path + "[" + strconv.Quote(name) + "]"
}

func (d *differ) lists(path string, was, is []any, depth int) {
	if len(was) != len(is) {
		d.note(path, "length", was, is)
		return
	}
	if len(was) > 1 && !reflect.DeepEqual(was, is) && sameItems(was, is) {
		d.note(path, "order", was, is)
		return
	}
	for i := range was {
		d.values(path+"[]", was[i], is[i], depth+1)
	}
}

// sameItems reports whether two lists hold the same in another order.
func sameItems(a, b []any) bool {
	count := map[string]int{}
	for i := range a {
		x, err1 := json.Marshal(a[i]) // maps in order of their keys
		y, err2 := json.Marshal(b[i])
		if err1 != nil || err2 != nil {
			return false
		}
		count[string(x)]++
		count[string(y)]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func (c *comparison) sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	if integer(a) && integer(b) && c.tolerance < 1e-6 {
		return false // 64-bit integers do not fit a float64
	}
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	return err1 == nil && err2 == nil && math.Abs(x-y) <= c.tolerance*max(math.Abs(x), math.Abs(y))
}

// sizeKind tells numbers that are ten times as large, or of another sign, from those that merely differ: seconds that
// became milliseconds show even where the time itself is noise.
func sizeKind(a, b json.Number) string {
	x, err1 := a.Float64()
	y, err2 := b.Float64()
	small, large := min(math.Abs(x), math.Abs(y)), max(math.Abs(x), math.Abs(y))
	if err1 == nil && err2 == nil && small > 0 && (large >= 10*small || math.Signbit(x) != math.Signbit(y)) {
		return "magnitude"
	}
	return "value"
}

func integer(n json.Number) bool { return !strings.ContainsAny(string(n), ".eE") }

// redacted describes a value without giving it away: text by its length, large numbers by their size, lists and objects
// by theirs. Truth values, null and small numbers are shown.
func redacted(value any, shown bool) string {
	if shown {
		text, err := json.Marshal(value)
		if _, none := value.(absent); err == nil && !none && len(text) <= 256 {
			return string(text)
		}
	}
	switch v := value.(type) {
	case absent:
		return "nothing"
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return fmt.Sprintf("text of %d octets", len(v))
	case json.Number:
		f, err := v.Float64()
		if err == nil && math.Abs(f) < 1000 {
			return v.String()
		}
		return fmt.Sprintf("about %.0e", f)
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	case map[string]any:
		return fmt.Sprintf("an object of %d members", len(v))
	}
	return "a value"
}

// compareIntents compares what two runs would have changed: how much of which kind, and what exactly.
func compareIntents(was, is []effect.Intent) []difference {
	d := differ{c: &comparison{}}
	a, b := effectsOf(was), effectsOf(is)
	for _, kind := range slices.Sorted(maps.Keys(b)) {
		if a[kind] == nil {
			d.note("effects."+kind, "added", absent{}, b[kind])
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(a)) {
		if b[kind] == nil {
			d.note("effects."+kind, "missing", a[kind], absent{})
		} else {
			d.values("effects."+kind, a[kind], b[kind], 0)
		}
	}
	return d.found
}

func effectsOf(list []effect.Intent) map[string]any {
	all := map[string]any{}
	for _, i := range list {
		kind, _ := all[i.Kind].([]any)
		all[i.Kind] = append(kind, map[string]any{"target": i.Target, "detail": i.Detail})
	}
	return all
}

// ignoredByType lists the paths of a typed output's fields that are tagged rmf:"ignore".
func ignoredByType(t reflect.Type) []string {
	var paths []string
	var walk func(t reflect.Type, path string, above []reflect.Type)
	walk = func(t reflect.Type, path string, above []reflect.Type) {
		for t != nil && t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		switch {
		case t == nil || slices.Contains(above, t):
		case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
			walk(t.Elem(), path+"[]", append(above, t))
		case t.Kind() == reflect.Struct:
			for field := range fieldsOf(t) {
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "-" || !field.IsExported() && !field.Anonymous {
					continue
				}
				below := path
				if name == "" && !field.Anonymous {
					name = field.Name
				}
				if name != "" {
					below = member(path, name)
				}
				if field.Tag.Get("rmf") == "ignore" {
					paths = append(paths, below)
					continue
				}
				walk(field.Type, below, append(above, t))
			}
		}
	}
	walk(t, "$", nil)
	return paths
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}
