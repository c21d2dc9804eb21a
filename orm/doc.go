// Package orm keeps Go structs in SQLite, PostgreSQL, MySQL and MariaDB: typed queries with lookups, relations,
// expressions and aggregates, transactions, and one meaning on all engines.
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//
//		"github.com/ishaa-framework/ishaa/orm"
//		_ "github.com/ishaa-framework/ishaa/orm/sqlite"
//	)
//
//	type User struct {
//		orm.Model        // ID, CreatedAt, UpdatedAt
//		Name      string `db:"size:100"`
//		Email     string `db:"unique"`
//		Age       *int
//	}
//
//	func main() {
//		ctx := context.Background()
//		db, err := orm.Open("sqlite://app.db")
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer db.Close()
//		users := orm.Of[User](db)
//		if err := users.CreateTable(ctx); err != nil {
//			log.Fatal(err)
//		}
//		if _, err := users.Upsert(ctx, User{Name: "Alice", Email: "alice@example.org"}, "email"); err != nil {
//			log.Fatal(err)
//		}
//		list, err := users.Filter("name__icontains", "ali").OrderBy("-id").Limit(10).All(ctx)
//		fmt.Println(len(list), err)
//	}
//
// # Models
//
// A model is a struct; each exported field of a type that can be stored is a column, named in snake case, in a table
// named by the plural. The tag `db:"…"` holds options between commas:
//
//	column:NAME, type:SQL, size:N, precision:N, scale:N, null, default:V, enum:a|b, pk, unique, unique:NAME, index,
//	index:NAME, references:TABLE.COLUMN, on_delete:cascade, auto_now, auto_now_add, version, soft_delete, fk:FIELD,
//	through:TABLE, -
//
// Types: bools, numbers, string, []byte, time.Time (in UTC, cut to microseconds), time.Duration, [16]byte as UUID (and
// types made of it), [Decimal], [JSON], pointers and sql.Null of those for columns that may be empty, types with
// MarshalText and UnmarshalText, and types with Value and Scan. [One], [Many] and [ManyToMany] are relations.
//
// # Lookups
//
// Filter, Exclude and Q take pairs of a name and a value. A name is a path: relations, then a field, then what to
// compare, with two underscores between: "author__name__icontains". These are the lookups:
//
//	exact, ne             equal, not equal; nil is the empty value, and ne holds for empty values
//	gt, gte, lt, lte      greater, less
//	in, notin             one of a list or of the rows of a query; nil in a list is the empty value
//	range                 between two values, both included
//	isnull                true or false: whether the value is empty, or there is no related row
//	contains, startswith, endswith          parts of a text, literally
//	icontains, istartswith, iendswith, iexact   without regard to case
//	like, ilike           with % and _, and a backslash before those that mean themselves
//	regex, iregex         in the engine's syntax
//
// Of times there are year, month, day, date, hour, minute, second and weekday (0 is Sunday), each followed by a lookup
// if it is not exact: "created_at__year__gte". Behind a field with JSON come keys, and digits for places in a list:
// "meta__tags__0". The name pk is the key, and a relation alone is the related key. Lookups of one call over a relation
// to many rows speak of one and the same row. A name or a value that does not fit is an error before any SQL.
//
// # Engines
//
// What can be the same is the same: empty values sort first, text compares and sorts by code point and blanks count,
// whole numbers divide to whole numbers, division by zero is empty, times are UTC with microseconds, averages are
// floating point, a text, number or time that would be cut, rounded or changed is refused. This differs:
//
//	                          SQLite                   PostgreSQL               MySQL, MariaDB
//	contains, like and kin    ignore case of A to Z    heed case                heed case
//	icontains, ilike and kin  fold A to Z only         fold all letters         fold all letters
//	order of text             code point               the database's collation code point
//	regex                     RE2 (Go's)               POSIX with extensions    PCRE (MariaDB), ICU (MySQL)
//	Lower, Upper              A to Z only              all letters              all letters
//	Decimal                   15 digits, computed as   exact                    exact
//	                          floating point
//	uint64                    up to 1<<63 - 1          all                      all
//	a computed value too      wraps to another type    an error                 an error
//	large for its column
//	indexed text without size no bound                 no bound                 255 characters
//	[]byte with an index      no bound                 no bound                 255 octets
//	ForUpdate                 one writer at a time     locks the model's rows   locks joined rows too
//	CREATE TABLE in Tx        part of it               part of it               ends it
//	Update of two fields      any                      any                      refused
//	from each other
//	place in what is no list  nothing there            nothing there            place 0 is the value
//	inside JSON
//	CreateMany                                                                  needs auto_increment_increment=1
//
// For the order of text of PostgreSQL to be that of the others, create the database with the locale C.UTF-8.
package orm
