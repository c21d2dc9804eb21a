package graphql

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// Operations over server-sent events, in the two modes of the GraphQL over SSE protocol. In the first every operation is a
// request whose answer is a stream. In the second, for browsers that open few connections to a host, a client reserves one
// stream (PUT), opens it (GET with the token), and starts operations beside it (POST with the token and an operation id),
// whose events arrive on the stream. Reservations are held in memory, so in that mode the requests of a client must reach
// the same node.

const (
	tokenHeader = "X-GraphQL-Event-Stream-Token"
	typeStream  = "text/event-stream"

	mostReservations = 10_000
	reservedFor      = time.Minute // until it is opened
	waitingEvents    = 64          // of a stream, before an operation waits
)

func (s *server) mountStream(router ishaa.Router, routes []ishaa.RouteOption) {
	path := s.path + "/stream"
	router.Put(path, s.reserve, routes...)
	router.Get(path, s.streamGet, routes...)
	router.Post(path, s.streamPost, routes...)
	router.Delete(path, s.streamDelete, routes...)
}

func token(r *ishaa.Request) string {
	if given := r.Header(tokenHeader); given != "" {
		return given
	}
	return r.Query("token")
}

func (s *server) streamGet(r *ishaa.Request) (any, error) {
	if r.Accepts(typeStream) == "" {
		return (&malformed{http.StatusNotAcceptable, "Answers are " + typeStream + "."}).answer(""), nil
	}
	if t := token(r); t != "" {
		return s.open(r, t)
	}
	in, wrong := queried(r)
	if wrong != nil {
		return wrong.answer(""), nil
	}
	return s.stream(r, in, false)
}

func (s *server) streamPost(r *ishaa.Request) (any, error) {
	in, wrong, err := s.posted(r)
	if err != nil {
		return nil, err
	}
	if wrong != nil {
		return wrong.answer(""), nil
	}
	if t := token(r); t != "" {
		return s.startOn(r, t, in)
	}
	if r.Accepts(typeStream) == "" {
		return (&malformed{http.StatusNotAcceptable, "Answers are " + typeStream + "."}).answer(""), nil
	}
	return s.stream(r, in, true)
}

// stream answers one operation by its events.
func (s *server) stream(r *ishaa.Request, in Operation, mutations bool) (any, error) {
	e := s.of(r)
	run, refusal := e.accept(in)
	if refusal == nil && run.op.root == rootMutation && !mutations {
		return (&malformed{http.StatusMethodNotAllowed, "A mutation is sent by POST."}).answer(""), nil
	}
	ctx := r.Context()
	return ishaa.Events(func(yield func(ishaa.Event, error) bool) {
		open := true
		send := func(answer *Response) bool {
			open = open && yield(ishaa.Event{Name: "next", Data: string(answer.bytes())}, nil)
			return open
		}
		e.all(ctx, run, refusal, send)
		if open {
			yield(ishaa.Event{Name: "complete", Data: ""}, nil)
		}
	}), nil
}

// all sends every answer of an operation of any kind.
func (e *engine) all(ctx context.Context, run accepted, refusal *Response, send func(*Response) bool) {
	switch {
	case refusal != nil:
		send(refusal)
	case run.op.root == rootSubscription:
		e.events(ctx, run.op, run.vars, send)
	default:
		send(e.run(ctx, run.op, run.vars))
	}
}

// reservations are the streams of the second mode.
type reservations struct {
	mu    sync.Mutex
	named map[string]*reservation
}

type reservation struct {
	made    time.Time
	opened  bool
	ctx     context.Context // of the open stream
	events  chan ishaa.Event
	running sync.WaitGroup
	active  map[string]*running
}

func newReservations() *reservations { return &reservations{named: map[string]*reservation{}} }

func (s *server) reserve(r *ishaa.Request) (any, error) {
	all, now := s.streams, r.App().Clock().Now()
	all.mu.Lock()
	defer all.mu.Unlock()
	for t, known := range all.named {
		if len(all.named) < mostReservations/2 {
			break
		}
		if !known.opened && now.Sub(known.made) > reservedFor {
			delete(all.named, t)
		}
	}
	if len(all.named) >= mostReservations {
		return nil, ishaa.TooManyRequests("too many streams are reserved")
	}
	t := rand.Text()
	all.named[t] = &reservation{made: now, events: make(chan ishaa.Event, waitingEvents), active: map[string]*running{}}
	return ishaa.Text(t).WithStatus(http.StatusCreated), nil
}

func (s *server) find(r *ishaa.Request, t string) (*reservation, error) {
	known := s.streams.named[t]
	if known == nil || !known.opened && r.App().Clock().Now().Sub(known.made) > reservedFor {
		return nil, ishaa.NotFound("no stream is reserved by that token")
	}
	return known, nil
}

// open answers with the stream until the client leaves.
func (s *server) open(r *ishaa.Request, t string) (any, error) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	stream, err := s.find(r, t)
	if err != nil {
		return nil, err
	}
	if stream.opened {
		return nil, ishaa.Conflict("the stream is open already")
	}
	stream.opened = true
	ctx, stop := context.WithCancel(sharing(r.Context()))
	stream.ctx = ctx
	return ishaa.Events(func(yield func(ishaa.Event, error) bool) {
		defer stream.running.Wait()
		defer func() {
			s.streams.mu.Lock()
			defer s.streams.mu.Unlock()
			delete(s.streams.named, t)
			stop()
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case event := <-stream.events:
				if !yield(event, nil) {
					return
				}
			}
		}
	}), nil
}

// startOn runs an operation whose events go to a reserved stream.
func (s *server) startOn(r *ishaa.Request, t string, in Operation) (any, error) {
	body, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	var raw struct {
		Extensions struct {
			OperationID string `json:"operationId"`
		} `json:"extensions"`
	}
	if json.Unmarshal(body, &raw) != nil || raw.Extensions.OperationID == "" {
		return bad("extensions.operationId names the operation.").answer(""), nil
	}
	id, e := raw.Extensions.OperationID, s.of(r)
	run, refusal := e.accept(in)
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	stream, err := s.find(r, t)
	if err != nil {
		return nil, err
	}
	if stream.active[id] != nil {
		return nil, ishaa.Conflict("the stream has an operation of that id")
	}
	if len(stream.active) >= s.options.MaxOperations {
		return nil, ishaa.TooManyRequests("the stream has too many operations")
	}
	if !stream.opened { // nobody may ever listen
		return nil, ishaa.Conflict("the stream is not open yet")
	}
	ctx, cancel := context.WithCancel(stream.ctx)
	self := &running{cancel}
	stream.active[id] = self
	stream.running.Go(func() {
		defer cancel()
		send := func(name string, payload json.RawMessage) bool {
			data, _ := json.Marshal(struct {
				ID      string          `json:"id"`
				Payload json.RawMessage `json:"payload,omitempty"`
			}{id, payload})
			select {
			case stream.events <- ishaa.Event{Name: name, Data: string(data)}:
				return true
			case <-ctx.Done():
				return false
			}
		}
		e.all(ctx, run, refusal, func(answer *Response) bool { return send("next", answer.bytes()) })
		s.forget(stream, id, self)
		if ctx.Err() == nil {
			send("complete", nil)
		}
	})
	return ishaa.Text("").WithStatus(http.StatusAccepted), nil
}

func (s *server) forget(stream *reservation, id string, self *running) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	if stream.active[id] == self {
		delete(stream.active, id)
	}
}

// streamDelete stops an operation.
func (s *server) streamDelete(r *ishaa.Request) (any, error) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	stream, err := s.find(r, token(r))
	if err != nil {
		return nil, err
	}
	if known := stream.active[r.Query("operationId")]; known != nil {
		delete(stream.active, r.Query("operationId"))
		known.cancel()
	}
	return ishaa.Text(""), nil
}
