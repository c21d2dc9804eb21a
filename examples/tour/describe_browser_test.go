//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// The pages for programmers in a real browser that reaches this machine only: an operation is tried out, a query and a
// subscription run. A test fails when a page logs an error or asks another host for anything.
func TestDescriptionInBrowser(t *testing.T) {
	testenv.Browser(t)
	cmd := exec.Command(build(t), "-addr", launch.FreeAddress(t))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), memory)
	base := launch.Start(t, cmd, 1).URL("http")
	browser := browsertest.Launch(t)

	t.Run("the API", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		if status := page.Goto(base + "/docs"); status != 200 {
			t.Fatalf("/docs: %d", status)
		}
		page.WaitFor(`document.querySelectorAll(".opblock").length > 20`)
		const operation = `[id$="getApiV1ArtistsById"]`
		page.Click(operation + " .opblock-summary-control")
		page.Click(operation + " .try-out__btn")
		page.Type(operation+` input[placeholder="id"]`, "1")
		page.Click(operation + " .execute")
		page.WaitFor(`document.querySelector('` + operation + ` .live-responses-table') !== null`)
		if text := page.Text(operation + " .live-responses-table"); !strings.Contains(text, "200") || !strings.Contains(text, "AC/DC") {
			t.Errorf("the answer is not shown:\n%s", text)
		}
		page.Screenshot("docs")

		plain := browser.Open(t, browsertest.Phone)
		plain.Goto(base + "/docs/plain")
		if text := plain.Text("main"); !strings.Contains(text, "POST /api/v1/orders") {
			t.Error("the plain page lacks operations")
		}
	})

	t.Run("GraphQL", func(t *testing.T) {
		page := browser.Open(t, browsertest.Wide)
		for query, want := range map[string]string{
			"{album(id: 48) {title artist {name}}}":                                        "Miles Davis",
			"{albums(genre: JAZZ, first: 1) {totalCount edges {cursor node {title}}}}":     `"totalCount": 13`,
			"subscription {nowPlaying(after: 597, count: 1) {name album {artist {name}}}}": "Jeru",
			"mutation {placeOrder(items: [{track: 1}]) {id}}":                              "UNAUTHENTICATED",
		} {
			page.Goto(base + "/graphql?")
			page.WaitFor(`document.querySelector(".graphiql-query-editor .CodeMirror") !== null`)
			page.Eval(`document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror.setValue(` + "`" + query + "`" + `)`)
			// GraphiQL reads what was typed a moment later, and keeps it; then it tells a subscription from a query.
			page.WaitFor(`(JSON.parse(localStorage.getItem("graphiql:tabState"))?.tabs ?? []).some(tab => tab.query === ` + "`" + query + "`" + `)`)
			page.Click(".graphiql-execute-button")
			page.WaitFor(`document.querySelector(".result-window .CodeMirror").CodeMirror.getValue().includes(` + "`" + want + "`" + `)`)
		}
		page.Screenshot("graphiql")
	})
}
