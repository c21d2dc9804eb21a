package openapi_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/browsertest"
	"github.com/ishaa-framework/ishaa/openapi/internal/sample"
)

// Each page fails the test by itself if it logs an error or asks another host.
func TestSwaggerUIInChromium(t *testing.T) {
	browser := browsertest.Launch(t)
	app := sample.New()
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app)
	defer server.Close()

	page := browser.Open(t, browsertest.Wide)
	if status := page.Goto(server.URL + "/docs"); status != 200 {
		t.Fatalf("/docs: %d", status)
	}
	page.WaitFor(`document.querySelectorAll(".opblock").length > 20`)
	page.Screenshot("docs")
	page.Click(`[id$="getApiThingsPlaces"] .opblock-summary-control`)
	page.Click(`[id$="getApiThingsPlaces"] .try-out__btn`)
	page.Click(`[id$="getApiThingsPlaces"] .execute`)
	page.WaitFor(`document.querySelector('[id$="getApiThingsPlaces"] .live-responses-table') !== null`)
	if text := page.Text(`[id$="getApiThingsPlaces"] .live-responses-table`); !strings.Contains(text, "200") || !strings.Contains(text, `"street"`) {
		t.Errorf("the answer is not shown:\n%s", text)
	}
	page.Screenshot("docs-executed")

	page.Click(`[id$="createEverything"] .opblock-summary-control`) // every kind of schema, drawn
	page.WaitFor(`document.querySelector('[id$="createEverything"] .highlight-code, [id$="createEverything"] .model-box, [id$="createEverything"] .microlight') !== null`)
	page.Click(`[id$="postApiThingsUploads"] .opblock-summary-control`)
	page.Click(`[id$="postApiThingsUploads"] .try-out__btn`)
	page.WaitFor(`document.querySelectorAll('[id$="postApiThingsUploads"] input[type=file]').length > 0`)
	page.Screenshot("docs-schemas")

	plain := browser.Open(t, browsertest.Phone)
	if status := plain.Goto(server.URL + "/docs/plain"); status != 200 {
		t.Fatalf("/docs/plain: %d", status)
	}
	if text := plain.Text("main"); !strings.Contains(text, "POST /api/things/everything") || !strings.Contains(text, "InvalidProblem") {
		t.Error("the plain page lacks operations or schemas")
	}
	if plain.Eval(`document.documentElement.scrollWidth > document.documentElement.clientWidth`) == true {
		t.Error("the plain page is wider than a phone")
	}
	plain.Screenshot("docs-plain")
}
