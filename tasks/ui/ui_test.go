package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
	"github.com/ishaa-framework/ishaa/tasks"
	"github.com/ishaa-framework/ishaa/tasks/ui"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// staffOnly lets those in who say so.
var staffOnly = ishaa.Middleware{Name: "staff-only", Before: func(r *ishaa.Request) (any, error) {
	if r.Header("X-Staff") == "" {
		return nil, ishaa.Forbidden("this is for staff")
	}
	return nil, nil
}}

// shop is an application with a queue whose only task fails.
func shop(t testing.TB, db *orm.DB, config ishaa.Config, options ui.Options) (*ishaa.App, *tasks.Task[string, int]) {
	t.Helper()
	app := ishaa.New("shop", config)
	queue := tasks.New(db, tasks.Options{})
	task := tasks.Define(queue, "deliver", func(_ context.Context, to string) (int, error) {
		return 0, tasks.Permanent(errors.New("no such street: " + to))
	})
	app.Install(queue, ui.New(queue, options))
	return app, task
}

type state struct {
	Data []struct {
		ID    int64  `json:"id"`
		Kind  string `json:"kind"`
		State string `json:"state"`
	} `json:"data"`
}

func TestPages(t *testing.T) {
	for _, engine := range ormtest.Engines { // MySQL's jobs are in a file of their own
		t.Run(string(engine), func(t *testing.T) {
			t.Chdir(t.TempDir())
			app, task := shop(t, ormtest.New(t, engine), ishaa.Config{}, ui.Options{Guard: staffOnly, Path: "staff/jobs"})
			client := ishaatest.New(t, app)
			staff := client.For(t, ishaatest.Header("X-Staff", "yes"))
			staff.Get("/staff/jobs").Redirect("/staff/jobs/")
			staff.Get("/staff/jobs/", ishaatest.Header("Accept", "text/html")).Status(200).
				Header("Cache-Control", "no-store").Contains("<title>River</title>", `src="/staff/jobs/assets/`)

			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			job, err := task.Delay(ctx, "nowhere")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := job.Wait(ctx); err == nil {
				t.Fatal("the job did not fail")
			}
			var list state
			staff.Get("/staff/jobs/api/jobs?state=discarded").Status(200).JSON(&list)
			if len(list.Data) != 1 || list.Data[0].ID != job.ID || list.Data[0].Kind != "deliver" {
				t.Errorf("the list is %+v", list)
			}
			staff.Post("/staff/jobs/api/jobs/retry", ishaatest.JSON(map[string]any{"ids": []int64{job.ID}})).Status(200)
			for info, err := job.Info(ctx); ; info, err = job.Info(ctx) {
				if err != nil {
					t.Fatal(err)
				}
				if len(info.Errors) == 2 && info.Status == tasks.Failed { // it was tried again
					break
				}
				time.Sleep(5 * time.Millisecond)
			}

			for _, path := range []string{"/staff/jobs", "/staff/jobs/", "/staff/jobs/api/jobs", "/staff/jobs/assets/x.js"} {
				client.Get(path).Problem(403, "for staff")
			}
			client.Post("/staff/jobs/api/jobs/delete", ishaatest.JSON(map[string]any{"ids": []int64{job.ID}})).Problem(403)
			staff.Post("/staff/jobs/api/jobs/delete", ishaatest.JSON(map[string]any{"ids": []int64{job.ID}}),
				ishaatest.Header("Sec-Fetch-Site", "cross-site")).Problem(403) // a page of another site, in staff's browser
			if _, err := job.Info(ctx); err != nil {
				t.Errorf("the job is gone: %v", err)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	install := func(debug bool, options ui.Options) (said string) {
		defer func() {
			switch v := recover().(type) {
			case error:
				said = v.Error()
			case string:
				said = v
			}
		}()
		app, _ := shop(t, ormtest.New(t, ormtest.SQLite), ishaa.Config{Debug: debug}, options)
		if err := app.Start(t.Context()); err != nil {
			return err.Error()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := app.Stop(ctx); err != nil {
			t.Error(err)
		}
		return ""
	}
	for _, c := range []struct {
		name    string
		debug   bool
		options ui.Options
		says    string
	}{
		{"without a guard", false, ui.Options{}, "Options.Guard"},
		{"without a guard in debug mode", true, ui.Options{}, ""},
		{"with one", false, ui.Options{Guard: staffOnly}, ""},
		{"in place of the whole site", false, ui.Options{Guard: staffOnly, Path: "/"}, "a path of their own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if said := install(c.debug, c.options); !strings.Contains(said, c.says) || (said == "") != (c.says == "") {
				t.Errorf("it said %q, want %q", said, c.says)
			}
		})
	}
}

// In debug mode the pages are for clients on this machine, under its own name.
func TestDebugMode(t *testing.T) {
	app, _ := shop(t, ormtest.New(t, ormtest.SQLite), ishaa.Config{Debug: true}, ui.Options{})
	client := ishaatest.New(t, app)
	client.Get("/jobs/", ishaatest.Header("Accept", "text/html")).Status(200)
	client.For(t, ishaatest.Host("evil.example")).Get("/jobs/").Problem(403)
}
