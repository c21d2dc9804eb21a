// Package store is shared state in two small interfaces: KV, a map of keys to
// bytes with expiry and compare-and-swap, and PubSub, messages by topic. Sessions,
// caches, rate limits and rooms take them, so one setting makes an application
// run on many nodes.
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
// A context that is marked by effect.WithShadow changes nothing: what a call
// would have written is reported to the shadow, and the call answers as if it had
// been written. Package storetest holds the tests that every engine passes; run
// them on an engine of your own.
package store
