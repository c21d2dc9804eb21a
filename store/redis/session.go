package redis

import (
	"context"
	"strings"

	"github.com/redis/rueidis"

	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/store/internal/link"
)

// session is a connection of its own that all subscriptions come over. Its reader
// delivers a message before it looks at the next answer, so that a SUBSCRIBE that
// was answered has everything before it delivered.
type session struct {
	engine *engine
	client rueidis.DedicatedClient
	failed chan struct{}
}

func (e *engine) dial(ctx context.Context, deliver func(topic string, message []byte)) (link.Session, error) {
	client, release := e.client.Dedicate()
	broken := client.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		if topic, ours := strings.CutPrefix(m.Channel, e.channels); ours {
			deliver(topic, []byte(m.Message))
		}
	}})
	if err := client.Do(ctx, client.B().Ping().Build()).Error(); err != nil {
		client.Close()
		return nil, err
	}
	s := &session{engine: e, client: client, failed: make(chan struct{})}
	if !e.Go(func(context.Context) {
		<-broken
		release()
		close(s.failed)
	}) {
		client.Close()
		return nil, store.ErrClosed
	}
	return s, nil
}

func (s *session) channels(topics []string) []string {
	channels := make([]string, len(topics))
	for i, topic := range topics {
		channels[i] = s.engine.channels + topic
	}
	return channels
}

// Listen implements link.Session.
func (s *session) Listen(ctx context.Context, topics ...string) error {
	return s.client.Do(ctx, s.client.B().Subscribe().Channel(s.channels(topics)...).Build()).Error()
}

// Unlisten implements link.Session.
func (s *session) Unlisten(ctx context.Context, topic string) error {
	return s.client.Do(ctx, s.client.B().Unsubscribe().Channel(s.engine.channels+topic).Build()).Error()
}

// Failed implements link.Session.
func (s *session) Failed() <-chan struct{} { return s.failed }

// Close implements link.Session.
func (s *session) Close() { s.client.Close() }
