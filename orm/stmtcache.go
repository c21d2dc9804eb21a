package orm

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"hash/maphash"
	"slices"
)

// statements are the prepared statements of one connection, by text, the least recently used first to go. It is used by
// one goroutine at a time.
type statements struct {
	limit  int
	byText map[string]*list.Element // of *prepared
	recent list.List                // the most recently used in front
}

func newStatements(limit int) *statements {
	return &statements{limit: limit, byText: make(map[string]*list.Element, limit)}
}

// take returns the statement for a text, or nil if there is none or its rows are still being read.
func (c *statements) take(text string) *prepared {
	place := c.byText[text]
	if place == nil {
		return nil
	}
	s := place.Value.(*prepared)
	if s.busy {
		return nil
	}
	s.busy = true
	c.recent.MoveToFront(place)
	return s
}

// add keeps a statement that is in use. A text that is there already, being read, is not kept twice.
func (c *statements) add(s *prepared) {
	if c.byText[s.text] != nil {
		return
	}
	s.place = c.recent.PushFront(s)
	s.busy = true
	c.byText[s.text] = s.place
	if c.recent.Len() <= c.limit {
		return
	}
	for place := c.recent.Back(); place != nil; place = place.Prev() {
		if old := place.Value.(*prepared); !old.busy {
			c.remove(old)
			old.inner.Close()
			return
		}
	}
}

func (c *statements) remove(s *prepared) {
	c.recent.Remove(s.place)
	delete(c.byText, s.text)
	s.place = nil
}

func (c *statements) close() {
	for _, place := range c.byText {
		place.Value.(*prepared).inner.Close()
	}
	c.byText = map[string]*list.Element{}
	c.recent.Init()
}

// recentTexts remembers the last few texts that statements had, by their hashes.
type recentTexts struct {
	hashes [rareStatements]uint64
	next   int
}

var textSeed = maphash.MakeSeed()

// again remembers a text and reports whether it was among the last ones.
func (r *recentTexts) again(text string) bool {
	hash := maphash.String(textSeed, text)
	if slices.Contains(r.hashes[:], hash) {
		return true
	}
	r.hashes[r.next] = hash
	r.next = (r.next + 1) % len(r.hashes)
	return false
}

// prepared is a prepared statement of a driver.
type prepared struct {
	text    string
	inner   driver.Stmt
	queryer driver.StmtQueryContext
	execer  driver.StmtExecContext
	place   *list.Element // in the cache; nil if it is not kept
	busy    bool
}

func newPrepared(inner driver.Stmt, text string) (*prepared, error) {
	queryer, ok := inner.(driver.StmtQueryContext)
	execer, ok2 := inner.(driver.StmtExecContext)
	if !ok || !ok2 {
		inner.Close()
		return nil, errors.New("orm: the driver's statements lack the context methods of database/sql/driver")
	}
	return &prepared{text: text, inner: inner, queryer: queryer, execer: execer, busy: true}, nil
}

// check keeps a wrong number of arguments from reaching drivers that would misread it.
func (s *prepared) check(args []driver.NamedValue) error {
	if n := s.inner.NumInput(); n >= 0 && n != len(args) {
		return &Error{text: "the statement has another number of places than it was given arguments"}
	}
	return nil
}

func (s *prepared) query(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.check(args); err != nil {
		return nil, err
	}
	return s.queryer.QueryContext(ctx, args)
}

func (s *prepared) exec(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.check(args); err != nil {
		return nil, err
	}
	return s.execer.ExecContext(ctx, args)
}

// release makes the statement free for its next use.
func (s *prepared) release(c *statements) {
	if s.place == nil {
		s.inner.Close()
		return
	}
	s.busy = false
}

// drop closes a statement that failed: it may be out of date.
func (s *prepared) drop(c *statements) {
	if s.place != nil {
		c.remove(s)
	}
	s.inner.Close()
}
