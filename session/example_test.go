package session_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/template"
)

func Example() {
	app := newApp()
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	app.Use(sessions.Middleware())
	app.Get("/login", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("signed in"), session.From(r).SignIn("ann")
	})
	app.Get("/", func(r *ishaa.Request) (any, error) {
		user, err := session.From(r).User()
		return ishaa.Text("hello, " + user), err
	})

	id := idOf(visit(app, "/login", ""))
	fmt.Println(visit(app, "/", id).Body)
	// Output: hello, ann
}

func ExampleSessions_Create() {
	ctx := context.Background()
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	id, err := sessions.Create(ctx, map[string]any{"user_id": 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, _ := sessions.Get(ctx, id)
	_ = s.Set("theme", "dark")
	_ = s.Save(ctx)

	s, _ = sessions.Get(ctx, id)
	fmt.Println(s.Get("theme"))
	_ = sessions.Destroy(ctx, id)
	_, err = sessions.Get(ctx, id)
	fmt.Println(err)
	// Output:
	// dark <nil>
	// session: there is no such session
}

func ExampleSessions_EndAll() {
	ctx := context.Background()
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	for range 3 {
		id, _ := sessions.Create(ctx, nil)
		s, _ := sessions.Get(ctx, id)
		_ = s.SignIn("ann")
		_ = s.Save(ctx)
	}
	list, _ := sessions.List(ctx, "ann")
	fmt.Println(len(list))
	_ = sessions.EndAll(ctx, "ann", list[0].Handle) // all but one
	list, _ = sessions.List(ctx, "ann")
	fmt.Println(len(list))
	// Output:
	// 3
	// 1
}

func ExampleFlashes() {
	app := newApp()
	app.Use(session.New(store.NewMemory(store.MemoryOptions{}), session.Options{}).Middleware())
	files := fstest.MapFS{"page.html": {Data: []byte(`{% for f in flashes(request) %}<p class="{{ f.kind }}">{{ f.text }}</p>{% endfor %}`)}}
	app.Install(template.New(files, template.Options{Globals: map[string]any{"flashes": session.Flashes}}))
	app.Get("/save", func(r *ishaa.Request) (any, error) {
		return ishaa.Redirect("/"), session.From(r).Flash("success", "Saved.")
	})
	app.Get("/", func(r *ishaa.Request) (any, error) { return template.Page("page.html", nil), nil })

	id := idOf(visit(app, "/save", ""))
	fmt.Println(visit(app, "/", id).Body)
	// Output: <p class="success">Saved.</p>
}
