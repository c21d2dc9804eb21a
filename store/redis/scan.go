package redis

import (
	"context"
	"iter"
	"slices"

	"github.com/redis/rueidis"

	"github.com/ishaa-framework/ishaa/store"
)

// scanCount is how many keys the server looks at in one step: it does nothing else
// meanwhile.
const scanCount = 1000

// Scan implements store.KV. The server walks over all its keys, in no order and
// some of them twice.
func (e *engine) Scan(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		keys, err := e.keys(ctx, prefix)
		if err != nil {
			yield("", err)
			return
		}
		for _, key := range keys {
			switch {
			case e.Closed():
				err = store.ErrClosed
			default:
				err = ctx.Err()
			}
			if err != nil {
				yield("", err)
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (e *engine) keys(ctx context.Context, prefix string) ([]string, error) {
	seen := map[string]struct{}{}
	for _, node := range e.client.Nodes() {
		cursor := uint64(0)
		for {
			page, err := e.page(ctx, node, cursor, prefix)
			if err != nil {
				return nil, err
			}
			for _, key := range page.Elements {
				seen[key[len(e.prefix):]] = struct{}{}
			}
			if cursor = page.Cursor; cursor == 0 {
				break
			}
		}
	}
	keys := make([]string, 0, len(seen))
	for key := range seen {
		if store.CheckKey(key) == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (e *engine) page(ctx context.Context, node rueidis.Client, cursor uint64, prefix string) (rueidis.ScanEntry, error) {
	o, err := e.Begin(ctx, "scan", false)
	if err != nil {
		return rueidis.ScanEntry{}, err
	}
	defer o.End()
	page, err := node.Do(o.Context, node.B().Scan().Cursor(cursor).Match(pattern(e.prefix+prefix)).Count(scanCount).Build()).AsScanEntry()
	return page, failed(o, err)
}
