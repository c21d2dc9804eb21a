package template_test

import (
	"fmt"
	"os"
	"testing/fstest"

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
