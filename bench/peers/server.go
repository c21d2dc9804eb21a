package peers

import (
	"net"
	"net/http"

	"github.com/ishaa-framework/ishaa/server"
)

// onServer is a peer of net/http's whose handlers are served by package server.
func onServer(p Peer) Peer {
	p.Servers = map[Work]func(net.Listener) error{}
	for w, build := range p.Handlers {
		p.Servers[w] = func(l net.Listener) error { return (&server.Server{Handler: build()}).Serve(l) }
	}
	return p
}

// alone is a peer under another name, to compare servers: what it does in process is the same under the first.
func alone(name string, p Peer) Peer {
	served := Peer{Name: name, Module: p.Module, Servers: p.Servers}
	if served.Servers == nil {
		served.Servers = map[Work]func(net.Listener) error{}
		for w, build := range p.Handlers {
			served.Servers[w] = func(l net.Listener) error { return (&http.Server{Handler: build()}).Serve(l) }
		}
	}
	return served
}
