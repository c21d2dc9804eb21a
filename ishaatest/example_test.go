package ishaatest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// example runs a test and prints how it ends. In a program t comes from go test.
func example(test func(t testing.TB)) {
	t := &exampleT{recorder{TB: nil}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.end()
		test(t)
	}()
	<-done
	if len(t.failures) == 0 {
		fmt.Println("ok")
	}
	for _, failure := range t.failures {
		fmt.Println(failure)
	}
}

type exampleT struct{ recorder }

func (*exampleT) Output() io.Writer { return io.Discard }

func Example() {
	app := ishaa.New("hello")
	app.Get("/hello/<name>", func(r *ishaa.Request) (any, error) {
		return map[string]string{"message": "Hello, " + r.Param("name") + "!"}, nil
	})

	example(func(t testing.TB) {
		client := ishaatest.New(t, app)
		client.Get("/hello/alice").Status(200).JSONAt("/message", "Hello, alice!")
		client.Get("/nothing").Problem(404)
	})
	// Output: ok
}

// A failing check says what was asked, what was expected and what came.
func ExampleResult() {
	app := ishaa.New("shop")
	app.Get("/items", func(*ishaa.Request) (any, error) {
		return []map[string]any{{"name": "chair", "price": 3}, {"name": "desk", "price": 9}}, nil
	})

	example(func(t testing.TB) {
		ishaatest.New(t, app).Get("/items").JSONEqual([]map[string]any{{"name": "chair", "price": 4}})
	})
	// Output:
	// GET /items: the JSON is not as wanted:
	//   /0/price: got 3, want 4
	//   /1: got {"name":"desk","price":9}, want nothing
	//   HTTP/1.1 200 OK
	//   Content-Type: application/json
	//
	//   [{"name":"chair","price":3},{"name":"desk","price":9}]
}

// Cookies are kept, redirects followed when a test says so.
func ExampleResult_Follow() {
	app := ishaa.New("shop")
	app.Post("/login", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		res := ishaa.Redirect("/")
		res.SetCookie(&http.Cookie{Name: "name", Value: form.Value("name")})
		return res, nil
	})
	app.Get("/", func(r *ishaa.Request) (any, error) {
		name, _ := r.Cookie("name")
		return ishaa.HTMLf("<h1>Hello, %s!</h1>", name), nil
	})

	example(func(t testing.TB) {
		client := ishaatest.New(t, app)
		client.Post("/login", ishaatest.Form("name", "alice")).Redirect("/").Follow().HTML("Hello, alice!")
	})
	// Output: ok
}

func ExampleClient_Stream() {
	app := ishaa.New("ticker")
	app.Get("/ticks", func(r *ishaa.Request) (any, error) {
		return ishaa.Events(func(yield func(int, error) bool) {
			for n := 1; n <= 3 && yield(n, nil); n++ {
			}
		}), nil
	})

	example(func(t testing.TB) {
		stream := ishaatest.New(t, app).Stream("/ticks").Status(200)
		for event := range stream.Events() {
			fmt.Println(event.Name, event.Data)
		}
	})
	// Output:
	// message 1
	// message 2
	// message 3
	// ok
}

// visitor is a dependency that finds out who asks.
type visitor struct {
	Name string `bind:"-"`
}

func (*visitor) Resolve(context.Context) error { return errors.New("the directory is not reachable") }

func ExampleOverride() {
	app := ishaa.New("shop")
	app.Get("/me", func(r *ishaa.Request) (any, error) {
		user, err := ishaa.Resolve[visitor](r)
		if err != nil {
			return nil, err
		}
		return map[string]string{"name": user.Name}, nil
	})

	example(func(t testing.TB) {
		client := ishaatest.New(t, app, ishaatest.Override(visitor{Name: "alice"}))
		client.Get("/me").JSONAt("/name", "alice")
	})
	// Output: ok
}

func ExampleLogs() {
	app := ishaa.New("shop")
	app.Get("/broken", func(*ishaa.Request) (any, error) { return nil, errors.New("connection refused") })

	example(func(t testing.TB) {
		log := ishaatest.Logs(t, app)
		ishaatest.New(t, app).Get("/broken").Problem(500)
		record := log.Want(slog.LevelError, "request failed")
		fmt.Println(record.Attr("error"))
	})
	// Output:
	// connection refused
	// ok
}

func ExampleClock() {
	clock := ishaatest.NewClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	alarm := clock.After(time.Hour)
	clock.Advance(2 * time.Hour)
	fmt.Println("woken at", (<-alarm).Format(time.TimeOnly), "and it is", clock.Now().Format(time.TimeOnly))
	// Output: woken at 01:00:00 and it is 02:00:00
}
