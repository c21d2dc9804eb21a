package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

// Get implements store.KV.
func (e *engine) Get(ctx context.Context, key string) ([]byte, error) {
	o, err := e.BeginKey(ctx, "get", false, key)
	if err != nil {
		return nil, err
	}
	defer o.End()
	var value []byte
	err = e.row(o, true, e.sql.get, []any{[]byte(key)}, &value)
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotFound
	}
	return value, err
}

// GetMany implements store.KV.
func (e *engine) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	names := make([][]byte, len(keys))
	for i, key := range keys {
		if err := store.CheckKey(key); err != nil {
			return nil, err
		}
		names[i] = []byte(key)
	}
	o, err := e.Begin(ctx, "get many", false)
	if err != nil {
		return nil, err
	}
	defer o.End()
	found := make(map[string][]byte, len(keys))
	err = e.do(o, true, func(ctx context.Context) error {
		rows, err := e.pool.Query(ctx, e.sql.getMany, names)
		if err != nil {
			return err
		}
		var key, value []byte
		_, err = pgx.ForEachRow(rows, []any{&key, &value}, func() error {
			found[string(key)], value = value, nil
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// beginWrite checks what a write is given.
func (e *engine) beginWrite(ctx context.Context, name, key string, value []byte, ttl time.Duration) (*link.Operation, int64, error) {
	if err := link.CheckValue(value, link.MaxValue); err != nil {
		return nil, 0, err
	}
	ttl, err := store.CheckTTL(ttl)
	if err != nil {
		return nil, 0, err
	}
	o, err := e.BeginKey(ctx, name, true, key)
	return o, ttl.Milliseconds(), err
}

// notNull keeps an empty value apart from none.
func notNull(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// Set implements store.KV.
func (e *engine) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	o, ms, err := e.beginWrite(ctx, "set", key, value, ttl)
	if err != nil {
		return err
	}
	defer o.End()
	_, err = e.exec(o, e.sql.set, []byte(key), notNull(value), ms)
	return err
}

// Delete implements store.KV.
func (e *engine) Delete(ctx context.Context, key string) error {
	o, err := e.BeginKey(ctx, "delete", true, key)
	if err != nil {
		return err
	}
	defer o.End()
	_, err = e.exec(o, e.sql.delete, []byte(key))
	return err
}

// CompareAndSwap implements store.KV.
func (e *engine) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	o, ms, err := e.beginWrite(ctx, "compare and swap", key, value, ttl)
	if err != nil {
		return false, err
	}
	defer o.End()
	var touched int64
	switch {
	case old == nil && value == nil:
		var absent bool
		err = e.row(o, true, e.sql.absent, []any{[]byte(key)}, &absent)
		return absent, err
	case old == nil:
		touched, err = e.exec(o, e.sql.create1, []byte(key), value, ms)
	case value == nil:
		touched, err = e.exec(o, e.sql.remove, []byte(key), old)
	default:
		touched, err = e.exec(o, e.sql.replace, []byte(key), value, ms, old)
	}
	return touched == 1, err
}

// Increment implements store.KV.
func (e *engine) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	o, ms, err := e.beginWrite(ctx, "increment", key, nil, ttl)
	if err != nil {
		return 0, err
	}
	defer o.End()
	var sum int64
	err = e.row(o, false, e.sql.increment, []any{[]byte(key), delta, ms}, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotCounter
	}
	return sum, err
}

// Admit implements store.Limiter.
func (e *engine) Admit(ctx context.Context, key string, interval time.Duration, burst int64) (bool, time.Duration, error) {
	if err := store.CheckRate(interval, burst); err != nil {
		return false, 0, err
	}
	o, err := e.BeginKey(ctx, "admit", true, key)
	if err != nil {
		return false, 0, err
	}
	defer o.End()
	for {
		var ahead int64
		err = e.row(o, false, e.sql.admit, []any{[]byte(key), int64(interval), int64(interval) * burst}, &ahead)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return err == nil, time.Duration(ahead), err
		}
		var value []byte
		var now int64
		err = e.row(o, true, e.sql.peek, []any{[]byte(key)}, &value, &now)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // its time came just now
		}
		if err != nil {
			return false, 0, err
		}
		arrival, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return false, 0, fmt.Errorf("%w: the key of a rate limit holds something else", store.ErrNotCounter)
		}
		return false, time.Duration(max(arrival-now, 0)), nil
	}
}

// scanPage is how many keys one round trip brings.
const scanPage = 1000

// Scan implements store.KV.
func (e *engine) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		from, last, end := []byte(prefix), []byte{}, after(prefix)
		for {
			keys, err := e.page(ctx, from, last, end)
			if err != nil {
				yield("", err)
				return
			}
			for _, key := range keys {
				if err := ctx.Err(); err != nil {
					yield("", err)
					return
				}
				if !yield(string(key), nil) {
					return
				}
			}
			if len(keys) < scanPage {
				return
			}
			last = keys[len(keys)-1]
			from = last
		}
	}
}

func (e *engine) page(ctx context.Context, from, last, end []byte) (keys [][]byte, err error) {
	o, err := e.Begin(ctx, "scan", false)
	if err != nil {
		return nil, err
	}
	defer o.End()
	err = e.do(o, true, func(ctx context.Context) error {
		rows, err := e.pool.Query(ctx, e.sql.scan, from, last, end, scanPage)
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
		return err
	})
	return keys, err
}

// after gives the first key beyond all that begin with a prefix, nil when there is
// none.
func after(prefix string) []byte {
	end := []byte(prefix)
	for len(end) > 0 {
		if end[len(end)-1] < 0xff {
			end[len(end)-1]++
			return end
		}
		end = end[:len(end)-1]
	}
	return nil
}
