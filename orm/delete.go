package orm

import (
	"context"
	"fmt"
	"slices"
	"unsafe"
)

// Delete removes a row, or marks it as deleted if the model embeds SoftDelete. A row that is not there is ErrNotFound.
func (r Repository[T]) Delete(ctx context.Context, row *T) error {
	if err := r.ready(row); err != nil {
		return err
	}
	p := r.plan
	if p.deleted == nil {
		return r.Destroy(ctx, row)
	}
	field := p.deleted.at(unsafe.Pointer(row))
	if err := p.deleted.scan(field, moment(databaseOf(r.on).options.Now())); err != nil {
		return err
	}
	err := r.mark(ctx, row)
	if err != nil {
		_ = p.deleted.scan(field, nil)
	}
	return err
}

// Restore takes back a soft deletion.
func (r Repository[T]) Restore(ctx context.Context, row *T) error {
	if err := r.ready(row); err != nil {
		return err
	}
	if r.plan.deleted == nil {
		return fmt.Errorf("orm: %s does not embed SoftDelete: what was deleted is gone", r.plan.name)
	}
	if err := r.plan.deleted.scan(r.plan.deleted.at(unsafe.Pointer(row)), nil); err != nil {
		return err
	}
	return r.mark(ctx, row)
}

// mark writes the time of deletion. The version counts up, so that whoever read the row before does not bring it back.
func (r Repository[T]) mark(ctx context.Context, row *T) error {
	p, b, base := r.plan, newBuilder(r.on), unsafe.Pointer(row)
	b.text("UPDATE ")
	b.ident(p.table)
	b.text(" SET ")
	b.ident(p.deleted.name)
	b.text(" = ")
	if err := p.values(b, base, []*column{p.deleted}); err != nil {
		return err
	}
	if p.version != nil {
		b.text(", ")
		b.countUp(p.version)
	}
	if err := p.byKey(b, base, true); err != nil {
		return err
	}
	if err := r.one(ctx, b, "update", []string{p.table}, base); err != nil {
		return err
	}
	return p.counted(ctx, base)
}

// Destroy removes a row for good, also of a model that embeds SoftDelete.
func (r Repository[T]) Destroy(ctx context.Context, row *T) error {
	if err := r.ready(row); err != nil {
		return err
	}
	b := newBuilder(r.on)
	b.text("DELETE FROM ")
	b.ident(r.plan.table)
	if err := r.plan.byKey(b, unsafe.Pointer(row), true); err != nil {
		return err
	}
	return r.one(ctx, b, "delete", r.on.models().cascades(r.plan), unsafe.Pointer(row))
}

// cascades lists the tables that deleting rows of one may change.
func (reg *registry) cascades(p *plan) []string {
	list, all := []string{p.table}, reg.all()
	for i := 0; i < len(list); i++ {
		for _, other := range all {
			for _, f := range other.foreign {
				if f.Table == list[i] && (f.OnDelete == "CASCADE" || f.OnDelete == "SET NULL") && !slices.Contains(list, other.table) {
					list = append(list, other.table)
				}
			}
			for _, r := range other.relations {
				if r.kind == manyToMany && (other.table == list[i] || r.target.table == list[i]) && !slices.Contains(list, r.through) {
					list = append(list, r.through)
				}
			}
		}
	}
	return list
}
