package store

import (
	"context"
	"slices"
	"sync"
)

// Hub is the near side of PubSub, for engines: it knows who in this process
// listens to which topic, so that an engine subscribes to a topic once and keeps
// one connection for all. The engine calls Deliver for what arrives, Lost when its
// connection fails, and Resumed when it listens again to all of Topics.
//
// A publisher never waits for a subscriber: one that is Backlog messages behind
// misses what follows and is told so.
type Hub struct {
	listen   func(ctx context.Context, topic string) error
	unlisten func(topic string)

	mu     sync.Mutex
	topics map[string]*hubTopic
	away   bool
	closed bool
}

// hubTopic is kept while somebody listens or is about to. Its lane orders what
// the engine is told about the topic.
type hubTopic struct {
	users int // subscriptions and those that are being made; guarded by Hub.mu
	feeds map[*feed]struct{}
	lane  chan struct{}
}

// NewHub returns a hub. Listen has the engine send a topic's messages; it returns
// when those published from then on will arrive and all that arrived before were
// delivered. It is called for each subscription, so it may be called again for a
// topic that is listened to. Unlisten takes it back. Both may be nil.
func NewHub(listen func(ctx context.Context, topic string) error, unlisten func(topic string)) *Hub {
	if listen == nil {
		listen = func(context.Context, string) error { return nil }
	}
	if unlisten == nil {
		unlisten = func(string) {}
	}
	return &Hub{listen: listen, unlisten: unlisten, topics: map[string]*hubTopic{}}
}

// Subscribe implements PubSub.
func (h *Hub) Subscribe(ctx context.Context, topic string) (Subscription, error) {
	if err := CheckKey(topic); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t, err := h.enter(topic)
	if err != nil {
		return nil, err
	}
	f, err := h.join(ctx, topic, t)
	if err != nil {
		h.leave(topic, t)
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.release = context.AfterFunc(ctx, func() { f.end(ctx.Err()) })
	return f, nil
}

func (h *Hub) enter(topic string) (*hubTopic, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	t := h.topics[topic]
	if t == nil {
		t = &hubTopic{feeds: map[*feed]struct{}{}, lane: make(chan struct{}, 1)}
		h.topics[topic] = t
	}
	t.users++
	return t, nil
}

// join listens, then adds a subscription, so that it hears nothing of what was
// published before.
func (h *Hub) join(ctx context.Context, topic string, t *hubTopic) (*feed, error) {
	select {
	case t.lane <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.lane }()
	if err := h.listen(ctx, topic); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	f := &feed{live: !h.away, messages: make(chan Message, Backlog+1)}
	f.leave = func() {
		h.mu.Lock()
		delete(t.feeds, f)
		h.mu.Unlock()
		h.leave(topic, t)
	}
	t.feeds[f] = struct{}{}
	return f, nil
}

// leave gives up one use of a topic. The last one has the engine forget it; the
// topic stays in the map until that is done, so that whoever comes meanwhile
// listens after it.
func (h *Hub) leave(topic string, t *hubTopic) {
	h.mu.Lock()
	t.users--
	last := t.users == 0
	h.mu.Unlock()
	if !last {
		return
	}
	t.lane <- struct{}{}
	defer func() { <-t.lane }()
	h.mu.Lock()
	last = t.users == 0 && h.topics[topic] == t
	closed := h.closed
	h.mu.Unlock()
	if !last {
		return
	}
	if !closed {
		h.unlisten(topic)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.users == 0 {
		delete(h.topics, topic)
	}
}

// Deliver gives a message to a topic's subscribers. The hub keeps it: it must not
// change any more.
func (h *Hub) Deliver(topic string, message []byte) {
	if message == nil {
		message = []byte{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.topics[topic]; t != nil {
		for f := range t.feeds {
			f.push(Message{Data: message})
		}
	}
}

// Lost says that the connection failed: messages of these topics, or of all, may
// be missing from here on.
func (h *Hub) Lost(topics ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(topics) == 0 {
		h.away = true
	}
	h.each(topics, func(f *feed) { f.setLive(false) })
}

// Resumed says that the engine listens again to these topics, or to all. Call it
// before their first message is delivered. Subscriptions that were there when it
// was lost get the marker of the gap.
func (h *Hub) Resumed(topics ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(topics) == 0 {
		h.away = false
	}
	h.each(topics, (*feed).resume)
}

// Topics gives what is to be listened to, in order.
func (h *Hub) Topics() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	topics := make([]string, 0, len(h.topics))
	for topic, t := range h.topics {
		if t.users > 0 {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics
}

// Close ends all subscriptions with ErrClosed.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	var all []*feed
	h.each(nil, func(f *feed) { all = append(all, f) })
	h.mu.Unlock()
	for _, f := range all {
		f.end(ErrClosed)
	}
}

func (h *Hub) each(topics []string, do func(*feed)) {
	if len(topics) > 0 {
		for _, topic := range topics {
			if t := h.topics[topic]; t != nil {
				for f := range t.feeds {
					do(f)
				}
			}
		}
		return
	}
	for _, t := range h.topics {
		for f := range t.feeds {
			do(f)
		}
	}
}

// feed is one subscription. The last place of its channel is for a marker alone,
// so that one always fits; what does not fit after it is covered by it.
type feed struct {
	messages chan Message
	leave    func()
	mu       sync.Mutex
	release  func() bool // stops watching the context
	live     bool
	marked   bool // the last that was pushed is a marker
	ended    bool
	err      error
}

func (f *feed) push(m Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.put(m)
}

func (f *feed) put(m Message) {
	waiting := len(f.messages)
	full := waiting >= Backlog
	switch {
	case f.ended, full && f.marked, waiting > Backlog:
		return
	case full && m.Gap == nil:
		m = Message{Gap: ErrSlow}
	}
	f.messages <- m
	f.marked = m.Gap != nil
}

func (f *feed) setLive(live bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = live && !f.ended
}

func (f *feed) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.live || f.ended {
		return
	}
	f.put(Message{Gap: ErrUnavailable})
	f.live = true
}

// end closes the subscription with its reason.
func (f *feed) end(reason error) {
	f.mu.Lock()
	if f.ended {
		f.mu.Unlock()
		return
	}
	f.ended, f.live, f.err = true, false, reason
	if f.release != nil {
		f.release()
	}
	close(f.messages)
	f.mu.Unlock()
	f.leave()
}

// Messages implements Subscription.
func (f *feed) Messages() <-chan Message { return f.messages }

// Live implements Subscription.
func (f *feed) Live() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live
}

// Err implements Subscription.
func (f *feed) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close implements Subscription.
func (f *feed) Close() error {
	f.end(nil)
	return nil
}
