package ormtest_test

import (
	"testing"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

func Example() {
	test := func(t *testing.T, db *orm.DB) { // the body of a test
		if _, err := db.SQL().Exec("CREATE TABLE notes (id INTEGER)"); err != nil {
			t.Error(err)
		}
	}
	_ = func(t *testing.T) { ormtest.Each(t, test) } // TestNotes, once per engine
	// Output:
}

func TestDatabasesAreApart(t *testing.T) {
	for _, engine := range ormtest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			var sources []string
			t.Run("each its own", func(t *testing.T) {
				for range 2 {
					db := ormtest.New(t, engine)
					sources = append(sources, db.Source())
					if _, err := db.SQL().Exec("CREATE TABLE notes (id INTEGER)"); err != nil {
						t.Error(err)
					}
				}
			})
			if len(sources) == 2 && sources[0] == sources[1] {
				t.Errorf("both are %s", sources[0])
			}
		})
	}
}
