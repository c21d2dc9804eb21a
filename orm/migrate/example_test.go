package migrate_test

import (
	"context"
	"fmt"
	"os"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

func Example() {
	type User struct {
		ID   int64
		Name string `db:"size:100"`
	}
	dir, err := os.MkdirTemp("", "migrations")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	orm.Register[User](db)

	ctx := context.Background()
	m := migrate.New(db, migrate.Options{Dir: dir})
	fmt.Println("before:", m.Check(ctx) == nil)
	if _, err := m.Create(ctx, "add users", migrate.CreateOptions{}); err != nil {
		panic(err)
	}
	if err := m.Run(ctx, migrate.RunOptions{}); err != nil {
		panic(err)
	}
	fmt.Println("after:", m.Check(ctx) == nil)
	// Output:
	// before: false
	// after: true
}
