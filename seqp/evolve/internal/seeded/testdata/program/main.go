// Command program has bugs, one in each of the functions whose names begin with "bug", and none in their twins, whose names
// begin with "fix". A twin offers the same and differs in what the bug is about. Each is modelled on a class of advisories
// that were published for programs written in Go; the list is in ../cases.txt.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"

	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

func main() {
	app := ishaa.New("seeded")
	db, err := openDatabase(app.Config().DatabaseURL)
	if err != nil {
		os.Exit(1)
	}
	furnish(app, db)
	app.Run()
	db.Close()
}

func openDatabase(url string) (*orm.DB, error) {
	db, err := orm.Open(url)
	if err != nil {
		return nil, err
	}
	orm.Of[Note](db)
	orm.Of[Wallet](db)
	orm.Of[Line](db)
	orm.Of[Reset](db)
	return db, nil
}

// Note belongs to somebody.
type Note struct {
	orm.Model
	Owner string
	Text  string
}

// Wallet is money of somebody.
type Wallet struct {
	orm.Model
	Owner   string
	Balance int
}

// Line is a part of an order.
type Line struct {
	orm.Model
	Order string
	Count int
}

// Reset is a request for another password.
type Reset struct {
	orm.Model
	Owner string
	Token string
	Used  bool
}

// users are those who can sign in, and what they may.
var users = map[string]string{"ada": "user", "bob": "user", "root": "admin"}

// who is the one whose token a request brings; "" for nobody.
func who(r *ishaa.Request) string {
	name, _ := strings.CutPrefix(r.Header("Authorization"), "Bearer ")
	if users[name] == "" {
		return ""
	}
	return name
}

func furnish(app *ishaa.App, db *orm.DB) {
	app.OnStart(func(ctx context.Context) error {
		if err := db.CreateTables(ctx); err != nil {
			return err
		}
		for _, name := range []string{"ada", "bob"} {
			if _, err := orm.Of[Note](db).Create(ctx, Note{Owner: name, Text: "of " + name}); err != nil {
				return err
			}
			if _, err := orm.Of[Wallet](db).Create(ctx, Wallet{Owner: name, Balance: 1000}); err != nil {
				return err
			}
			if _, err := orm.Of[Reset](db).Create(ctx, Reset{Owner: name, Token: "k-" + name + "-58213"}); err != nil {
				return err
			}
		}
		return nil
	})
	injections(app, db)
	access(app, db)
	secrets(app, db)
	resources(app, db)
	states(app, db)
}
