package orm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// One is a related row, or none. In a model that has the key of the other, it belongs to that row:
//
//	type Post struct {
//		orm.Model
//		AuthorID int64
//		Author   orm.One[User] `db:"on_delete:cascade"` // by AuthorID
//	}
//
// Otherwise the other model has this one's key, once. It is filled by With.
type One[T any] struct {
	row    *T
	loaded bool
}

// Get returns the related row, or nil if there is none or it was not loaded.
func (o *One[T]) Get() *T { return o.row }

// Loaded reports whether a query with With has looked for the row.
func (o *One[T]) Loaded() bool { return o.loaded }

// Set puts a row there, as if it had been loaded. Nothing is written to the database.
func (o *One[T]) Set(row *T) { o.row, o.loaded = row, true }

// MarshalJSON writes the row, or null.
func (o One[T]) MarshalJSON() ([]byte, error) { return json.Marshal(o.row) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *One[T]) UnmarshalJSON(b []byte) error {
	o.loaded = true
	return json.Unmarshal(b, &o.row)
}

// Many is the rows of another model that have this one's key. It is filled by With.
//
//	Posts orm.Many[Post] // through Post.UserID, in a model called User
type Many[T any] struct {
	rows   []T
	loaded bool
}

// All returns the related rows, or nil if they were not loaded.
func (m *Many[T]) All() []T { return m.rows }

// Len is the number of rows that All returns.
func (m *Many[T]) Len() int { return len(m.rows) }

// Loaded reports whether a query with With has looked for the rows.
func (m *Many[T]) Loaded() bool { return m.loaded }

// Set puts rows there, as if they had been loaded. Nothing is written to the database.
func (m *Many[T]) Set(rows []T) { m.rows, m.loaded = rows, true }

// MarshalJSON writes the list of rows, or null if they were not loaded.
func (m Many[T]) MarshalJSON() ([]byte, error) {
	if m.loaded && m.rows == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(m.rows)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Many[T]) UnmarshalJSON(b []byte) error {
	m.loaded = string(b) != "null"
	return json.Unmarshal(b, &m.rows)
}

// ManyToMany is rows of another model that are tied to this one by a table between, which CreateTable and migrations
// make: "posts_tags" with the columns post_id and tag_id. Rows are tied with Repository.Link. It is filled by With.
type ManyToMany[T any] struct{ Many[T] }

// relationField is what the planner and the loader know of a field that is a relation.
type relationField interface {
	target() reflect.Type
	kind() relationKind
	newRows() rows
	assign(all rows, which []int)
	list() []any // pointers to the rows that were assigned
}

var typeRelation = reflect.TypeFor[relationField]()

type relationKind uint8

const (
	belongsTo relationKind = iota
	hasOne
	hasMany
	manyToMany
)

func (k relationKind) String() string {
	return [...]string{"belongs to", "has one", "has many", "many to many"}[k]
}

func (*One[T]) target() reflect.Type      { return reflect.TypeFor[T]() }
func (*Many[T]) target() reflect.Type     { return reflect.TypeFor[T]() }
func (*One[T]) kind() relationKind        { return hasOne } // or belongsTo: the fields decide
func (*Many[T]) kind() relationKind       { return hasMany }
func (*ManyToMany[T]) kind() relationKind { return manyToMany }
func (*One[T]) newRows() rows             { return &rowsOf[T]{} }
func (*Many[T]) newRows() rows            { return &rowsOf[T]{} }

func (o *One[T]) assign(all rows, which []int) {
	o.row, o.loaded = nil, true
	if len(which) > 0 {
		o.row = &all.(*rowsOf[T]).list[which[0]]
	}
}

func (m *Many[T]) assign(all rows, which []int) {
	m.loaded = true
	m.rows = make([]T, len(which))
	list := all.(*rowsOf[T]).list
	for i, at := range which {
		m.rows[i] = list[at]
	}
}

func (o *One[T]) list() []any {
	if o.row == nil {
		return nil
	}
	return []any{o.row}
}

func (m *Many[T]) list() []any {
	var all []any
	for i := range m.rows {
		all = append(all, &m.rows[i])
	}
	return all
}

// rows is a growing list of rows of a type that the loader does not know.
type rows interface {
	next() unsafe.Pointer // the address of a fresh row, good until the next call
	drop()                // forgets the last one
	len() int
	at(i int) unsafe.Pointer
}

type rowsOf[T any] struct{ list []T }

func (r *rowsOf[T]) next() unsafe.Pointer {
	var fresh T
	r.list = append(r.list, fresh)
	return unsafe.Pointer(&r.list[len(r.list)-1])
}
func (r *rowsOf[T]) drop()                   { r.list = r.list[:len(r.list)-1] }
func (r *rowsOf[T]) len() int                { return len(r.list) }
func (r *rowsOf[T]) at(i int) unsafe.Pointer { return unsafe.Pointer(&r.list[i]) }

// relation is a field that leads to other rows: those whose remote column equals this row's local one.
type relation struct {
	plan   *plan
	target *plan
	kind   relationKind
	field  string
	lookup string
	typ    reflect.Type
	offset uintptr
	tag    tag
	holder relationField // of the field's type, empty

	local    *column
	remote   *column
	onDelete string

	through, near, far string // the table between and its columns, of manyToMany
}

func (r *relation) multiple() bool { return r.kind == hasMany || r.kind == manyToMany }

func (r *relation) at(row unsafe.Pointer) relationField {
	return reflect.NewAt(r.typ, unsafe.Add(row, r.offset)).Interface().(relationField)
}

// link writes the condition that ties rows of two tables in FROM.
func (r *relation) link(b *builder, near, far string) {
	if r.kind != manyToMany {
		b.column(far, r.remote)
		b.text(" = ")
		b.column(near, r.local)
		return
	}
	b.read(r.through)
	b.column(far, r.remote)
	b.text(" IN (SELECT ")
	b.ident(r.far)
	b.text(" FROM ")
	b.ident(r.through)
	b.text(" WHERE ")
	b.ident(r.near)
	b.text(" = ")
	b.column(near, r.local)
	b.text(")")
}

// relate finds both ends of a model's relations, and plans their other models.
func (reg *registry) relate(p *plan) error {
	for _, r := range p.relations {
		where := p.name + "." + r.field
		if other := p.byName[r.lookup]; other != nil || p.related[r.lookup] != nil {
			return fmt.Errorf("%s: the name %q is taken by another field", where, r.lookup)
		}
		p.related[r.lookup], p.related[r.field] = r, r
		target, err := reg.make(r.holder.target())
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		r.target, r.kind = target, r.holder.kind()
		if r.onDelete, err = r.tag.onDelete(); err != nil {
			return err
		}
		if len(p.key) != 1 || len(target.key) != 1 {
			return fmt.Errorf("%s: a relation needs models with one key column each", where)
		}
		if err := r.ends(where); err != nil {
			return err
		}
	}
	return nil
}

// ends finds the columns on both ends of a relation.
func (r *relation) ends(where string) error {
	p := r.plan
	named := r.tag.values["fk"]
	if r.kind == hasOne {
		own := p.column(cmp.Or(named, r.lookup+"_id"))
		if own != nil {
			r.kind, r.local, r.remote = belongsTo, own, r.target.key[0]
			if err := r.matches(where, own, r.remote); err != nil {
				return err
			}
			p.foreign = append(p.foreign, ForeignKey{
				Columns: []string{own.name}, Table: r.target.table, References: []string{r.remote.name}, OnDelete: r.onDelete,
			})
			if r.onDelete == "SET NULL" && !own.null {
				return fmt.Errorf("%s: on_delete:set_null needs %s to be a pointer", where, own.field)
			}
			if !own.key && !own.sql.Indexed {
				own.sql.Indexed = true
				p.indexes = append(p.indexes, Index{Name: shortened(p.table + "_" + own.name + "_idx"), Columns: []string{own.name}})
			}
			return nil
		}
	}
	r.local = p.key[0]
	if r.kind == manyToMany {
		r.remote = r.target.key[0]
		tables := []string{p.table, r.target.table}
		slices.Sort(tables)
		r.through = cmp.Or(r.tag.values["through"], strings.Join(tables, "_"))
		r.near, r.far = snake(p.name)+"_id", snake(r.target.name)+"_id"
		if r.near == r.far {
			r.near, r.far = "from_"+r.near, "to_"+r.far
		}
		return nil
	}
	name := cmp.Or(named, snake(p.name)+"_id")
	r.remote = r.target.column(name)
	if r.remote == nil {
		return fmt.Errorf("%s %s %s, which has no field %q for the key of %s: add one, or name it with `db:\"fk:FIELD\"`",
			where, r.kind, r.target.name, name, p.name)
	}
	return r.matches(where, r.remote, r.local)
}

// matches checks that a field can hold a key, and gives it the key's size.
func (r *relation) matches(where string, holder, key *column) error {
	if holder.sql.Custom != "" || key.sql.Custom != "" {
		return nil
	}
	if holder.kind != key.kind || holder.bits != key.bits {
		return fmt.Errorf("%s: %s.%s is a %s and cannot hold the key %s.%s, a %s: make them the same type",
			where, holder.owner.name, holder.field, holder.typ, key.owner.name, key.field, key.typ)
	}
	if holder.kind == dialect.Text && holder.sql.Size == 0 {
		holder.sql.Size = key.sql.Size
	}
	return nil
}
