package sare_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/sare"
)

func Example() {
	app := ishaa.New("shop", ishaa.Config{LogLevel: 12})
	engine := sare.Enable(app, sare.Options{})
	app.Get("/products", func(*ishaa.Request) (any, error) { return []string{"tea", "milk"}, nil })
	app.Get("/lottery", func(*ishaa.Request) (any, error) { return "one each", nil }, sare.Never())
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	for range 3 {
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/products", nil))
	}
	fmt.Println(engine.Stats().Requests, "requests")
	x, err := engine.Explain("/lottery")
	fmt.Println(x.Route, "is remembered:", x.Memory.Phase, x.Memory.Why, err)
	// Output:
	// 3 requests
	// GET /lottery is remembered: never sare.Never() <nil>
}
