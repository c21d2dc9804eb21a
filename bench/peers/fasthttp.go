package peers

import (
	"bytes"
	"net"

	"github.com/valyala/fasthttp"
)

// fastHTTP is fasthttp's bare server. It has no router, so paths are told apart by hand.
func fastHTTP() Peer {
	serve := func(l net.Listener) error {
		return (&fasthttp.Server{Handler: fastHandler}).Serve(l)
	}
	return Peer{Name: "fasthttp", Module: "github.com/valyala/fasthttp", Servers: map[Work]func(net.Listener) error{Plain: serve, Param: serve}}
}

func fastHandler(ctx *fasthttp.RequestCtx) {
	if !ctx.IsGet() {
		ctx.Error("Method Not Allowed", fasthttp.StatusMethodNotAllowed)
		return
	}
	path := ctx.Path()
	name, isUser := bytes.CutPrefix(path, []byte("/users/"))
	switch {
	case string(path) == "/plain":
		ctx.SetContentType("text/plain; charset=utf-8")
		ctx.SetBodyString(greeting)
	case isUser && len(name) > 0 && bytes.IndexByte(name, '/') < 0:
		ctx.SetContentType("text/plain; charset=utf-8")
		ctx.SetBodyString("Hello, ")
		ctx.Response.AppendBody(name)
	default:
		ctx.NotFound()
	}
}
