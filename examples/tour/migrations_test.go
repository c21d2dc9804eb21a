package main

import (
	"flag"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
)

var update = flag.Bool("update", false, "write migrations for what was changed in the models")

// The migrations of each engine lead to the models as they are: else the difference is to be written. No server is asked.
func TestMigrationsLeadToTheModels(t *testing.T) {
	for dialect, url := range map[string]string{
		"sqlite": "sqlite://" + t.TempDir() + "/none.db", "postgres": "postgres://127.0.0.1/none", "mysql": "mysql://127.0.0.1/none",
	} {
		db, err := orm.Open(url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		register(db)
		o := migrate.Options{Dir: "migrations/" + dialect}
		if *update {
			made, err := migrate.New(db, o).Create(t.Context(), "tables", migrate.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s", dialect, made.File)
			continue
		}
		o.FS = migrations(db, nil).FS // so that nothing is written
		if made, err := migrate.New(db, o).Create(t.Context(), "difference", migrate.CreateOptions{AllowDestructive: true}); err != nil || made.File != "" {
			t.Errorf("%s: the models were changed: go test -run Migrations -update (%v)", dialect, err)
		}
	}
}
