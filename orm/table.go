package orm

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Table describes a table as a model wants it, for migrations, the admin panel and the shell.
type Table struct {
	Name        string
	Model       string       // the Go type's name; "" for a table between two models
	Type        reflect.Type // nil for a table between two models
	Columns     []Column
	Key         []string
	Indexes     []Index
	ForeignKeys []ForeignKey
	Relations   []Relation
	SoftDelete  string // the column that marks deleted rows, or ""
	Version     string // the column that counts saves, or ""
	Aside       bool   // see the interface Aside
}

// Column describes a column.
type Column struct {
	Name       string // in the database
	Field      string // in Go
	Lookup     string // in queries
	Type       string // as the engine writes it
	GoType     reflect.Type
	Kind       string // bool, int, uint, float, text, bytes, time, uuid, decimal, json, duration
	Null       bool
	Key        bool
	Auto       bool   // counted by the engine
	Default    any    // nil if there is none
	DefaultSQL string // the default as the engine writes it, or ""
	Size       int    // the longest text in characters; 0 is without bound
	Precision  int    // of a decimal
	Scale      int
	Unique     bool
	Enum       []string
	AutoTime   bool // set by the ORM
}

// Index describes an index over columns.
type Index struct {
	Name    string
	Columns []string
	Unique  bool
}

// ForeignKey says that columns hold the key of a row elsewhere.
type ForeignKey struct {
	Name       string
	Columns    []string
	Table      string
	References []string
	OnDelete   string // NO ACTION, RESTRICT, CASCADE or SET NULL
}

// Relation describes a field that leads to other rows.
type Relation struct {
	Field   string
	Lookup  string
	Kind    string // "belongs to", "has one", "has many" or "many to many"
	Model   string
	Table   string
	Local   string // the column here
	Remote  string // the column there
	Through string // the table between, of "many to many"
}

var kindNames = [...]string{"bool", "int", "uint", "float", "text", "bytes", "time", "date", "uuid", "decimal", "json", "duration"}

// Tables describes the tables of all models that are known, in an order in which they can be created: those that
// others refer to come first where that is possible.
func (db *DB) Tables() []Table {
	var list []Table
	between := map[string]bool{}
	for _, p := range sorted(db.registry.all()) {
		list = append(list, p.describe(db.lang))
	}
	for _, p := range db.registry.all() {
		for _, r := range p.relations {
			if r.kind == manyToMany && !between[r.through] && !db.registry.has(r.through) {
				between[r.through] = true
				list = append(list, r.between(db.lang))
			}
		}
	}
	return list
}

// has reports whether a model has a table.
func (r *registry) has(table string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.tables[table] != nil
}

// sorted puts plans after those that they refer to.
func sorted(plans []*plan) []*plan {
	var list []*plan
	visiting := map[*plan]bool{}
	var visit func(p *plan)
	visit = func(p *plan) {
		if visiting[p] {
			return
		}
		visiting[p] = true
		for _, f := range p.foreign {
			for _, other := range plans {
				if other.table == f.Table {
					visit(other)
				}
			}
		}
		list = append(list, p)
	}
	for _, p := range plans {
		visit(p)
	}
	return list
}

func (p *plan) describe(d dialect.Dialect) Table {
	t := Table{Name: p.table, Model: p.name, Type: p.typ, Indexes: slices.Clone(p.indexes)}
	for _, c := range p.columns {
		t.Columns = append(t.Columns, c.describe(d, c == p.auto))
	}
	for _, c := range p.key {
		t.Key = append(t.Key, c.name)
	}
	for _, f := range p.foreign {
		f.Name = shortened(p.table + "_" + f.Columns[0] + "_fkey")
		t.ForeignKeys = append(t.ForeignKeys, f)
	}
	for _, r := range p.relations {
		t.Relations = append(t.Relations, Relation{
			Field: r.field, Lookup: r.lookup, Kind: r.kind.String(), Model: r.target.name, Table: r.target.table,
			Local: r.local.name, Remote: r.remote.name, Through: r.through,
		})
	}
	if p.deleted != nil {
		t.SoftDelete = p.deleted.name
	}
	if p.version != nil {
		t.Version = p.version.name
	}
	_, t.Aside = reflect.New(p.typ).Interface().(Aside)
	return t
}

func (c *column) describe(d dialect.Dialect, auto bool) Column {
	out := Column{
		Name: c.name, Field: c.field, Lookup: c.lookup, Type: d.Type(c.sql), GoType: c.typ, Kind: kindNames[c.kind], Null: c.null,
		Key: c.key, Auto: auto, Default: c.fallback, Size: c.sql.Size, Precision: c.sql.Precision, Scale: c.sql.Scale,
		Unique: c.unique, Enum: slices.Clone(c.enum), AutoTime: c.now || c.nowAdd,
	}
	if c.kind != dialect.Decimal {
		out.Precision, out.Scale = 0, 0
	}
	if c.defaulted {
		out.DefaultSQL = string(d.Literal(nil, c.fallback))
	}
	return out
}

// between describes the table between the two models of a relation.
func (r *relation) between(d dialect.Dialect) Table {
	t := Table{Name: r.through, Key: []string{r.near, r.far}}
	for _, side := range []struct {
		name string
		to   *column
	}{{r.near, r.local}, {r.far, r.remote}} {
		c := *side.to
		c.name, c.lookup, c.key = side.name, side.name, true
		t.Columns = append(t.Columns, c.describe(d, false))
		t.ForeignKeys = append(t.ForeignKeys, ForeignKey{
			Name: shortened(r.through + "_" + side.name + "_fkey"), Columns: []string{side.name}, Table: side.to.owner.table,
			References: []string{side.to.name}, OnDelete: "CASCADE",
		})
	}
	t.Indexes = []Index{{Name: shortened(r.through + "_" + r.far + "_idx"), Columns: []string{r.far}}}
	return t
}

// CreateTable creates the model's table unless it is there, after those that it refers to, and the tables between it
// and others. It never changes a table: that is what migrations do.
func (r Repository[T]) CreateTable(ctx context.Context) error {
	if err := r.ready(); err != nil {
		return err
	}
	db := databaseOf(r.on)
	wanted := map[string]bool{}
	tables := db.Tables()
	var want func(name string)
	want = func(name string) {
		if wanted[name] {
			return
		}
		wanted[name] = true
		for _, t := range tables {
			if t.Name == name {
				for _, f := range t.ForeignKeys {
					want(f.Table)
				}
			}
		}
	}
	want(r.plan.table)
	for _, rel := range r.plan.relations {
		if rel.kind == manyToMany {
			want(rel.through)
		}
	}
	tables = slices.DeleteFunc(tables, func(t Table) bool { return !wanted[t.Name] })
	return createTables(ctx, r.on, tables)
}

// CreateTables creates the tables of all models that are known, unless they are there.
func (db *DB) CreateTables(ctx context.Context) error { return createTables(ctx, db, db.Tables()) }

func createTables(ctx context.Context, on Session, tables []Table) error {
	together := inTx
	if on.dialect() == dialect.MySQL { // where every definition ends the transaction that it is in
		together = func(_ context.Context, on Session, fn func(Session) error) error { return fn(on) }
	}
	return together(ctx, on, func(on Session) error {
		d := on.dialect()
		present := map[string]bool{}
		for _, t := range tables {
			exists, err := tableExists(ctx, on, t.Name)
			if err != nil {
				return err
			}
			present[t.Name] = exists
		}
		done, late := map[string]bool{}, []string{}
		for _, t := range tables {
			if present[t.Name] {
				done[t.Name] = true
				continue
			}
			texts, after := createSQL(d, t, func(table string) bool {
				return d == dialect.SQLite || done[table] || table == t.Name || !listed(tables, table)
			})
			late = append(late, after...)
			done[t.Name] = true
			if err := ddl(ctx, on, t.Name, texts); err != nil {
				return err
			}
		}
		return ddl(ctx, on, "", late)
	})
}

func listed(tables []Table, name string) bool {
	return slices.ContainsFunc(tables, func(t Table) bool { return t.Name == name })
}

func ddl(ctx context.Context, on Session, table string, texts []string) error {
	for _, text := range texts {
		st := &statement{text: text, verb: "ddl", table: table, writes: []string{table}, once: true}
		if on.shadowed(ctx, st) {
			continue
		}
		if _, err := on.exec(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func tableExists(ctx context.Context, on Session, name string) (bool, error) {
	b := newBuilder(on)
	switch b.d {
	case dialect.SQLite:
		b.text("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ")
	case dialect.Postgres:
		b.text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ")
	default:
		b.text("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ")
	}
	b.arg(name)
	rows, err := on.query(ctx, b.statement("select", name))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var n int64
	if rows.Next() {
		err = rows.Scan(&n)
	}
	return n > 0, cmp.Or(classify(on, rows.Err()), err)
}

// createSQL writes CREATE TABLE and its indexes; foreign keys to tables that are not there yet come after.
func createSQL(d dialect.Dialect, t Table, there func(table string) bool) (texts, after []string) {
	b := &builder{d: d}
	b.text("CREATE TABLE ")
	b.ident(t.Name)
	b.text(" (")
	single := len(t.Key) == 1
	for i, c := range t.Columns {
		if i > 0 {
			b.text(", ")
		}
		b.ident(c.Name)
		b.text(" ", columnSQL(d, c, single))
	}
	if !single || !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Auto && d == dialect.SQLite }) {
		b.text(", PRIMARY KEY ")
		b.names(t.Key)
	}
	for _, f := range t.ForeignKeys {
		if there(f.Table) {
			b.text(", ")
			b.foreignKey(f)
			continue
		}
		late := &builder{d: d}
		late.text("ALTER TABLE ")
		late.ident(t.Name)
		late.text(" ADD ")
		late.foreignKey(f)
		after = append(after, string(late.b))
	}
	b.text(")", d.TableOptions())
	texts = append(texts, string(b.b))
	for _, x := range t.Indexes {
		b := &builder{d: d}
		b.text("CREATE ")
		if x.Unique {
			b.text("UNIQUE ")
		}
		b.text("INDEX ")
		b.ident(x.Name)
		b.text(" ON ")
		b.ident(t.Name)
		b.text(" ")
		b.names(x.Columns)
		texts = append(texts, string(b.b))
	}
	return texts, after
}

// columnSQL writes a column's type and what it must be.
func columnSQL(d dialect.Dialect, c Column, single bool) string {
	b := &builder{d: d}
	if c.Auto {
		typ, suffix := d.AutoIncrement(dialect.Type{Kind: dialect.Int, Bits: bitsOf(c.GoType), Custom: ""})
		b.text(typ, " NOT NULL")
		if d == dialect.SQLite && single {
			b.text(" PRIMARY KEY", suffix)
		} else {
			b.text(suffix)
		}
		return string(b.b)
	}
	b.text(c.Type)
	if !c.Null {
		b.text(" NOT NULL")
	}
	if c.DefaultSQL != "" {
		text := c.DefaultSQL
		if d == dialect.MySQL && c.Type == "longtext" { // which takes an expression only
			text = "(" + text + ")"
		}
		b.text(" DEFAULT ", text)
	}
	return string(b.b)
}

func bitsOf(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return t.Bits()
	}
	return 64
}

func (b *builder) names(list []string) {
	b.text("(")
	for i, name := range list {
		if i > 0 {
			b.text(", ")
		}
		b.ident(name)
	}
	b.text(")")
}

func (b *builder) foreignKey(f ForeignKey) {
	b.text("CONSTRAINT ")
	b.ident(f.Name)
	b.text(" FOREIGN KEY ")
	b.names(f.Columns)
	b.text(" REFERENCES ")
	b.ident(f.Table)
	b.text(" ")
	b.names(f.References)
	if f.OnDelete != "" && f.OnDelete != "NO ACTION" {
		b.text(" ON DELETE ", f.OnDelete)
	}
}

// DropTable removes the model's table and all that is in it, if it is there.
func (r Repository[T]) DropTable(ctx context.Context) error {
	if err := r.ready(); err != nil {
		return err
	}
	b := newBuilder(r.on)
	b.text("DROP TABLE IF EXISTS ")
	b.ident(r.plan.table)
	return ddl(ctx, r.on, r.plan.table, []string{string(b.b)})
}
