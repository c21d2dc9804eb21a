package nats

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

// A key's time to live is a header: milliseconds from when the server stored the
// message, or, when a counter keeps the time it began with, milliseconds since
// 1970 on the server's clock.
const (
	ttlHeader     = "Ishaa-Ttl"
	expiresHeader = "Ishaa-Expires"
	markerHeader  = "KV-Operation" // a deletion by JetStream's own tools
)

// entry is what the bucket holds for a key.
type entry struct {
	sequence uint64 // of the message; 0 when there is none
	live     bool   // it is a value whose time is not up
	value    []byte
	expires  time.Time
}

func readEntry(sequence uint64, stored time.Time, header nats.Header, value []byte) entry {
	e := entry{sequence: sequence, value: value}
	if ms, err := strconv.ParseInt(header.Get(ttlHeader), 10, 64); err == nil {
		e.expires = stored.Add(time.Duration(ms) * time.Millisecond)
	} else if ms, err := strconv.ParseInt(header.Get(expiresHeader), 10, 64); err == nil {
		e.expires = time.UnixMilli(ms)
	}
	e.live = header.Get(markerHeader) == "" && (e.expires.IsZero() || time.Now().Before(e.expires))
	return e
}

// read gives what there is for a key.
func (e *engine) read(o *operation, key string) (entry, error) {
	message, err := e.stream.GetLastMsgForSubject(o.ctx, e.keys+encode(key))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return entry{}, nil
	}
	if err != nil {
		return entry{}, err
	}
	return readEntry(message.Sequence, message.Time, message.Header, message.Data), nil
}

// errOutrun is that something came between reading a key and writing it.
var errOutrun = errors.New("the key was changed meanwhile")

// write stores a value if the key's last message still is the one that was read,
// or, with no entry given, whatever it is.
func (e *engine) write(o *operation, key string, after *entry, value []byte, ttl time.Duration, expires time.Time) error {
	message := nats.NewMsg(e.keys + encode(key))
	message.Data = value
	switch {
	case !expires.IsZero():
		message.Header.Set(expiresHeader, strconv.FormatInt(expires.UnixMilli(), 10))
	case ttl > 0:
		message.Header.Set(ttlHeader, strconv.FormatInt(ttl.Milliseconds(), 10))
	}
	var options []jetstream.PublishOpt
	if after != nil {
		options = append(options, jetstream.WithExpectLastSequencePerSubject(after.sequence))
	}
	_, err := e.js.PublishMsg(o.ctx, message, options...)
	var answer *jetstream.APIError
	if errors.As(err, &answer) {
		switch answer.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant:
			return errOutrun
		}
	}
	return err
}

// remove deletes a key if its last message still is the one that was read: a key
// keeps one message, so another that came took it away.
func (e *engine) remove(o *operation, key string, it entry) error {
	err := e.stream.DeleteMsg(o.ctx, it.sequence)
	if !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return err
	}
	now, readErr := e.read(o, key)
	switch {
	case readErr != nil:
		return readErr
	case now.sequence == it.sequence:
		return err
	}
	return errOutrun
}

// Get implements store.KV.
func (e *engine) Get(ctx context.Context, key string) ([]byte, error) {
	o, err := e.begin(ctx, "get", false, key)
	if err != nil {
		return nil, err
	}
	defer o.End()
	it, err := e.read(o, key)
	switch {
	case err != nil:
		return nil, o.failed(err)
	case !it.live:
		return nil, store.ErrNotFound
	}
	return notNil(it.value), nil
}

func notNil(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}

// manyAtOnce is how many keys GetMany asks for at a time.
const manyAtOnce = 32

// GetMany implements store.KV. The server knows no request for many; they are sent
// one after another without waiting.
func (e *engine) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	return e.getMany(ctx, "get many", keys)
}

func (e *engine) getMany(ctx context.Context, name string, keys []string) (map[string][]byte, error) {
	o, err := e.begin(ctx, name, false, keys...)
	if err != nil {
		return nil, err
	}
	defer o.End()
	var (
		mu     sync.Mutex
		found  = make(map[string][]byte, len(keys))
		failed error
		next   int
	)
	take := func() (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil || next == len(keys) {
			return "", false
		}
		next++
		return keys[next-1], true
	}
	var running sync.WaitGroup
	for range min(manyAtOnce, len(keys)) {
		running.Go(func() {
			for key, more := take(); more; key, more = take() {
				it, err := e.read(o, key)
				mu.Lock()
				if err != nil {
					failed = err
				} else if it.live {
					found[key] = notNil(it.value)
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	if failed != nil {
		return nil, o.failed(failed)
	}
	return found, nil
}

// beginWrite checks what a write is given.
func (e *engine) beginWrite(ctx context.Context, name, key string, value []byte, ttl time.Duration) (*operation, time.Duration, error) {
	ttl, err := store.CheckTTL(ttl)
	if err != nil {
		return nil, 0, err
	}
	if err := link.CheckValue(value, int(e.conn.MaxPayload())); err != nil {
		return nil, 0, err
	}
	o, err := e.begin(ctx, name, true, key)
	return o, ttl, err
}

// Set implements store.KV.
func (e *engine) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	o, ttl, err := e.beginWrite(ctx, "set", key, value, ttl)
	if err != nil {
		return err
	}
	defer o.End()
	return o.failed(e.write(o, key, nil, value, ttl, time.Time{}))
}

// Delete implements store.KV.
func (e *engine) Delete(ctx context.Context, key string) error {
	o, err := e.begin(ctx, "delete", true, key)
	if err != nil {
		return err
	}
	defer o.End()
	it, err := e.read(o, key)
	if err != nil || it.sequence == 0 {
		return o.failed(err)
	}
	err = e.remove(o, key, it)
	if errors.Is(err, errOutrun) {
		return nil // what was there is gone, and what came came after
	}
	return o.failed(err)
}

var laneSeed = maphash.MakeSeed()

// change reads a key and has decide write it, again and again until nothing came
// between. Within a process those who change a key go one after another, so that
// only nodes compete.
func (e *engine) change(o *operation, key string, decide func(it entry) error) error {
	lane := e.lanes[maphash.String(laneSeed, key)%uint64(len(e.lanes))]
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-o.ctx.Done():
		return o.Unsent(o.ctx.Err())
	}
	for attempt := 0; ; attempt++ {
		it, err := e.read(o, key)
		if err != nil {
			return o.Unsent(err)
		}
		err = decide(it)
		if !errors.Is(err, errOutrun) {
			return err
		}
		if attempt > 0 && !link.Sleep(o.ctx, rand.N(time.Millisecond<<min(attempt, 5))) {
			return o.Unsent(o.ctx.Err())
		}
	}
}

// CompareAndSwap implements store.KV.
func (e *engine) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	o, ttl, err := e.beginWrite(ctx, "compare and swap", key, value, ttl)
	if err != nil {
		return false, err
	}
	defer o.End()
	swapped := false
	err = e.change(o, key, func(it entry) error {
		if it.live != (old != nil) || it.live && !bytes.Equal(it.value, old) {
			return nil
		}
		var err error
		switch {
		case value != nil:
			err = e.write(o, key, &it, value, ttl, time.Time{})
		case it.live:
			err = e.remove(o, key, it)
		}
		if errors.Is(err, errOutrun) {
			return err
		}
		swapped = err == nil
		return o.failed(err)
	})
	return swapped, err
}

// Increment implements store.KV.
func (e *engine) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	o, ttl, err := e.beginWrite(ctx, "increment", key, nil, ttl)
	if err != nil {
		return 0, err
	}
	defer o.End()
	var sum int64
	err = e.change(o, key, func(it entry) error {
		expires := time.Time{}
		sum = delta
		if it.live {
			n, err := strconv.ParseInt(string(it.value), 10, 64)
			if err != nil || strconv.FormatInt(n, 10) != string(it.value) ||
				delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
				return store.ErrNotCounter
			}
			sum, expires, ttl = n+delta, it.expires, 0
		}
		err := e.write(o, key, &it, strconv.AppendInt(nil, sum, 10), ttl, expires)
		if errors.Is(err, errOutrun) {
			return err
		}
		return o.failed(err)
	})
	if err != nil {
		return 0, err
	}
	return sum, nil
}
