package chinook_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/internal/conformance/chinook"
	"github.com/ishaa-framework/ishaa/orm"
)

// A second oracle: chains computed over the rows in memory, by the documented rules of an engine.

// rules are what engines differ in.
type rules struct {
	caseMatters bool                     // for contains, startswith and endswith
	fold        func(string) string      // what texts are to the lookups that ignore case
	compare     func(a, b string) int    // of texts
	differs     func(chinook.Chain) bool // whether a chain may differ from SQLite's answer
}

// asciiFold is SQLite's: letters outside of ASCII keep their case.
func asciiFold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// rows are those of a model with all fields that chains speak of, in the order of the key.
type rows []map[string]any

var fields = map[string][]any{
	"Artist": {"id", "name"}, "Album": {"id", "artist_id", "title", "artist__name"}, "Genre": {"id", "name"},
	"Track":    {"id", "milliseconds", "bytes", "unit_price", "album_id", "genre_id", "name", "composer", "album__title", "album__artist__name", "genre__name"},
	"Customer": {"id", "first_name", "last_name", "company", "city", "country", "email"},
	"Invoice":  {"id", "total", "customer_id", "billing_country", "customer__city", "customer__country", "customer__company"},
}

func load(t *testing.T, db *orm.DB) map[string]rows {
	t.Helper()
	all := map[string]rows{}
	read := func(model string, values func(into any, outputs ...any) error) {
		var list []map[string]any
		if err := values(&list, fields[model]...); err != nil {
			t.Fatal(model, err)
		}
		all[model] = list
	}
	ctx := t.Context()
	read("Artist", func(into any, o ...any) error {
		return orm.Of[chinook.Artist](db).OrderBy("id").Values(ctx, into, o...)
	})
	read("Album", func(into any, o ...any) error { return orm.Of[chinook.Album](db).OrderBy("id").Values(ctx, into, o...) })
	read("Genre", func(into any, o ...any) error { return orm.Of[chinook.Genre](db).OrderBy("id").Values(ctx, into, o...) })
	read("Track", func(into any, o ...any) error { return orm.Of[chinook.Track](db).OrderBy("id").Values(ctx, into, o...) })
	read("Customer", func(into any, o ...any) error {
		return orm.Of[chinook.Customer](db).OrderBy("id").Values(ctx, into, o...)
	})
	read("Invoice", func(into any, o ...any) error {
		return orm.Of[chinook.Invoice](db).OrderBy("id").Values(ctx, into, o...)
	})
	return all
}

// conditions calls with every lookup of a chain.
func conditions(c chinook.Chain, with func(excluded bool, field, lookup string, value any)) {
	for _, op := range c.Ops {
		var name string
		_ = json.Unmarshal(op[0], &name)
		if name != "filter" && name != "exclude" {
			continue
		}
		var lookups map[string]any
		_ = json.Unmarshal(op[1], &lookups)
		for path, v := range lookups {
			field, lookup := split(c.Model, path)
			with(name == "exclude", field, lookup, v)
		}
	}
}

func split(model, path string) (field, lookup string) {
	for _, f := range fields[model] {
		if path == f {
			return path, "exact"
		}
		if rest, ok := strings.CutPrefix(path, f.(string)+"__"); ok && !strings.Contains(rest, "__") && !slices.Contains(fields[model], any(path)) {
			field, lookup = f.(string), rest
		}
	}
	return field, lookup
}

// order returns the fields that a chain sorts by.
func order(c chinook.Chain) (by []string) {
	for _, op := range c.Ops {
		if string(op[0]) == `"order_by"` {
			_ = json.Unmarshal(op[1], &by)
		}
	}
	return by
}

// answer computes a chain.
func (r rules) answer(t *testing.T, all map[string]rows, c chinook.Chain) any {
	t.Helper()
	list := slices.Clone(all[c.Model])
	limit, offset := -1, 0
	for _, op := range c.Ops {
		var name string
		_ = json.Unmarshal(op[0], &name)
		switch name {
		case "filter", "exclude":
			var lookups map[string]any
			_ = json.Unmarshal(op[1], &lookups)
			list = slices.DeleteFunc(list, func(row map[string]any) bool {
				for path, v := range lookups {
					if field, lookup := split(c.Model, path); !r.holds(t, row[field], lookup, v) {
						return name == "filter"
					}
				}
				return name == "exclude"
			})
		case "limit":
			_ = json.Unmarshal(op[1], &limit)
		case "offset":
			_ = json.Unmarshal(op[1], &offset)
		}
	}
	by := order(c)
	slices.SortStableFunc(list, func(a, b map[string]any) int {
		for _, f := range by {
			name, desc := strings.CutPrefix(f, "-")
			n := r.order(a[name], b[name])
			if desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	list = list[min(offset, len(list)):]
	if limit >= 0 {
		list = list[:min(limit, len(list))]
	}
	return finish(list, c)
}

func finish(list rows, c chinook.Chain) any {
	column := func(name string, most int) []any {
		values := []any{}
		for _, row := range list[:min(most, len(list))] {
			values = append(values, row[name])
		}
		return values
	}
	switch c.Terminal {
	case "pks":
		return column("id", 500)
	case "values":
		return column(c.Field, 300)
	case "count":
		return float64(len(list))
	case "exists":
		return len(list) > 0
	case "first":
		if len(list) == 0 {
			return nil
		}
		return list[0]["id"]
	}
	sum, n, least, most := 0.0, 0.0, math.Inf(1), math.Inf(-1)
	for _, row := range list {
		if v, ok := float(row[c.Field]); ok {
			sum, n, least, most = sum+v, n+1, min(least, v), max(most, v)
		}
	}
	switch {
	case n == 0:
		return nil
	case c.Terminal == "sum":
		return sum
	case c.Terminal == "avg":
		return sum / n
	case c.Terminal == "min":
		return least
	}
	return most
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// order compares values; what is empty is the smallest.
func (r rules) order(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	if s, ok := a.(string); ok {
		return r.compare(s, b.(string))
	}
	x, _ := float(a)
	y, _ := float(b)
	return cmp.Compare(x, y)
}

func (r rules) holds(t *testing.T, have any, lookup string, want any) bool {
	t.Helper()
	list := func() []any { l, _ := want.([]any); return l }
	switch lookup {
	case "isnull":
		return (have == nil) == want.(bool)
	case "ne":
		return have == nil || r.order(have, want) != 0
	}
	if have == nil {
		return false
	}
	switch lookup {
	case "exact":
		return r.order(have, want) == 0
	case "gt":
		return r.order(have, want) > 0
	case "gte":
		return r.order(have, want) >= 0
	case "lt":
		return r.order(have, want) < 0
	case "lte":
		return r.order(have, want) <= 0
	case "in":
		return slices.ContainsFunc(list(), func(v any) bool { return r.order(have, v) == 0 })
	case "range":
		return r.order(have, list()[0]) >= 0 && r.order(have, list()[1]) <= 0
	}
	text, part := have.(string), want.(string)
	if bare, folded := strings.CutPrefix(lookup, "i"); folded || !r.caseMatters {
		lookup, text, part = bare, r.fold(text), r.fold(part)
	}
	switch lookup {
	case "contains":
		return strings.Contains(text, part)
	case "startswith":
		return strings.HasPrefix(text, part)
	case "endswith":
		return strings.HasSuffix(text, part)
	case "exact":
		return text == part
	}
	t.Fatalf("there is no lookup %q", lookup)
	return false
}

var sqliteRules = rules{fold: asciiFold, compare: strings.Compare}

// textLookup reports whether a chain has a lookup whose case rule is another than SQLite's: contains, startswith and
// endswith, for which case matters elsewhere, and their kin that ignore case, for which it does outside of ASCII.
func textLookup(c chinook.Chain) (yes bool) {
	conditions(c, func(_ bool, _, lookup string, v any) {
		s, text := v.(string)
		cased := func(s string) bool { return asciiFold(s) != strings.ToUpper(s) }
		switch lookup {
		case "contains", "startswith", "endswith":
			yes = yes || text && cased(s)
		case "icontains", "istartswith", "iexact":
			yes = yes || text && len(s) != utf8.RuneCountInString(s)
		}
	})
	return yes
}

// textOrder reports whether a chain compares or sorts text by collation.
func textOrder(c chinook.Chain) (yes bool) {
	conditions(c, func(_ bool, field, lookup string, v any) {
		_, text := v.(string)
		yes = yes || text && slices.Contains([]string{"gt", "gte", "lt", "lte"}, lookup)
	})
	for _, f := range order(c) {
		name := strings.TrimPrefix(f, "-")
		yes = yes || !slices.Contains([]string{"id", "artist_id", "album_id", "genre_id", "customer_id", "milliseconds", "bytes", "unit_price", "total"}, name)
	}
	return yes
}

// collation asks an engine for the order of all texts, and so compares as it does.
func collation(t *testing.T, db *orm.DB, all map[string]rows, cases []oracleCase) func(a, b string) int {
	t.Helper()
	seen := map[string]bool{}
	for model, list := range all {
		for _, row := range list {
			for _, f := range fields[model] {
				if s, ok := row[f.(string)].(string); ok {
					seen[s] = true
				}
			}
		}
	}
	for _, c := range cases {
		conditions(c.Chain, func(_ bool, _, _ string, v any) {
			if s, ok := v.(string); ok {
				seen[s] = true
			}
		})
	}
	words := make([]word, 0, len(seen))
	for s := range seen {
		words = append(words, word{Text: s})
	}
	repo := orm.Of[word](db)
	if err := repo.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := repo.CreateMany(t.Context(), words); err != nil {
		t.Fatal(err)
	}
	var sorted []string
	if err := repo.OrderBy("text").Values(t.Context(), &sorted, "text"); err != nil || len(sorted) != len(seen) {
		t.Fatal(len(sorted), err)
	}
	rank := map[string]int{}
	for i, s := range sorted {
		rank[s] = i
	}
	return func(a, b string) int {
		x, ok := rank[a]
		y, ok2 := rank[b]
		if !ok || !ok2 {
			panic(fmt.Sprintf("a text without a rank: %q or %q", a, b))
		}
		return cmp.Compare(x, y)
	}
}

type word struct {
	ID   int64
	Text string
}
