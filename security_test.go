package ishaa_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

func TestOptionFunc(t *testing.T) {
	bearer := ishaa.Security{Name: "bearer", Type: "http", Scheme: "bearer"}
	var seen []string
	look := func(name string) ishaa.RouteOption {
		return ishaa.OptionFunc(func(route *ishaa.Route) error {
			if schemes, ok := ishaa.SecurityScheme.Of(route); ok {
				seen = append(seen, name+" after "+schemes[0].Name)
			} else {
				seen = append(seen, name)
			}
			return nil
		})
	}
	app := ishaa.New("shop")
	b := ishaa.NewBlueprint("b", "/b").With(look("blueprint"))
	route := b.Get("/", func(*ishaa.Request) (any, error) { return nil, nil },
		look("first"), ishaa.SecurityScheme.On([]ishaa.Security{bearer}), look("second"))
	app.Register(b)
	if want := []string{"blueprint", "first", "second after bearer"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("options ran as %q, want %q", seen, want)
	}
	if got, _ := ishaa.SecurityScheme.Of(route); !reflect.DeepEqual(got, []ishaa.Security{bearer}) {
		t.Errorf("the route has %+v", got)
	}

	defer func() {
		text, _ := recover().(string)
		if !strings.Contains(text, "security_test.go:") || !strings.Contains(text, "not here") {
			t.Errorf("the program stops with %q", text)
		}
	}()
	app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil },
		ishaa.OptionFunc(func(*ishaa.Route) error { return errors.New("not here") }))
}
