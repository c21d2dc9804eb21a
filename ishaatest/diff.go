package ishaatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Differences between two JSON documents, as lines that name the place by a JSON
// pointer:
//
//	/items/0/price: got 3, want 4
//	/items/1: got nothing, want {"name":"chair"}

// maxDifferences is how many a message lists.
const maxDifferences = 10

func differences(got, want any) []string { return differencesAt("", got, want) }

func differencesAt(pointer string, got, want any) []string {
	d := &differ{}
	d.compare(pointer, got, want)
	if d.more > 0 {
		d.list = append(d.list, fmt.Sprintf("… and %d more", d.more))
	}
	return d.list
}

type differ struct {
	list []string
	more int // beyond what is listed
}

func (d *differ) note(pointer, got, want string) {
	if len(d.list) == maxDifferences {
		d.more++
		return
	}
	if pointer == "" {
		pointer = "the value"
	}
	d.list = append(d.list, fmt.Sprintf("%s: got %s, want %s", pointer, got, want))
}

func (d *differ) compare(pointer string, got, want any) {
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			d.compareObjects(pointer, got, want)
			return
		}
	case []any:
		if got, ok := got.([]any); ok {
			d.compareArrays(pointer, got, want)
			return
		}
	case json.Number:
		if got, ok := got.(json.Number); ok && sameNumber(got, want) {
			return
		}
	default:
		if got == want { // strings, booleans, null: all comparable, unlike what got may be
			return
		}
	}
	d.note(pointer, compact(got), compact(want))
}

func (d *differ) compareObjects(pointer string, got, want map[string]any) {
	names := slices.Collect(maps.Keys(want))
	for name := range got {
		if _, ok := want[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		expected, wanted := want[name]
		actual, there := got[name]
		switch {
		case !there:
			d.note(at, "nothing", compact(expected))
		case !wanted:
			d.note(at, compact(actual), "nothing")
		default:
			d.compare(at, actual, expected)
		}
	}
}

func (d *differ) compareArrays(pointer string, got, want []any) {
	for i := range max(len(got), len(want)) {
		at := pointer + "/" + strconv.Itoa(i)
		switch {
		case i >= len(got):
			d.note(at, "nothing", compact(want[i]))
		case i >= len(want):
			d.note(at, compact(got[i]), "nothing")
		default:
			d.compare(at, got[i], want[i])
		}
	}
}

// sameNumber compares integers by their digits, whatever their size, and others as
// the float64 nearest to them.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	if !strings.ContainsAny(string(a)+string(b), ".eE") {
		return false
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// compact shows a value in a line that is not too long.
func compact(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%v", value)
	}
	const limit = 200
	if len(data) > limit {
		return string(data[:limit]) + fmt.Sprintf("… (%d bytes)", len(data))
	}
	return string(data)
}

// valueAt finds the value that a JSON pointer names (RFC 6901). The error says how
// far the pointer leads.
func valueAt(value any, pointer string) (any, error) {
	if pointer == "" {
		return value, nil
	}
	if pointer[0] != '/' {
		return nil, fmt.Errorf("%q is no JSON pointer: it has to be empty or begin with \"/\"", pointer)
	}
	at := ""
	for step := range strings.SplitSeq(pointer[1:], "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		var next any
		var ok bool
		switch holder := value.(type) {
		case map[string]any:
			next, ok = holder[name]
		case []any:
			var i int
			if i, ok = arrayIndex(name, len(holder)); ok {
				next = holder[i]
			}
		}
		if !ok {
			where := at
			if where == "" {
				where = "the top"
			}
			return nil, fmt.Errorf("there is nothing at %s; at %s is %s", pointer, where, compact(value))
		}
		value = next
		at += "/" + step
	}
	return value, nil
}

// arrayIndex reads an index as RFC 6901 §4 writes it.
func arrayIndex(text string, length int) (int, bool) {
	i, err := strconv.Atoi(text)
	return i, err == nil && i >= 0 && i < length && strconv.Itoa(i) == text
}
