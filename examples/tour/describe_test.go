package main

import (
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/openapi/openapitest"
)

// What the API answers is what its document says: to right requests and to wrong ones.
func TestDocumentHoldsForTheAPI(t *testing.T) {
	app := testApp(t)
	openapitest.Watch(t, app)
	client := ishaatest.New(t, app)
	for path, status := range map[string]int{
		"/api/v1/artists?sort=-albums&size=3": 200, "/api/v1/artists?sort=x": 422, "/api/v1/artists/1": 200, "/api/v1/artists/9999": 404,
		"/api/v1/albums?genre=Jazz&sort=-title&size=5": 200, "/api/v1/albums?genre=Polka&page=0&size=ten": 422,
		"/api/v1/albums/48": 200, "/api/v1/albums/9999": 404, "/api/v1/albums/0": 422,
		"/api/v1/tracks?genre=Jazz&longest=2m30s": 200, "/api/v1/tracks?after=x": 400, "/api/v1/tracks?longest=long": 422,
		"/api/v1/sales": 200, "/api/v1/search?q=davis": 200, "/api/v1/search": 422, "/api/v1/tips": 200, "/api/v1/tips?count=11": 422,
		"/tracks?genre=Opera": 200, "/now-playing?count=1": 200, "/api/v1/orders/0e37df36-f698-11e6-8dd4-cb9ced3df976": 404,
		"/albums/48/tracklist": 200, "/sales.csv": 200,
	} {
		client.Get(path).Status(status)
	}
	client.Get("/tracks?genre=Blues", ishaatest.Header("Accept", "application/x-ndjson")).Status(200)
	const id = "0e37df36-f698-11e6-8dd4-cb9ced3df976"
	order := map[string]any{"id": id, "items": []any{map[string]any{"track": 598, "quantity": 2}}}
	client.Post(orders, ishaatest.JSON(order)).Status(201)
	client.Post(orders, ishaatest.JSON(order)).Status(409)
	client.Get(orders + "/" + id).Status(200)
	client.Post(orders, ishaatest.JSON(map[string]any{"items": []any{map[string]any{"track": 9999}}})).Status(422)
	client.Post(orders, ishaatest.Body("application/json", `{"items": [,]}`)).Status(400)
	client.Post(orders, ishaatest.Body("text/csv", "track,quantity")).Status(415)
	client.Post(orders, ishaatest.JSON(order), ishaatest.Header("Sec-Fetch-Site", "cross-site")).Status(403)
	client.Post(orders, ishaatest.Body("application/json", strings.Repeat(" ", 17<<10))).Status(413)
	for range ordersAMinute {
		if client.Post(orders, ishaatest.JSON(map[string]any{})).Code() == 429 {
			return
		}
	}
	t.Error("there is no end to orders")
}

// Linters are asked by openapi/lint/run.sh.
func TestDocument(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	document := client.Get("/openapi.json").Status(200)
	for pointer, want := range map[string]any{
		"/openapi": "3.1.0", "/info/title": "Record shop", "/info/license/identifier": "MIT", "/info/contact/email": "shop@shop.example",
		"/paths/~1account/get/security/0/session": []any{}, "/components/securitySchemes/session/in": "cookie",
		"/paths/~1api~1v1~1orders/post/tags/0":        "api",
		"/paths/~1api~1v1~1orders/post/operationId":   "postApiV1Orders",
		"/paths/~1api~1v1~1artists~1{id}/get/summary": "Artist",
	} {
		document.JSONAt(pointer, want)
	}
	var doc struct {
		Paths map[string]any
		Tags  []struct{ Name, Description string }
	}
	document.JSON(&doc)
	for path := range doc.Paths {
		if strings.HasPrefix(path, "/graphql") || strings.HasPrefix(path, "/docs") {
			t.Errorf("%s is in the document", path)
		}
	}
	if len(doc.Tags) < 3 || doc.Tags[0].Name != "api" || strings.HasPrefix(doc.Tags[0].Description, "The routes of ") {
		t.Errorf("the tags are not those of describe.go: %v", doc.Tags)
	}
	client.Get("/docs").Status(200).HTML("swagger-ui")
	client.Get("/docs/plain").Status(200).HTML("GET /api/v1/albums")
}
