// Package openapi describes an application in OpenAPI 3.1, and 3.0.3 for tools that
// are not there yet, from the route table and the Go types alone. It serves the
// document and Swagger UI to read and try it, both without any foreign host.
//
//	package main
//
//	import (
//		"context"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/openapi"
//	)
//
//	type Greeting struct {
//		Message string `json:"message" doc:"to be read out loud"`
//	}
//
//	type Greet struct {
//		Name string `path:"name" maxLength:"40"`
//	}
//
//	func greet(_ context.Context, in *Greet) (*Greeting, error) {
//		return &Greeting{"Hello, " + in.Name}, nil
//	}
//
//	func main() {
//		app := ishaa.New("greetings")
//		ishaa.Get(app, "/hello/<name>", greet, openapi.Summary("Greet somebody"))
//		openapi.Mount(app, openapi.Info{Title: "Greetings", Version: "1.0.0"})
//		app.Run() // /docs, /openapi.json, /openapi.yaml; "./program openapi" prints the document
//	}
//
// # What is described
//
// Of a typed route everything that its types say: parameters with their constraints,
// defaults and examples; the body as JSON, form or multipart; answers with their
// status, headers and cookies; a sequence (iter.Seq) in the three forms it is
// answered in; sum types with their discriminator. Converters of the pattern become
// formats and patterns, guards of package auth security schemes, blueprints tags.
//
// The problems (RFC 9457) that the framework itself answers with are told by what a
// route reads: 400, 413 and 415 where there is a body, 422 where there is anything
// to bind, 404 where the path has parameters, 401 and 403 behind a guard, 403 of the
// cross-origin check for methods that change something, 429 behind a rate limit. What
// a handler decides itself no type tells: name it by [Problems] and [Answer]. Package
// openapi/openapitest finds what was forgotten: it holds every exchange of a test
// against the document. Failures of the server, 500 and up, are never part of the
// document, but for those that Problems names.
//
// Of an untyped route the document has the path, its parameters, the methods, the
// guards and that it may answer anything. Routes that hand a subtree to a net/http
// handler, routes for methods that OpenAPI has no word for and those marked [Hidden]
// are left out.
//
// # Names
//
// An operation's id is its route's name, or made of method and pattern, such as
// "getUsersById"; it does not change when other routes come and go or a Go function is
// renamed. Components are named as schema.Definitions says: by the Go type, with the
// package in front where two types share a name. Summaries, where none is given, are
// the name of the handler's function in words.
//
// # Mounting is a decision
//
// Nothing of this is served unless the program calls [Mount]. Who may see the document
// is decided there too: options such as auth.LoginRequired apply to all its routes.
// The pages have a policy of their own that is stricter than the default: scripts,
// styles and connections of this site only, no inline script.
package openapi
