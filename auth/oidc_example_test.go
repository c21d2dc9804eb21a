package auth_test

import (
	"fmt"
	"log/slog"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

func ExampleNewOIDC() {
	st := store.NewMemory(store.MemoryOptions{})
	sessions := session.New(st, session.Options{})
	login := auth.SessionLogin(session.From, auth.LoginOptions{Page: "/login"})
	google := auth.NewOIDC(st, "https://accounts.google.com", auth.ProviderOptions{
		ClientID: "shop.apps.example", ClientSecret: "from the environment",
		RedirectURL: "https://shop.example.com/login/google/done",
	})

	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Use(sessions.Middleware())
	app.Get("/login", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf(`<a href="/login/google?next=%s">Sign in with Google</a>`, r.Query("next")), nil
	})
	app.Get("/login/google", google.Begin)
	app.Get("/login/google/done", func(r *ishaa.Request) (any, error) {
		person, err := google.Finish(r)
		if err != nil {
			return nil, err
		}
		// The account is found by issuer and subject, never by the mail address.
		if err := login.SignIn(r, person.Issuer+" "+person.Subject); err != nil {
			return nil, err
		}
		return ishaa.RedirectLocal(person.Next, "/account"), nil
	})
	app.Get("/account", func(r *ishaa.Request) (any, error) {
		return ishaa.Text(auth.Who(r).Subject), nil
	}, auth.LoginRequired(login))

	fmt.Println(newBrowser(app).get("/login/google/done?code=guessed&state=guessed"))
	// Output: 400
}
