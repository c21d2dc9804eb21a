package openapi_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/openapi"
)

type Greeting struct {
	Message string `json:"message"`
}

type Greet struct {
	Name string `path:"name" maxLength:"40"`
}

func greet(_ context.Context, in *Greet) (*Greeting, error) {
	return &Greeting{"Hello, " + in.Name}, nil
}

func ExampleBuild() {
	app := ishaa.New("greetings")
	ishaa.Get(app, "/hello/<name>", greet, openapi.Summary("Greet somebody"))
	document, err := openapi.Build(app, openapi.Info{Title: "Greetings", Version: "1.0.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, _, _ := strings.Cut(string(document.YAML()), "      responses:")
	fmt.Println(text)
	// Output:
	// openapi: "3.1.0"
	// info:
	//   title: "Greetings"
	//   version: "1.0.0"
	// jsonSchemaDialect: "https://spec.openapis.org/oas/3.1/dialect/base"
	// servers:
	//   - url: "/"
	// security: []
	// paths:
	//   "/hello/{name}":
	//     get:
	//       summary: "Greet somebody"
	//       operationId: "getHelloByName"
	//       parameters:
	//         - name: "name"
	//           in: "path"
	//           required: true
	//           schema:
	//             type: "string"
	//             maxLength: 40
	//             minLength: 1
}

func ExampleDiff() {
	document := func(status int) []byte {
		app := ishaa.New("greetings")
		ishaa.Get(app, "/hello/<name>", greet, ishaa.Status(status))
		document, err := openapi.Build(app, openapi.Info{Title: "Greetings", Version: "1.0.0"})
		if err != nil {
			panic(err)
		}
		return document.JSON()
	}
	changes, err := openapi.Diff(document(200), document(201))
	if err != nil {
		fmt.Println(err)
	}
	for _, change := range changes {
		fmt.Println(change)
	}
	// Output:
	// breaking: GET /hello/{name}: the answer 200 is gone (/paths/~1hello~1{name}/get/responses/200)
	// compatible: GET /hello/{name}: the answer 201 is new (/paths/~1hello~1{name}/get/responses/201)
}
