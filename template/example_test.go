package template_test

import (
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/template"
)

func Example() {
	engine := template.New(fstest.MapFS{
		"layout.html": {Data: []byte("<title>{% block title %}Shop{% endblock %}</title>\n{% block body required %}{% endblock %}\n")},
		"cart.html": {Data: []byte(`{% extends "layout.html" %}
{% block title %}Cart - {{ super() }}{% endblock %}
{% block body %}{% for item in items %}<a href="{{ item.url }}">{{ item.full_name|upper }}</a>{{ ", " if not loop.last }}{% endfor %}{% endblock %}`)},
	})
	type Item struct{ FullName, URL string }
	err := engine.Render(os.Stdout, "cart.html", map[string]any{"items": []Item{
		{"tea & cake", "/items/1"}, {"trick", "javascript:alert(1)"},
	}})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// <title>Cart - Shop</title>
	// <a href="/items/1">TEA &amp; CAKE</a>, <a href="about:invalid#blocked">TRICK</a>
}

func ExampleEngine_Check() {
	engine := template.New(fstest.MapFS{"page.html": {Data: []byte("<p>\n  {{ name|uper }}</p>")}})
	fmt.Println(engine.Check())
	// Output:
	// page.html:2:11: unknown filter "uper", did you mean "upper"?
	//       {{ name|uper }}</p>
	//               ^
}

// A page of an application, and the block of it that a script asks for.
func ExamplePage() {
	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Install(template.New(fstest.MapFS{"cart.html": {Data: []byte(
		`<h1>Cart of {{ name }}</h1><ul hx-get="{{ url('items') }}">{% block items %}{% for i in items %}<li>{{ i }}</li>{% endfor %}{% endblock %}</ul>`)}}))
	data := map[string]any{"name": "Ann & Bob", "items": []string{"tea", "<milk>"}}
	app.Get("/", func(*ishaa.Request) (any, error) { return template.Page("cart.html", data), nil })
	app.Get("/items", func(*ishaa.Request) (any, error) { return template.Block("cart.html", "items", data), nil }, ishaa.Name("items"))
	for _, path := range []string{"/", "/items"} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		fmt.Println(w.Body)
	}
	// Output:
	// <h1>Cart of Ann &amp; Bob</h1><ul hx-get="/items"><li>tea</li><li>&lt;milk&gt;</li></ul>
	// <li>tea</li><li>&lt;milk&gt;</li>
}
