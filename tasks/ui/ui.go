// Package ui shows a queue in a browser: River's own pages (https://github.com/riverqueue/riverui), which list jobs by state
// with their arguments, errors and results, and can retry, cancel and delete them and pause queues. They are in the
// program, and nothing is loaded from the internet. Their Content-Security-Policy differs from the default one in that it
// allows styles that a script sets, which they are full of; scripts are files of the program all the same.
//
//	queue := tasks.New(db, tasks.Options{})
//	app.Install(queue, ui.New(queue, ui.Options{
//		Guard: ishaa.Options(sessions.Middleware(), auth.LoginRequired(login), auth.RoleRequired("staff")),
//	}))
//	// and a browser at /jobs/
//
// Who sees the pages sees what jobs were given and can run and stop them, so there is no way to install them without a
// guard, except in debug mode, in which they are for clients on the machine itself. A program that does not import this
// package does not have the pages in it.
//
// It works wherever a queue does: on PostgreSQL, and on SQLite, the file beside MySQL or MariaDB included.
package ui

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"riverqueue.com/riverui"
	"riverqueue.com/riverui/uiendpoints"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/localonly"
	"github.com/ishaa-framework/ishaa/tasks"
)

// Options are the settings of the pages.
type Options struct {
	// Guard decides who may come in: auth.LoginRequired, auth.RoleRequired, auth.Require or middleware of your own, several
	// joined by ishaa.Options. Without one, Install is an error, unless the application runs in debug mode.
	Guard ishaa.RouteOption
	// Path is where the pages are: "/jobs" if it is empty.
	Path string
	// HideArgs leaves arguments out of lists until the visitor asks for them.
	HideArgs bool
}

// UI is an ishaa.Plugin.
type UI struct {
	queue   *tasks.TaskQueue
	options Options
	logger  *slog.Logger
	pages   atomic.Pointer[riverui.Handler] // while the application runs
	stop    context.CancelFunc
}

// New returns the pages of a queue. Install them in an application that the queue is installed in too.
func New(queue *tasks.TaskQueue, options Options) *UI {
	if options.Path == "" {
		options.Path = "/jobs"
	}
	options.Path = "/" + strings.Trim(options.Path, "/")
	return &UI{queue: queue, options: options}
}

// Install implements ishaa.Plugin. It is an error without a guard, unless the application runs in debug mode.
func (u *UI) Install(app *ishaa.App) error {
	guard := u.options.Guard
	switch {
	case u.queue == nil:
		return errors.New("tasks/ui: there is no queue: give New one that tasks.New returned")
	case u.options.Path == "/":
		return errors.New("tasks/ui: the pages need a path of their own, such as /jobs")
	case guard == nil && !app.Config().Debug:
		return errors.New("tasks/ui: who may see and stop jobs? Set Options.Guard, for example to auth.RoleRequired(\"staff\"); " +
			"only in debug mode (ISHAA_DEBUG=1) the pages can do without, for clients on this machine")
	case guard == nil:
		guard = localonly.Guard()
	}
	u.logger = app.Logger()
	app.OnStart(u.start)
	app.OnStop(u.end)
	app.Get(u.options.Path, func(*ishaa.Request) (any, error) { return ishaa.Redirect(u.options.Path + "/"), nil }, guard)
	app.Mount(u.options.Path+"/", http.HandlerFunc(u.serve), guard)
	return nil
}

// start makes the pages, now that every task is defined.
func (u *UI) start(ctx context.Context) error {
	client, err := u.queue.River(ctx)
	if err != nil {
		return fmt.Errorf("tasks/ui: %w", err)
	}
	var endpoints uiendpoints.Bundle
	switch client := client.(type) {
	case *river.Client[pgx.Tx]:
		endpoints = riverui.NewEndpoints(client, nil)
	case *river.Client[*sql.Tx]:
		endpoints = riverui.NewEndpoints(client, nil)
	default:
		return fmt.Errorf("tasks/ui: the pages are for queues on PostgreSQL and SQLite, and this one has a %T", client)
	}
	pages, err := riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: endpoints, Logger: u.logger, Prefix: u.options.Path, JobListHideArgsByDefault: u.options.HideArgs,
	})
	if err != nil {
		return fmt.Errorf("tasks/ui: %w", err)
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if err := pages.Start(work); err != nil {
		cancel()
		return fmt.Errorf("tasks/ui: %w", err)
	}
	u.stop = cancel
	u.pages.Store(pages)
	return nil
}

func (u *UI) end(context.Context) error {
	u.pages.Store(nil)
	if u.stop != nil {
		u.stop()
	}
	return nil
}

// policy is the default one, with styles within the page.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; object-src 'none'"

func (u *UI) serve(w http.ResponseWriter, r *http.Request) {
	pages := u.pages.Load()
	if pages == nil {
		http.Error(w, "the application is starting or stopping", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	// What depends on who asks is not for caches; the pages' own files have names that change with them.
	if !strings.HasPrefix(r.URL.Path, u.options.Path+"/assets/") {
		w.Header().Set("Cache-Control", "no-store")
	}
	pages.ServeHTTP(w, r)
}
