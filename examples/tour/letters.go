package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/tasks"
	"github.com/ishaa-framework/ishaa/tasks/ui"
	"github.com/ishaa-framework/ishaa/template"
)

// letters are the shop's mail to all customers: too much work for a request, so a job does it in the background.
type letters struct {
	customers orm.Repository[Customer]
	mailer    *mail.Mailer
	clock     ishaa.Clock
	url       func(route string, pairs ...any) (string, error)
	task      *tasks.Task[letter, int]
}

// letter is what the job is given. It is stored as JSON with the job.
type letter struct {
	Genre string `json:"genre"`
}

const (
	postage       = 40 * time.Millisecond  // that a mail server would take for each
	glance        = 100 * time.Millisecond // between two looks at a job
	lettersMinute = 10                     // how many jobs one client may start in a minute
)

// addLetters adds the queue, a form that starts a job, and a page that shows how far it is. The jobs are in the shop's
// database, so that one which was begun goes on after a restart.
func addLetters(app *ishaa.App, db *orm.DB, c *catalog, a *accounts) {
	queue := tasks.New(db, tasks.Options{MaxWorkers: 4, File: jobFile(db)})
	l := newLetters(queue, orm.Of[Customer](db), a.mailer, app.Clock())
	l.url = app.URL
	app.Install(queue) // starts with the application and drains when it stops
	app.Install(ui.New(queue, ui.Options{Path: "/staff/jobs", Guard: ishaa.Options(
		a.sessions.Middleware(), auth.LoginRequired(a.login), auth.RoleRequired(staff))})) // River's pages

	b := ishaa.NewBlueprint("letters", "/letters")
	b.Get("", func(*ishaa.Request) (any, error) {
		return template.Page("letters.html", map[string]any{"genres": c.genres}), nil
	}, ishaa.Name("form"))
	ishaa.Post(b, "", l.Send, ishaa.BodyLimit(1<<10),
		middleware.RateLimit(middleware.RateLimitOptions{Max: lettersMinute, Name: "letters", Store: a.kv}))
	b.Get("/<int:id>", l.show, ishaa.Name("job"))
	app.Register(b)
}

func newLetters(queue *tasks.TaskQueue, customers orm.Repository[Customer], mailer *mail.Mailer, clock ishaa.Clock) *letters {
	l := &letters{customers: customers, mailer: mailer, clock: clock}
	l.task = tasks.Define(queue, "send_letters", l.send, tasks.MaxAttempts(5), tasks.Timeout(5*time.Minute))
	return l
}

// jobFile is where jobs are if the database is one that cannot hold them.
func jobFile(db *orm.DB) string {
	folder, err := os.UserCacheDir()
	if err != nil || db.Dialect() != "mysql" {
		return ""
	}
	return filepath.Join(folder, "ishaa-tour-"+db.Name()+"-jobs.db")
}

// send is the job. It may run more than once, if the program is killed in between; each customer gets one letter all the
// same, since the mailer remembers the keys of what it has sent.
func (l *letters) send(ctx context.Context, in letter) (int, error) {
	job, _ := tasks.Current(ctx)
	customers, err := l.customers.OrderBy("id").All(ctx)
	if err != nil {
		return 0, err
	}
	sent := 0
	for i, c := range customers {
		if err := tasks.Progress(ctx, int64(i), int64(len(customers)), "to "+c.FirstName+" "+c.LastName); err != nil {
			return sent, err
		}
		to := fmt.Sprintf("%s %s <%s>", c.FirstName, c.LastName, c.Email)
		if _, err := mail.ParseAddress(to); err != nil {
			continue // one that mail systems do not agree about is no reason to leave out the others
		}
		message := mail.To(to).Subject("New in " + in.Genre).
			Text(fmt.Sprintf("Dear %s,\n\nthere is new music on the shelf: %s.\nCome and listen.\n\nThe record shop\n", c.FirstName, in.Genre)).
			IdempotencyKey(fmt.Sprintf("letters %d to %d", job.ID, c.ID))
		if err := l.mailer.Send(ctx, message); err != nil {
			return sent, err
		}
		sent++
		if err := pauseFor(ctx, l.clock, postage); err != nil {
			return sent, err
		}
	}
	return sent, tasks.Progress(ctx, int64(len(customers)), int64(len(customers)), fmt.Sprint("in all: ", sent, " letters"))
}

type letterForm struct {
	Genre genre `form:"genre" required:"true"`
}

// Send enqueues the job and leads to its page.
func (l *letters) Send(ctx context.Context, in *letterForm) (*ishaa.Response, error) {
	job, err := l.task.Delay(ctx, letter{string(in.Genre)})
	if err != nil {
		return nil, err
	}
	page, err := l.url("letters.job", "id", job.ID)
	return ishaa.Redirect(page), err
}

// report is how far a job is, as the page and its events show it.
type report struct {
	Status tasks.Status `json:"status"`
	Done   int64        `json:"done"`
	Total  int64        `json:"total"`
	Text   string       `json:"text"`
}

func (l *letters) report(ctx context.Context, id int64) (report, error) {
	info, err := l.task.Job(id).Info(ctx)
	if errors.Is(err, tasks.ErrNotFound) || err == nil && info.Task != l.task.Name() {
		return report{}, &missing{"letter", fmt.Sprint(id)}
	}
	return report{info.Status, info.Progress.Done, info.Progress.Total, info.Progress.Message}, err
}

// show is one address with two faces: a page, which survives a reload since all it shows is in the database, and the same as
// server-sent events, by which the page follows the job on whatever node it runs.
func (l *letters) show(r *ishaa.Request) (any, error) {
	id := r.ParamInt("id")
	now, err := l.report(r.Context(), id)
	if err != nil {
		return nil, err
	}
	r.Response().Header().Add("Vary", "Accept")
	if r.Accepts("text/html", "text/event-stream") == "text/event-stream" {
		return ishaa.Events(l.follow(r.Context(), id)), nil
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return template.Page("letter.html", map[string]any{"id": id, "job": now}), nil
}

// follow gives a report whenever there is something new, until the job is done.
func (l *letters) follow(ctx context.Context, id int64) func(yield func(ishaa.Event, error) bool) {
	return func(yield func(ishaa.Event, error) bool) {
		var last report
		for {
			now, err := l.report(ctx, id)
			if err != nil {
				yield(ishaa.Event{}, err)
				return
			}
			if now != last && !yield(ishaa.Event{Name: "progress", Data: now}, nil) || now.Status.Done() {
				return
			}
			last = now
			if pauseFor(ctx, l.clock, glance) != nil { // the client went away, or the program stops
				return
			}
		}
	}
}
