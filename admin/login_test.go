package admin_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/tasks"
)

type Errand struct {
	ID   int64
	Name string
	Done bool
}

// Where the program signs people in, a job heeds the roles that they have when it runs, not those of when it was asked for.
func TestJobHeedsTheRolesOfItsTime(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	app := ishaa.New("errands", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	queue := tasks.New(db, tasks.Options{})
	memory := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() { memory.Close() })
	sessions := session.New(memory, session.Options{})
	var role atomic.Value
	role.Store("editor")
	login := auth.SessionLogin(sessions.From, auth.LoginOptions{Load: func(_ context.Context, user string) (*auth.Identity, error) {
		if user != "17" {
			return nil, nil
		}
		return &auth.Identity{Subject: "ann", Roles: []string{role.Load().(string)}}, nil // not what the session knows
	}})
	panel := admin.New(db, admin.Options{Queue: queue, Login: login, Sessions: sessions})
	admin.Register[Errand](panel, admin.Bulk("Do", func(ctx context.Context, tx *orm.Tx, e *Errand) error {
		e.Done = true
		return orm.Of[Errand](tx).Save(ctx, e)
	}, admin.BulkOptions{Background: true}))
	app.Install(queue, panel)
	door := ishaa.NewBlueprint("door", "", sessions.Middleware())
	door.Get("/in", func(r *ishaa.Request) (any, error) { return ishaa.Text("in"), login.SignIn(r, "17") })
	app.Register(door)
	if err := db.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	errand, err := orm.Of[Errand](db).Create(t.Context(), Errand{Name: "Milk"})
	if err != nil {
		t.Fatal(err)
	}
	client := ishaatest.New(t, app)
	client.Get("/in").Status(200)
	c := client.For(t, ishaatest.Header("Accept", "text/html"))
	run := func(then string) string {
		t.Helper()
		role.Store("editor")
		if err := queue.Pause(t.Context(), "*"); err != nil {
			t.Fatal(err)
		}
		at := post(t, c, "/admin/errands", "action", "do-Do", "key", "1").Status(303).Headers().Get("Location")
		role.Store(then)
		if err := queue.Resume(t.Context(), "*"); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if page := c.Get(at).Status(200).Text(); strings.Contains(page, `data-status="completed"`) {
				return page
			}
			if time.Now().After(deadline) {
				t.Fatal("the job is not done")
			}
		}
	}
	if page := run("reader"); !strings.Contains(page, "You may not do this to") {
		t.Errorf("a reader's job says %s", page)
	}
	if now, err := orm.Of[Errand](db).Get(t.Context(), errand.ID); err != nil || now.Done {
		t.Errorf("a job ran with a role that was taken away: %+v (%v)", now, err)
	}
	run("editor")
	if now, err := orm.Of[Errand](db).Get(t.Context(), errand.ID); err != nil || !now.Done {
		t.Errorf("an editor's job did nothing: %+v (%v)", now, err)
	}
}
