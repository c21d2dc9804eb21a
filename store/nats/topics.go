package nats

import (
	"context"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

// The client makes the connection again by itself and subscribes anew. What is
// left to do is to notice that it did, before the first message from the new
// connection is delivered: the client's own notice may come later than that, so
// each message looks at how often the connection was made again.

// member is one subscription. The hub knows it by a number of its own: the client
// delivers to each subscription apart, so none shares another's.
type member struct {
	name    string
	subject string
	sub     *nats.Subscription

	mu    sync.Mutex
	epoch uint64 // of the connection that it has heard of
}

func (e *engine) epoch() uint64 { return e.conn.Stats().Reconnects }

// Publish implements store.PubSub.
func (e *engine) Publish(ctx context.Context, topic string, message []byte) error {
	if err := link.CheckValue(message, int(e.conn.MaxPayload())); err != nil {
		return err
	}
	o, err := e.begin(ctx, "publish", true, topic)
	if err != nil {
		return err
	}
	defer o.End()
	epoch := e.epoch()
	if err := e.conn.Publish(e.topics+encode(topic), message); err != nil {
		return o.failed(err)
	}
	if err := e.conn.FlushWithContext(o.ctx); err != nil {
		return o.failed(err)
	}
	if e.epoch() != epoch {
		return o.failed(errBroke) // another connection answered
	}
	return nil
}

// Subscribe implements store.PubSub.
func (e *engine) Subscribe(ctx context.Context, topic string) (store.Subscription, error) {
	if err := store.CheckKey(topic); err != nil {
		return nil, err
	}
	if e.Closed() {
		return nil, store.ErrClosed
	}
	e.mu.Lock()
	e.next++
	m := &member{name: strconv.FormatUint(e.next, 10), subject: e.topics + encode(topic)}
	e.members[m.name] = m
	e.mu.Unlock()
	sub, err := e.hub.Subscribe(ctx, m.name)
	if err != nil {
		e.forget(m.name)
	}
	return sub, err
}

func (e *engine) forget(name string) *member {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.members[name]
	delete(e.members, name)
	return m
}

// listen is the hub's.
func (e *engine) listen(ctx context.Context, name string) error {
	o, err := e.begin(ctx, "subscribe", false)
	if err != nil {
		return err
	}
	defer o.End()
	e.mu.Lock()
	m := e.members[name]
	e.mu.Unlock()
	m.mu.Lock()
	m.epoch = e.epoch()
	m.sub, err = e.conn.Subscribe(m.subject, func(message *nats.Msg) { e.deliver(m, message.Data) })
	m.mu.Unlock()
	if err != nil {
		return o.failed(err)
	}
	// The hub never waits, so what is pending is soon gone.
	err = m.sub.SetPendingLimits(-1, -1)
	if err == nil {
		err = e.conn.FlushWithContext(o.ctx)
	}
	if err != nil {
		_ = m.sub.Unsubscribe()
		return o.failed(err)
	}
	return nil
}

func (e *engine) unlisten(name string) {
	if m := e.forget(name); m != nil && m.sub != nil {
		_ = m.sub.Unsubscribe() // of a connection that is gone: nothing to take back
	}
}

func (e *engine) deliver(m *member, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.catchUp(m)
	e.hub.Deliver(m.name, data)
}

// catchUp marks the gap if the connection was made again. The member is locked.
func (e *engine) catchUp(m *member) {
	if epoch := e.epoch(); m.epoch != epoch {
		m.epoch = epoch
		e.hub.Lost(m.name)
		e.hub.Resumed(m.name)
	}
}

// disconnected is the client's notice. It may come when the connection has been
// made again already; then the next notice, or a message, marks the gap.
func (e *engine) disconnected() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broke()
	if e.Closed() {
		return
	}
	e.whole, e.broke = context.WithCancel(context.Background())
	if !e.conn.IsConnected() {
		e.hub.Lost()
	}
}

// reconnected is the client's notice. When the server answers it has read the
// subscriptions; when the connection breaks again, another notice follows.
func (e *engine) reconnected() {
	for e.conn.FlushTimeout(e.Timeout) != nil {
		if !e.conn.IsConnected() {
			return
		}
	}
	e.remake()
	e.mu.Lock()
	members := make([]*member, 0, len(e.members))
	for _, m := range e.members {
		members = append(members, m)
	}
	e.mu.Unlock()
	for _, m := range members {
		m.mu.Lock()
		e.catchUp(m)
		m.mu.Unlock()
	}
	e.hub.Resumed()
}

// remake makes the bucket anew if the server lost it, as one that keeps it in
// memory does when it is started again. What cannot be done now, operations report.
func (e *engine) remake() {
	o, err := e.begin(context.Background(), "open", false)
	if err != nil {
		return
	}
	defer o.End()
	_, _ = e.bucket(o.ctx)
}
