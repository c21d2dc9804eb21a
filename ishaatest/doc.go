// Package ishaatest tests applications: a client, checks that chain, overrides of
// dependencies, a clock that the test moves, and the application's log.
//
//	func TestGreeting(t *testing.T) {
//		app := ishaa.New("hello")
//		app.Get("/hello/<name>", func(r *ishaa.Request) (any, error) {
//			return map[string]string{"message": "Hello, " + r.Param("name") + "!"}, nil
//		})
//
//		client := ishaatest.New(t, app)
//		client.Get("/hello/alice").Status(200).JSONAt("/message", "Hello, alice!")
//		client.Get("/nothing").Problem(404)
//	}
//
// Client and application talk by net/http through memory, so that a test sees what
// production does: flushing, hijacking, deadlines, cut connections, clients that
// go away. The same tests run over real sockets with the option OverSocket, or all
// of them with ISHAA_TEST_SOCKET=1 in the environment.
//
// A check that fails ends the test with the request, what was expected and the
// answer's beginning:
//
//	POST /orders: status 422, want 201
//	  HTTP/1.1 422 Unprocessable Entity
//	  Content-Type: application/problem+json
//
//	  {"title":"Unprocessable Entity","status":422,"detail":"1 value does not fit", …
//
// Cookies are kept between requests by the application's clock. Redirects are
// followed on request: by the option Follow, or by Result.Follow once one was
// checked.
package ishaatest
