//go:build unix

package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// A wire carries the DevTools protocol: JSON messages that end in NUL. Calls have numbers, by which answers find them;
// messages without one are events, which belong to a session.
type wire struct {
	in, out *os.File

	writing sync.Mutex // one message after another

	mu       sync.Mutex
	last     int
	waiting  map[int]chan message
	sessions map[string]func(method string, params json.RawMessage)
	ended    chan struct{} // closed when the browser has gone
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
		Data    string `json:"data"`
	} `json:"error,omitempty"`
}

var errGone = errors.New("the browser has gone")

func newWire(in, out *os.File) *wire {
	w := &wire{
		in: in, out: out, waiting: map[int]chan message{},
		sessions: map[string]func(string, json.RawMessage){}, ended: make(chan struct{}),
	}
	go w.read()
	return w
}

// read gives answers to those who wait for them, and events to their sessions, until the browser goes.
func (w *wire) read() {
	defer close(w.ended)
	messages := bufio.NewReader(w.in)
	for {
		text, err := messages.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m) != nil {
			continue
		}
		w.mu.Lock()
		answer, event := w.waiting[m.ID], w.sessions[m.Session]
		delete(w.waiting, m.ID)
		w.mu.Unlock()
		switch {
		case m.ID != 0 && answer != nil:
			answer <- m
		case m.ID == 0 && event != nil:
			event(m.Method, m.Params)
		}
	}
}

// listen has the events of a session given to a function, which must not call.
func (w *wire) listen(session string, event func(method string, params json.RawMessage)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if event == nil {
		delete(w.sessions, session)
		return
	}
	w.sessions[session] = event
}

// call asks the browser for something and waits for the answer. The session is "" for the browser itself.
func (w *wire) call(ctx context.Context, session, method string, params, result any) error {
	if params == nil {
		params = struct{}{}
	}
	given, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	w.mu.Lock()
	w.last++
	m := message{ID: w.last, Session: session, Method: method, Params: given}
	w.waiting[m.ID] = answer
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, m.ID)
		w.mu.Unlock()
	}()
	if err := w.write(m); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case got := <-answer:
		if got.Error != nil {
			return fmt.Errorf("%s: %s %s", method, got.Error.Message, got.Error.Data)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(got.Result, result)
	case <-w.ended:
		return fmt.Errorf("%s: %w", method, errGone)
	case <-ctx.Done():
		return fmt.Errorf("%s: no answer: %w", method, ctx.Err())
	}
}

func (w *wire) write(m message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	_, err = w.out.Write(append(text, 0))
	return err
}

func (w *wire) close() {
	w.out.Close()
	w.in.Close()
	<-w.ended
}
