package tasks_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
	"github.com/ishaa-framework/ishaa/tasks"
)

func Example() {
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	queue := tasks.New(db, tasks.Options{MaxWorkers: 4})
	greet := tasks.Define(queue, "greet", func(ctx context.Context, name string) (string, error) {
		return "Hello, " + name + "!", nil
	}, tasks.MaxAttempts(5), tasks.Timeout(time.Minute))

	ctx := context.Background()
	if err := queue.Start(ctx); err != nil { // or app.Install(queue)
		fmt.Println(err)
		return
	}
	defer queue.Stop(ctx)
	job, err := greet.Delay(ctx, "Alice")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(job.Wait(ctx))
	fmt.Println(job.Status(ctx))
	// Output:
	// Hello, Alice! <nil>
	// completed <nil>
}

// A job that is enqueued in a transaction exists if that is committed, and what it writes with Finish is there if and
// only if the job is done.
func ExampleFinish() {
	type Order struct {
		orm.Model
		State string
	}
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx := context.Background()
	orders := orm.Of[Order](db)
	if err := orders.CreateTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	queue := tasks.New(db, tasks.Options{})
	ship := tasks.Define(queue, "ship", func(ctx context.Context, id int64) (string, error) {
		return tasks.Finish(ctx, func(tx *orm.Tx) (string, error) {
			_, err := orm.Of[Order](tx).Filter("id", id).Update(ctx, orm.Set{"state": "shipped"})
			return "on its way", err
		})
	})
	if err := queue.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer queue.Stop(ctx)

	var job *tasks.Job[string]
	err = db.Tx(ctx, func(tx *orm.Tx) error {
		order, err := orm.Of[Order](tx).Create(ctx, Order{State: "paid"})
		if err != nil {
			return err
		}
		job, err = ship.In(tx).Delay(ctx, order.ID)
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(job.Wait(ctx))
	order, _ := orders.Get(ctx, 1)
	fmt.Println(order.State)
	// Output:
	// on its way <nil>
	// shipped
}

func ExampleCron() {
	nightly := tasks.Cron("30 2 * * *", "Europe/Berlin")
	at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC) // the night in which the clocks are set forward
	for range 2 {
		at = nightly.Next(at)
		fmt.Println(at.Format("Mon 15:04 MST"))
	}
	// Output:
	// Sun 03:30 CEST
	// Mon 02:30 CEST
}
