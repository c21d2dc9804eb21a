package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// KV is a map of keys to bytes. A key is 1 to MaxKey bytes of any kind. Values
// up to 512 KiB work on every engine; beyond an engine's own limit the error is
// ErrTooLarge. A time to live is kept to the millisecond, rounded up; 0 is for
// ever, less is an error. All methods may be called by any goroutine.
type KV interface {
	// Get returns a key's value, which is the caller's, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)

	// Set stores a value, whatever was there, with a new time to live.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Delete removes a key. One that is not there is no error.
	Delete(ctx context.Context, key string) error

	// CompareAndSwap replaces a value if it still is old, and reports whether it
	// did. A nil old means that the key must not be there; a nil value deletes the
	// key. The time to live starts anew.
	CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error)

	// Increment adds delta to a counter and returns the sum. A key that is not
	// there counts from 0 and gets the time to live; one that is there keeps its
	// own. Counters are decimal text, as Get returns it. A value that is not one,
	// or a sum beyond int64, is ErrNotCounter and changes nothing.
	Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error)

	// Scan gives the keys that begin with a prefix, in the order of their bytes.
	// Keys that come or go meanwhile may or may not be among them; every other key
	// is, once. An error ends the sequence.
	Scan(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// PubSub sends messages by topic to whoever listens at the time. A topic follows
// the rules of a key.
type PubSub interface {
	// Publish sends a message to all subscribers of a topic, on all nodes.
	Publish(ctx context.Context, topic string, message []byte) error

	// Subscribe listens to a topic: to every message that is published after it
	// returned, until the context ends or the subscription is closed.
	Subscribe(ctx context.Context, topic string) (Subscription, error)
}

// Subscription is one listener of a topic.
type Subscription interface {
	// Messages gives the messages in the order they were published by each
	// publisher. They are not to be changed. The channel is closed when the
	// subscription ends.
	Messages() <-chan []byte

	// Err says why the subscription ended: nil while it lasts and after Close, the
	// context's error, ErrSlow, ErrClosed or ErrUnavailable.
	Err() error

	// Close ends the subscription. Closing again does nothing.
	Close() error
}

// Store is an engine: both interfaces on one connection.
type Store interface {
	KV
	PubSub
	// Close ends all subscriptions and gives up the connection. Every later call
	// is ErrClosed; a second Close does nothing.
	Close() error
}

// MaxKey is the length of the longest key or topic, in bytes.
const MaxKey = 1024

// Backlog is how many messages a subscriber may be behind before it is ended
// with ErrSlow: that it missed some must not go unseen.
const Backlog = 1024

// Errors that callers tell apart, by errors.Is.
var (
	ErrNotFound    = errors.New("store: there is no such key")
	ErrClosed      = errors.New("store: it is closed")
	ErrNotCounter  = errors.New("store: the value is not a counter, or would overflow")
	ErrTooLarge    = errors.New("store: the value is larger than the engine takes")
	ErrSlow        = errors.New("store: the subscriber was too far behind and missed messages")
	ErrUnavailable = errors.New("store: the engine cannot be reached")
)

// CheckKey returns an error for a key or topic that no engine takes. Engines
// call it first.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("store: a key of %d bytes: give it 1 to %d", len(key), MaxKey)
	}
	return nil
}

// CheckTTL returns the time to live in whole milliseconds, rounded up, or an
// error for a negative one. Engines call it first.
func CheckTTL(ttl time.Duration) (time.Duration, error) {
	if ttl < 0 {
		return 0, fmt.Errorf("store: a time to live of %v: give 0 for ever, or a positive one", ttl)
	}
	if rest := ttl % time.Millisecond; rest > 0 {
		ttl += time.Millisecond - rest
	}
	return ttl, nil
}
