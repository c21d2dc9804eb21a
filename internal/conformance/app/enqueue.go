package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/tasks"
)

// note is the argument of the one task.
type note struct {
	ID string `json:"id"`
}

// addEnqueue adds a task that writes its id to the table ledger of the database of -db, in the transaction that
// completes it, and the route that enqueues it.
func addEnqueue(app *ishaa.App, o options) {
	if o.db == "" {
		return
	}
	url := o.db
	if !strings.Contains(url, "://") {
		url = "sqlite://" + url
	}
	db, err := orm.Open(url)
	if err != nil {
		panic(fmt.Sprintf("-db: %v", err))
	}
	app.OnStop(func(context.Context) error { return db.Close() })
	app.OnStart(func(ctx context.Context) error {
		_, err := orm.Exec(ctx, db, "CREATE TABLE IF NOT EXISTS ledger (id TEXT NOT NULL)")
		return err
	})
	queue := tasks.New(db, tasks.Options{NodeTimeout: 2 * time.Second}) // the battery does not wait for long
	insert := "INSERT INTO ledger (id) VALUES (?)"
	if db.Dialect() == "postgres" {
		insert = "INSERT INTO ledger (id) VALUES ($1)"
	}
	enter := tasks.Define(queue, "enter", func(ctx context.Context, n note) (struct{}, error) {
		return tasks.Finish(ctx, func(tx *orm.Tx) (struct{}, error) {
			_, err := orm.Exec(ctx, tx, insert, n.ID)
			return struct{}{}, err
		})
	})
	app.Install(queue)
	app.Post("/_x/enqueue", func(r *ishaa.Request) (any, error) {
		var n note
		if err := r.DecodeJSON(&n); err != nil {
			return nil, err
		}
		if n.ID == "" {
			return nil, ishaa.BadRequest("the id is missing")
		}
		job, err := enter.Delay(r.Context(), n)
		if err != nil {
			return nil, err
		}
		return ishaa.JSON(map[string]int64{"job": job.ID}).WithStatus(http.StatusAccepted), nil
	})
}
