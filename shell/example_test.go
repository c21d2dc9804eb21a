package shell_test

import (
	"context"
	"fmt"
	"os"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
	"github.com/ishaa-framework/ishaa/shell"
)

type Customer struct {
	ID   int64
	Name string
	Age  int
}

func Example() {
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	orm.Register[Customer](db)
	if err := db.CreateTables(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	app := ishaa.New("shop")
	app.Install(shell.New(db))

	for _, command := range app.Commands() { // as "./program shell -c …" does
		if command.Name == "shell" {
			code := `Customer.create(name="Alice", age=30).id
Customer.create(name="Bob", age=12).id
Customer.query().filter(age__gt=18).all()`
			if err := command.Run(context.Background(), app, []string{"-c", code}, os.Stdout); err != nil {
				fmt.Println(err)
			}
		}
	}
	// Output:
	// 1
	// 2
	// id  name   age
	// 1   Alice  30
}
