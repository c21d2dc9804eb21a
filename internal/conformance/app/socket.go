package main

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/websocket"
)

// addSocket adds a WebSocket that sends back what it gets, in the kind that it came in.
func addSocket(app *ishaa.App, _ options) {
	app.Get("/_x/ws", websocket.Handler(func(c *websocket.Conn) error {
		for {
			kind, data, err := c.Receive(c.Context())
			if err != nil {
				return err
			}
			if kind == websocket.Text {
				err = c.Send(c.Context(), string(data))
			} else {
				err = c.Send(c.Context(), data)
			}
			if err != nil {
				return err
			}
		}
	}))
}
