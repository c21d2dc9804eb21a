package openapi_test

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi"
	"github.com/ishaa-framework/ishaa/openapi/internal/sample"
)

var update = flag.Bool("update", false, "write the golden documents anew")

func build(t *testing.T, app *ishaa.App) *openapi.Document {
	t.Helper()
	document, err := openapi.Build(app, openapi.Info{Title: "Test", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// at reads a place of a document.
func at(t *testing.T, document *openapi.Document, names ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(document.JSON(), &value); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

func TestGoldenDocuments(t *testing.T) {
	document, err := openapi.Build(sample.New(), sample.Info)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"sample.json": document.JSON(), "sample.yaml": document.YAML(), "sample-3.0.json": document.Downgrade().JSON(),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(golden) != string(text) {
			changes, _ := openapi.Diff(golden, text)
			t.Errorf("%s differs from what Build gives now; look at it and run the test with -update: %v", name, changes)
		}
	}
}

// Documents are the same every time, also where other routes are registered first.
func TestOperationIDsDependOnTheRouteAlone(t *testing.T) {
	id := func(add ...func(*ishaa.App)) any {
		app := ishaa.New("ids")
		for _, f := range add {
			f(app)
		}
		return at(t, build(t, app), "paths", "/users/{id}", "get", "operationId")
	}
	user := func(app *ishaa.App) { app.Get("/users/<int:id>", page) }
	others := func(app *ishaa.App) { app.Get("/", page); app.Post("/users/", page); app.Get("/users", page) }
	if a, b := id(user, others), id(others, user); a != "getUsersById" || a != b {
		t.Errorf("%v and %v", a, b)
	}
}

func page(*ishaa.Request) (any, error) { return "<p>page</p>", nil }

func TestWhatOpenAPICannotSayIsLeftOut(t *testing.T) {
	app := ishaa.New("left")
	app.Route("/cache", page, ishaa.Methods("PURGE"))
	app.Get("/a/<int:id>", page)
	app.Get("/a/<slug:name>", page)
	document := build(t, app)
	left := strings.Join(document.LeftOut(), "\n")
	for _, want := range []string{"PURGE /cache", "GET /a/<slug:name>", "no word", "same path"} {
		if !strings.Contains(left, want) {
			t.Errorf("%q is not in %q", want, left)
		}
	}
	if at(t, document, "paths", "/cache") != nil || at(t, document, "paths", "/a/{id}", "get") == nil {
		t.Error("the wrong routes are left out")
	}
}

func TestMistakesStopTheProgram(t *testing.T) {
	empty := func(context.Context, *struct{}) (string, error) { return "", nil }
	for name, c := range map[string]struct {
		want string
		do   func(*ishaa.App)
	}{
		"no title":   {"no Title", func(app *ishaa.App) { openapi.Mount(app, openapi.Info{Version: "1"}) }},
		"no version": {"no Version", func(app *ishaa.App) { openapi.Mount(app, openapi.Info{Title: "a"}) }},
		"two licences": {"takes one", func(app *ishaa.App) {
			openapi.Mount(app, openapi.Info{Title: "a", Version: "1", License: openapi.License{Name: "a", Identifier: "b", URL: "c"}})
		}},
		"a tag twice": {"twice", func(app *ishaa.App) {
			openapi.Mount(app, openapi.Info{Title: "a", Version: "1", Tags: []openapi.Tag{{Name: "a"}, {Name: "a"}}})
		}},
		"an id with spaces": {"ASCII", func(app *ishaa.App) { ishaa.Get(app, "/", empty, openapi.OperationID("a b")) }},
		"a strange problem": {"from 400", func(app *ishaa.App) { ishaa.Get(app, "/", empty, openapi.Problems(200)) }},
		"a strange answer":  {"from 200", func(app *ishaa.App) { ishaa.Get(app, "/", empty, openapi.Answer[string](100, "")) }},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text, _ := recover().(string)
				if !strings.Contains(text, c.want) {
					t.Errorf("%q does not say %q", text, c.want)
				}
			}()
			c.do(ishaa.New("mistake"))
		})
	}
	t.Run("an id twice", func(t *testing.T) {
		app := ishaa.New("twice")
		ishaa.Get(app, "/a", empty, openapi.OperationID("same"))
		ishaa.Get(app, "/b", empty, openapi.OperationID("same"))
		if _, err := openapi.Build(app, openapi.Info{Title: "a", Version: "1"}); err == nil || !strings.Contains(err.Error(), `"same" is that of GET /a`) {
			t.Error(err)
		}
	})
}

func TestMount(t *testing.T) {
	app := sample.New()
	client := ishaatest.New(t, app)
	document := client.Get("/openapi.json").Status(200).Header("Content-Type", "application/json")
	client.Get("/openapi.json?version=3.0").Status(200).JSONAt("/openapi", "3.0.3")
	client.Get("/openapi.json?version=2").Problem(400)
	client.Get("/openapi.yaml").Status(200).Header("Content-Type", "application/yaml")
	client.Get("/openapi.json", ishaatest.Header("If-None-Match", document.Headers().Get("ETag"))).Status(304)
	zipped := client.Get("/docs/swagger-ui-bundle.js", ishaatest.Header("Accept-Encoding", "gzip")).Status(200)
	if zipped.Headers().Get("Content-Encoding") != "gzip" || len(zipped.Bytes()) > 600_000 {
		t.Errorf("the bundle: %v, %d bytes", zipped.Headers(), len(zipped.Bytes()))
	}
	if plain := client.Get("/docs/swagger-ui-bundle.js", ishaatest.Header("Accept-Encoding", "identity")).Status(200); len(plain.Bytes()) < 1_500_000 {
		t.Errorf("the bundle has %d bytes", len(plain.Bytes()))
	}
	for _, path := range []string{"/docs", "/docs/plain"} {
		policy := client.Get(path).Status(200).Headers().Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
	if text := document.Text(); strings.Contains(text, "/secret") || strings.Contains(text, "/docs") || strings.Contains(text, "/legacy") {
		t.Error("hidden routes, mounted ones and the pages themselves are in the document")
	}
}

// The pages lie where they are put, and options guard all of them.
func TestMountElsewhere(t *testing.T) {
	app := ishaa.New("elsewhere")
	staff := ishaa.NewBlueprint("staff", "/staff")
	openapi.Mount(staff, openapi.Info{Title: "T", Version: "1", DocsPath: "/api/docs", DocumentPath: "/api/v1"},
		ishaa.Middleware{Name: "staff", Before: func(r *ishaa.Request) (any, error) {
			if r.Header("X-Staff") == "" {
				return nil, ishaa.Unauthorized("staff only")
			}
			return nil, nil
		}})
	app.Register(staff)
	client := ishaatest.New(t, app)
	for _, path := range []string{"/staff/api/docs", "/staff/api/docs/plain", "/staff/api/docs/start.js", "/staff/api/v1.json", "/staff/api/v1.yaml"} {
		client.Get(path).Problem(401)
		client.Get(path, ishaatest.Header("X-Staff", "1")).Status(200)
	}
	client.Get("/staff/api/docs", ishaatest.Header("X-Staff", "1")).HTML(`data-document="../api/v1.json"`, `src="../api/docs/start.js"`)
}
