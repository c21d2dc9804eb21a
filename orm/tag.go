package orm

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// A tag is what a field's `db:"…"` says: options between commas, each a word or a word with a value after a colon.
// Several values of one option stand between bars: enum:new|paid|sent.
//
//	column:NAME      the column's name; the field's in snake case otherwise
//	pk               part of the primary key
//	auto             the engine counts this key up (a single whole-number key does so anyway)
//	null             may be NULL though the field is no pointer: NULL reads as the zero value
//	size:N           the longest text, in characters, or the most octets
//	precision:N, scale:N   digits of a decimal, in all (20) and after the point (6)
//	type:SQL         a column type of the engine's own, written as it is
//	default:V        the value of fields left at zero when a row is created, and DEFAULT of the column
//	unique, unique:NAME    one column, or all columns with that name together
//	index, index:NAME      likewise
//	enum:a|b|c       the only values of a text column
//	references:TABLE.COLUMN, on_delete:…   a foreign key without a relation field
//	auto_now, auto_now_add   times set when the row is saved, or created
//	version          counts up with every save; a save of an older one is ErrStale
//	soft_delete      deleting sets this time, and queries leave such rows out
//	fk:FIELD         on relations: the field that holds the key
//	through:TABLE    on ManyToMany: the table between
//	on_delete:cascade|restrict|set_null|no_action   on belongs-to relations
//	-                no column
type tag struct {
	values map[string]string
	where  string // for messages: Model.Field
}

var tagOptions = map[string]bool{ // and whether they need a value
	"column": true, "pk": false, "auto": false, "null": false, "size": true, "precision": true, "scale": true, "type": true,
	"default": true, "unique": false, "index": false, "enum": true, "references": true, "on_delete": true,
	"auto_now": false, "auto_now_add": false, "version": false, "soft_delete": false, "fk": true, "through": true, "-": false,
}

func parseTag(where, text string) (tag, error) {
	t := tag{map[string]string{}, where}
	for option := range strings.SplitSeq(text, ",") {
		name, value, given := strings.Cut(strings.TrimSpace(option), ":")
		if name == "" && !given {
			continue
		}
		needs, known := tagOptions[name]
		if !known {
			message := fmt.Sprintf("%s: the tag db:%q has the unknown option %q", where, text, name)
			if near := typo.Nearest(name, maps.Keys(tagOptions)); near != "" {
				message += fmt.Sprintf("; did you mean %q?", near)
			}
			return t, fmt.Errorf("%s", message)
		}
		if _, twice := t.values[name]; twice {
			return t, fmt.Errorf("%s: the tag db:%q gives %q twice", where, text, name)
		}
		if needs && !given {
			return t, fmt.Errorf("%s: the option %q of the tag db:%q needs a value: %s:…", where, name, text, name)
		}
		t.values[name] = value
	}
	return t, nil
}

func (t tag) has(name string) bool { _, ok := t.values[name]; return ok }

func (t tag) number(name string, fallback int) (int, error) {
	text, ok := t.values[name]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s: %s:%s is not a number", t.where, name, text)
	}
	return n, nil
}

// onDelete returns the referential action in SQL.
func (t tag) onDelete() (string, error) {
	actions := map[string]string{
		"": "NO ACTION", "cascade": "CASCADE", "restrict": "RESTRICT", "set_null": "SET NULL", "no_action": "NO ACTION",
	}
	action, ok := actions[strings.ToLower(t.values["on_delete"])]
	if !ok {
		known := slices.Sorted(maps.Keys(actions))[1:]
		return "", fmt.Errorf("%s: on_delete:%s: use one of %s", t.where, t.values["on_delete"], strings.Join(known, ", "))
	}
	return action, nil
}

// snake turns a Go name into the name of a column: "UserID" → "user_id", "HTMLBody" → "html_body".
func snake(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	lower := func(i int) bool { return i < len(name) && name[i] >= 'a' && name[i] <= 'z' }
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if upper(i) {
			if i > 0 && name[i-1] != '_' && (!upper(i-1) || lower(i+1)) {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// plural turns a model's name into the name of its table: "user" → "users", "category" → "categories".
func plural(name string) string {
	switch {
	case strings.HasSuffix(name, "y") && len(name) > 1 && !strings.ContainsRune("aeiou", rune(name[len(name)-2])):
		return name[:len(name)-1] + "ies"
	case strings.HasSuffix(name, "s"), strings.HasSuffix(name, "x"), strings.HasSuffix(name, "z"),
		strings.HasSuffix(name, "ch"), strings.HasSuffix(name, "sh"):
		return name + "es"
	}
	return name + "s"
}
