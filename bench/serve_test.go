package bench

import (
	"net/http"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// BenchmarkPlain is a whole request for a static path, answered with a short text.
func BenchmarkPlain(b *testing.B) { serve(b, peers.Plain) }

// BenchmarkParam is a whole request for a path of one parameter, answered with a short text.
func BenchmarkParam(b *testing.B) { serve(b, peers.Param) }

// BenchmarkTyped is a whole request whose path and query are read, checked and answered with JSON.
func BenchmarkTyped(b *testing.B) { serve(b, peers.Typed) }

// BenchmarkFive is BenchmarkPlain behind five usual middlewares.
func BenchmarkFive(b *testing.B) { serve(b, peers.Five) }

// serve runs a work on all peers that do it by an http.Handler.
func serve(b *testing.B, w peers.Work) {
	for _, p := range peers.All() {
		build := p.Handlers[w]
		if build == nil {
			continue
		}
		b.Run(p.Name, func(b *testing.B) {
			handler, answer := build(), new(sink)
			request, err := http.NewRequest(http.MethodGet, w.Target(), nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header, request.RequestURI = w.Headers(), w.Target()
			request.Host, request.RemoteAddr = "shop.example", "127.0.0.1:40000"
			b.ReportAllocs()
			for b.Loop() {
				answer.reset()
				handler.ServeHTTP(answer, request)
			}
			if (answer.status != 0 && answer.status != http.StatusOK) || answer.length == 0 {
				b.Fatalf("status %d, %d bytes", answer.status, answer.length)
			}
		})
	}
}
