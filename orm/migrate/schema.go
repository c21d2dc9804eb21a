package migrate

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/mysql"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	dialects "github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// engine is what comparing schemas and writing DDL need to know of a kind of database.
type engine struct {
	parse  func(string) (schema.Type, error)
	auto   func(*schema.Column)
	differ schema.Differ
	plan   migrate.PlanApplier
	open   func(schema.ExecQuerier) (migrate.Driver, error)
	table  func(*schema.Table)
}

// plainCollation stands for the collation that tables get on MySQL and MariaDB: text compares by code point.
const plainCollation = "utf8mb4_bin"

// collated gives wanted tables the collation that they have, if it compares by code point.
func collated(want, found *schema.Schema) {
	for _, t := range want.Tables {
		there, ok := found.Table(t.Name)
		if !ok {
			continue
		}
		for _, attr := range there.Attrs {
			if c, ok := attr.(*schema.Collation); ok && strings.HasPrefix(c.V, "utf8mb4_") && strings.HasSuffix(c.V, "_bin") {
				t.SetCollation(c.V)
			}
		}
	}
}

var engines = map[string]engine{
	"sqlite": {
		parse: sqlite.ParseType, auto: func(c *schema.Column) { c.AddAttrs(&sqlite.AutoIncrement{}) },
		differ: sqlite.DefaultDiff, plan: sqlite.DefaultPlan, open: sqlite.Open, table: func(*schema.Table) {},
	},
	"postgres": {
		parse: postgres.ParseType, auto: func(c *schema.Column) { c.AddAttrs(&postgres.Identity{Generation: "BY DEFAULT"}) },
		differ: postgres.DefaultDiff, plan: postgres.DefaultPlan, open: postgres.Open, table: func(*schema.Table) {},
	},
	"mysql": {
		parse: mysql.ParseType, auto: func(c *schema.Column) { c.AddAttrs(&mysql.AutoIncrement{}) },
		differ: mysql.DefaultDiff, plan: mysql.DefaultPlan, open: mysql.Open,
		table: func(t *schema.Table) { t.SetCharset("utf8mb4").SetCollation(plainCollation) },
	},
}

// schema builds the description that the differ compares.
func (s state) schema(name string) (*schema.Schema, error) {
	e, ok := engines[s.Dialect]
	if !ok {
		return nil, fmt.Errorf("migrate: there is no dialect %q", s.Dialect)
	}
	out := schema.New(name)
	if s.Dialect == "mysql" {
		out.SetCharset("utf8mb4").SetCollation(plainCollation)
	}
	tables := map[string]*schema.Table{}
	for _, t := range s.Tables {
		made, err := t.schema(e)
		if err != nil {
			return nil, err
		}
		out.AddTables(made)
		tables[t.Name] = made
	}
	for _, t := range s.Tables {
		for _, f := range t.ForeignKeys {
			from, to := tables[t.Name], tables[f.Table]
			if to == nil {
				return nil, fmt.Errorf("migrate: %s.%s refers to the table %s, which is no model's: register its model", t.Name, f.Columns[0], f.Table)
			}
			key := schema.NewForeignKey(f.Name).SetRefTable(to).SetOnDelete(schema.ReferenceOption(f.OnDelete)).SetOnUpdate(schema.NoAction)
			if s.Dialect == "mysql" && f.OnDelete == "" {
				key.SetOnDelete(schema.NoAction)
			}
			for i := range f.Columns {
				here, ok := from.Column(f.Columns[i])
				there, found := to.Column(f.References[i])
				if !ok || !found {
					return nil, fmt.Errorf("migrate: %s.%s refers to %s.%s, which does not exist", t.Name, f.Columns[i], f.Table, f.References[i])
				}
				key.AddColumns(here).AddRefColumns(there)
			}
			from.AddForeignKeys(key)
		}
	}
	return out, nil
}

func (t table) schema(e engine) (*schema.Table, error) {
	out := schema.NewTable(t.Name)
	e.table(out)
	for _, c := range t.Columns {
		typ, err := e.parse(c.Type)
		if err != nil {
			return nil, fmt.Errorf("migrate: %s.%s has the type %q: %w", t.Name, c.Name, c.Type, err)
		}
		made := schema.NewColumn(c.Name).SetType(typ).SetNull(c.Null)
		made.Type.Raw = c.Type
		if c.Default != "" {
			if strings.HasPrefix(c.Default, "(") {
				made.SetDefault(&schema.RawExpr{X: c.Default})
			} else {
				made.SetDefault(&schema.Literal{V: c.Default})
			}
		}
		if c.Auto {
			e.auto(made)
		}
		out.AddColumns(made)
	}
	var key []*schema.Column
	for _, name := range t.Key {
		c, ok := out.Column(name)
		if !ok {
			return nil, fmt.Errorf("migrate: the key of %s has the column %s, which does not exist", t.Name, name)
		}
		key = append(key, c)
	}
	out.SetPrimaryKey(schema.NewPrimaryKey(key...))
	for _, x := range t.Indexes {
		index := schema.NewIndex(x.Name).SetUnique(x.Unique)
		for _, name := range x.Columns {
			c, ok := out.Column(name)
			if !ok {
				return nil, fmt.Errorf("migrate: the index %s has the column %s, which does not exist", x.Name, name)
			}
			index.AddColumns(c)
		}
		out.AddIndexes(index)
	}
	return out, nil
}

// steps writes the statements that lead from one schema to another.
func steps(ctx context.Context, dialect string, changes []schema.Change) ([]string, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	plan, err := engines[dialect].plan.PlanChanges(ctx, "", changes, func(o *migrate.PlanOptions) {
		o.SchemaQualifier = new(string)
		o.Indent = "  "
	})
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var list []string
	for _, c := range plan.Changes {
		if strings.HasPrefix(c.Cmd, "PRAGMA foreign_keys") {
			continue // Run turns them off around every migration, and checks them before it commits
		}
		if dialect == "mysql" { // as CreateTable says it: which collation that is depends on the server
			c.Cmd = strings.Replace(c.Cmd, " CHARSET utf8mb4 COLLATE "+plainCollation, dialects.MySQL.TableOptions(), 1)
		}
		if dialect == "postgres" {
			c.Cmd = retyped.ReplaceAllString(c.Cmd, `$0 USING $1::$2`)
		}
		list = append(list, c.Cmd)
	}
	return list, nil
}

// retyped finds changes of type, for which PostgreSQL wants to be told that values are to be converted.
var retyped = regexp.MustCompile(`ALTER COLUMN ("(?:[^"]|"")+") TYPE ([a-z][a-z ]*(?:\(\d+(?:,\d+)?\))?)`)
