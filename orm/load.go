package orm

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// branch is a relation that a query loads, and those that it loads from there: one statement each, whatever the
// number of rows.
type branch struct {
	relation *relation
	children []*branch
}

// tree is what With asks for.
type tree []*branch

// paths reads dotted paths of relations, in Go's names or in those of lookups.
func (p *plan) paths(with []string) (tree, error) {
	root := &branch{}
	for _, path := range with {
		at, in := root, p
		for name := range strings.SplitSeq(path, ".") {
			r := in.related[name]
			if r == nil {
				message := fmt.Sprintf("orm: With(%q): %s has no relation %q", path, in.name, name)
				known := func(yield func(string) bool) {
					for _, r := range in.relations {
						if !yield(r.field) {
							return
						}
					}
				}
				if near := typo.Nearest(name, known); near != "" {
					return nil, fmt.Errorf("%s; did you mean %q?", message, near)
				}
				return nil, fmt.Errorf("%s; it has %s", message, cmp.Or(strings.Join(slices.Collect(known), ", "), "none"))
			}
			i := slices.IndexFunc(at.children, func(b *branch) bool { return b.relation == r })
			if i < 0 {
				at.children = append(at.children, &branch{relation: r})
				i = len(at.children) - 1
			}
			at, in = at.children[i], r.target
		}
	}
	return root.children, nil
}

// load fills the relations of rows.
func (t tree) load(ctx context.Context, on Session, parents rows, deleted bool) error {
	for _, b := range t {
		if err := b.load(ctx, on, parents, deleted); err != nil {
			return err
		}
	}
	return nil
}

// hashable makes octets usable as the key of a map.
func hashable(key any) any {
	if b, ok := key.([]byte); ok {
		return string(b)
	}
	return key
}

// batch is how many keys one statement asks for.
const batch = 1000

func (br *branch) load(ctx context.Context, on Session, parents rows, deleted bool) error {
	r := br.relation
	owners := map[any][]int{} // by the key that is asked for
	var keys []any
	for i := range parents.len() {
		key, err := r.local.bind(r.local.at(parents.at(i)))
		if err != nil {
			return err
		}
		if key == nil {
			continue
		}
		name := hashable(key)
		if owners[name] == nil {
			keys = append(keys, key)
		}
		owners[name] = append(owners[name], i)
	}
	found := r.holder.newRows()
	which := make([][]int, parents.len()) // for each parent, its rows among those found
	for chunk := range slices.Chunk(keys, batch) {
		if err := br.fetch(ctx, on, chunk, found, owners, which, deleted); err != nil {
			return err
		}
	}
	if err := tree(br.children).load(ctx, on, found, deleted); err != nil {
		return err
	}
	for i := range parents.len() {
		r.at(parents.at(i)).assign(found, which[i])
	}
	return nil
}

// fetch loads the rows for some keys and notes whose they are.
func (br *branch) fetch(ctx context.Context, on Session, keys []any, found rows, owners map[any][]int, which [][]int, deleted bool) error {
	r, b := br.relation, newBuilder(on)
	b.once = len(keys) > 8
	in := b.scope(r.target)
	b.text("SELECT ")
	(&selection{plan: r.target}).list(b, r.target.columns)
	keyed := in.table
	if r.kind == manyToMany {
		b.text(", link.")
		b.ident(r.near)
	}
	b.text(" FROM ", in.table)
	if r.kind == manyToMany {
		b.read(r.through)
		b.text(" JOIN ")
		b.ident(r.through)
		b.text(" AS link ON link.")
		b.ident(r.far)
		b.text(" = ")
		b.column(in.table, r.remote)
		keyed = "link"
	}
	b.text(" WHERE ")
	if r.target.deleted != nil && !deleted && r.kind != belongsTo {
		b.column(in.table, r.target.deleted)
		b.text(" IS NULL AND ")
	}
	if r.kind == manyToMany {
		b.text("link.")
		b.ident(r.near)
	} else {
		b.column(keyed, r.remote)
	}
	b.text(" IN (")
	for i, key := range keys {
		if i > 0 {
			b.text(", ")
		}
		b.arg(key)
	}
	b.text(") ORDER BY ")
	b.column(in.table, r.target.key[0])
	return br.read(ctx, on, b.statement("select", r.target.table), found, owners, which)
}

// read fetches related rows; behind a table between, the owner's key comes as one column more.
func (br *branch) read(ctx context.Context, on Session, st *statement, found rows, owners map[any][]int, which [][]int) error {
	r := br.relation
	result, err := on.query(ctx, st)
	if err != nil {
		return err
	}
	defer result.Close()
	columns := r.target.columns
	if r.kind == manyToMany {
		columns = append(slices.Clip(columns), r.local)
	}
	scan := newScanner(columns)
	if r.kind == manyToMany {
		scan.last = reflect.New(r.local.typ).UnsafePointer()
	}
	for result.Next() {
		row := found.next()
		if err := scan.row(result, row); err != nil {
			found.drop()
			return fmt.Errorf("orm: reading from %s: %w", st.table, err)
		}
		var key any
		if scan.last != nil {
			key, err = r.local.bind(scan.last)
		} else {
			key, err = r.remote.bind(r.remote.at(row))
		}
		if err != nil {
			return err
		}
		for _, owner := range owners[hashable(key)] {
			which[owner] = append(which[owner], found.len()-1)
		}
	}
	return classify(on, result.Err())
}
