package orm

import (
	"database/sql/driver"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Engine is a kind of database. Engines register themselves when their package is imported:
//
//	import _ "github.com/ishaa-framework/ishaa/orm/sqlite"
type Engine interface {
	// Dialect names the SQL that the engine speaks: "sqlite", "postgres" or "mysql".
	Dialect() string
	// Open says how to connect. It need not reach the server. Its errors hold no password.
	Open(u *url.URL, o Options) (*Pools, error)
	// Classify says what an error of the driver means. The zero Fault means that the engine does not know.
	Classify(err error) Fault
}

// Pools is how an engine connects.
type Pools struct {
	// Source names the database the same for everybody who opens it, without credentials.
	Source string

	// Writer connects for statements that write, and for all statements if Reader is nil.
	Writer driver.Connector
	// Reader connects for statements that only read. Its connections cannot write.
	Reader driver.Connector
	// Raw connects for DB.SQL; nil is Writer.
	Raw driver.Connector

	// SingleWriter says that one connection writes at a time; others wait for it in a queue.
	SingleWriter bool
	// MaxConnections is how many connections are open at most; 0 is what Options say.
	MaxConnections int
	// Statements is how many prepared statements are kept per connection; 0 if the driver keeps them by itself.
	Statements int
	// Multiplex says that a connection can run a statement while the rows of an earlier one are being read.
	Multiplex bool
	// Argument converts an argument for the driver; nil leaves that to the driver.
	Argument func(*driver.NamedValue) error
	// Busy reports that nothing was done because another process holds the database, so that a later try may succeed.
	Busy func(error) bool
	// Guard and Unguard make a connection of Raw refuse writes and allow them again; empty if read-only transactions do.
	Guard, Unguard string

	// Native is the driver's own pool, if it has one.
	Native any
	// Close is called after the connections have been closed; it may be nil.
	Close func() error
}

// Fault is what an error of a driver means.
type Fault struct {
	Kind       error    // one of the package's Err values; nil if it is none of them
	Table      string   // the table, where the driver tells
	Constraint string   // the name of the constraint that was violated
	Columns    []string // the columns of the constraint
	Text       string   // the driver's words without values of arguments; "" if they may hold some
	Ends       bool     // the server has rolled the whole transaction back
	Again      bool     // a prepared statement was out of date: the same read may succeed now
}

// Engines are known under the schemes of their URLs, as drivers of database/sql are under their names: what is linked
// into the program is the same for every application in it.
var engines = struct {
	sync.RWMutex
	byScheme map[string]Engine
}{byScheme: map[string]Engine{}}

// packages names the import that brings an engine of this module.
var packages = map[string]string{
	"sqlite": "sqlite", "sqlite3": "sqlite", "file": "sqlite",
	"postgres": "postgres", "postgresql": "postgres",
	"mysql": "mysql", "mariadb": "mysql",
}

// RegisterEngine makes an engine known for URL schemes. It is called by the init function of the engine's package and
// panics when a scheme is taken.
func RegisterEngine(engine Engine, schemes ...string) {
	engines.Lock()
	defer engines.Unlock()
	for _, scheme := range schemes {
		if _, taken := engines.byScheme[scheme]; taken {
			panic("orm.RegisterEngine: the scheme " + scheme + " is registered twice")
		}
		engines.byScheme[scheme] = engine
	}
}

func engineFor(scheme string) (Engine, error) {
	engines.RLock()
	defer engines.RUnlock()
	if engine := engines.byScheme[scheme]; engine != nil {
		return engine, nil
	}
	if name, known := packages[scheme]; known {
		return nil, fmt.Errorf("orm: the engine for %s:// is not part of this program: import _ %q", scheme, "github.com/ishaa-framework/ishaa/orm/"+name)
	}
	linked := slices.Sorted(maps.Keys(engines.byScheme))
	if len(linked) == 0 {
		return nil, fmt.Errorf("orm: there is no engine for %s://, and none is part of this program: import _ %q, for example", scheme, "github.com/ishaa-framework/ishaa/orm/sqlite")
	}
	return nil, fmt.Errorf("orm: there is no engine for %s://; this program has %s", scheme, strings.Join(linked, ", "))
}
