package websocket_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	coder "github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/websocket"
)

func Example() {
	type question struct {
		A int `json:"a"`
		B int `json:"b" minimum:"1"`
	}
	app := ishaa.New("divide")
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		for q, err := range websocket.Messages[question](c) {
			if err != nil {
				return err
			}
			if err := c.Send(c.Context(), map[string]int{"result": q.A / q.B}); err != nil {
				return err
			}
		}
		return nil
	}))

	server := httptest.NewServer(app)
	defer server.Close()
	ctx := context.Background()
	client, _, err := coder.Dial(ctx, server.URL+"/ws", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseNow()
	for _, q := range []question{{84, 2}, {1, 0}} {
		var answer map[string]int
		if err = wsjson.Write(ctx, client, q); err == nil {
			err = wsjson.Read(ctx, client, &answer)
		}
		fmt.Println(answer, coder.CloseStatus(err))
	}
	// Output:
	// map[result:42] StatusCode(-1)
	// map[] StatusInvalidFramePayloadData
}

func ExampleNewRoom() {
	room := websocket.NewRoom[string]("news", websocket.Remember(10))
	ctx := context.Background()
	for _, line := range []string{"one", "two", "three"} {
		if err := room.Broadcast(ctx, line); err != nil { // also from requests, tasks and schedules
			fmt.Println(err)
		}
	}
	fmt.Println(room.History(2), len(room.Members()))
	// Output: [two three] 0
}
