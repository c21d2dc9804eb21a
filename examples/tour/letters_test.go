package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/tasks"
)

// mailed is how many of the 59 customers get a letter: the address of one is outside of ASCII.
const mailed = 58

func TestLetters(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	client.Get("/letters").Status(200).HTML(`<option>Jazz</option>`)
	client.Post("/letters", ishaatest.Form("genre", "Polka")).Problem(422)
	client.Get("/letters/1").Problem(404, "there is no letter 1")
	client.Get("/staff/jobs/", ishaatest.Header("Accept", "text/html")).Redirect("/sign-in?next=%2Fstaff%2Fjobs%2F")
	client.Get("/staff/jobs/api/jobs").Problem(401)
	target := client.Post("/letters", ishaatest.Form("genre", "Jazz")).Status(303).Headers().Get("Location")
	if target != "/letters/1" {
		t.Fatalf("the page of the job is %s", target)
	}
	client.Get(target, ishaatest.Header("Accept", "text/html")).Status(200).HTML("<h1>Letter 1</h1>", "<progress")
	var reports []report
	stream := client.Stream(target, ishaatest.Header("Accept", "text/event-stream")).Status(200)
	for event := range stream.Events() {
		var r report
		if err := json.Unmarshal([]byte(event.Data), &r); err != nil || event.Name != "progress" {
			t.Fatalf("%+v, %v", event, err)
		}
		if n := len(reports); n > 0 && (r.Done < reports[n-1].Done || r == reports[n-1]) {
			t.Errorf("after %+v comes %+v", reports[n-1], r)
		}
		reports = append(reports, r)
	}
	if last := reports[len(reports)-1]; last != (report{"completed", 59, 59, "in all: 58 letters"}) {
		t.Errorf("at last: %+v", last)
	}
	client.Get(target).Status(200).HTML(`<strong id="status">completed</strong>`, `value="59"`)
}

// impatient is a clock that waits for nothing, and calls a function whenever it would have waited.
type impatient struct{ waited func() }

func (impatient) Now() time.Time { return time.Now() }
func (c impatient) After(time.Duration) <-chan time.Time {
	c.waited()
	passed := make(chan time.Time, 1)
	passed <- time.Now()
	return passed
}

// A job that is cut short and begins anew sends nobody a second letter.
func TestLettersInTwoAttempts(t *testing.T) {
	db := shopDB(t)
	if err := migrate.New(db, migrations(db, nil)).Run(t.Context(), migrate.RunOptions{}); err != nil {
		t.Fatal(err)
	}
	kv, err := store.Open("memory://")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kv.Close() })
	var cutShort context.CancelFunc
	attempts, sent := 0, 0
	queue := tasks.New(db, tasks.Options{Around: func(ctx context.Context, _ tasks.Info, next func(context.Context) error) error {
		attempts++
		ctx, cutShort = context.WithCancel(ctx)
		defer cutShort()
		return next(ctx)
	}})
	outbox := mail.Outbox(mail.Options{From: "shop@shop.example", Sent: kv})
	l := newLetters(queue, orm.Of[Customer](db), outbox, impatient{func() {
		if sent++; sent == 10 {
			cutShort()
		}
	}})
	if err := queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { queue.Stop(context.Background()) })
	job, err := l.task.Delay(t.Context(), letter{"Jazz"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := job.Wait(t.Context()); n != mailed || err != nil {
		t.Errorf("%d letters, %v", n, err)
	}
	to := map[string]bool{}
	for _, m := range outbox.Messages() {
		to[m.Recipients[0]] = true
	}
	if len(to) != mailed || len(outbox.Messages()) != mailed || attempts != 2 {
		t.Errorf("%d letters to %d customers in %d attempts", len(outbox.Messages()), len(to), attempts)
	}
}
