package graphql_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

const response = "application/graphql-response+json"

func TestHTTP(t *testing.T) {
	client := serve(t, graphql.Options{})
	accept := func(mime string) ishaatest.RequestOption { return ishaatest.Header("Accept", mime) }
	for _, c := range []struct {
		name   string
		res    *ishaatest.Result
		status int
		want   string
	}{
		{"post", client.Post("/graphql", ishaatest.JSON(request{Query: "{named {name}}"})), 200, `{"data":{"named":{"name":"Ben"}}}`},
		{"get", client.Get("/graphql?query=" + url.QueryEscape("query($f: Int!) {many(first: $f) {name}}") + "&variables=" + url.QueryEscape(`{"f": 1}`)), 200, `{"data":{"many":[{"name":"Ann"}]}}`},
		{"mutation by get", client.Get("/graphql?query=" + url.QueryEscape("mutation {add}")), 405, "POST"},
		{"a form", client.Post("/graphql", ishaatest.Form("query", "mutation {add}")), 415, "application/json"},
		{"text", client.Post("/graphql", ishaatest.Body("text/plain", `{"query":"mutation {add}"}`)), 415, "application/json"},
		{"another charset", client.Post("/graphql", ishaatest.Body("application/json; charset=latin1", `{"query":"{named {name}}"}`)), 415, "UTF-8"},
		{"no json", client.Post("/graphql", ishaatest.Body("application/json", `{"query":`)), 400, "BAD_REQUEST"},
		{"a name twice", client.Post("/graphql", ishaatest.Body("application/json", `{"query":"{a}","query":"{b}"}`)), 400, "BAD_REQUEST"},
		{"no query", client.Post("/graphql", ishaatest.Body("application/json", `{}`)), 400, "no query"},
		{"variables of the wrong kind", client.Post("/graphql", ishaatest.Body("application/json", `{"query":"{a}","variables":[1]}`)), 400, "variables"},
		{"not valid, as json", client.Post("/graphql", ishaatest.JSON(request{Query: "{nope}"})), 200, "GRAPHQL_VALIDATION_FAILED"},
		{"not valid, as graphql-response", client.Post("/graphql", ishaatest.JSON(request{Query: "{nope}"}), accept(response)), 400, "GRAPHQL_VALIDATION_FAILED"},
		{"an error in part, as graphql-response", client.Post("/graphql", ishaatest.JSON(request{Query: "{says}"}), accept(response)), 200, `"says":null`},
		{"an answer that is not to be had", client.Post("/graphql", ishaatest.JSON(request{Query: "{says}"}), accept("image/png")), 406, "Answers are"},
		{"subscription", client.Post("/graphql", ishaatest.JSON(request{Query: "subscription {ticks(to: 1)}"})), 400, "/graphql/stream"},
		{"which operation", client.Post("/graphql", ishaatest.JSON(request{Query: "query A {says} query B {named {name}}", OperationName: "B"})), 200, `"name":"Ben"`},
		{"which of two", client.Post("/graphql", ishaatest.JSON(request{Query: "query A {says} query B {named {name}}"})), 400, `operationName`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if text := c.res.Status(c.status).Text(); !strings.Contains(text, c.want) {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

func TestCrossOriginMutation(t *testing.T) {
	client := serve(t, graphql.Options{})
	client.Post("/graphql", ishaatest.JSON(request{Query: "mutation {add}"}), ishaatest.Header("Origin", "https://evil.example"), ishaatest.Header("Sec-Fetch-Site", "cross-site")).Status(403)
}

func TestPersistedQueries(t *testing.T) {
	client := serve(t, graphql.Options{})
	sum := sha256.Sum256([]byte("{named {name}}"))
	persisted := map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}
	send := func(query string) string {
		return client.Post("/graphql", ishaatest.JSON(request{Query: query, Extensions: persisted})).Text()
	}
	for _, c := range []struct{ name, query, want string }{
		{"not there yet", "", "PERSISTED_QUERY_NOT_FOUND"},
		{"another text", "{says}", "hash"},
		{"still not there", "", "PERSISTED_QUERY_NOT_FOUND"},
		{"told", "{named {name}}", "Ben"},
		{"there", "", "Ben"},
	} {
		if got := send(c.query); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestAllowList(t *testing.T) {
	allowed := "{named {name}}"
	client := serve(t, graphql.Options{Allowed: []string{allowed}})
	sum := sha256.Sum256([]byte(allowed))
	for _, c := range []struct {
		in   request
		want string
	}{
		{request{Query: allowed}, "Ben"},
		{request{DocumentID: hex.EncodeToString(sum[:])}, "Ben"},
		{request{Query: "{named {name born}}"}, graphql.CodeNotAllowed},
		{request{Query: "{says}", DocumentID: hex.EncodeToString(sum[:])}, graphql.CodeNotAllowed},
		{request{DocumentID: strings.Repeat("0", 64)}, graphql.CodeNotAllowed},
	} {
		if got := client.Post("/graphql", ishaatest.JSON(c.in)).Text(); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s", c.in, got)
		}
	}
}

type visitor struct {
	Name string `header:"X-Name"`
	made int
}

func (v *visitor) Resolve(context.Context) error {
	v.made++
	if v.Name == "" {
		return ishaa.Unauthorized("say who you are")
	}
	return nil
}

func TestDependencies(t *testing.T) {
	s := graphql.New()
	graphql.Query(s, "me", func(ctx context.Context, _ none) (*string, error) {
		v, err := graphql.Resolve[visitor](ctx)
		if err != nil {
			return nil, err
		}
		return &v.Name, nil
	}, graphql.Concurrent())
	app := ishaa.New("me")
	graphql.Mount(app, "/graphql", s, graphql.Options{})
	client := ishaatest.New(t, app)
	in := ishaatest.JSON(request{Query: "{a: me b: me c: me}"})
	if got := client.Post("/graphql", in, ishaatest.Header("X-Name", "Eve")).Text(); got != `{"data":{"a":"Eve","b":"Eve","c":"Eve"}}` {
		t.Error(got)
	}
	if got := client.Post("/graphql", in).Text(); !strings.Contains(got, graphql.CodeUnauthenticated) {
		t.Error(got)
	}
}

func TestUploads(t *testing.T) {
	s := graphql.New()
	graphql.Query(s, "x", func(context.Context, none) (int, error) { return 0, nil })
	graphql.Mutation(s, "upload", func(_ context.Context, in struct{ Files []graphql.Upload }) ([]string, error) {
		var list []string
		for _, f := range in.Files {
			r, err := f.Content()
			if err != nil {
				return nil, err
			}
			text, err := io.ReadAll(r)
			if err != nil {
				return nil, err
			}
			list = append(list, f.Name()+"="+string(text))
			r.Close()
		}
		return list, nil
	})
	app := ishaa.New("uploads")
	graphql.Mount(app, "/graphql", s, graphql.Options{})
	client := ishaatest.New(t, app)
	operations, _ := json.Marshal(map[string]any{"query": "mutation($f: [Upload!]!) {upload(files: $f)}", "variables": map[string]any{"f": []any{nil, nil}}})
	send := func(places string, options ...ishaatest.RequestOption) string {
		return client.Post("/graphql", append([]ishaatest.RequestOption{
			ishaatest.Form("operations", string(operations), "map", places),
			ishaatest.File("0", "a.txt", "one"), ishaatest.File("1", "b.txt", "two"),
		}, options...)...).Text()
	}
	preflight := ishaatest.Header("GraphQL-Preflight", "1")
	if got := send(`{"0":["variables.f.0"],"1":["variables.f.1"]}`, preflight); got != `{"data":{"upload":["a.txt=one","b.txt=two"]}}` {
		t.Error(got)
	}
	for name, got := range map[string]string{
		"a form of another site": send(`{"0":["variables.f.0"],"1":["variables.f.1"]}`),
		"a place that is not":    send(`{"0":["variables.f.7"]}`, preflight),
		"a file that is not":     send(`{"7":["variables.f.0"]}`, preflight),
		"a place outside":        send(`{"0":["query"]}`, preflight),
	} {
		if !strings.Contains(got, graphql.CodeBadRequest) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestEventStream(t *testing.T) {
	client := serve(t, graphql.Options{})
	stream := ishaatest.Header("Accept", "text/event-stream")
	got := client.Post("/graphql/stream", ishaatest.JSON(request{Query: "subscription {ticks(to: 3)}"}), stream).Status(200).Text()
	for _, part := range []string{
		"event: next\ndata: {\"data\":{\"ticks\":1}}\n\n", `"code":"SKIPPED"`, "event: next\ndata: {\"data\":{\"ticks\":3}}\n\nevent: complete\n",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("%s lacks %s", got, part)
		}
	}
	client.Post("/graphql/stream?token=nobody", ishaatest.JSON(request{Query: "{says}", Extensions: map[string]any{"operationId": "1"}})).Status(404)
	token := client.Put("/graphql/stream").Status(201).Text()
	client.Post("/graphql/stream?token="+token, ishaatest.JSON(request{Query: "{says}", Extensions: map[string]any{"operationId": "1"}})).Status(409)
	client.Get("/graphql/stream?query="+url.QueryEscape("mutation {add}"), stream).Status(405)
}
