package orm

import (
	"fmt"
	"strings"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// A lookup is a path of names between double underscores: relations, then a field, then keys inside JSON or a part of
// a date, then how to compare. "author__name__icontains" joins author and compares its name.

// resolve walks a path up to the field that it names, joining related rows on the way. Without a field the path ends
// at the scope's own key. What follows the field is returned as rest.
func (s *scope) resolve(path string) (table string, c *column, rest []string, err error) {
	table, p, parts := s.table, s.plan, strings.Split(path, "__")
	for i, name := range parts {
		if r := p.related[name]; r != nil {
			if r.multiple() {
				return "", nil, nil, fmt.Errorf("orm: %q goes over %s.%s, which has many rows: it can be filtered by, not computed with or sorted by", path, p.name, r.field)
			}
			if i+1 == len(parts) || p.isComparison(parts[i+1], r.target) {
				if r.kind == belongsTo {
					return table, r.local, parts[i+1:], nil
				}
				return s.join(table, strings.Join(parts[:i+1], "__"), r), r.target.key[0], parts[i+1:], nil
			}
			if r.kind == belongsTo && r.target.column(parts[i+1]) == r.remote { // the key is here already
				return table, r.local, parts[i+2:], nil
			}
			table, p = s.join(table, strings.Join(parts[:i+1], "__"), r), r.target
			continue
		}
		if c := p.column(name); c != nil {
			return table, c, parts[i+1:], nil
		}
		return "", nil, nil, p.unknown(name, path)
	}
	return "", nil, nil, fmt.Errorf("orm: an empty name")
}

// column finds a field by its name in lookups.
func (p *plan) column(name string) *column {
	if c := p.byName[name]; c != nil {
		return c
	}
	if name == "pk" && len(p.key) == 1 {
		return p.key[0]
	}
	return nil
}

// isComparison reports whether a name after a relation compares the relation's key rather than naming a field.
func (p *plan) isComparison(name string, target *plan) bool {
	return comparisons[name] != nil && target.column(name) == nil && target.related[name] == nil
}

// comparison is how a lookup compares; it writes the whole condition.
type comparison struct {
	operator string
	match    dialect.Match
	pattern  func(string) string // makes a text lookup of its argument
}

// backslashed makes backslashes of the escapes in a pattern, for PostgreSQL.
var backslashed = strings.NewReplacer("!!", "!", "!%", `\%`, "!_", `\_`, `\`, `\\`)

var escapePattern = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

var comparisons = map[string]*comparison{
	"exact": {operator: "="}, "ne": {operator: "<>"},
	"gt": {operator: ">"}, "gte": {operator: ">="}, "lt": {operator: "<"}, "lte": {operator: "<="},
	"in": {operator: "IN"}, "notin": {operator: "NOT IN"}, "range": {operator: "BETWEEN"}, "isnull": {operator: "IS"},
	"contains":    {match: dialect.Contains, pattern: func(s string) string { return "%" + escapePattern.Replace(s) + "%" }},
	"icontains":   {match: dialect.IContains, pattern: func(s string) string { return "%" + escapePattern.Replace(s) + "%" }},
	"startswith":  {match: dialect.Contains, pattern: func(s string) string { return escapePattern.Replace(s) + "%" }},
	"istartswith": {match: dialect.IContains, pattern: func(s string) string { return escapePattern.Replace(s) + "%" }},
	"endswith":    {match: dialect.Contains, pattern: func(s string) string { return "%" + escapePattern.Replace(s) }},
	"iendswith":   {match: dialect.IContains, pattern: func(s string) string { return "%" + escapePattern.Replace(s) }},
	"iexact":      {match: dialect.IExact, pattern: escapePattern.Replace},
	"like":        {match: dialect.Like, pattern: func(s string) string { return s }},
	"ilike":       {match: dialect.ILike, pattern: func(s string) string { return s }},
	"regex":       {match: dialect.Regex, pattern: func(s string) string { return s }},
	"iregex":      {match: dialect.IRegex, pattern: func(s string) string { return s }},
}

// condition writes a condition; the caller puts it where a whole condition stands.
func (s *scope) condition(c Condition) error {
	if c.err != nil {
		return c.err
	}
	b := s.b
	switch c.op {
	case opLookup:
		return s.all([]Condition{c})
	case opAll:
		return s.all(c.children)
	case opNot:
		b.text("(")
		if err := s.all(c.children); err != nil {
			return err
		}
		b.text(") IS NOT TRUE")
		return nil
	}
	if len(c.children) == 0 {
		b.text("1 = 0")
		return nil
	}
	b.text("(")
	for i, child := range c.children {
		if i > 0 {
			b.text(" OR ")
		}
		if err := s.condition(child); err != nil {
			return err
		}
	}
	b.text(")")
	return nil
}

// all writes conditions that must all hold. Lookups over the same relation to many rows speak of the same row.
func (s *scope) all(list []Condition) error {
	b, first := s.b, true
	and := func() {
		if !first {
			b.text(" AND ")
		}
		first = false
	}
	done := make([]bool, len(list))
	for i, c := range list {
		if done[i] {
			continue
		}
		and()
		if c.op != opLookup || c.expr != nil {
			wrap := c.op == opAll && len(c.children) > 1
			if wrap {
				b.text("(")
			}
			if err := s.single(c); err != nil {
				return err
			}
			if wrap {
				b.text(")")
			}
			continue
		}
		prefix, r, rest := s.many(c.path)
		if r == nil {
			if err := s.single(c); err != nil {
				return err
			}
			continue
		}
		inner := []Condition{{op: opLookup, path: rest, value: c.value}}
		for j := i + 1; j < len(list) && rest != "isnull"; j++ {
			if list[j].op != opLookup || list[j].expr != nil {
				continue
			}
			if other, otherR, otherRest := s.many(list[j].path); otherR == r && other == prefix && otherRest != "isnull" {
				inner = append(inner, Condition{op: opLookup, path: otherRest, value: list[j].value})
				done[j] = true
			}
		}
		if err := s.exists(prefix, r, inner); err != nil {
			return err
		}
	}
	if first {
		b.text("1 = 1")
	}
	return nil
}

func (s *scope) single(c Condition) error {
	if c.op != opLookup {
		return s.condition(c)
	}
	if c.err != nil {
		return c.err
	}
	if c.expr != nil {
		o, err := s.computed(func() (yield, error) { return s.expression(*c.expr) })
		if err != nil {
			return err
		}
		return s.compare(o, c.path, c.value, "an expression")
	}
	table, column, rest, err := s.resolve(c.path)
	if err != nil {
		return err
	}
	return s.lookup(table, column, rest, c.value, c.path)
}

// many finds the first relation to many rows on a path: the path to it, and what follows.
func (s *scope) many(path string) (prefix string, r *relation, rest string) {
	p, parts := s.plan, strings.Split(path, "__")
	for i, name := range parts {
		r := p.related[name]
		if r == nil {
			return "", nil, ""
		}
		if r.multiple() {
			return strings.Join(parts[:i], "__"), r, strings.Join(parts[i+1:], "__")
		}
		p = r.target
	}
	return "", nil, ""
}

// exists writes that there is a related row for which the conditions hold.
func (s *scope) exists(prefix string, r *relation, inner []Condition) error {
	b, table, p := s.b, s.table, s.plan
	path := ""
	for name := range strings.SplitSeq(prefix, "__") {
		if name == "" {
			break
		}
		step := p.related[name]
		path = strings.TrimPrefix(path+"__"+name, "__")
		table, p = s.join(table, path, step), step.target
	}
	if len(inner) == 1 && inner[0].path == "isnull" {
		empty, ok := inner[0].value.(bool)
		if !ok {
			return fmt.Errorf("orm: %s__isnull is true or false, not a %T", r.lookup, inner[0].value)
		}
		if empty {
			b.text("NOT ")
		}
		inner = nil
	}
	child := b.alias(r.target)
	child.outer = s
	where, err := b.aside(func() error {
		if r.target.deleted != nil {
			b.text(" AND ")
			b.column(child.table, r.target.deleted)
			b.text(" IS NULL")
		}
		if len(inner) == 0 {
			return nil
		}
		b.text(" AND ")
		for i := range inner { // the relation itself is its key
			if inner[i].path == "" || r.target.isComparison(inner[i].path, r.target) {
				inner[i].path = strings.TrimSuffix(r.target.key[0].lookup+"__"+inner[i].path, "__")
			}
		}
		return child.all(inner)
	})
	if err != nil {
		return err
	}
	b.text("EXISTS (SELECT 1 FROM ")
	b.ident(r.target.table)
	b.text(" AS ", child.table, string(child.from), " WHERE ")
	r.link(b, table, child.table)
	b.b = append(b.b, where...)
	b.text(")")
	return nil
}

// lookup writes the comparison of a column, or of something inside it, with a value.
func (s *scope) lookup(table string, c *column, rest []string, value any, path string) error {
	var room [128]byte
	left := s.b.d.Ident(append(append(room[:0], table...), '.'), c.name)
	o := operandText{text: string(left), column: c, nullable: c.null || table != s.table}
	if c.kind == dialect.JSONValue {
		whole := len(rest) == 0 || len(rest) == 1 && comparisons[rest[0]] != nil
		if !whole {
			return s.insideJSON(o, rest, value, path)
		}
		if !(len(rest) == 1 && rest[0] == "isnull") && !(isNil(value) && (len(rest) == 0 || rest[0] == "exact" || rest[0] == "ne")) {
			return fmt.Errorf("orm: %q: JSON as a whole is empty or not (isnull); compare what is inside: %s__key", path, c.lookup)
		}
	}
	if c.kind == dialect.Time && len(rest) > 0 && comparisons[rest[0]] == nil {
		return s.datePart(o, rest, value, path)
	}
	switch len(rest) {
	case 0:
		return s.compare(o, "exact", value, path)
	case 1:
		return s.compare(o, rest[0], value, path)
	}
	return fmt.Errorf("orm: %q: nothing follows the field %s but one lookup", path, c.lookup)
}
