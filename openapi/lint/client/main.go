//go:build generated

// Command client calls the sample API by the client that oapi-codegen made of its
// document.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/ishaa-framework/ishaa/openapi/lint/generated"
)

func main() {
	if err := call(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("the Go client was answered as the document says")
}

func call(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := generated.NewClientWithResponses(url)
	if err != nil {
		return err
	}
	page, word := int64(7), "blue"
	found, err := client.ApiThingsSearchWithResponse(ctx, &generated.ApiThingsSearchParams{Page: &page, Word: &word})
	if err != nil {
		return err
	}
	if found.JSON200 == nil || found.JSON200.Total != 7 {
		return fmt.Errorf("search: %s %s", found.Status(), found.Body)
	}
	short := "b"
	refused, err := client.ApiThingsSearchWithResponse(ctx, &generated.ApiThingsSearchParams{Word: &short})
	if err != nil {
		return err
	}
	if refused.ApplicationproblemJSON422 == nil || refused.ApplicationproblemJSON422.Errors == nil {
		return fmt.Errorf("a word that is too short: %s %s", refused.Status(), refused.Body)
	}
	put, err := client.PutApiThingsItemsByIdWithResponse(ctx, [16]byte{1, 2, 3}, generated.Address{Street: "A", City: "B"})
	if err != nil {
		return err
	}
	if put.JSON201 == nil || put.JSON201.City != "B" {
		return fmt.Errorf("put: %s %s", put.Status(), put.Body)
	}
	var shape generated.Shape
	if err := shape.FromCircle(generated.Circle{Kind: "circle", Radius: 2}); err != nil {
		return err
	}
	back, err := client.PostApiThingsShapesWithResponse(ctx, shape)
	if err != nil {
		return err
	}
	if back.JSON200 == nil {
		return fmt.Errorf("shape: %s %s", back.Status(), back.Body)
	}
	return nil
}
