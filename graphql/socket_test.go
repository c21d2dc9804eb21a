package graphql_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

const current = "graphql-transport-ws"

func dial(t *testing.T, client *ishaatest.Client, protocol string) *websockettest.Conn {
	t.Helper()
	return websockettest.Dial(t, client, "/graphql", websockettest.Protocols(protocol))
}

func TestSocket(t *testing.T) {
	c := dial(t, serve(t, graphql.Options{}), current)
	c.Send(`{"type":"connection_init"}`)
	c.Expect(`{"type":"connection_ack"}`)
	c.Send(`{"type":"ping","payload":{"a":1}}`)
	c.Expect(`{"type":"pong","payload":{"a":1}}`)
	c.Send(`{"id":"1","type":"subscribe","payload":{"query":"{named {name}}"}}`)
	c.Expect(`{"id":"1","type":"next","payload":{"data":{"named":{"name":"Ben"}}}}`)
	c.Expect(`{"id":"1","type":"complete"}`)
	c.Send(`{"id":"1","type":"subscribe","payload":{"query":"subscription {ticks(to: 1)}"}}`)
	c.Expect(`{"id":"1","type":"next","payload":{"data":{"ticks":1}}}`)
	c.Expect(`{"id":"1","type":"complete"}`)
	c.Send(`{"id":"2","type":"subscribe","payload":{"query":"{nope}"}}`)
	if text := c.Text(); !strings.Contains(text, `"type":"error"`) || !strings.Contains(text, `"payload":[{`) {
		t.Error(text)
	}
	c.Send(`{"id":"3","type":"subscribe","payload":{"query":"subscription {ticks(to: 0)}"}}`)
	c.Send(`{"id":"3","type":"complete"}`)
	c.Send(`{"id":"3","type":"subscribe","payload":{"query":"subscription {ticks(to: 0)}"}}`)
	c.Send(`{"id":"3","type":"subscribe","payload":{"query":"{says}"}}`)
	c.Closed(4409, "already exists")
}

func TestOldProtocol(t *testing.T) {
	c := dial(t, serve(t, graphql.Options{}), "graphql-ws")
	c.Send(`{"type":"connection_init","payload":{}}`)
	c.Expect(`{"type":"connection_ack"}`)
	c.Send(`{"id":"1","type":"start","payload":{"query":"subscription {ticks(to: 1)}"}}`)
	c.Expect(`{"id":"1","type":"data","payload":{"data":{"ticks":1}}}`)
	c.Expect(`{"id":"1","type":"complete"}`)
	c.Send(`{"id":"2","type":"start","payload":{"query":"{nope}"}}`)
	if text := c.Text(); !strings.Contains(text, `"payload":{"message"`) {
		t.Error(text)
	}
	c.Send(`{"id":"3","type":"start","payload":{"query":"subscription {ticks(to: 0)}"}}`)
	c.Send(`{"id":"3","type":"stop"}`)
	c.Send(`{"type":"connection_terminate"}`)
	c.Closed(1000)
}

func TestSocketIsClosed(t *testing.T) {
	client := serve(t, graphql.Options{MaxOperations: 1})
	const begin, forever = `{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"subscription {ticks(to: 0)}"}}`
	for _, c := range []struct {
		name     string
		messages []string
		code     int
	}{
		{"no json", []string{`{`}, 4400},
		{"a name twice", []string{`{"type":"ping","type":"connection_init"}`}, 4400},
		{"unknown type", []string{`{"type":"x"}`}, 4400},
		{"before the introduction", []string{forever}, 4401},
		{"two introductions", []string{begin, begin}, 4429},
		{"no id", []string{begin, `{"type":"subscribe","payload":{"query":"{says}"}}`}, 4400},
		{"no payload", []string{begin, `{"id":"1","type":"subscribe"}`}, 4400},
		{"a word of the old protocol", []string{begin, `{"type":"connection_terminate"}`}, 4400},
		{"too many operations", []string{begin, forever, strings.Replace(forever, `"1"`, `"2"`, 1)}, 4429},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := dial(t, client.For(t), current)
			for i, m := range c.messages {
				conn.Send(m)
				if m == begin && i == 0 {
					conn.Expect(`{"type":"connection_ack"}`)
				}
			}
			conn.Closed(websocket.Status(c.code))
		})
	}
	websockettest.Dial(t, client, "/graphql").Closed(4406)
}

func TestIntroductionTakesTooLong(t *testing.T) {
	s, _ := library()
	app := ishaa.New("slow")
	clock := ishaatest.NewClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	app.SetClock(clock)
	graphql.Mount(app, "/graphql", s, graphql.Options{InitTimeout: 5 * time.Second})
	c := dial(t, ishaatest.New(t, app), current)
	c.Send(`{"type":"ping"}`)
	c.Expect(`{"type":"pong"}`) // it listens, and so it waits
	clock.Advance(6 * time.Second)
	c.Closed(4408)
}

func TestOnConnect(t *testing.T) {
	client := serve(t, graphql.Options{OnConnect: func(ctx context.Context, payload json.RawMessage) (context.Context, error) {
		if !strings.Contains(string(payload), "sesame") {
			return nil, errors.New("no")
		}
		return context.WithValue(ctx, userKey{}, 1), nil
	}})
	c := dial(t, client, current)
	c.Send(`{"type":"connection_init","payload":"x"}`)
	c.Closed(4403)
	c = dial(t, client, current)
	c.Send(`{"type":"connection_init","payload":"sesame"}`)
	c.Expect(`{"type":"connection_ack"}`)
	c.Send(`{"id":"1","type":"subscribe","payload":{"query":"{locked}"}}`)
	c.Expect(`{"id":"1","type":"next","payload":{"data":{"locked":"in"}}}`)
}

// TestSubscriptionsThatAreNone: what is left of a subscription may be nothing.
func TestSubscriptionsThatAreNone(t *testing.T) {
	client := serve(t, graphql.Options{})
	for _, query := range []string{
		"subscription {ticks(to: 1) @skip(if: true)}", "subscription($x: Boolean = false) {ticks(to: 1) @include(if: $x)}",
		"subscription {__typename}", "subscription {ticks(to: 1) again: ticks(to: 1)}", "subscription {ticks(to: -3) @nope}",
	} {
		text := client.Post("/graphql/stream", ishaatest.JSON(request{Query: query}), ishaatest.Header("Accept", "text/event-stream")).Status(200).Text()
		if !strings.Contains(text, `"errors"`) || strings.Contains(text, `"data"`) && !strings.Contains(text, "data: {") || !strings.Contains(text, "event: complete") {
			t.Errorf("%s: %s", query, text)
		}
	}
}
