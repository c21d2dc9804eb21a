package orm

import (
	"context"
	"fmt"
	"slices"
	"unsafe"
)

// Span is a part of a long list, with a cursor for each of its rows.
type Span[T any] struct {
	Rows    []T
	Cursors []string // of the rows: each is where a part after or before it begins
	// Earlier and Later say whether the list has rows before and after these. On the side of a cursor that was asked
	// with, the row that the cursor came from is taken to be there still.
	Earlier, Later bool
}

// SpanRequest asks for the part of a list between two cursors, or for the beginning or the end of it.
type SpanRequest struct {
	Size          int    // at most so many rows, up to 1000; none for 0
	After, Before string // "" is the beginning and the end of the list
	FromEnd       bool   // the last rows of the part instead of its first; their order stays that of the list
}

// Span returns a part of the list by keyset, as Page does and under the same conditions, for lists whose readers start
// at any row, such as the connections of package graphql/relay. A cursor of another order is ErrCursor.
func (q Query[T]) Span(ctx context.Context, ask SpanRequest) (Span[T], error) {
	var span Span[T]
	if err := q.ready(); err != nil {
		return span, err
	}
	switch {
	case ask.Size < 0 || ask.Size > 1000:
		return span, fmt.Errorf("orm: a span of %d rows: ask for 0 to 1000", ask.Size)
	case q.limit >= 0 || q.offset > 0 || q.columns != nil:
		return span, fmt.Errorf("orm: Span does not go with Limit, Offset and Only")
	}
	keys, err := q.keyset()
	if err != nil {
		return span, err
	}
	next := q
	next.order = nil
	for _, k := range keys {
		next.order = append(next.order, ordering{path: k.column.lookup, desc: k.desc != ask.FromEnd})
	}
	for _, end := range []struct {
		cursor    string
		backwards bool
	}{{ask.After, false}, {ask.Before, true}} {
		if end.cursor == "" {
			continue
		}
		beyond, err := seek(keys, end.cursor, end.backwards)
		if err != nil {
			return span, err
		}
		next = next.Filter(beyond)
	}
	rows, err := next.Limit(ask.Size + 1).All(ctx)
	if err != nil {
		return span, err
	}
	more := len(rows) > ask.Size
	rows = rows[:min(len(rows), ask.Size)]
	if ask.FromEnd {
		slices.Reverse(rows)
	}
	span.Rows, span.Cursors = rows, make([]string, len(rows))
	span.Earlier, span.Later = ask.After != "" || more && ask.FromEnd, ask.Before != "" || more && !ask.FromEnd
	for i := range rows {
		if span.Cursors[i], err = mark(keys, unsafe.Pointer(&rows[i])); err != nil {
			return Span[T]{}, err
		}
	}
	return span, nil
}
