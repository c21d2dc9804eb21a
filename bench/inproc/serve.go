package inproc

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// serves returns one group for each work: a whole request, from ServeHTTP's call to its return. Peers with a server of
// their own are not there; package cpu measures those.
func serves() []Group {
	var groups []Group
	for _, w := range peers.Works() {
		g := Group{Name: "serve/" + string(w)}
		for _, p := range peers.All() {
			if build := p.Handlers[w]; build != nil {
				g.Cases = append(g.Cases, Case{Name: p.Name, Build: func() (func() error, int) {
					return serve(w, build()), 1
				}})
			}
		}
		groups = append(groups, g)
	}
	return groups
}

func serve(w peers.Work, handler http.Handler) func() error {
	request, err := http.NewRequest(w.Method(), w.Target(), nil)
	if err != nil {
		panic(err) // the targets are constants
	}
	body := strings.NewReader(w.Body())
	if request.ContentLength = body.Size(); request.ContentLength > 0 {
		request.Body = io.NopCloser(body)
	}
	request.Header, request.RequestURI = w.Headers(), w.Target()
	request.Host, request.RemoteAddr = "shop.example", "127.0.0.1:40000"
	answer := new(sink)
	return func() error {
		answer.reset()
		body.Reset(w.Body())
		handler.ServeHTTP(answer, request)
		if (answer.status != 0 && answer.status != http.StatusOK) || answer.length == 0 {
			return fmt.Errorf("answered %d with %d bytes", answer.status, answer.length)
		}
		return nil
	}
}
