package orm

import (
	"context"
	"strconv"
)

// Tx runs fn in a part of the transaction that is undone by itself (a savepoint) if fn returns an error or panics; the
// transaction can go on then. A collision (ErrSerialization) runs the outermost function again.
func (tx *Tx) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	c := tx.core
	inner, err := c.push(ctx, tx)
	if err != nil {
		return err
	}
	defer func() {
		if inner.state == txOpen {
			c.pop(ctx, inner, false)
		}
	}()
	if err := fn(inner); err != nil {
		return err
	}
	return c.pop(ctx, inner, true)
}

func (c *txCore) push(ctx context.Context, tx *Tx) (*Tx, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.usable(tx, "savepoint", ""); err != nil {
		return nil, err
	}
	if c.innermost != tx {
		return nil, &Error{Op: "savepoint", text: "a transaction inside of this one is running already: begin the next one on that, or wait for it"}
	}
	c.savepoints++
	inner := &Tx{core: c, parent: tx, name: "ishaa_" + strconv.Itoa(c.savepoints)}
	if err := c.savepoint(ctx, "SAVEPOINT "+inner.name); err != nil {
		return nil, err
	}
	c.innermost = inner
	return inner, nil
}

func (c *txCore) pop(ctx context.Context, inner *Tx, keep bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.innermost != inner {
		return &Error{Op: "savepoint", text: "a transaction inside of this one is still running: wait for its goroutine"}
	}
	inner.state = txRolledBack
	c.innermost = inner.parent
	ctx = context.WithoutCancel(ctx) // what was begun must be ended; the transaction's own context still counts
	if keep {
		err := c.usable(inner.parent, "savepoint", "")
		if err == nil {
			err = c.savepoint(ctx, "RELEASE SAVEPOINT "+inner.name)
		}
		if err == nil {
			inner.state = txCommitted
			inner.parent.after = append(inner.parent.after, inner.after...)
		}
		return err
	}
	// If this fails, the transaction is gone as a whole (a deadlock on MySQL, a lost connection), and what comes next
	// in it will say so.
	if c.over != nil || c.ended() != nil {
		return nil
	}
	if err := c.savepoint(ctx, "ROLLBACK TO SAVEPOINT "+inner.name); err == nil {
		c.collision = nil
		c.savepoint(ctx, "RELEASE SAVEPOINT "+inner.name)
	}
	return nil
}

func (c *txCore) savepoint(ctx context.Context, text string) error {
	start := c.db.began()
	_, err := c.tx.ExecContext(&call{Context: ctx, once: true}, text)
	err = c.failed(err, "savepoint", "")
	c.db.ran(ctx, start, &statement{text: text, verb: "savepoint"}, -1, true, err)
	return err
}
