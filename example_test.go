package ishaa_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// quiet keeps the log out of the examples' output.
var quiet = ishaa.Config{Logger: slog.New(slog.DiscardHandler)}

// printAnswer does a request and prints status and body.
func printAnswer(app http.Handler, method, target string) {
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
}

func Example() {
	app := ishaa.New("hello", quiet)
	app.Get("/", func(r *ishaa.Request) (any, error) {
		return map[string]string{"message": "Hello from Ishaa!"}, nil
	})
	app.Get("/hello/<name>", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf("<h1>Hello, %s!</h1>", r.Param("name")), nil
	})
	// app.Run() would serve it.

	printAnswer(app, "GET", "/")
	printAnswer(app, "GET", "/hello/%3Cyou%3E")
	printAnswer(app, "GET", "/goodbye")
	// Output:
	// 200 {"message":"Hello from Ishaa!"}
	// 200 <h1>Hello, &lt;you&gt;!</h1>
	// 404 {"title":"Not Found","status":404,"detail":"there is nothing at this address"}
}

func ExampleApp_Get() {
	app := ishaa.New("shop", quiet)
	app.Get("/users/<int:id>", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(fmt.Sprintf("the user numbered %d", r.ParamInt("id"))), nil
	})
	app.Get("/users/<name>", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("the user named " + r.Param("name")), nil
	})
	printAnswer(app, "GET", "/users/7")
	printAnswer(app, "GET", "/users/seven")
	printAnswer(app, "POST", "/users/7")
	// Output:
	// 200 the user numbered 7
	// 200 the user named seven
	// 405 {"title":"Method Not Allowed","status":405,"detail":"POST is not one of GET, HEAD, OPTIONS"}
}

func ExampleApp_URL() {
	app := ishaa.New("shop", quiet)
	app.Get("/files/<folder>/<path:name>", func(r *ishaa.Request) (any, error) { return nil, nil }, ishaa.Name("file"))
	url, err := app.URL("file", "folder", "a/b", "name", "2026/report 1.pdf", "page", 2)
	fmt.Println(url, err)
	_, err = app.URL("file", "folder", "a")
	fmt.Println(err)
	// Output:
	// /files/a%2Fb/2026/report%201.pdf?page=2 <nil>
	// ishaa: URL("file"): URL of "/files/<folder>/<path:name>": no value for the parameter "name"; give one
}

func ExampleBlueprint() {
	app := ishaa.New("shop", quiet)
	api := ishaa.NewBlueprint("api", "/api/v1")
	api.Before(func(r *ishaa.Request) (any, error) {
		if r.Query("key") == "" {
			return nil, ishaa.Unauthorized("a key is needed")
		}
		return nil, nil
	})
	api.Get("/orders/<int:id>", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("order " + r.Param("id")), nil
	}, ishaa.Name("order"))
	app.Register(api)

	printAnswer(app, "GET", "/api/v1/orders/7")
	printAnswer(app, "GET", "/api/v1/orders/7?key=abc")
	fmt.Println(app.URL("api.order", "id", 7))
	// Output:
	// 401 {"title":"Unauthorized","status":401,"detail":"a key is needed"}
	// 200 order 7
	// /api/v1/orders/7 <nil>
}

type soldOut struct{ Item string }

func (e *soldOut) Error() string { return e.Item + " is sold out" }

func ExampleOnError() {
	app := ishaa.New("shop", quiet)
	ishaa.OnError(app, func(r *ishaa.Request, err *soldOut) (any, error) {
		return ishaa.Text("Sorry, no more " + err.Item).WithStatus(http.StatusConflict), nil
	})
	app.Get("/buy", func(r *ishaa.Request) (any, error) {
		return nil, fmt.Errorf("buying: %w", &soldOut{"tea"})
	})
	printAnswer(app, "GET", "/buy")
	// Output: 409 Sorry, no more tea
}

func ExampleProblem() {
	app := ishaa.New("bank", quiet)
	app.Get("/pay", func(r *ishaa.Request) (any, error) {
		return nil, (&ishaa.Problem{
			Type: "https://bank.example/problems/credit", Title: "You do not have enough credit", Status: 403,
			Detail: "The balance is 30, the price 50.", Instance: "/accounts/12345/messages/abc",
		}).With("balance", 30).Wrap(errors.New("the client does not see this"))
	})
	printAnswer(app, "GET", "/pay")
	// Output:
	// 403 {"type":"https://bank.example/problems/credit","title":"You do not have enough credit","status":403,"detail":"The balance is 30, the price 50.","instance":"/accounts/12345/messages/abc","balance":30}
}

func ExampleMiddleware() {
	app := ishaa.New("shop", quiet)
	app.Use(ishaa.Middleware{
		Name: "greeting",
		Before: func(r *ishaa.Request) (any, error) {
			if r.Path() == "/early" {
				return ishaa.Text("answered by the hook"), nil
			}
			return nil, nil
		},
		After: func(r *ishaa.Request, res *ishaa.Response) error {
			body, _ := res.Bytes()
			res.SetBytes([]byte("<" + string(body) + ">"))
			return nil
		},
	})
	app.Get("/page", func(r *ishaa.Request) (any, error) { return ishaa.Text("answered by the handler"), nil })
	printAnswer(app, "GET", "/page")
	printAnswer(app, "GET", "/early")
	// Output:
	// 200 <answered by the handler>
	// 200 <answered by the hook>
}

func ExampleStd() {
	app := ishaa.New("shop", quiet)
	app.Use(ishaa.Std(func(next http.Handler) http.Handler {
		return http.MaxBytesHandler(next, 1<<20) // any net/http middleware
	}))
	app.Get("/", func(r *ishaa.Request) (any, error) { return ishaa.Text("inside"), nil })
	printAnswer(app, "GET", "/")
	// Output: 200 inside
}

func ExampleApp_Mount() {
	app := ishaa.New("shop", quiet)
	legacy := http.NewServeMux()
	legacy.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the old report") })
	app.Mount("/legacy/", http.StripPrefix("/legacy", legacy))
	printAnswer(app, "GET", "/legacy/report")
	// Output: 200 the old report
}

func ExampleVariant() {
	app := ishaa.New("shop", quiet)
	app.Get("/", func(r *ishaa.Request) (any, error) { return ishaa.Text("the page as it was"), nil },
		ishaa.Variant("trial", "old"))
	app.Get("/", func(r *ishaa.Request) (any, error) { return ishaa.Text("the page as it may be"), nil },
		ishaa.Variant("trial", "new"), ishaa.SelectBy(ishaa.SelectorFunc(func(r *ishaa.Request, route *ishaa.Route) int {
			if r.Query("trial") == "new" {
				return 1
			}
			return 0
		})))
	printAnswer(app, "GET", "/")
	printAnswer(app, "GET", "/?trial=new")
	// Output:
	// 200 the page as it was
	// 200 the page as it may be
}

func ExampleApp_Routes() {
	app := ishaa.New("shop", quiet)
	nothing := func(r *ishaa.Request) (any, error) { return nil, nil }
	app.Post("/orders", nothing)
	app.Get("/orders/<uuid:id>", nothing, ishaa.Name("order"))
	for _, route := range app.Routes() {
		fmt.Println(route, route.Name(), route.Parameters())
	}
	// Output:
	// POST /orders  []
	// GET /orders/<uuid:id> order [{id uuid }]
}

func ExampleApp_OnStart() {
	app := ishaa.New("shop", quiet)
	app.OnStart(func(context.Context) error { fmt.Println("connect"); return nil })
	app.OnStop(func(context.Context) error { fmt.Println("disconnect"); return nil })
	// Run does both; a test may do them by hand.
	fmt.Println(app.Start(context.Background()))
	fmt.Println(app.Stop(context.Background()))
	// Output:
	// connect
	// <nil>
	// disconnect
	// <nil>
}

func ExampleNewKey() {
	currentUser := ishaa.NewKey[string]("user") // usually a package variable
	app := ishaa.New("shop", quiet)
	app.Before(func(r *ishaa.Request) (any, error) {
		currentUser.Set(r, "Ada")
		return nil, nil
	})
	app.Get("/me", func(r *ishaa.Request) (any, error) { return ishaa.Text(currentUser.Get(r)), nil })
	printAnswer(app, "GET", "/me")
	// Output: 200 Ada
}

func ExampleNewAnnotation() {
	owner := ishaa.NewAnnotation[string]("owner") // usually a package variable
	app := ishaa.New("shop", quiet)
	route := app.Get("/", func(r *ishaa.Request) (any, error) { return nil, nil }, owner.On("the shop team"))
	fmt.Println(owner.Of(route))
	// Output: the shop team true
}
