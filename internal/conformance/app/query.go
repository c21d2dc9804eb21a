package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/conformance/chinook"
	"github.com/ishaa-framework/ishaa/orm"
)

// answered is what came of a query chain.
type answered struct {
	Result any `json:"result"`
}

// refusedQuery is a chain that could not be run.
type refusedQuery struct {
	Error string `json:"error"`
}

// addQuery runs query chains over the record shop of -chinook, which nothing writes to.
func addQuery(app *ishaa.App, o options) {
	db, err := openShop(o.chinook)
	if err == nil {
		app.OnStop(func(context.Context) error { return db.Close() })
	}
	app.Post("/_x/query", func(r *ishaa.Request) (any, error) {
		var chain chinook.Chain
		if err := r.DecodeJSON(&chain); err != nil {
			return nil, err
		}
		if err != nil {
			return refusedQuery{err.Error()}, nil
		}
		result, err := chinook.Run(r.Context(), db, chain)
		if err != nil {
			return refusedQuery{err.Error()}, nil
		}
		return answered{Result: result}, nil
	})
}

// openShop opens the shop for reading: a SQLite file, or the URL of a database that holds a copy.
func openShop(name string) (*orm.DB, error) {
	if strings.Contains(name, "://") {
		return orm.Open(name)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no database %s: say where the Chinook file is with -chinook", name)
	}
	return orm.Open("sqlite://" + name + "?mode=ro")
}
