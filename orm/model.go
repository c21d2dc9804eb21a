package orm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Model is what most models embed: a counted key and the times of creation and of the last save.
type Model struct {
	ID        int64     `db:"pk"`
	CreatedAt time.Time `db:"auto_now_add"`
	UpdatedAt time.Time `db:"auto_now"`
}

// SoftDelete, embedded in a model, makes Delete set a time instead of removing the row. Queries leave deleted rows
// out unless they ask for WithDeleted.
type SoftDelete struct {
	DeletedAt *time.Time `db:"soft_delete,index"`
}

// Tabler is a model that names its own table. Otherwise the table is the plural of the type's name in snake case.
type Tabler interface{ TableName() string }

// Aside is a model whose table the package that has it makes itself, such as the log of package admin. Migrations leave
// it alone.
type Aside interface{ TableAside() }

// plan is everything known about a model, read once from its type. It never changes.
type plan struct {
	typ     reflect.Type
	name    string // the Go type's
	table   string
	self    []string // the table, as what a statement reads
	columns []*column
	byName  map[string]*column // by lookup name, column name and Go name
	key     []*column
	auto    *column // the key that the engine counts up, or nil
	// uncounted are the columns without auto.
	uncounted []*column
	version   *column
	deleted   *column
	indexes   []Index
	foreign   []ForeignKey

	relations []*relation
	related   map[string]*relation // by lookup name and Go name

	texts [3]sync.Map // fixed SQL by dialect, from a name for its shape
}

// column is one field that is stored.
type column struct {
	*codec
	name      string // in the database
	lookup    string // in queries: the field's name in snake case
	field     string // in Go
	typ       reflect.Type
	offset    uintptr
	position  int
	sql       dialect.Type
	key       bool
	null      bool
	unique    bool // alone
	fallback  any  // the driver value of the default
	defaulted bool
	enum      []string
	now       bool // set whenever the row is saved
	nowAdd    bool // set when the row is created
	owner     *plan
}

func (c *column) at(row unsafe.Pointer) unsafe.Pointer { return unsafe.Add(row, c.offset) }

// registry is the models that one database knows.
type registry struct {
	mu     sync.RWMutex
	plans  map[reflect.Type]*plan
	failed map[reflect.Type]error
	tables map[string]*plan
	listed []*plan
}

func newRegistry() *registry {
	return &registry{plans: map[reflect.Type]*plan{}, failed: map[reflect.Type]error{}, tables: map[string]*plan{}}
}

// Register makes models known to migrations, the shell and the admin panel. A model that cannot be stored stops the
// program with the line of this call and the way to mend it.
func Register[T any](db *DB) {
	if _, err := db.models().plan(reflect.TypeFor[T]()); err != nil {
		_, file, line, _ := runtime.Caller(1)
		panic(fmt.Sprintf("%s:%d: %v", file, line, err))
	}
}

// plan returns the plan of a type, made when it is first asked for.
func (r *registry) plan(t reflect.Type) (*plan, error) {
	r.mu.RLock()
	p, err := r.plans[t], r.failed[t]
	r.mu.RUnlock()
	if p != nil || err != nil {
		return p, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.make(t)
}

// make makes the plan of a type and those of the types that it refers to.
func (r *registry) make(t reflect.Type) (*plan, error) {
	if p, err := r.plans[t], r.failed[t]; p != nil || err != nil {
		return p, err
	}
	p, err := newPlan(t)
	if err == nil {
		if other := r.tables[p.table]; other != nil && other.typ != t {
			err = fmt.Errorf("the models %s and %s share the table %s: give one of them a TableName method", other.typ, t, p.table)
		}
	}
	if err != nil {
		err = fmt.Errorf("orm: %w", err)
		r.failed[t] = err
		return nil, err
	}
	r.plans[t], r.tables[p.table] = p, p
	position := len(r.listed)
	r.listed = append(r.listed, p)
	if err := r.relate(p); err != nil {
		for _, made := range r.listed[position:] { // they may lead to this one: to be made again, and to fail
			delete(r.plans, made.typ)
			delete(r.tables, made.table)
		}
		r.listed = slices.Delete(r.listed, position, len(r.listed))
		err = fmt.Errorf("orm: %w", err)
		r.failed[t] = err
		return nil, err
	}
	return p, nil
}

func (r *registry) all() []*plan {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.listed)
}

func newPlan(t reflect.Type) (*plan, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no model: a model is a struct", t)
	}
	p := &plan{typ: t, name: t.Name(), byName: map[string]*column{}, related: map[string]*relation{}}
	if tabler, ok := reflect.New(t).Interface().(Tabler); ok {
		p.table = tabler.TableName()
	} else {
		p.table = plural(snake(strings.ReplaceAll(strings.ReplaceAll(t.Name(), "[", "_"), "]", "")))
	}
	p.self = []string{p.table}
	if err := named(p.table); err != nil {
		return nil, fmt.Errorf("%s: the table's name %q %w; give the model a TableName method", t, p.table, err)
	}
	if err := p.fields(t, 0, ""); err != nil {
		return nil, err
	}
	if len(p.columns) == 0 {
		return nil, fmt.Errorf("%s has no field to store: fields are exported and not tagged `db:\"-\"`", t)
	}
	return p, p.finish()
}

// fields reads the fields of a struct, and of those embedded in it.
func (p *plan) fields(t reflect.Type, offset uintptr, path string) error {
	for f := range t.Fields() {
		where := p.name + "." + path + f.Name
		text := f.Tag.Get("db")
		if text == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && f.Type.Kind() == reflect.Struct && text == "" && !reflect.PointerTo(f.Type).Implements(typeScanner) && f.Type != typeTime {
			if err := p.fields(f.Type, offset+f.Offset, path); err != nil {
				return err
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		options, err := parseTag(where, text)
		if err != nil {
			return err
		}
		if reflect.PointerTo(f.Type).Implements(typeRelation) {
			r := &relation{
				plan: p, field: f.Name, lookup: snake(f.Name), offset: offset + f.Offset, typ: f.Type, tag: options,
				holder: reflect.New(f.Type).Interface().(relationField),
			}
			p.relations = append(p.relations, r)
			continue
		}
		if err := p.add(f, offset, options); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) add(f reflect.StructField, offset uintptr, options tag) error {
	codec, err := codecOf(f.Type)
	if err != nil {
		return fmt.Errorf("%s: %w", options.where, err)
	}
	c := &column{
		codec: codec, field: f.Name, lookup: snake(f.Name), typ: f.Type, offset: offset + f.Offset, position: len(p.columns), owner: p,
		key: options.has("pk"), null: codec.nullable,
		now: options.has("auto_now"), nowAdd: options.has("auto_now_add"),
	}
	c.name = options.values["column"]
	if c.name == "" {
		c.name = c.lookup
	}
	if err := named(c.name); err != nil {
		return fmt.Errorf("%s: the column's name %q %w", options.where, c.name, err)
	}
	for _, name := range []string{c.lookup, c.name, c.field} {
		if other := p.byName[name]; other != nil && other != c {
			return fmt.Errorf("%s and %s.%s are both called %q: rename one field or give it a column of another name",
				options.where, p.name, other.field, name)
		}
		p.byName[name] = c
	}
	if strings.Contains(c.lookup, "__") || strings.HasSuffix(c.lookup, "_") {
		return fmt.Errorf("%s: the name of a field has no double underscore and none at its end: they separate lookups", options.where)
	}
	for _, other := range p.columns {
		if strings.EqualFold(other.name, c.name) { // two of the engines do not tell them apart
			return fmt.Errorf("%s and %s.%s have columns whose names differ in case only: %q and %q", options.where, p.name, other.field, c.name, other.name)
		}
	}
	p.columns = append(p.columns, c)
	if err := c.options(options); err != nil {
		return err
	}
	return p.marks(c, options)
}

// options reads what a tag says about the column's values.
func (c *column) options(options tag) error {
	size, err := options.number("size", 0)
	if err != nil {
		return err
	}
	precision, err := options.number("precision", 20)
	if err != nil {
		return err
	}
	scale, err := options.number("scale", 6)
	if err != nil {
		return err
	}
	c.sql = dialect.Type{Kind: c.kind, Bits: c.bits, Size: size, Precision: precision, Scale: scale, Custom: options.values["type"]}
	if scale > precision {
		return fmt.Errorf("%s: scale:%d is more than precision:%d", options.where, scale, precision)
	}
	if c.kind == dialect.Decimal {
		c.codec = withScale(c.codec, precision, scale)
	}
	if options.has("null") && !c.null {
		c.null = true
		c.codec = nullAsZero(c.codec, c.typ)
	}
	if (c.now || c.nowAdd) && c.kind != dialect.Time {
		return fmt.Errorf("%s: auto_now and auto_now_add are for fields of type time.Time", options.where)
	}
	if text, ok := options.values["enum"]; ok {
		if c.kind != dialect.Text {
			return fmt.Errorf("%s: enum is for text", options.where)
		}
		c.enum = strings.Split(text, "|")
		c.codec = withValues(c.codec, c.enum)
	}
	if text, ok := options.values["default"]; ok {
		if c.fallback, err = c.parseDefault(text); err != nil {
			return fmt.Errorf("%s: default:%s: %w", options.where, text, err)
		}
		c.defaulted = true
	}
	return nil
}

func (c *column) parseDefault(text string) (any, error) {
	switch c.kind {
	case dialect.Bool:
		switch text {
		case "true", "1":
			return true, nil
		case "false", "0":
			return false, nil
		}
		return nil, errors.New("write true or false")
	case dialect.Float:
		return scanFloat(text)
	case dialect.Duration:
		if d, err := time.ParseDuration(text); err == nil {
			return int64(d), nil
		}
	case dialect.Time:
		return nil, errors.New("times have no default: use auto_now or auto_now_add")
	case dialect.Bytes, dialect.JSONValue:
		return nil, errors.New("octets and JSON have no default")
	}
	return c.encode(text)
}

// marks reads what a tag says about the column's part in the table.
func (p *plan) marks(c *column, options tag) error {
	if c.key {
		p.key = append(p.key, c)
	}
	for _, special := range []struct {
		name string
		slot **column
		ok   bool
		want string
	}{
		{"version", &p.version, c.kind == dialect.Int && !c.null, "a whole number"},
		{"soft_delete", &p.deleted, c.kind == dialect.Time && c.null, "a *time.Time"},
	} {
		if !options.has(special.name) {
			continue
		}
		if !special.ok || *special.slot != nil {
			return fmt.Errorf("%s: %s is for one field, which is %s", options.where, special.name, special.want)
		}
		*special.slot = c
	}
	for _, kind := range []struct {
		name   string
		unique bool
	}{{"unique", true}, {"index", false}} {
		group, ok := options.values[kind.name]
		if !ok {
			continue
		}
		c.sql.Indexed = true
		if group == "" {
			c.unique = c.unique || kind.unique
			group = "_" + c.name
		} else {
			group = "_" + group
		}
		name := p.table + group
		if kind.unique {
			name += "_key"
		} else {
			name += "_idx"
		}
		name = shortened(name)
		i := slices.IndexFunc(p.indexes, func(x Index) bool { return x.Name == name })
		if i < 0 {
			p.indexes = append(p.indexes, Index{Name: name, Unique: kind.unique})
			i = len(p.indexes) - 1
		}
		p.indexes[i].Columns = append(p.indexes[i].Columns, c.name)
	}
	action, err := options.onDelete()
	if err != nil {
		return err
	}
	if target, ok := options.values["references"]; ok {
		table, to, found := strings.Cut(target, ".")
		if !found {
			to = "id"
		}
		p.foreign = append(p.foreign, ForeignKey{Columns: []string{c.name}, Table: table, References: []string{to}, OnDelete: action})
		c.sql.Indexed = true
	}
	return nil
}

// finish settles the key: a field called ID is one without being told.
func (p *plan) finish() error {
	if len(p.key) == 0 {
		if id := p.byName["id"]; id != nil {
			id.key = true
			p.key = []*column{id}
		}
	}
	if len(p.key) == 0 {
		return fmt.Errorf("%s has no key: embed orm.Model, or tag a field `db:\"pk\"`", p.name)
	}
	for _, c := range p.key {
		c.null, c.sql.Indexed = false, true
	}
	if k := p.key[0]; len(p.key) == 1 && (k.kind == dialect.Int || k.kind == dialect.Uint) && k.sql.Custom == "" && !k.nullable && !k.defaulted {
		p.auto = k
		p.uncounted = slices.DeleteFunc(slices.Clone(p.columns), func(c *column) bool { return c == k })
	}
	return nil
}

// named reports why something cannot be the name of a table or a column on every engine.
func named(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case len(name) > 63:
		return errors.New("is longer than 63 bytes, where PostgreSQL would cut it")
	case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
		return errors.New("is no text")
	case strings.HasSuffix(name, " "):
		return errors.New("ends with a blank, which MySQL does not take")
	}
	return nil
}

// shortened is the name of an index or a constraint, with a digest instead of what no engine has room for.
func shortened(name string) string {
	if len(name) <= 60 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return strings.ToValidUTF8(name[:48], "") + "_" + hex.EncodeToString(sum[:5])
}

// withScale reads decimals with the digits that the column has after the point, as two of the engines give them, and
// refuses to write those that would have to be rounded.
func withScale(inner *codec, precision, scale int) *codec {
	c := *inner
	c.bind = func(p unsafe.Pointer) (any, error) {
		v, err := inner.bind(p)
		if text, ok := v.(string); ok && err == nil {
			return exactly(Decimal(text), precision, scale)
		}
		return v, err
	}
	c.scan = func(p unsafe.Pointer, src any) error {
		if src == nil {
			return inner.scan(p, nil)
		}
		var d Decimal
		if err := scanDecimal(&d, src); err != nil {
			return err
		}
		return inner.scan(p, string(d.scaled(scale)))
	}
	return &c
}

// exactly returns a decimal as a column holds it.
func exactly(d Decimal, precision, scale int) (any, error) {
	if n := d.fraction(); n > scale {
		return nil, fmt.Errorf("the number has %d digits after the point, the column takes %d: round it first", n, scale)
	}
	if n := d.whole(); n > precision-scale {
		return nil, fmt.Errorf("the number has %d digits before the point, the column takes %d", n, precision-scale)
	}
	return string(d.scaled(scale)), nil
}

// withValues refuses all values but some, in fields and in lookups.
func withValues(inner *codec, values []string) *codec {
	c := *inner
	check := func(v any, err error) (any, error) {
		if s, ok := v.(string); err == nil && ok && !slices.Contains(values, s) {
			err = fmt.Errorf("the values are %s", strings.Join(values, ", "))
		}
		return v, err
	}
	c.encode = func(v any) (any, error) { return check(inner.encode(v)) }
	c.bind = func(p unsafe.Pointer) (any, error) { return check(inner.bind(p)) }
	return &c
}

// nullAsZero lets NULL be read as the zero value, which is written as NULL.
func nullAsZero(inner *codec, t reflect.Type) *codec {
	c := *inner
	c.nullable, c.direct = true, nil
	c.bind = func(p unsafe.Pointer) (any, error) {
		if inner.zero(p) {
			return nil, nil
		}
		return inner.bind(p)
	}
	c.scan = func(p unsafe.Pointer, src any) error {
		if src == nil {
			reflect.NewAt(t, p).Elem().SetZero()
			return nil
		}
		return inner.scan(p, src)
	}
	return &c
}

// unknown is the error for a name that the model does not have.
func (p *plan) unknown(name, full string) error {
	message := fmt.Sprintf("%s has no field %q", p.name, name)
	if full != name {
		message += fmt.Sprintf(" (in %q)", full)
	}
	if near := typo.Nearest(name, p.names()); near != "" {
		return fmt.Errorf("orm: %s; did you mean %q?", message, near)
	}
	names := slices.Sorted(p.names())
	return fmt.Errorf("orm: %s; it has %s", message, strings.Join(names, ", "))
}

// names yields what a lookup may begin with.
func (p *plan) names() func(yield func(string) bool) {
	names := map[string]bool{}
	for _, c := range p.columns {
		names[c.lookup] = true
	}
	for _, r := range p.relations {
		names[r.lookup] = true
	}
	return maps.Keys(names)
}
