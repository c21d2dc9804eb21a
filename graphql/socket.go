package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/strictjson"
	"github.com/ishaa-framework/ishaa/websocket"
)

// Operations over a WebSocket, in the protocol graphql-transport-ws, and in the older graphql-ws that some clients still
// speak. The two say the same with other words.

const (
	protocolCurrent = "graphql-transport-ws"
	protocolOld     = "graphql-ws"
)

// Close codes of graphql-transport-ws.
const (
	closeInvalid      websocket.Status = 4400
	closeUnauthorized websocket.Status = 4401
	closeForbidden    websocket.Status = 4403
	closeProtocol     websocket.Status = 4406
	closeInitTimeout  websocket.Status = 4408
	closeDuplicate    websocket.Status = 4409
	closeTooMany      websocket.Status = 4429
)

// dialect are the words of a protocol.
type dialect struct{ subscribe, complete, next, end string }

var dialects = map[string]dialect{
	protocolCurrent: {"subscribe", "complete", "next", ""},
	protocolOld:     {"start", "stop", "data", "connection_terminate"},
}

func (s *server) webSocket() ishaa.Handler {
	return websocket.Handler(func(c *websocket.Conn) error {
		words, known := dialects[c.Protocol()]
		if !known {
			return &websocket.CloseError{Code: closeProtocol, Reason: "Subprotocol not acceptable"}
		}
		k := &connection{Conn: c, server: s, engine: s.of(c.Request()), dialect: words, active: map[string]*running{}, settled: make(chan struct{})}
		k.ctx, k.stop = context.WithCancel(sharing(c.Context()))
		k.run = k.ctx
		defer k.running.Wait()
		defer k.stop()
		k.running.Go(k.awaitInit)
		return k.serve()
	}, websocket.Protocols(protocolCurrent, protocolOld), websocket.Limit(s.options.BodyLimit), websocket.Origins(s.options.Origins...))
}

// connection is a client and its operations.
type connection struct {
	*websocket.Conn
	server *server
	engine *engine
	dialect
	ctx     context.Context // of the connection
	run     context.Context // of its operations: what OnConnect made of it
	stop    context.CancelFunc
	settled chan struct{} // closed once the client has introduced itself
	begun   bool
	running sync.WaitGroup

	mu     sync.Mutex
	active map[string]*running
}

type running struct{ cancel context.CancelFunc }

type message struct {
	ID      *string         `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// awaitInit closes the connection of a client that does not introduce itself.
func (k *connection) awaitInit() {
	select {
	case <-k.settled:
	case <-k.ctx.Done():
	case <-k.Request().App().Clock().After(k.server.options.InitTimeout):
		_ = k.Close(closeInitTimeout, "Connection initialisation timeout")
	}
}

func (k *connection) serve() error {
	for {
		kind, text, err := k.Receive(k.ctx)
		if err != nil {
			var ended *websocket.CloseError
			if errors.As(err, &ended) || k.ctx.Err() != nil {
				return nil
			}
			return err
		}
		var m message
		if kind != websocket.Text || strictjson.Check(text, deepestJSON+4) != nil || json.Unmarshal(text, &m) != nil {
			return invalid("Invalid message received")
		}
		if err := k.handle(m); err != nil {
			return err
		}
	}
}

func invalid(reason string) error {
	return &websocket.CloseError{Code: closeInvalid, Reason: reason}
}

// errTerminated ends a connection that the client of the old protocol wants ended.
var errTerminated = &websocket.CloseError{Code: websocket.StatusNormal}

func (k *connection) handle(m message) error {
	switch m.Type {
	case "connection_init":
		return k.introduce(m.Payload)
	case "ping":
		return k.say(message{Type: "pong", Payload: m.Payload})
	case "pong":
		return nil
	case k.subscribe:
		return k.start(m)
	case k.complete:
		if m.ID == nil {
			return invalid("The message has no id")
		}
		k.end(*m.ID, nil)
		return nil
	}
	if m.Type != "" && m.Type == k.dialect.end {
		return errTerminated
	}
	return invalid("Invalid message type")
}

func (k *connection) introduce(payload json.RawMessage) error {
	if k.begun {
		return &websocket.CloseError{Code: closeTooMany, Reason: "Too many initialisation requests"}
	}
	if decide := k.server.options.OnConnect; decide != nil {
		ctx, err := decide(k.ctx, payload)
		if err != nil {
			return &websocket.CloseError{Code: closeForbidden, Reason: "Forbidden"}
		}
		if ctx != nil {
			k.run = ctx
		}
	}
	k.begun = true
	close(k.settled)
	return k.say(message{Type: "connection_ack"})
}

// start runs an operation beside the others.
func (k *connection) start(m message) error {
	if !k.begun {
		return &websocket.CloseError{Code: closeUnauthorized, Reason: "Unauthorized"}
	}
	if m.ID == nil || *m.ID == "" {
		return invalid("The message has no id")
	}
	in, wrong := read(m.Payload)
	if wrong != nil {
		return invalid("The payload is no operation")
	}
	id := *m.ID
	ctx, cancel := context.WithCancel(k.run)
	self := &running{cancel}
	k.mu.Lock()
	known, many := k.active[id] != nil, len(k.active) >= k.server.options.MaxOperations
	if !known && !many {
		k.active[id] = self
	}
	k.mu.Unlock()
	if known || many {
		cancel()
		if known {
			return &websocket.CloseError{Code: closeDuplicate, Reason: "Subscriber for this id already exists"}
		}
		return &websocket.CloseError{Code: closeTooMany, Reason: "Too many operations"}
	}
	k.running.Go(func() {
		defer cancel()
		defer k.end(id, self)
		k.perform(ctx, id, in)
	})
	return nil
}

// end forgets an operation and stops it. With self it does only if the id still stands for that one.
func (k *connection) end(id string, self *running) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := k.active[id]; now != nil && (self == nil || now == self) {
		delete(k.active, id)
		now.cancel()
	}
}

func (k *connection) perform(ctx context.Context, id string, in Operation) {
	run, refusal := k.engine.accept(in)
	if refusal != nil {
		payload := errorsText(refusal.Errors)
		if k.next == "data" {
			payload = errorsText(refusal.Errors[:1])
			payload = payload[1 : len(payload)-1]
		}
		k.end(id, nil)
		_ = k.say(message{ID: &id, Type: "error", Payload: payload})
		return
	}
	send := func(r *Response) bool {
		return ctx.Err() == nil && k.say(message{ID: &id, Type: k.next, Payload: r.bytes()}) == nil
	}
	if run.op.root == rootSubscription {
		k.engine.events(ctx, run.op, run.vars, send)
	} else {
		send(k.engine.run(ctx, run.op, run.vars))
	}
	if ctx.Err() == nil {
		k.end(id, nil)
		_ = k.say(message{ID: &id, Type: "complete"})
	}
}

// sendTimeout is for the slowest of clients; the connection has its own, too.
const sendTimeout = 30 * time.Second

func (k *connection) say(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(k.ctx), sendTimeout)
	defer cancel()
	return k.Send(ctx, string(text))
}
