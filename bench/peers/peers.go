// Package peers does the same few works on each framework, each as that framework's documentation would write it.
// Benchmarks call the handlers in process; package cpu serves them over a socket.
//
//	peer, ok := peers.Find("gin")
//	srv := &http.Server{Handler: peer.Handlers[peers.Plain]()}
//
// A work that a framework has no way of its own to do is absent from its row.
package peers

import (
	"maps"
	"net"
	"net/http"
	"slices"
)

// Work names what a request asks for.
type Work string

// The works. Each is one request; Method, Target, Headers and Body say which.
const (
	// Plain answers a static path with "Hello, World!" as text.
	Plain Work = "plain"
	// Param answers a path of one parameter with "Hello, " and its value as text.
	Param Work = "param"
	// Typed reads an artist's number from the path, and how many albums, by which order, from the query; checks all
	// three; and answers with JSON. See Albums.
	Typed Work = "typed"
	// Five is Plain behind five usual middlewares: recover, request id, an access log line to nowhere, CORS for one
	// origin (which the request comes from), and security headers. See Secured.
	Five Work = "five"
	// JSON answers a static path with an object of one text.
	JSON Work = "json"
	// Order reads an order as JSON, checks each of its fields, and answers how many items it is for, as JSON.
	Order Work = "order"
	// Row answers with one row from SQLite, found by the number in the path, as JSON.
	Row Work = "row"
	// Page answers with a page of twenty rows, made by a template.
	Page Work = "page"
	// Static answers with a file of 12 kB from the disk. See StyleSheet.
	Static Work = "static"
)

// Works lists all works.
func Works() []Work { return []Work{Plain, JSON, Param, Typed, Order, Five, Row, Page, Static} }

// Target returns what a request line asks for in a work.
func (w Work) Target() string {
	switch w {
	case Param:
		return "/users/octocat"
	case Typed:
		return "/artists/1/albums?limit=2&sort=year"
	case JSON:
		return "/json"
	case Order:
		return "/orders"
	case Row:
		return "/artists/7"
	case Page:
		return "/users"
	case Static:
		return "/static/site.css"
	default:
		return "/plain"
	}
}

// Method returns the method of a work's request.
func (w Work) Method() string {
	if w == Order {
		return http.MethodPost
	}
	return http.MethodGet
}

// Body returns the body of a work's request, or "".
func (w Work) Body() string {
	if w == Order {
		return `{"customer":"Ada Lovelace","lines":[{"sku":"engine-1","quantity":2},{"sku":"card-7","quantity":40}]}`
	}
	return ""
}

// Headers returns what requests of a work send besides Host.
func (w Work) Headers() http.Header {
	h := http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}}
	if w == Five {
		h.Set("Origin", origin)
	}
	if w == Order {
		h.Set("Content-Type", "application/json")
	}
	return h
}

// Peer is a framework, or net/http itself, and the works that it does.
type Peer struct {
	// Name is what tables and command lines call it.
	Name string
	// Module is the Go module that it comes from; empty for the standard library.
	Module string
	// Handlers builds a handler for each work, for peers that run on net/http.
	Handlers map[Work]func() http.Handler
	// Servers answers the requests of a listener until it is closed, for peers with a server of their own.
	Servers map[Work]func(net.Listener) error
}

// Does reports whether the peer does a work.
func (p Peer) Does(w Work) bool { return p.Handlers[w] != nil || p.Servers[w] != nil }

// Serve answers the requests of a listener, by the peer's own server where it has one, until the listener is closed.
func (p Peer) Serve(w Work, l net.Listener) error {
	if serve := p.Servers[w]; serve != nil {
		return serve(l)
	}
	return (&http.Server{Handler: p.Handlers[w]()}).Serve(l)
}

// All returns the peers, net/http's own mux first: it is what ratios are given against.
func All() []Peer {
	list := []Peer{netHTTP(), ishaaPeer(), ishaaSecure(), ginPeer(), echoPeer(), chiPeer(), humaPeer(), fuegoPeer(), fastHTTP(), fiberPeer(), hertzPeer()}
	list = with(list, jsonHandlers, jsonServers)
	list = with(list, pageHandlers, pageServers)
	list = with(list, rowHandlers, rowServers)
	std, app := list[0], list[1]
	list[1], list[2] = onServer(app), onServer(list[2])
	return append(list, alone("server", onServer(std)), alone("ishaa-nethttp", app))
}

// with adds works to the peers that do them.
func with(list []Peer, handlers map[string]map[Work]func() http.Handler, servers map[string]map[Work]func(net.Listener) error) []Peer {
	for _, p := range list {
		maps.Copy(p.Handlers, handlers[p.Name])
		maps.Copy(p.Servers, servers[p.Name])
	}
	return list
}

// Find returns the peer of a name.
func Find(name string) (Peer, bool) {
	all := All()
	i := slices.IndexFunc(all, func(p Peer) bool { return p.Name == name })
	if i < 0 {
		return Peer{}, false
	}
	return all[i], true
}

// greeting is the answer to Plain and Five.
const greeting = "Hello, World!"

// origin is the one that CORS admits.
const origin = "https://shop.example"
