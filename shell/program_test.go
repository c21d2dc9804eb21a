package shell

import (
	"context"
	"fmt"
	"os"

	"github.com/ishaa-framework/ishaa/orm"
)

// program is the test as a program with a database, for the tests that type into its terminal.
func program() {
	db, err := orm.Open("sqlite://" + os.Getenv("SHELL_TEST_PROGRAM"))
	if err == nil {
		app := newApp(db)
		if err = db.CreateTables(context.Background()); err == nil {
			app.Run()
			err = db.Close()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
