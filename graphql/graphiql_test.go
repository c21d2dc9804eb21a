package graphql_test

import (
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/graphql"
	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func TestGraphiQLOnRequest(t *testing.T) {
	html := ishaatest.Header("Accept", "text/html,*/*;q=0.1")
	serve(t, graphql.Options{}).Get("/graphql", html).Status(400)
	client := serve(t, graphql.Options{GraphiQL: true})
	client.Get("/graphql", html).Status(200).Contains("graphiql.min.js", `data-address="/graphql"`)
	client.Get("/graphql", ishaatest.Header("Accept", "application/json")).Status(400)
	client.Get("/graphql/graphiql/3.8.3-1/start.js").Status(200).Contains("fetcher")
	client.Get("/graphql/graphiql/3.8.3-1/react.min.js", ishaatest.Header("Accept-Encoding", "identity")).Status(200).Contains("React")
	client.Get("/graphql/graphiql/3.8.3-1/nothing.js").Status(404)
}

// TestGraphiQL runs a query and a subscription in a browser that can reach nothing but the server.
func TestGraphiQL(t *testing.T) {
	browser := browsertest.Launch(t)
	s, _ := library()
	app := ishaa.New("library")
	graphql.Mount(app, "/graphql", s, graphql.Options{GraphiQL: true})
	server := httptest.NewServer(app)
	defer server.Close()
	page := browser.Open(t, browsertest.Wide)
	for query, want := range map[string]string{"{named{name}}": "Ben", "subscription{ticks(to:1)}": "ticks"} {
		page.Goto(server.URL + "/graphql?")
		page.WaitFor(`document.querySelector(".graphiql-query-editor .CodeMirror") !== null`)
		page.Eval(`document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(` + "`" + query + "`" + `)`)
		// GraphiQL reads what was typed a moment later, and keeps it; then it tells a subscription from a query.
		page.WaitFor(`(JSON.parse(localStorage.getItem("graphiql:tabState"))?.tabs ?? []).some(tab => tab.query === ` + "`" + query + "`" + `)`)
		page.Click(".graphiql-execute-button")
		page.WaitFor(`document.querySelector(".result-window .CodeMirror").CodeMirror.getValue().includes("` + want + `")`)
	}
	// The documentation comes of introspection.
	page.Click(`.graphiql-sidebar button[aria-label="Show Documentation Explorer"]`)
	page.WaitFor(`document.querySelector(".graphiql-doc-explorer").innerText.includes("Mutation")`)
	page.Screenshot("graphiql")
}
