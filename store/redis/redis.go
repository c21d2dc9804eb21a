// Package redis is the engine of package store for Redis 6 and later, Valkey and
// what speaks their protocol. Importing it makes redis:// and rediss:// (TLS)
// known to store.Open:
//
//	import (
//		"github.com/ishaa-framework/ishaa/store"
//		_ "github.com/ishaa-framework/ishaa/store/redis"
//	)
//
//	st, err := store.Open("redis://:secret@127.0.0.1:6379/0?prefix=shop:")
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	visits, err := st.Increment(ctx, "visits", 1, 24*time.Hour)
//
// Options of the URL are prefix, which stands before every key and topic, and
// timeout, which is how long an operation may take whose context does not say
// (default 3s); what else there is goes to the client. Several addr=host:port name
// the nodes of a cluster, master_set a set of sentinels.
//
// Every method is one round trip, but for Scan, which walks over all keys of the
// database: keep what is scanned in a database of its own when others fill it. The
// server decides when a key is expired. It must not evict keys
// (maxmemory-policy noeviction): a session or a count that vanishes is one that
// never was.
package redis

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

func init() {
	store.Register("redis", open)
	store.Register("rediss", open)
}

type engine struct {
	*link.Link
	client   rueidis.Client
	prefix   string // of keys
	channels string // of topics: databases of one server share them
	listener *link.Listener
}

// Client returns the client of a store that is Redis, for what only Redis can do.
// It belongs to the store.
func Client(st store.Store) (rueidis.Client, bool) {
	if wrapped, ok := st.(interface{ Unwrap() store.Store }); ok {
		st = wrapped.Unwrap()
	}
	e, ok := st.(*engine)
	if !ok {
		return nil, false
	}
	return e.client, true
}

func open(address *url.URL) (store.Store, error) {
	u := *address
	l, err := link.New(&u)
	if err != nil {
		return nil, err
	}
	prefix := link.Option(&u, "prefix")
	option, err := rueidis.ParseURL(u.String())
	if err != nil {
		return nil, err
	}
	setDefault(&option.Dialer.Timeout, l.Timeout)
	setDefault(&option.Dialer.KeepAlive, min(time.Second, l.Timeout))
	setDefault(&option.ConnWriteTimeout, l.Timeout)
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	// The client would repeat reads until the context ends. A caller is better told
	// at once.
	option.DisableRetry = true
	client, err := rueidis.NewClient(option)
	if err != nil {
		if _, answered := rueidis.IsRedisErr(err); answered {
			return nil, err
		}
		return nil, l.Unreachable(err)
	}
	e := &engine{Link: l, client: client, prefix: prefix, channels: strconv.Itoa(option.SelectDB) + ":" + prefix}
	e.listener = link.NewListener(l, e.dial)
	return e, nil
}

func setDefault(field *time.Duration, value time.Duration) {
	if *field == 0 {
		*field = value
	}
}

// failed turns an error of the client into the store's.
func failed(o *link.Operation, err error) error {
	answer, answered := rueidis.IsRedisErr(err)
	switch {
	case err == nil:
		return nil
	case !answered:
		return o.Away(err)
	case answer.IsLoading(), answer.IsClusterDown(), answer.IsTryAgain():
		return o.Unsent(err)
	}
	return o.Refused(err)
}

// connections is how many connections the client has to one server at most.
const connections = 4

// ask carries out a command that changes nothing: again when an old connection
// turns out to be broken.
func (e *engine) ask(o *link.Operation, command func() rueidis.Completed) rueidis.RedisResult {
	return again(o, func() rueidis.RedisResult { return e.client.Do(o.Context, command()) })
}

// again carries out what does no harm when it is done twice. The client learns that
// a connection is broken by using it, and picks one at random: after an outage as
// many attempts may fail as it has connections, and the one after them is on a new
// one. What fails in the end gives the first error, since only that one knows what
// may have been carried out.
func again(o *link.Operation, do func() rueidis.RedisResult) rueidis.RedisResult {
	first := do()
	result := first
	for n := range connections {
		err := result.NonRedisError()
		if err == nil || errors.Is(err, rueidis.Nil) {
			return result
		}
		if o.Context.Err() != nil || n > 0 && link.NotSent(err) {
			break
		}
		result = do()
	}
	if result.NonRedisError() == nil {
		return result
	}
	return first
}

// Get implements store.KV.
func (e *engine) Get(ctx context.Context, key string) ([]byte, error) {
	o, err := e.BeginKey(ctx, "get", false, key)
	if err != nil {
		return nil, err
	}
	defer o.End()
	value, err := e.ask(o, func() rueidis.Completed { return e.client.B().Get().Key(e.prefix + key).Build() }).ToString()
	if rueidis.IsRedisNil(err) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, failed(o, err)
	}
	return []byte(value), nil
}

// GetMany implements store.KV.
func (e *engine) GetMany(ctx context.Context, keys ...string) (map[string][]byte, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		if err := store.CheckKey(key); err != nil {
			return nil, err
		}
		names[i] = e.prefix + key
	}
	o, err := e.Begin(ctx, "get many", false)
	if err != nil {
		return nil, err
	}
	defer o.End()
	found := make(map[string][]byte, len(keys))
	if len(keys) == 0 {
		return found, nil
	}
	values, err := rueidis.MGet(e.client, o.Context, names)
	if err != nil {
		return nil, failed(o, err)
	}
	for name, message := range values {
		value, err := message.ToString()
		switch {
		case err == nil:
			found[name[len(e.prefix):]] = []byte(value)
		case !rueidis.IsRedisNil(err):
			return nil, failed(o, err)
		}
	}
	return found, nil
}

// beginWrite checks what a write is given.
func (e *engine) beginWrite(ctx context.Context, name, key string, value []byte, ttl time.Duration) (*link.Operation, time.Duration, error) {
	if err := link.CheckValue(value, link.MaxValue); err != nil {
		return nil, 0, err
	}
	ttl, err := store.CheckTTL(ttl)
	if err != nil {
		return nil, 0, err
	}
	o, err := e.BeginKey(ctx, name, true, key)
	return o, ttl, err
}

// Set implements store.KV.
func (e *engine) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	o, ttl, err := e.beginWrite(ctx, "set", key, value, ttl)
	if err != nil {
		return err
	}
	defer o.End()
	set := e.client.B().Set().Key(e.prefix + key).Value(string(value))
	command := set.Build
	if ttl > 0 {
		command = set.PxMilliseconds(ttl.Milliseconds()).Build
	}
	return failed(o, e.client.Do(o.Context, command()).Error())
}

// Delete implements store.KV.
func (e *engine) Delete(ctx context.Context, key string) error {
	o, err := e.BeginKey(ctx, "delete", true, key)
	if err != nil {
		return err
	}
	defer o.End()
	return failed(o, e.client.Do(o.Context, e.client.B().Del().Key(e.prefix+key).Build()).Error())
}

// Publish implements store.PubSub.
func (e *engine) Publish(ctx context.Context, topic string, message []byte) error {
	if err := link.CheckValue(message, link.MaxValue); err != nil {
		return err
	}
	o, err := e.BeginKey(ctx, "publish", true, topic)
	if err != nil {
		return err
	}
	defer o.End()
	return failed(o, e.client.Do(o.Context, e.client.B().Publish().Channel(e.channels+topic).Message(string(message)).Build()).Error())
}

// Subscribe implements store.PubSub.
func (e *engine) Subscribe(ctx context.Context, topic string) (store.Subscription, error) {
	if e.Closed() {
		return nil, store.ErrClosed
	}
	return e.listener.Hub.Subscribe(ctx, topic)
}

// Close implements store.Store.
func (e *engine) Close() error {
	if !e.Link.Close() {
		return nil
	}
	e.listener.Hub.Close()
	e.Wait()
	e.client.Close()
	return nil
}

// notCounter reports whether Redis said that a value does not count.
func notCounter(err error) bool {
	answer, answered := rueidis.IsRedisErr(err)
	if !answered {
		return false
	}
	switch strings.TrimPrefix(answer.Error(), "ERR ") {
	case "value is not an integer or out of range", "increment or decrement would overflow", notCounterReply:
		return true
	}
	return false
}

var errReply = errors.New("an answer that is not understood")

func unexpected(o *link.Operation, what any) error {
	return o.Refused(fmt.Errorf("%w: %v", errReply, what))
}
