package orm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Page is a part of a long list.
type Page[T any] struct {
	Rows     []T
	Next     string // the cursor for the rows after these; "" if there are none
	Previous string // the cursor for the rows before these; "" if there are none
}

// PageRequest asks for a page: the first one, or the one after or before a cursor.
type PageRequest struct {
	Size          int // 50 if zero, at most 1000
	After, Before string
}

// ErrCursor is the error for a cursor that does not belong to the query. Cursors come from clients: answer 400.
var ErrCursor = errors.New("the cursor does not belong to this list: start from the first page")

// Page returns a part of the list by keyset: it seeks to where the last page ended instead of counting rows, so that
// page 10,000 costs what the first one does, and rows that come and go in between shift nothing. The query is ordered
// by fields of its own, and by its key where those are equal. Cursors hold the values of those fields in the clear.
func (q Query[T]) Page(ctx context.Context, ask PageRequest) (Page[T], error) {
	var page Page[T]
	next, keys, backwards, err := q.paged(&ask)
	if err != nil {
		return page, err
	}
	rows, err := next.All(ctx)
	if err != nil {
		return page, err
	}
	more := len(rows) > ask.Size
	if more {
		rows = rows[:ask.Size]
	}
	if backwards {
		slices.Reverse(rows)
	}
	page.Rows = rows
	if len(rows) == 0 {
		return page, nil
	}
	first, last := unsafe.Pointer(&rows[0]), unsafe.Pointer(&rows[len(rows)-1])
	page.Next, page.Previous, err = marks(keys, first, last, more, backwards, ask.After+ask.Before != "")
	return page, err
}

// paged returns the query for a page and one row more, its order, and whether it is read from its end. It puts the
// default size into what is asked for.
func (q Query[T]) paged(ask *PageRequest) (next Query[T], keys []sortKey, backwards bool, err error) {
	if err := q.ready(); err != nil {
		return q, nil, false, err
	}
	switch {
	case ask.Size < 0 || ask.Size > 1000:
		return q, nil, false, fmt.Errorf("orm: a page of %d rows: ask for 1 to 1000", ask.Size)
	case ask.After != "" && ask.Before != "":
		return q, nil, false, fmt.Errorf("orm: a page after one cursor and before another: give one of them")
	case q.limit >= 0 || q.offset > 0 || q.columns != nil:
		return q, nil, false, fmt.Errorf("orm: Page does not go with Limit, Offset and Only")
	case ask.Size == 0:
		ask.Size = 50
	}
	if keys, err = q.keyset(); err != nil {
		return q, nil, false, err
	}
	backwards = ask.Before != ""
	next = q
	next.order = nil
	for _, k := range keys {
		next.order = append(next.order, ordering{path: k.column.lookup, desc: k.desc != backwards})
	}
	if cursor := ask.After + ask.Before; cursor != "" {
		after, err := seek(keys, cursor, backwards)
		if err != nil {
			return q, nil, false, err
		}
		next = next.Filter(after)
	}
	return next.Limit(ask.Size + 1), keys, backwards, nil
}

// marks makes the cursors of a page from its first and its last row.
func marks(keys []sortKey, first, last unsafe.Pointer, more, backwards, cursor bool) (next, previous string, err error) {
	if more || backwards {
		next, err = mark(keys, last)
	}
	if err == nil && (more && backwards || cursor && !backwards) {
		previous, err = mark(keys, first)
	}
	return next, previous, err
}

// sortKey is one column of the order that pages follow.
type sortKey struct {
	column *column
	desc   bool
}

// keyset returns the order of the query, made unique by the key.
func (s *selection) keyset() ([]sortKey, error) {
	var keys []sortKey
	for _, o := range s.order {
		c := s.plan.column(o.path)
		if c == nil || o.expr != nil || o.random {
			return nil, fmt.Errorf("orm: Page: the list is ordered by %q; pages follow fields of %s itself", o.path, s.plan.name)
		}
		if c.kind == dialect.JSONValue {
			return nil, fmt.Errorf("orm: Page: the list is ordered by %q; JSON has no order that engines agree on", o.path)
		}
		keys = append(keys, sortKey{c, o.desc})
	}
	for _, c := range s.plan.key {
		if !slices.ContainsFunc(keys, func(k sortKey) bool { return k.column == c }) {
			keys = append(keys, sortKey{c, len(keys) > 0 && keys[0].desc})
		}
	}
	return keys, nil
}

// mark makes a cursor of the values that a row is sorted by.
func mark(keys []sortKey, row unsafe.Pointer) (string, error) {
	values := make([]any, len(keys)+1)
	values[0] = order(keys)
	for i, k := range keys {
		v, err := k.column.bind(k.column.at(row))
		if err != nil {
			return "", err
		}
		switch x := v.(type) {
		case time.Time:
			v = x.Format(time.RFC3339Nano)
		case string: // JSON would change what is no UTF-8, which SQLite may hold
			if !utf8.ValidString(x) {
				return "", fmt.Errorf("orm: Page: %s.%s holds a text that is no UTF-8, which no cursor can name", k.column.owner.name, k.column.field)
			}
		}
		values[i+1] = v // octets become base64
	}
	b, err := json.Marshal(values)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// order names the order, so that a cursor of another one is noticed.
func order(keys []sortKey) string {
	var b []byte
	for _, k := range keys {
		if k.desc {
			b = append(b, '-')
		}
		b = append(append(b, k.column.lookup...), ' ')
	}
	return string(b)
}

// seek makes the condition that a row comes after a cursor's: (a > x) or (a = x and (b > y or …)).
func seek(keys []sortKey, cursor string, backwards bool) (Condition, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	var values []json.RawMessage
	if err == nil {
		err = json.Unmarshal(b, &values)
	}
	var of string
	if err != nil || len(values) != len(keys)+1 || json.Unmarshal(values[0], &of) != nil || of != order(keys) {
		return Condition{}, ErrCursor
	}
	condition := Or()
	for i := len(keys) - 1; i >= 0; i-- {
		k := keys[i]
		v, err := cursorValue(k.column, values[i+1])
		if err != nil {
			return Condition{}, err
		}
		name, up := k.column.lookup, k.desc == backwards
		further := Or()
		switch {
		case v == nil && up: // empty values are the smallest
			further = Q(name+"__isnull", false)
		case v == nil:
		case up:
			further = Q(name+"__gt", v)
		case k.column.null:
			further = Or(Q(name+"__lt", v), Q(name+"__isnull", true))
		default:
			further = Q(name+"__lt", v)
		}
		if i == len(keys)-1 {
			condition = further
			continue
		}
		condition = Or(further, And(Q(name, v), condition))
		// It goes without saying that the first field is not before the cursor's, but only said does SQLite seek there.
		if i == 0 && v != nil && (up || !k.column.null) {
			condition = And(Q(name+map[bool]string{true: "__gte", false: "__lte"}[up], v), condition)
		}
	}
	return condition, nil
}

func cursorValue(c *column, raw json.RawMessage) (any, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	var number json.Number
	var v any
	if json.Unmarshal(raw, &number) == nil && raw[0] != '"' {
		if n, err := number.Int64(); err == nil {
			v = n
		} else if f, err := number.Float64(); err == nil {
			v = f
		}
	} else if err := json.Unmarshal(raw, &v); err != nil {
		return nil, ErrCursor
	}
	if text, ok := v.(string); ok && c.kind == dialect.Bytes {
		octets, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, ErrCursor
		}
		return octets, nil
	}
	if text, ok := v.(string); ok && !isText(text) {
		return nil, ErrCursor
	}
	if _, err := c.encode(v); err != nil {
		return nil, ErrCursor
	}
	return v, nil
}
