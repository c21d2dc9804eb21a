package openfeature_test

import (
	"context"
	"fmt"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/rmf/openfeature"
)

func Example() {
	app := ishaa.New("shop", ishaa.Config{Secret: "a secret of at least thirty-two bytes"})
	realities := rmf.Enable(app, rmf.Options{})
	app.Get("/recommend", func(*ishaa.Request) (any, error) { return "the usual", nil }, rmf.Reality("stable"))
	app.Get("/recommend", func(*ishaa.Request) (any, error) { return "something new", nil }, rmf.Reality("experimental", rmf.Traffic(0)))
	if err := app.Start(context.Background()); err != nil {
		panic(err)
	}
	defer app.Stop(context.Background())

	if err := sdk.SetProviderAndWait(openfeature.New(realities)); err != nil {
		panic(err)
	}
	client := sdk.NewClient("shop")
	reality, err := client.StringValue(context.Background(), "GET /recommend", "none", sdk.NewEvaluationContext("ada", nil))
	fmt.Println(reality, err)
	// Output: stable <nil>
}
