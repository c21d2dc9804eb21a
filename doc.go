// Package ishaa is a web framework: a route table that the program can read, a
// handler that answers with a value, and secure defaults.
//
//	package main
//
//	import "github.com/ishaa-framework/ishaa"
//
//	func main() {
//		app := ishaa.New("hello")
//		app.Get("/", func(r *ishaa.Request) (any, error) {
//			return map[string]string{"message": "Hello from Ishaa!"}, nil
//		})
//		app.Get("/hello/<name>", func(r *ishaa.Request) (any, error) {
//			return ishaa.HTMLf("<h1>Hello, %s!</h1>", r.Param("name")), nil
//		})
//		app.Run()
//	}
//
// # What a returned value becomes
//
//	nil                  204 No Content
//	string,
//	template.HTML        text/html; use HTMLf or templates for anything that holds data
//	[]byte               application/octet-stream
//	struct, map, slice,
//	number, bool         JSON
//	io.Reader            a stream, closed at its end if it is an io.Closer
//	iter.Seq[T],
//	iter.Seq2[T, error]  a JSON array, NDJSON or server-sent events, by Accept
//	*Response            as it says: JSON, HTML, Text, Bytes, Redirect, Stream, Events …
//	Responder            what its Respond makes: File, templates, GraphQL …
//	error                a problem document (RFC 9457) or a page, by Accept
//
// # Patterns
//
// "/users/<int:id>" has a parameter for a whole segment. Converters are str (the
// default), int, float, uuid, slug, path (the rest of the path), re("…") and those
// that App.Converter registers. The most specific pattern wins, whatever the order
// of registration: static text, then int, float, uuid, slug, re and registered
// ones, then str, then path. Two patterns that can match the same request with
// neither more specific stop the program with both lines.
//
// Paths are matched as they were escaped, each segment decoded once. A path with
// ".", ".." or empty segments matches nothing, nor does one whose escapes are not
// UTF-8. A path that differs by its final slash from a registered one is sent there
// by 308. HEAD is answered by the GET route, OPTIONS by the list of methods, a
// wrong method by 405 with Allow.
//
// # Secure by default
//
// New brings, by name: recover, request-id, access-log, security-headers, csrf and
// body-limit. App.Without takes one away; middleware of the same name takes its
// place.
//
// # Concurrency
//
// An App is set up by one goroutine. Once it has started its table is read by all
// requests without locks; Recompile, Observe and Intercept may still be called, by
// any goroutine. A Request belongs to the goroutine of its handler.
package ishaa
