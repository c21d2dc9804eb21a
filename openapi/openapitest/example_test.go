package openapitest_test

import (
	"context"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi/openapitest"
)

// A test of the application is one of its document too.
func ExampleWatch() {
	test := func(t *testing.T) {
		app := ishaa.New("watched")
		ishaa.Get(app, "/answer", func(context.Context, *struct{}) (int, error) { return 42, nil })
		openapitest.Watch(t, app)
		ishaatest.New(t, app).Get("/answer").Status(200)
	}
	_ = test // go test runs it
}
