package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
)

func ExampleAPIKeys() {
	table := map[string]*auth.APIKey{} // in the database
	keys := auth.NewAPIKeys("shop", func(_ context.Context, id string) (*auth.APIKey, error) { return table[id], nil })

	text, stored := keys.New() // the text is shown to its owner, once
	stored.Subject, stored.Scopes = "ann", []string{"orders:read"}
	table[stored.ID] = &stored

	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	orders := func(r *ishaa.Request) (any, error) { return ishaa.Text("orders of " + auth.Who(r).Subject), nil }
	app.Get("/orders", orders, auth.LoginRequired(keys), auth.RoleRequired("orders:read"))
	app.Post("/orders", orders, auth.LoginRequired(keys), auth.RoleRequired("orders:write"))

	for _, method := range []string{"GET", "POST"} {
		r := httptest.NewRequest(method, "/orders", nil)
		r.Header.Set("X-API-Key", text)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(method, w.Code)
	}
	// Output:
	// GET 200
	// POST 403
}
