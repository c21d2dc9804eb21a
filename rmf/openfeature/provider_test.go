package openfeature_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	sdk "github.com/open-feature/go-sdk/openfeature"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/rmf"
	"github.com/ishaa-framework/ishaa/rmf/openfeature"
)

// What the provider says is what the route answers.
func TestProvider(t *testing.T) {
	app := ishaa.New("shop", ishaa.Config{Secret: "0123456789abcdef0123456789abcdef"})
	realities := rmf.Enable(app, rmf.Options{Subject: func(r *ishaa.Request) string { return r.Header("X-User") }})
	say := func(text string) ishaa.Handler {
		return func(*ishaa.Request) (any, error) { return ishaa.Text(text), nil }
	}
	app.Get("/x", say("stable"), rmf.Reality("stable"))
	app.Get("/x", say("experimental"), rmf.Reality("experimental", rmf.Traffic(30)))
	app.Without(ishaa.DefaultAccessLog)
	p := openfeature.New(realities)
	ctx := context.Background()
	if d := p.StringEvaluation(ctx, "GET /x", "default", sdk.FlattenedContext{sdk.TargetingKey: "ada"}); d.Value != "default" || d.Error() == nil {
		t.Errorf("before the application has started: %+v", d)
	}
	if err := app.Start(ctx); err != nil {
		t.Fatal(err)
	}
	defer app.Stop(ctx)
	inside := 0
	for i := range 500 {
		user := fmt.Sprint("user", i)
		raw := httptest.NewRequest("GET", "/x", nil)
		raw.Header.Set("X-User", user)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, raw)
		flat := sdk.FlattenedContext{sdk.TargetingKey: user}
		d := p.StringEvaluation(ctx, "GET /x", "default", flat)
		b := p.BooleanEvaluation(ctx, "GET /x=experimental", false, flat)
		if d.Value != w.Body.String() || d.Variant != d.Value || d.Reason != sdk.SplitReason || b.Value != (d.Value == "experimental") {
			t.Fatalf("%s is served %q, and told %+v, %+v", user, w.Body, d, b)
		}
		if b.Value {
			inside++
		}
	}
	if inside < 100 || inside > 200 {
		t.Errorf("%d of 500 are in 30 %%", inside)
	}
	for name, err := range map[string]error{
		"no subject":      p.StringEvaluation(ctx, "GET /x", "", sdk.FlattenedContext{}).Error(),
		"no experiment":   p.StringEvaluation(ctx, "GET /y", "", sdk.FlattenedContext{sdk.TargetingKey: "ada"}).Error(),
		"another boolean": p.BooleanEvaluation(ctx, "GET /x", true, nil).Error(),
		"a number":        p.IntEvaluation(ctx, "GET /x", 1, nil).Error(),
		"a float":         p.FloatEvaluation(ctx, "GET /x", 1, nil).Error(),
		"an object":       p.ObjectEvaluation(ctx, "GET /x", nil, nil).Error(),
	} {
		if err == nil {
			t.Errorf("%s is no error", name)
		}
	}
}
