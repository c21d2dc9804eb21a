package cache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// ErrTooLarge is what Set returns for a value beyond Options.MaxValue.
var ErrTooLarge = errors.New("cache: the value is larger than Options.MaxValue")

// Get returns the value that is kept under a key and still fresh. A value that does
// not fit T, as one that another version of the program kept, is none.
func Get[T any](ctx context.Context, c *Cache, key string) (T, bool) {
	effect.Read(ctx, c.source, "")
	var none T
	stored, err := c.storeKey(key)
	if err != nil {
		return none, false
	}
	e, _ := c.find(ctx, stored)
	if e == nil || c.now().UnixMilli() >= e.fresh {
		return none, false
	}
	value, err := decode[T](e)
	return value, err == nil
}

// Set keeps a value for ttl, or Options.DefaultTTL if that is 0, in the place of
// what was there, on all nodes. It is an error if the value cannot be written as
// JSON or is too large, and if the store failed.
func (c *Cache) Set(ctx context.Context, key string, value any, ttl time.Duration, options ...Option) error {
	stored, err := c.storeKey(key)
	if err != nil {
		return err
	}
	k, data, err := encode(value)
	if err != nil {
		return err
	}
	if len(data) > c.options.MaxValue {
		return fmt.Errorf("%w: %d bytes under %q", ErrTooLarge, len(data), key)
	}
	r := newRule(options)
	fresh, kept := c.lifetime(ttl, r)
	if effect.Shadow(ctx) {
		digest := sha256.Sum256(data)
		return c.intend(ctx, key, "set "+strconv.Itoa(len(data))+" bytes "+hex.EncodeToString(digest[:8])+" for "+fresh.String())
	}
	defer effect.Wrote(c.source, "")
	versions, agreed := c.versions(ctx, r.tags)
	if !agreed {
		c.changed(stored)
		return fmt.Errorf("cache: storing a value: %w", errAway)
	}
	return c.put(ctx, stored, newEntry(k, data, c.now(), fresh, kept, versions))
}

// Delete forgets keys, on all nodes. A load of one of them that is under way is not
// kept.
func (c *Cache) Delete(ctx context.Context, keys ...string) error {
	var failures []error
	for _, key := range keys {
		stored, err := c.storeKey(key)
		if err == nil {
			if effect.Shadow(ctx) {
				err = c.intend(ctx, key, "delete")
			} else {
				err = c.drop(ctx, stored)
			}
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// Invalidate drops all values and answers with one of the tags, on all nodes,
// whether they are kept or on their way.
func (c *Cache) Invalidate(ctx context.Context, tags ...string) error {
	var failures []error
	for _, tag := range tags {
		if effect.Shadow(ctx) {
			_ = c.intend(ctx, tag, "invalidate")
			continue
		}
		failures = append(failures, c.replaceTag(ctx, tagNumber(tag)))
	}
	return errors.Join(failures...)
}

// Clear drops everything, on all nodes.
func (c *Cache) Clear(ctx context.Context) error {
	if effect.Shadow(ctx) {
		return c.intend(ctx, c.options.Name, "clear")
	}
	return c.replaceTag(ctx, everything)
}

func (c *Cache) intend(ctx context.Context, target, detail string) error {
	effect.Intend(ctx, effect.Intent{Kind: "cache", Target: target, Detail: detail})
	return nil
}

// Remember returns the value that is kept under a key, or else loads it and keeps it
// for ttl, or Options.DefaultTTL if that is 0.
//
// Of many callers that miss the same key at once one loads. The load has the values
// of that caller's context, but not its end, so that a caller who goes away takes
// nobody with him; and not its request, since what it makes is for everybody: what
// the value depends on belongs into the key. It ends when no caller is left. A load's
// error goes to all who wait and is not kept; so does a panic, as an
// *ishaa.PanicError.
//
// What the callers get is the value after it was written and read back, the first
// one too.
func Remember[T any](ctx context.Context, c *Cache, key string, ttl time.Duration, load func(context.Context) (T, error), options ...Option) (T, error) {
	effect.Read(ctx, c.source, "")
	var none T
	stored, err := c.storeKey(key)
	if err != nil {
		return none, err
	}
	r := newRule(options)
	l := loading{rule: r}
	l.fresh, l.kept = c.lifetime(ttl, r)
	l.make = func(ctx context.Context) (kind, []byte, error) {
		value, err := load(ctx)
		if err != nil {
			return 0, nil, err
		}
		return encodeAs(value)
	}
	e, seen := c.find(ctx, stored)
	if e != nil {
		if value, err := decode[T](e); err == nil {
			if c.now().UnixMilli() < e.fresh {
				return value, nil
			}
			if !effect.Shadow(ctx) {
				c.refresh(ctx, stored, l)
				return value, nil
			}
		} else {
			l.unfit = e
		}
	}
	if effect.Shadow(ctx) {
		return load(ctx)
	}
	l.seen = seen
	e, err = c.await(ctx, stored, l)
	if err != nil {
		return none, err
	}
	return decode[T](e)
}

// await gets the value of the key's flight.
func (c *Cache) await(ctx context.Context, key string, l loading) (*entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := c.fly(ctx, key, l)
	if f == nil { // closed
		k, data, err := protected(ctx, l.make)
		return &entry{kind: k, data: data}, err
	}
	defer c.leave(f)
	select {
	case <-f.done:
		return f.entry, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// refresh loads a value that a stale one stands in for meanwhile.
func (c *Cache) refresh(ctx context.Context, key string, l loading) {
	timeout := c.options.LoadTimeout
	load := l.make
	l.make = func(ctx context.Context) (kind, []byte, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return load(ctx)
	}
	l.background = true
	c.flights.mu.Lock()
	flying := c.flights.byKey[key] != nil
	c.flights.mu.Unlock()
	if !flying {
		c.fly(ctx, key, l)
	}
}

// encode writes a value for keeping.
func encode(value any) (kind, []byte, error) {
	switch v := value.(type) {
	case []byte:
		return kindBytes, bytes.Clone(v), nil
	case string:
		return kindBytes, []byte(v), nil
	}
	return encodeJSON(value)
}

func encodeJSON(value any) (kind, []byte, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return 0, nil, fmt.Errorf("cache: a %T cannot be kept: %w", value, err)
	}
	return kindJSON, data, nil
}

// encodeAs is encode by the type that decode will be asked for.
func encodeAs[T any](value T) (kind, []byte, error) {
	switch any(&value).(type) {
	case *[]byte, *string:
		return encode(any(value))
	}
	return encodeJSON(value)
}

var errKind = errors.New("cache: the value under this key is of another type")

// decode reads a value back: a new one for every caller, unless it is one that
// nobody can change.
func decode[T any](e *entry) (T, error) {
	var value T
	switch p := any(&value).(type) {
	case *[]byte:
		if e.kind != kindBytes {
			return value, errKind
		}
		*p = bytes.Clone(e.data)
		return value, nil
	case *string:
		if e.kind != kindBytes {
			return value, errKind
		}
		*p = string(e.data)
		return value, nil
	}
	if e.kind != kindJSON {
		return value, errKind
	}
	if shared := e.plain.Load(); shared != nil {
		if value, ok := (*shared).(T); ok {
			return value, nil
		}
	}
	if err := json.Unmarshal(e.data, &value); err != nil {
		return value, fmt.Errorf("cache: reading a value back: %w", err)
	}
	if isPlain(reflect.TypeFor[T]()) {
		var shared any = value
		e.plain.Store(&shared)
	}
	return value, nil
}

var plainTypes sync.Map // reflect.Type to bool

// isPlain reports types whose values share nothing: copying one copies all of it.
func isPlain(t reflect.Type) bool {
	if known, ok := plainTypes.Load(t); ok {
		return known.(bool)
	}
	plain := plainKind(t)
	plainTypes.Store(t, plain)
	return plain
}

func plainKind(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		return true
	case reflect.Array:
		return plainKind(t.Elem())
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return true
		}
		for i := range t.NumField() {
			if !plainKind(t.Field(i).Type) {
				return false
			}
		}
		return true
	}
	return false
}
