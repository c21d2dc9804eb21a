// Package store is shared state in two small interfaces: KV, a map of keys to
// bytes with expiry and compare-and-swap, and PubSub, messages by topic. Sessions,
// caches, rate limits and rooms take them, so one setting makes an application
// run on many nodes. An engine that counts rate limits by itself is a Limiter too.
//
//	st, err := store.Open("memory://") // or redis://…, nats://…, postgres://…
//	if err != nil {
//		return err
//	}
//	defer st.Close()
//	err = st.Set(ctx, "greeting", []byte("hello"), time.Minute)
//	value, err := st.Get(ctx, "greeting") // store.ErrNotFound after a minute
//
// The engine memory:// is part of the package and lives in the process. The
// others register themselves when their package is imported:
//
//	import _ "github.com/ishaa-framework/ishaa/store/redis"
//
// When an engine's server is away, operations fail with an UnavailableError, which
// names the store and says whether a write may have been carried out. The
// connection is made again by itself; subscriptions outlive the outage and give a
// marker where messages may be missing.
//
// A context that is marked by effect.WithShadow changes nothing: what a call
// would have written is reported to the shadow, and the call answers as if it had
// been written. Package storetest holds the tests that every engine passes; run
// them on an engine of your own, which finds the near side of PubSub in Hub.
package store
