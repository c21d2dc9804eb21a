package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"

	_ "github.com/ishaa-framework/ishaa/orm/mysql" // each of the engines is one import
	_ "github.com/ishaa-framework/ishaa/orm/postgres"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

// The shop's records are in the database that ISHAA_DATABASE_URL names: postgres://…, mysql://… or sqlite://…. Without
// it they are in a SQLite file in the user's folder for caches, which may be deleted at any time: the next start makes
// it anew. What is needed to run is in the program.

// openDatabase opens the database that a URL names, or else the file. It does not connect yet.
func openDatabase(url string) (*orm.DB, error) {
	if url == "" {
		url = "sqlite://:memory:" // for whom the system has no folder: gone when the program ends
		if folder, err := os.UserCacheDir(); err == nil {
			folder = filepath.Join(folder, "ishaa-tour")
			if os.MkdirAll(folder, 0o700) == nil {
				url = "sqlite://" + filepath.ToSlash(filepath.Join(folder, "shop.db"))
			}
		}
	}
	db, err := orm.Open(url)
	if err != nil {
		return nil, err
	}
	register(db)
	return db, nil
}

// The tables are made by migrations. They are SQL, so each engine has its own; "go test -run Migrations -update" writes
// the difference when a model was changed. The last one is Go: it imports the records. Thus the first start fills the
// database once, even if several programs start at once, and "tour migrate status" says when that was. The import goes by
// the models as they are now, so it has to stay the last one: a new migration moves its version on, and tables that are
// filled already are left alone.

//go:embed migrations
var migrationFiles embed.FS

const importVersion = "20261123170000"

func migrations(db *orm.DB, show *progress) migrate.Options {
	files, err := fs.Sub(migrationFiles, "migrations/"+db.Dialect())
	must(err) // there is a folder for each engine
	return migrate.Options{FS: files, Go: []migrate.Code{{
		Version: importVersion,
		Name:    "import_chinook",
		Up:      func(ctx context.Context, tx *orm.Tx) error { return importChinook(ctx, tx, show) },
		Down:    emptyTables,
	}}}
}

// emptyTables takes the import back, and with it what was sold since. Those that refer to others go first.
func emptyTables(ctx context.Context, tx *orm.Tx) error {
	if _, err := orm.Of[Employee](tx).Query().Update(ctx, orm.Set{"reports_to_id": nil}); err != nil { // they refer to one another
		return err
	}
	for _, empty := range []func(context.Context, *orm.Tx) error{
		deleteAll[InvoiceLine], deleteAll[Invoice], deleteAll[Customer], deleteAll[Employee], deleteAll[PlaylistTrack], deleteAll[Playlist],
		deleteAll[Track], deleteAll[Album], deleteAll[Artist], deleteAll[MediaType], deleteAll[Genre],
	} {
		if err := empty(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func deleteAll[T any](ctx context.Context, tx *orm.Tx) error {
	_, err := orm.Of[T](tx).Query().Delete(ctx)
	return err
}

// addDatabase gives the program its commands for the database, and has it filled before the first visitor comes.
func addDatabase(app *ishaa.App, db *orm.DB, show *progress) {
	plan := migrations(db, show)
	app.Install(
		migrate.Plugin(db, plan), // tour migrate status …
		ishaa.Health(map[string]func(context.Context) error{"database": db.Ping}), // /-/live and /-/ready
	)
	app.Command(ishaa.Command{
		Name: "import", Usage: "fill the database with the shop's records, unless they are there",
		Run: func(ctx context.Context, _ *ishaa.App, _ []string, out io.Writer) error {
			if err := migrate.New(db, plan).Run(ctx, migrate.RunOptions{Out: out}); err != nil {
				return err
			}
			rows, err := countRows(ctx, db)
			if err == nil {
				fmt.Fprintf(out, "%s has %d rows in %d tables\n", db.Name(), rows, len(db.Tables()))
			}
			return err
		},
	})

	// The database was opened before the flags were read. One that is named by a flag would be passed over silently.
	at := app.Config().DatabaseURL
	check := func() error {
		if app.Config().DatabaseURL != at {
			return errors.New("give the database by the variable ISHAA_DATABASE_URL: the flag comes too late for the tour")
		}
		return nil
	}
	app.OnStart(func(ctx context.Context) error {
		if err := check(); err != nil {
			return err
		}
		return migrate.New(db, plan).Run(ctx, migrate.RunOptions{})
	})
	for _, c := range app.Commands() {
		if c.Name == "migrate" || c.Name == "import" {
			run := c.Run
			c.Run = func(ctx context.Context, app *ishaa.App, args []string, out io.Writer) error {
				if err := check(); err != nil {
					return err
				}
				return run(ctx, app, args, out)
			}
			app.Command(c)
		}
	}
}

// countRows counts the rows of all tables.
func countRows(ctx context.Context, db *orm.DB) (int64, error) {
	var all int64
	for _, count := range []func(context.Context) (int64, error){
		orm.Of[Genre](db).Count, orm.Of[MediaType](db).Count, orm.Of[Artist](db).Count, orm.Of[Album](db).Count, orm.Of[Track](db).Count,
		orm.Of[Playlist](db).Count, orm.Of[PlaylistTrack](db).Count, orm.Of[Employee](db).Count, orm.Of[Customer](db).Count,
		orm.Of[Invoice](db).Count, orm.Of[InvoiceLine](db).Count,
	} {
		n, err := count(ctx)
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}
