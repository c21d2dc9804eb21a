package migrate

import (
	"context"
	"fmt"
	"strings"

	"ariga.io/atlas/sql/schema"
)

// ErrDrift is the error of Check. Its text lists what differs.
type ErrDrift struct{ Differences []string }

// Error lists the differences.
func (e *ErrDrift) Error() string {
	return "migrate: the schema is not what it should be:\n  " + strings.Join(e.Differences, "\n  ")
}

// Check compares the models with the migrations, and the database with the models, and returns an *ErrDrift if
// something is to be done: a model was changed without a migration, a migration is pending or was changed, or somebody
// changed the database by hand.
func (m *Migrations) Check(ctx context.Context) error {
	var list []string
	from, err := saved(m.fsys, m.db.Dialect())
	if err != nil {
		return err
	}
	to := wanted(m.db)
	missing, err := between(ctx, from, to)
	if err != nil {
		return err
	}
	for _, s := range missing {
		list = append(list, "no migration has: "+oneLine(s))
	}
	status, err := m.Status(ctx)
	if err != nil {
		return err
	}
	pending := false
	for _, s := range status {
		if s.State != "applied" {
			list = append(list, fmt.Sprintf("the migration %s_%s is %s", s.Version, s.Name, s.State))
			pending = true
		}
	}
	if !pending {
		drift, err := m.drift(ctx, from)
		if err != nil {
			return err
		}
		list = append(list, drift...)
	}
	if len(list) > 0 {
		return &ErrDrift{list}
	}
	return nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// drift compares the database with what the migrations lead to.
func (m *Migrations) drift(ctx context.Context, to state) ([]string, error) {
	driver, err := engines[to.Dialect].open(m.db.SQL())
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	found, err := driver.InspectSchema(ctx, "", &schema.InspectOptions{Exclude: []string{recordTable}})
	if err != nil {
		return nil, fmt.Errorf("migrate: reading the schema of the database: %w", err)
	}
	want, err := to.schema(found.Name)
	if err != nil {
		return nil, err
	}
	if to.Dialect == "mysql" {
		collated(want, found)
	}
	want.Attrs = found.Attrs // the defaults of the whole schema are the administrator's business
	changes, err := driver.SchemaDiff(found, want)
	if err != nil {
		return nil, fmt.Errorf("migrate: comparing schemas: %w", err)
	}
	changes = meaningful(changes, to)
	steps, err := steps(ctx, to.Dialect, changes)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, s := range steps {
		list = append(list, "the database differs; this would mend it: "+oneLine(s))
	}
	return list, nil
}

// meaningful leaves out tables and types that are no model's, such as those of a queue, and differences that are only in how an engine writes a default.
func meaningful(changes []schema.Change, to state) []schema.Change {
	var list []schema.Change
	for _, change := range changes {
		switch c := change.(type) {
		case *schema.DropTable, *schema.DropObject, *schema.ModifySchema:
			continue
		case *schema.ModifyTable:
			var inner []schema.Change
			for _, i := range c.Changes {
				if column, ok := i.(*schema.ModifyColumn); ok && column.Change == schema.ChangeDefault && sameDefault(column.From.Default, column.To.Default) {
					continue
				}
				inner = append(inner, i)
			}
			if len(inner) == 0 {
				continue
			}
			c.Changes = inner
		}
		list = append(list, change)
	}
	return list
}

func sameDefault(a, b schema.Expr) bool {
	plain := func(e schema.Expr) string {
		text := ""
		switch e := e.(type) {
		case *schema.Literal:
			text = e.V
		case *schema.RawExpr:
			text = e.X
		}
		text = strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
		if len(text) > 1 && (text[0] == '\'' || text[0] == '"') && text[len(text)-1] == text[0] {
			text = text[1 : len(text)-1]
		}
		return strings.NewReplacer(`''`, `'`, `\'`, `'`, `\\`, `\`).Replace(text)
	}
	return plain(a) == plain(b)
}
