package orm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// Link ties rows to this one over a ManyToMany field; ties that exist stay as they are. Unlink takes them away.
//
//	err := posts.Link(ctx, &post, "Tags", golang.ID, web.ID)
func (r Repository[T]) Link(ctx context.Context, row *T, relation string, keys ...any) error {
	return r.tie(ctx, "insert", row, relation, keys, func(b *builder, rel *tied, near any) {
		b.text("INSERT INTO ")
		b.ident(rel.through)
		b.text(" (")
		b.ident(rel.near)
		b.text(", ")
		b.ident(rel.far)
		b.text(") VALUES ")
		for i, far := range rel.keys {
			if i > 0 {
				b.text(", ")
			}
			b.text("(")
			b.arg(near)
			b.text(", ")
			b.arg(far)
			b.text(")")
		}
		b.b = b.d.Conflict(b.b, []string{rel.near, rel.far}, nil)
	})
}

// Unlink takes away what Link ties.
func (r Repository[T]) Unlink(ctx context.Context, row *T, relation string, keys ...any) error {
	return r.tie(ctx, "delete", row, relation, keys, func(b *builder, rel *tied, near any) {
		b.text("DELETE FROM ")
		b.ident(rel.through)
		b.text(" WHERE ")
		b.ident(rel.near)
		b.text(" = ")
		b.arg(near)
		b.text(" AND ")
		b.ident(rel.far)
		b.text(" IN (")
		for i, far := range rel.keys {
			if i > 0 {
				b.text(", ")
			}
			b.arg(far)
		}
		b.text(")")
	})
}

// tied is a relation over a table between, with the keys on its far side.
type tied struct {
	*relation
	keys []any
}

func (r Repository[T]) tie(ctx context.Context, verb string, row *T, name string, keys []any, write func(*builder, *tied, any)) error {
	if err := r.ready(row); err != nil {
		return err
	}
	rel := r.plan.related[name]
	if rel == nil || rel.kind != manyToMany {
		return r.plan.notTied(name)
	}
	near, err := rel.local.bind(rel.local.at(unsafe.Pointer(row)))
	if err != nil {
		return err
	}
	encoded := make([]any, len(keys))
	for i, key := range keys {
		if encoded[i], err = rel.remote.encode(indirect(key)); err != nil {
			return fmt.Errorf("orm: key %d of %s.%s: %w", i, r.plan.name, name, err)
		}
	}
	together := inTx
	if len(encoded) <= batch { // one statement
		together = func(_ context.Context, on Session, fn func(Session) error) error { return fn(on) }
	}
	return together(ctx, r.on, func(on Session) error {
		for chunk := range slices.Chunk(encoded, batch) {
			b := newBuilder(on)
			b.once = true
			write(b, &tied{rel, chunk}, near)
			if err := b.check(); err != nil {
				return err
			}
			st := b.statement(verb, rel.through)
			st.writes = []string{rel.through}
			if on.shadowed(ctx, st) {
				continue
			}
			if _, err := on.exec(ctx, st); err != nil {
				return err
			}
		}
		return nil
	})
}

// notTied is the error for a name that is no ManyToMany field.
func (p *plan) notTied(name string) error {
	known := func(yield func(string) bool) {
		for _, r := range p.relations {
			if r.kind == manyToMany && !yield(r.field) {
				return
			}
		}
	}
	message := fmt.Sprintf("orm: %s has no ManyToMany field %q", p.name, name)
	if near := typo.Nearest(name, known); near != "" {
		return fmt.Errorf("%s; did you mean %q?", message, near)
	}
	return fmt.Errorf("%s; it has %s", message, cmp.Or(strings.Join(slices.Collect(known), ", "), "none"))
}
