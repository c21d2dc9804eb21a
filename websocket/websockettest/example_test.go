package websockettest_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

func Example() {
	type message struct {
		Text string `json:"text"`
	}
	app := ishaa.New("echo")
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		for m, err := range websocket.Messages[message](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), m); err != nil {
				return err
			}
		}
		return nil
	}))

	t := &exampleT{} // in a program: func TestEcho(t *testing.T)
	defer t.end()
	socket := websockettest.Dial(t, ishaatest.New(t, app), "/ws")
	socket.Send(message{"hello"})
	socket.Expect(message{"hello"})
	socket.Close(websocket.StatusNormal, "")
	fmt.Println("ok")
	// Output: ok
}

// exampleT stands for what go test hands to a test.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (t *exampleT) Helper()                           {}
func (t *exampleT) Name() string                      { return "Example" }
func (t *exampleT) Failed() bool                      { return false }
func (t *exampleT) Context() context.Context          { return context.Background() }
func (t *exampleT) Output() io.Writer                 { return io.Discard }
func (t *exampleT) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Log(...any)                        {}
func (t *exampleT) Logf(string, ...any)               {}
func (t *exampleT) Errorf(format string, args ...any) { fmt.Printf(format, args...) }
func (t *exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *exampleT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}
