package ishaa

import (
	"context"
	"testing"
)

type describedInput struct {
	ID   int      `path:"id"`
	Tags []string `query:"tag"`
	Who  *describedDependency
	Body *struct{} `json:"body"`
}

type describedDependency struct {
	Token string `header:"X-Token" required:"true"`
}

func (*describedDependency) Resolve(context.Context) error { return nil }

func describedHandler(context.Context, *describedInput) (string, error) { return "", nil }

func plainDescribed(*Request) (any, error) { return nil, nil }

func TestARouteDescribesItself(t *testing.T) {
	app := New("described")
	route := Post(app, "/things/<int:id>", describedHandler, Status(201))
	type key struct {
		in, name       string
		list, required bool
	}
	want := []key{{"path", "id", false, true}, {"query", "tag", true, false}, {"body", "", false, false}, {"header", "X-Token", false, true}}
	bindings := route.Bindings()
	if len(bindings) != len(want) {
		t.Fatalf("%d bindings, want %d: %+v", len(bindings), len(want), bindings)
	}
	for i, b := range bindings {
		if got := (key{b.In, b.Name, b.List, b.Required}); got != want[i] || b.Field == nil {
			t.Errorf("binding %d: %+v with field %v, want %+v", i, got, b.Field, want[i])
		}
	}
	if route.Status() != 201 || route.Function() != "describedHandler" {
		t.Errorf("status %d, function %q", route.Status(), route.Function())
	}
	plain := app.Get("/plain", plainDescribed)
	if plain.Bindings() != nil || plain.Status() != 0 || plain.Function() != "plainDescribed" {
		t.Errorf("plain: %v, %d, %q", plain.Bindings(), plain.Status(), plain.Function())
	}
	literal := app.Get("/literal", func(*Request) (any, error) { return nil, nil })
	if got := literal.Function(); got != "" {
		t.Errorf("a literal: %q", got)
	}
}
