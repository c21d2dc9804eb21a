package ui_test

import (
	"context"
	"fmt"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/tasks"
	"github.com/ishaa-framework/ishaa/tasks/ui"
)

func Example() {
	app := ishaa.New("shop")
	queue := tasks.Memory() // in a program: tasks.New(db, tasks.Options{})
	tasks.Define(queue, "send_email", func(context.Context, string) (int, error) { return 0, nil })
	app.Install(queue, ui.New(queue, ui.Options{Guard: staffOnly})) // in a program: auth.RoleRequired("staff")
	for _, route := range app.Routes() {
		fmt.Println(route.Pattern())
	}
	// Output:
	// /jobs
	// /jobs/
}
