package link

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/ishaa-framework/ishaa/store"
)

// Session is one connection that subscriptions come over.
type Session interface {
	// Listen has the server send the messages of topics. It returns when those
	// published from then on will arrive, and those that arrived before it were
	// delivered.
	Listen(ctx context.Context, topics ...string) error

	// Unlisten takes it back.
	Unlisten(ctx context.Context, topic string) error

	// Failed is closed when the connection broke and nothing is delivered any more.
	Failed() <-chan struct{}

	// Close ends the connection; Failed is closed when that is done.
	Close()
}

// Listener keeps a session for a hub: the first subscription makes it, and when it
// fails it is made again, listens to what the hub wants and has the gap marked.
type Listener struct {
	Hub  *store.Hub
	link *Link
	dial func(ctx context.Context, deliver func(topic string, message []byte)) (Session, error)

	mu      sync.Mutex
	started bool
	session Session // nil while away
	reason  error   // why it is
}

var errLost = errors.New("the connection broke")

// listenBatch is how many topics a resumed session listens to at once.
const listenBatch = 500

// NewListener returns a listener whose sessions dial makes.
func NewListener(l *Link, dial func(ctx context.Context, deliver func(topic string, message []byte)) (Session, error)) *Listener {
	n := &Listener{link: l, dial: dial}
	n.Hub = store.NewHub(n.listen, n.unlisten)
	return n
}

// listen is the hub's.
func (n *Listener) listen(ctx context.Context, topic string) error {
	o, err := n.link.Begin(ctx, "subscribe", false)
	if err != nil {
		return err
	}
	defer o.End()
	session, err := n.current(o.Context)
	if err != nil {
		return o.Unsent(err)
	}
	if err := session.Listen(o.Context, topic); err != nil {
		return o.Away(err)
	}
	return nil
}

func (n *Listener) unlisten(topic string) {
	o, err := n.link.Begin(context.Background(), "unsubscribe", false)
	if err != nil {
		return
	}
	defer o.End()
	n.mu.Lock()
	session := n.session
	n.mu.Unlock()
	if session != nil {
		_ = session.Unlisten(o.Context, topic) // a session that cannot is about to fail
	}
}

// current returns the session. The first call makes it.
func (n *Listener) current(ctx context.Context) (Session, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.started {
		if n.session == nil {
			return nil, n.reason
		}
		return n.session, nil
	}
	session, err := n.dial(ctx, n.Hub.Deliver)
	if err != nil {
		return nil, err
	}
	if !n.link.Go(func(ctx context.Context) { n.keep(ctx, session) }) {
		session.Close()
		<-session.Failed()
		return nil, store.ErrClosed
	}
	n.started, n.session = true, session
	return session, nil
}

// keep waits for the session to fail and makes another, until the link is closed.
func (n *Listener) keep(ctx context.Context, session Session) {
	for {
		select {
		case <-session.Failed():
		case <-ctx.Done():
		}
		session.Close()
		<-session.Failed()
		n.set(nil, errLost)
		n.Hub.Lost()
		for attempt := 0; ; attempt++ {
			if !Sleep(ctx, Backoff(attempt)) {
				return
			}
			var err error
			if session, err = n.resume(ctx); err == nil {
				break
			}
			n.set(nil, err)
		}
	}
}

func (n *Listener) set(session Session, reason error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.session, n.reason = session, reason
}

// resume makes a session that listens to all that the hub wants. Its messages are
// held until the gap before them is marked.
func (n *Listener) resume(ctx context.Context) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, n.link.Timeout)
	defer cancel()
	held := &holder{hub: n.Hub}
	session, err := n.dial(ctx, held.deliver)
	if err != nil {
		return nil, err
	}
	topics := n.Hub.Topics()
	for batch := range slices.Chunk(topics, listenBatch) {
		if err := session.Listen(ctx, batch...); err != nil {
			session.Close()
			<-session.Failed()
			return nil, err
		}
	}
	held.release()
	n.set(session, nil)
	for _, topic := range without(topics, n.Hub.Topics()) {
		_ = session.Unlisten(ctx, topic)
	}
	return session, nil
}

// without gives what of a sorted list is not in another.
func without(list, other []string) []string {
	var rest []string
	for _, item := range list {
		if _, found := slices.BinarySearch(other, item); !found {
			rest = append(rest, item)
		}
	}
	return rest
}

// holder keeps the messages of a session that is not yet ready.
type holder struct {
	hub *store.Hub

	mu       sync.Mutex
	released bool
	messages []heldMessage
}

type heldMessage struct {
	topic string
	data  []byte
}

func (h *holder) deliver(topic string, message []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.released {
		h.hub.Deliver(topic, message)
		return
	}
	h.messages = append(h.messages, heldMessage{topic, message})
}

func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hub.Resumed()
	for _, m := range h.messages {
		h.hub.Deliver(m.topic, m.data)
	}
	h.messages, h.released = nil, true
}
