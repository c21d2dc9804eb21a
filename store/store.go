package store

import (
	"context"
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

	// GetMany returns the values of those keys that are there, in one round trip
	// where the engine can.
	GetMany(ctx context.Context, keys ...string) (map[string][]byte, error)

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
	// is, once. An error ends the sequence. The keys are gathered first on engines
	// that do not keep them in order: choose prefixes that match thousands of keys,
	// not millions.
	Scan(ctx context.Context, prefix string) iter.Seq2[string, error]
}

// PubSub sends messages by topic to whoever listens at the time. A topic follows
// the rules of a key. Messages up to 512 KiB work on every engine.
type PubSub interface {
	// Publish sends a message to all subscribers of a topic, on all nodes. Without
	// an error the engine has it.
	Publish(ctx context.Context, topic string, message []byte) error

	// Subscribe listens to a topic: to every message that is published after it
	// returned, until the context ends or the subscription is closed.
	Subscribe(ctx context.Context, topic string) (Subscription, error)
}

// Message is what a subscription gives: a message, or the marker of a gap.
type Message struct {
	// Data is what was published. Subscribers share it: do not change it.
	Data []byte

	// Gap is not nil for a marker, which has no data: between the messages before
	// it and those after it some may be missing, since the subscriber was Backlog
	// messages behind (ErrSlow) or the engine was away (ErrUnavailable). Whoever
	// keeps a copy of something reads it anew.
	Gap error
}

// Subscription is one listener of a topic. It outlives the engine's absence: the
// connection is made again by itself, with growing waits, and the place of what
// may be missing is marked.
type Subscription interface {
	// Messages gives each message once, in the order they were published by each
	// publisher, and a marker wherever some may be missing. The channel is closed
	// when the subscription ends.
	Messages() <-chan Message

	// Live reports whether messages arrive now: false from when the connection to
	// the engine is known to be lost until the marker of the gap is given, and after
	// the end. Copies that messages keep fresh are to be trusted only while it is
	// true.
	Live() bool

	// Err says why the subscription ended: nil while it lasts and after Close, the
	// context's error, or ErrClosed.
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

// Backlog is how many messages a subscriber may be behind. Beyond that it misses
// messages, which a marker with ErrSlow says.
const Backlog = 1024

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
