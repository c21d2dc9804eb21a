package migrate_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

type lamp struct {
	ID   int64
	Name string
}

// A program that carries its migrations writes new ones into the folder that it was built from, going on from what that
// has now; it runs those that it carries.
func TestCreateBesideEmbedded(t *testing.T) {
	db := ormtest.New(t, ormtest.SQLite)
	orm.Register[lamp](db)
	dir, carried := t.TempDir(), os.DirFS(t.TempDir())
	m := migrate.New(db, migrate.Options{FS: carried, Dir: dir})
	made, err := m.Create(t.Context(), "lamps", migrate.CreateOptions{})
	if err != nil || !strings.HasPrefix(made.File, dir) {
		t.Fatalf("%+v, %v", made, err)
	}
	if made, err = m.Create(t.Context(), "again", migrate.CreateOptions{}); err != nil || made.File != "" {
		t.Errorf("a second time: %+v, %v", made, err)
	}
	if list, err := m.Status(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the program carries %v, %v", list, err)
	}
	if list, err := migrate.New(db, migrate.Options{Dir: dir}).Status(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("the folder has %v, %v", list, err)
	}
	if _, err := migrate.New(db, migrate.Options{FS: carried}).Create(t.Context(), "x", migrate.CreateOptions{}); err == nil || !strings.Contains(err.Error(), "give Options.Dir") {
		t.Errorf("without a folder: %v", err)
	}
}
