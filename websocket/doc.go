// Package websocket takes WebSockets (RFC 6455): connections whose handlers read and
// send typed messages, and rooms whose members get each other's, on one node or many.
//
//	type Message struct {
//		By   string `json:"by"`
//		Text string `json:"text" required:"true" maxLength:"500"`
//	}
//
//	func main() {
//		st, err := store.Open("memory://") // redis://…, nats://… or postgres://… for many nodes
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer st.Close()
//		chat := websocket.NewRoom[Message]("chat", websocket.Over(st), websocket.Remember(50))
//		app := ishaa.New("chat")
//		app.Get("/ws/<name>", websocket.Handler(func(c *websocket.Conn) error {
//			name := c.Request().Param("name")
//			defer chat.Join(c, websocket.As(name), websocket.Replay(20))()
//			for m, err := range websocket.Messages[Message](c) {
//				if err != nil {
//					return err
//				}
//				m.By = name
//				if err := chat.Broadcast(c.Context(), m, websocket.Except(c)); err != nil {
//					return err
//				}
//			}
//			return nil
//		}))
//		app.Run()
//	}
//
// A handler has the connection while it runs, on the request's goroutine; what it
// returns says how the connection is closed. Pages of other origins are refused,
// messages are limited, text is checked to be UTF-8, clients that vanish are noticed
// by pings, and at shutdown every connection is closed with 1001.
//
// The handshake, the reading of frames and the closing handshake are those of
// github.com/coder/websocket. What that takes although RFC 6455 does not is found
// before: see the guide, docs/websocket.md.
package websocket
