package orm

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unsafe"
)

// A scanner fills rows of one model. It is made per result; per row it costs no allocation of its own.
type scanner struct {
	columns []*column
	targets []any
	cells   []cell         // nil if database/sql fills all columns by itself
	few     [8]any         // the room for targets of narrow tables
	last    unsafe.Pointer // where the last column goes, if not into the row
}

// cell is one column of the row that is being read, for types that database/sql does not fill by itself.
type cell struct {
	column *column
	field  unsafe.Pointer
}

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	if err := c.column.scan(c.field, src); err != nil {
		return fmt.Errorf("%s.%s: %w", c.column.owner.table, c.column.name, err)
	}
	return nil
}

func newScanner(columns []*column) *scanner {
	s := &scanner{columns: columns}
	if len(columns) <= len(s.few) {
		s.targets = s.few[:len(columns)]
	} else {
		s.targets = make([]any, len(columns))
	}
	for i, c := range columns {
		if c.direct == nil {
			if s.cells == nil {
				s.cells = make([]cell, len(columns))
			}
			s.cells[i].column = c
			s.targets[i] = &s.cells[i]
		}
	}
	return s
}

// row fills the row at an address from the result's current one.
func (s *scanner) row(result *sql.Rows, row unsafe.Pointer) error {
	for i, c := range s.columns {
		field := c.at(row)
		if s.last != nil && i == len(s.columns)-1 {
			field = s.last
		}
		if c.direct != nil {
			s.targets[i] = c.direct(field)
		} else {
			s.cells[i].field = field
		}
	}
	err := result.Scan(s.targets...)
	if err != nil && strings.Contains(err.Error(), "converting NULL to") {
		err = fmt.Errorf("%w (%w)", err, errNull)
	}
	return err
}

// fetch runs a statement and puts all its rows into the list.
func fetch(ctx context.Context, on Session, st *statement, columns []*column, into rows) error {
	result, err := on.query(ctx, st)
	if err != nil {
		return err
	}
	defer result.Close()
	scan := newScanner(columns)
	for result.Next() {
		if err := scan.row(result, into.next()); err != nil {
			into.drop()
			return fmt.Errorf("orm: reading from %s: %w", st.table, err)
		}
	}
	return classify(on, result.Err())
}
