// Package orms has the same few questions for a table asked by Ishaa's orm and its peers, each as its own documentation
// would write it, beside the same by hand on database/sql with prepared statements.
//
//	all, err := orms.Open(ctx, orms.SQLite, folder)
//	defer all.Close()
//	for _, s := range all.Stores {
//		err := s.Get(ctx, 7)
//	}
//
// All have a database of their own with the same rows, on the same drivers (modernc.org/sqlite, pgx's database/sql) and
// with the same settings of the connections. What a question reads stays in the store, in the store's own types; Result
// shows it, outside of the time that is measured.
package orms

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
)

// Person is a row.
type Person struct {
	ID    int64 `bun:"id,pk,autoincrement" gorm:"primaryKey"`
	Name  string
	Email string
	Age   int64
	Score float64
}

// TableName says where they are: to orm and to GORM.
func (Person) TableName() string { return "people" }

// Rows is how many rows a table begins with.
const Rows = 2000

// Some makes rows without keys.
func Some(count int) []Person {
	list := make([]Person, count)
	for i := range list {
		list[i] = Person{Name: "name " + strconv.Itoa(i), Email: strconv.Itoa(i) + "@example.org", Age: int64(i % 90), Score: float64(i) / 3}
	}
	return list
}

// A Store asks the questions.
type Store interface {
	// Get reads the row with a key.
	Get(ctx context.Context, id int64) error
	// Select reads the rows up to a key, in the order of keys.
	Select(ctx context.Context, upTo int64) error
	// Filter reads ten rows of whom is older than age and has part in the name, those who are oldest first, then by name.
	Filter(ctx context.Context, age int64, part string) error
	// Insert creates a row and learns its key.
	Insert(ctx context.Context, p Person) error
	// Bulk creates rows by as few statements as the store makes of them.
	Bulk(ctx context.Context, list []Person) error
	// Result is what the last question has read, or the row that was inserted.
	Result() []Person
	// Close closes the connections.
	Close() error
}

// Named is a store with the name of what it is made with.
type Named struct {
	Name string
	Store
	upkeep *sql.DB
}

// Rest removes the rows that were created since Open, so that tables stay as large as they were.
func (n *Named) Rest(ctx context.Context) error {
	_, err := n.upkeep.ExecContext(ctx, "DELETE FROM people WHERE id > "+strconv.Itoa(Rows))
	return err
}

// Count is the number of rows.
func (n *Named) Count(ctx context.Context) (count int64, err error) {
	return count, n.upkeep.QueryRowContext(ctx, "SELECT COUNT(*) FROM people").Scan(&count)
}

// opener makes a store on a database that has the table. It may use the pool that it is given, or connect by the URL.
type opener struct {
	name string
	only Engine // "" is all
	open func(ctx context.Context, e Engine, url string, pool *sql.DB) (Store, error)
}

var openers = []opener{
	{"byhand", "", openByHand}, {"pgx", Postgres, openPgx}, {"ishaa", "", openIshaa}, {"bun", "", openBun}, {"gorm", "", openGORM}, {"ent", "", openEnt},
}

func openersOf(e Engine) (list []opener) {
	for _, o := range openers {
		if o.only == "" || o.only == e {
			list = append(list, o)
		}
	}
	return list
}

// Names lists the stores of an engine in the order that Open makes them in; the first is what the others are measured by.
func Names(e Engine) (list []string) {
	for _, o := range openersOf(e) {
		list = append(list, o.name)
	}
	return list
}

// All is a store of each kind, each on a database of its own.
type All struct {
	Stores []*Named
	close  []func() error
}

// Open makes a database for each store, with the table and Rows rows. SQLite's are files in a folder; PostgreSQL's are
// schemas of the database that an URL names.
func Open(ctx context.Context, e Engine, where string) (_ *All, err error) {
	all := &All{}
	defer func() {
		if err != nil {
			err = errors.Join(err, all.Close())
		}
	}()
	for _, o := range openersOf(e) {
		url, drop, err := e.create(ctx, where, o.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		all.close = append(all.close, drop)
		upkeep, err := e.connect(url, o.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		all.close = append(all.close, upkeep.Close)
		if err := fill(ctx, e, upkeep); err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		pool, err := e.connect(url, o.name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		all.close = append(all.close, pool.Close)
		store, err := o.open(ctx, e, url, pool)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		all.close = append(all.close, store.Close)
		all.Stores = append(all.Stores, &Named{o.name, store, upkeep})
	}
	return all, nil
}

// Close closes the stores and drops their databases.
func (a *All) Close() error {
	var failed []error
	for i := len(a.close) - 1; i >= 0; i-- {
		failed = append(failed, a.close[i]())
	}
	return errors.Join(failed...)
}

func fill(ctx context.Context, e Engine, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, e.table()); err != nil {
		return err
	}
	hand := &byHand{engine: e, db: db}
	if err := hand.prepare(ctx); err != nil {
		return err
	}
	defer hand.Close()
	if err := hand.Bulk(ctx, Some(Rows)); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "ANALYZE people")
	return err
}
