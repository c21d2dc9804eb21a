// Package server is an HTTP/1.1 server for any http.Handler, at the cost of the fastest Go servers.
//
//	func main() {
//		mux := http.NewServeMux()
//		mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
//			io.WriteString(w, "Hello, World!")
//		})
//		s := &server.Server{Addr: ":8000", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
//		log.Fatal(s.ListenAndServe())
//	}
//
// Server has the fields and methods of http.Server, and handlers find what they find there: Flush, Hijack,
// http.ResponseController, sendfile, trailers, informational answers, "Expect: 100-continue", a context that ends when
// the client goes away. HTTP/2 connections, which TLS negotiates, are handed to net/http.
//
// It costs less because of what it does not do for a request that does not need it. No goroutine watches the connection
// unless somebody asks the request's context whether it is done. Timeouts are set on the socket when a read or a write is
// about to wait for the client, and left alone while they are right within an eighth. The head of a request is copied once,
// and all strings of the request are parts of that copy. The head of an answer is written as the handler left it, without a
// copy of its headers. The answers to pipelined requests leave together. What is used again for another request is the
// connection's buffers alone, and nothing that a handler sees lies in them: requests, headers and URLs are its own to keep.
//
// # Strictness
//
// A request that two programs could read differently is refused with 400, and the connection closed: Content-Length next to
// Transfer-Encoding (RFC 9112 §6.1), lengths that differ or are not digits alone, Transfer-Encoding in HTTP/1.0, a bare CR or
// LF, whitespace before a colon, folded lines, control characters, chunk sizes and extensions that are not as the grammar has
// them, no Host or two, two Content-Types, "*" for other methods than OPTIONS, an authority for others
// than CONNECT. A transfer coding other than chunked is 501, another major version 505, a head larger than MaxHeaderBytes 431.
package server
