package store

import (
	"bytes"
	"context"
	"sync"
)

// hub is publish and subscribe within a process. A publisher never waits: a
// subscriber that is Backlog messages behind is ended instead.
type hub struct {
	mu     sync.Mutex
	topics map[string]map[*memorySubscription]struct{}
	closed bool
}

type memorySubscription struct {
	hub      *hub
	topic    string
	messages chan []byte
	release  func() bool // stops watching the context
	ended    bool        // guarded by hub.mu, as err is
	err      error
}

// Publish implements PubSub.
func (m *memory) Publish(ctx context.Context, topic string, message []byte) error {
	if err := CheckKey(topic); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h := &m.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return ErrClosed
	}
	listeners := h.topics[topic]
	if len(listeners) == 0 {
		return nil
	}
	message = bytes.Clone(message)
	if message == nil {
		message = []byte{}
	}
	for s := range listeners {
		select {
		case s.messages <- message:
		default:
			s.end(ErrSlow)
		}
	}
	return nil
}

// Subscribe implements PubSub.
func (m *memory) Subscribe(ctx context.Context, topic string) (Subscription, error) {
	if err := CheckKey(topic); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h := &m.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	s := &memorySubscription{hub: h, topic: topic, messages: make(chan []byte, Backlog)}
	if h.topics[topic] == nil {
		h.topics[topic] = map[*memorySubscription]struct{}{}
	}
	h.topics[topic][s] = struct{}{}
	s.release = context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.end(ctx.Err())
	})
	return s, nil
}

// end closes the subscription with its reason. The hub is locked.
func (s *memorySubscription) end(reason error) {
	if s.ended {
		return
	}
	s.ended, s.err = true, reason
	s.release()
	close(s.messages)
	listeners := s.hub.topics[s.topic]
	delete(listeners, s)
	if len(listeners) == 0 {
		delete(s.hub.topics, s.topic)
	}
}

// Messages implements Subscription.
func (s *memorySubscription) Messages() <-chan []byte { return s.messages }

// Err implements Subscription.
func (s *memorySubscription) Err() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.err
}

// Close implements Subscription.
func (s *memorySubscription) Close() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.end(nil)
	return nil
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, listeners := range h.topics {
		for s := range listeners {
			s.end(ErrClosed)
		}
	}
}
