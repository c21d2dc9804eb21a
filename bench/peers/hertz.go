package peers

import (
	"context"
	"net"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/standard"
	"github.com/cloudwego/hertz/pkg/protocol/consts"
)

// hertzPeer is Hertz without its middlewares, on package net's connections, as its documentation advises for TLS and where
// netpoll is not to be had: a listener can be given to it then.
func hertzPeer() Peer {
	text := func(name string) app.HandlerFunc {
		return func(_ context.Context, c *app.RequestContext) {
			if name == "" {
				c.String(consts.StatusOK, greeting)
				return
			}
			c.String(consts.StatusOK, "Hello, "+c.Param(name))
		}
	}
	return Peer{Name: "hertz", Module: "github.com/cloudwego/hertz", Servers: map[Work]func(net.Listener) error{
		Plain: func(l net.Listener) error {
			h := newHertz(l)
			h.GET("/plain", text(""))
			return h.Run()
		},
		Param: func(l net.Listener) error {
			h := newHertz(l)
			h.GET("/users/:name", text("name"))
			return h.Run()
		},
	}}
}

func newHertz(l net.Listener) *server.Hertz {
	hlog.SetLevel(hlog.LevelError)
	return server.New(server.WithListener(l), server.WithTransport(standard.NewTransporter))
}
