package migrate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ariga.io/atlas/sql/schema"

	"github.com/ishaa-framework/ishaa/orm"
)

// Rename tells a table or column that got another name from one that is new. Without Column it is a table's.
type Rename struct {
	Table  string // as it is called now, after the renames before it
	Column string
	To     string
}

// plan is what leads from one state to another and back.
type plan struct {
	up, down []string
	notes    []string // what a person should look at
	losses   []string // what cannot be got back
}

// planned compares two states.
func planned(ctx context.Context, from, to state, renames []Rename, now time.Time) (plan, error) {
	var p plan
	mid := from.clone()
	for _, r := range renames {
		up, down, err := mid.rename(ctx, r)
		if err != nil {
			return p, err
		}
		p.up = append(p.up, up...)
		p.down = append(down, p.down...)
	}
	padded, notes := to.padded(mid, now)
	p.notes = notes
	changes, err := difference(mid, padded)
	if err != nil {
		return p, err
	}
	p.losses = losses(changes)
	fill := fills(mid, to, now)
	for _, step := range []func() ([]string, error){
		func() ([]string, error) { return fill, nil },
		func() ([]string, error) { return between(ctx, mid, padded) },
		func() ([]string, error) { return between(ctx, padded, to) },
	} {
		list, err := step()
		if err != nil {
			return p, err
		}
		p.up = append(p.up, list...)
	}
	back, notes := mid.padded(to, now)
	_ = notes // going down, a zero is all there is to give back
	for _, pair := range [][2]state{{back, mid}, {to, back}} {
		list, err := between(ctx, pair[0], pair[1])
		if err != nil {
			return p, err
		}
		p.down = append(list, p.down...)
	}
	p.down = append(fills(to, mid, now), p.down...)
	return p, nil
}

func difference(from, to state) ([]schema.Change, error) {
	a, err := from.schema("")
	if err != nil {
		return nil, err
	}
	b, err := to.schema("")
	if err != nil {
		return nil, err
	}
	changes, err := engines[to.Dialect].differ.SchemaDiff(a, b)
	if err != nil {
		return nil, fmt.Errorf("migrate: comparing schemas: %w", err)
	}
	return changes, nil
}

func between(ctx context.Context, from, to state) ([]string, error) {
	var list []string
	for _, pair := range [][2]state{{from, from.without(to)}, {from.without(to), to}} {
		changes, err := difference(pair[0], pair[1])
		if err != nil {
			return nil, err
		}
		part, err := steps(ctx, to.Dialect, changes)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, nil
}

// without is the state less the foreign keys that go. In MySQL an index that serves a foreign key can only go after it.
func (s state) without(to state) state {
	out := s.clone()
	if s.Dialect != "mysql" {
		return out
	}
	for i := range out.Tables {
		t := &out.Tables[i]
		kept := to.table(t.Name)
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(f orm.ForeignKey) bool {
			return kept != nil && !slices.ContainsFunc(kept.ForeignKeys, func(k orm.ForeignKey) bool { return k.Name == f.Name })
		})
	}
	return out
}

// rename changes the state and writes the statements there and back.
func (s *state) rename(ctx context.Context, r Rename) (up, down []string, err error) {
	before := s.clone()
	t := s.table(r.Table)
	if t == nil {
		return nil, nil, fmt.Errorf("migrate: rename of %s: there is no such table in the last migration", r.Table)
	}
	if r.Column == "" {
		if s.table(r.To) != nil {
			return nil, nil, fmt.Errorf("migrate: rename of %s to %s: that table is there already", r.Table, r.To)
		}
		t.Name = r.To
		for i := range s.Tables {
			for j := range s.Tables[i].ForeignKeys {
				if f := &s.Tables[i].ForeignKeys[j]; f.Table == r.Table {
					f.Table = r.To
				}
			}
		}
	} else {
		c := t.column(r.Column)
		if c == nil || t.column(r.To) != nil {
			return nil, nil, fmt.Errorf("migrate: rename of %s.%s to %s: the old name must be in the last migration, and the new one must not", r.Table, r.Column, r.To)
		}
		c.Name = r.To
		replace := func(list []string) {
			for i := range list {
				if list[i] == r.Column {
					list[i] = r.To
				}
			}
		}
		replace(t.Key)
		for i := range t.Indexes {
			replace(t.Indexes[i].Columns)
		}
		for i := range s.Tables {
			for j := range s.Tables[i].ForeignKeys {
				f := &s.Tables[i].ForeignKeys[j]
				if s.Tables[i].Name == r.Table {
					replace(f.Columns)
				}
				if f.Table == r.Table {
					replace(f.References)
				}
			}
		}
	}
	old, err := before.schema("")
	if err != nil {
		return nil, nil, err
	}
	fresh, err := s.schema("")
	if err != nil {
		return nil, nil, err
	}
	change := func(a, b *schema.Schema, table, newTable, column, newColumn string) []schema.Change {
		from, _ := a.Table(table)
		to, _ := b.Table(newTable)
		if column == "" {
			return []schema.Change{&schema.RenameTable{From: from, To: to}}
		}
		x, _ := from.Column(column)
		y, _ := to.Column(newColumn)
		return []schema.Change{&schema.ModifyTable{T: to, Changes: []schema.Change{&schema.RenameColumn{From: x, To: y}}}}
	}
	newTable := r.Table
	if r.Column == "" {
		newTable = r.To
	}
	if up, err = steps(ctx, s.Dialect, change(old, fresh, r.Table, newTable, r.Column, r.To)); err != nil {
		return nil, nil, err
	}
	back := r.To
	if r.Column == "" {
		back = ""
	}
	down, err = steps(ctx, s.Dialect, change(fresh, old, newTable, r.Table, back, r.Column))
	return up, down, err
}

// padded gives columns that are new in a table, may not be empty and have no default one for the rows that are there.
// A second step takes it away again.
func (s state) padded(before state, now time.Time) (state, []string) {
	out, notes := s.clone(), []string(nil)
	for i := range out.Tables {
		t := &out.Tables[i]
		old := before.table(t.Name)
		if old == nil {
			continue
		}
		for j := range t.Columns {
			c := &t.Columns[j]
			if old.column(c.Name) != nil || c.Null || c.Default != "" || c.Auto {
				continue
			}
			c.Default = zeroOf(out.Dialect, c.Type, now)
			notes = append(notes, fmt.Sprintf("rows that are there get %s in %s.%s: edit the migration for another value", c.Default, t.Name, c.Name))
		}
	}
	return out, notes
}

// fills gives a value to rows whose column may be empty no more.
func fills(from, to state, now time.Time) []string {
	var list []string
	quote := `"`
	if to.Dialect == "mysql" {
		quote = "`"
	}
	name := func(s string) string { return quote + strings.ReplaceAll(s, quote, quote+quote) + quote }
	for _, t := range to.Tables {
		old := from.table(t.Name)
		if old == nil {
			continue
		}
		for _, c := range t.Columns {
			if was := old.column(c.Name); was != nil && was.Null && !c.Null {
				value := c.Default
				if value == "" {
					value = zeroOf(to.Dialect, was.Type, now)
				}
				list = append(list, fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s IS NULL", name(t.Name), name(c.Name), value, name(c.Name)))
			}
		}
	}
	return list
}

// zeroOf is the zero value of a column type as a constant. Times have none: they get the migration's own.
func zeroOf(dialect, typ string, now time.Time) string {
	typ = strings.ToLower(typ)
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(typ, n) })
	}
	expression := func(s string) string {
		if dialect == "mysql" { // which takes no constant for long text
			return "(" + s + ")"
		}
		return s
	}
	switch {
	case has("bool"):
		if dialect == "postgres" {
			return "false"
		}
		return "0"
	case has("json"):
		return expression("'null'")
	case has("datetime", "timestamp"):
		if dialect == "sqlite" {
			return now.UTC().Format("'2006-01-02 15:04:05.000000'")
		}
		return now.UTC().Format("'2006-01-02 15:04:05'")
	case has("date"):
		return now.UTC().Format("'2006-01-02'")
	case has("uuid", "char(36)"):
		return "'00000000-0000-0000-0000-000000000000'"
	case has("longtext", "longblob"):
		return expression("''")
	case has("text", "varchar", "character", "char", "blob", "bytea", "varbinary"):
		return "''"
	}
	return "0"
}

// losses names what a change throws away.
func losses(changes []schema.Change) []string {
	var list []string
	for _, change := range changes {
		switch c := change.(type) {
		case *schema.DropTable:
			list = append(list, "the table "+c.T.Name)
		case *schema.ModifyTable:
			for _, inner := range c.Changes {
				switch i := inner.(type) {
				case *schema.DropColumn:
					list = append(list, fmt.Sprintf("the column %s.%s", c.T.Name, i.C.Name))
				case *schema.ModifyColumn:
					if i.Change.Is(schema.ChangeType) && narrows(i.From.Type.Raw, i.To.Type.Raw) {
						list = append(list, fmt.Sprintf("values of %s.%s that do not fit %s (it was %s)", c.T.Name, i.To.Name, i.To.Type.Raw, i.From.Type.Raw))
					}
				}
			}
		}
	}
	return list
}

var size = regexp.MustCompile(`^([a-z ]+)\((\d+)(?:,(\d+))?\)`)

// narrows reports whether a change of type may lose something: all do but those to a wider type of the same kind.
func narrows(from, to string) bool {
	from, to = strings.ToLower(from), strings.ToLower(to)
	for _, ladder := range [][]string{
		{"boolean", "tinyint", "smallint", "int", "bigint"}, {"smallint", "integer", "bigint"}, {"real", "double precision"}, {"float", "double"},
		{"tinyint unsigned", "smallint unsigned", "int unsigned", "bigint unsigned"},
	} {
		if a, b := slices.Index(ladder, from), slices.Index(ladder, to); a >= 0 && b >= a {
			return false
		}
	}
	a, b := size.FindStringSubmatch(from), size.FindStringSubmatch(to)
	switch {
	case a != nil && (to == "text" || to == "longtext") && strings.Contains(a[1], "char"):
		return false
	case a != nil && b != nil && a[1] == b[1] && a[3] == b[3] && (len(b[2]) > len(a[2]) || len(b[2]) == len(a[2]) && b[2] >= a[2]):
		return false
	}
	return from != to
}

// candidates finds columns and tables that may have been renamed: one went and one like it came.
func candidates(from, to state) []Rename {
	var list []Rename
	for _, t := range to.Tables {
		old := from.table(t.Name)
		if old == nil {
			for _, gone := range from.Tables {
				if to.table(gone.Name) == nil && sameColumns(gone, t) {
					list = append(list, Rename{Table: gone.Name, To: t.Name})
				}
			}
			continue
		}
		for _, gone := range old.Columns {
			if t.column(gone.Name) != nil {
				continue
			}
			for _, fresh := range t.Columns {
				if old.column(fresh.Name) == nil && fresh.Type == gone.Type {
					list = append(list, Rename{Table: t.Name, Column: gone.Name, To: fresh.Name})
				}
			}
		}
	}
	return list
}

func sameColumns(a, b table) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(x, y column) bool { return x.Name == y.Name && x.Type == y.Type })
}
