package orm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Options are the settings of a database. The zero value is a good default.
type Options struct {
	// MaxConnections is how many connections are open at most; 0 is 16. On SQLite these are the readers; there is one
	// writer beside them. The pool of DB.SQL has as many of its own, on PostgreSQL it shares them.
	MaxConnections int
	// MaxIdle is how many unused connections are kept open; 0 is MaxConnections.
	MaxIdle int
	// MaxLifetime is after what time a connection is replaced; 0 is never, or what the URL says.
	MaxLifetime time.Duration

	// LockTimeout is how long a statement waits for another writer on SQLite and MySQL; 0 is 30 seconds. A context may end
	// the wait sooner. PostgreSQL waits as its lock_timeout says, which the URL can set.
	LockTimeout time.Duration
	// Relaxed lets SQLite acknowledge a write before it is safe from a power failure (synchronous=NORMAL): several times
	// faster where disks are slow. A crash of the process loses nothing either way.
	Relaxed bool

	// SlowQuery is from what duration on a statement is logged; 0 is never. Values of arguments are not logged.
	SlowQuery time.Duration
	// Logger gets slow queries; nil is slog.Default.
	Logger *slog.Logger

	// Now tells the time for auto_now, auto_now_add and soft_delete; nil is time.Now.
	Now func() time.Time

	// Replicas are URLs of copies of the database. They answer reads outside of transactions, in turn; Primary makes an
	// exception. A replica may lag behind.
	Replicas []string
}

func (o *Options) complete() error {
	if o.MaxConnections < 0 || o.MaxIdle < 0 || o.MaxLifetime < 0 || o.LockTimeout < 0 || o.SlowQuery < 0 {
		return errors.New("orm: a negative number in Options")
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 16
	}
	if o.MaxIdle == 0 || o.MaxIdle > o.MaxConnections {
		o.MaxIdle = o.MaxConnections
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Open returns the database that a URL names:
//
//	sqlite://app.db            a file in the working directory; sqlite:///var/lib/app.db is an absolute path
//	sqlite://:memory:          a database that is gone when it is closed; every Open makes one of its own
//	postgres://user:password@host:5432/name
//	mysql://user:password@host:3306/name       also mariadb://
//
// The engine comes with the import of orm/sqlite, orm/postgres or orm/mysql. Open checks the URL and need not reach the
// server: use DB.Ping for that. Errors repeat no more of the URL than its scheme and host: the rest may hold a password.
func Open(rawURL string, options ...Options) (*DB, error) {
	if len(options) > 1 {
		return nil, errors.New("orm.Open: more than one Options")
	}
	var o Options
	if len(options) == 1 {
		o = options[0]
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	db, err := open(rawURL, o)
	if err != nil {
		return nil, err
	}
	for _, replica := range o.Replicas {
		r, err := open(replica, o)
		if err == nil && r.lang.Name() != db.lang.Name() {
			r.Close()
			err = errors.New("orm.Open: a replica is of another kind than the database")
		}
		if err != nil {
			db.Close()
			return nil, err
		}
		db.replicas = append(db.replicas, r)
	}
	return db, nil
}

func open(rawURL string, o Options) (*DB, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	engine, err := engineFor(u.Scheme)
	if err != nil {
		return nil, err
	}
	pools, err := engine.Open(u, o)
	if err != nil {
		return nil, fmt.Errorf("orm: opening %s://%s: %w", u.Scheme, u.Host, err)
	}
	return newDB(engine, pools, o)
}

// parseURL also takes what net/url does not: "sqlite://:memory:" and relative paths with any character.
func parseURL(raw string) (*url.URL, error) {
	wrong := errors.New("orm: the address is not a URL such as sqlite://app.db, postgres://user:password@host/name or mysql://user:password@host/name")
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, wrong
	}
	if packages[scheme] == "sqlite" {
		path, query, _ := strings.Cut(rest, "?")
		if unescaped, err := url.PathUnescape(path); err == nil {
			path = unescaped
		}
		return &url.URL{Scheme: scheme, Path: path, RawQuery: query, OmitHost: true}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || !strings.EqualFold(u.Scheme, scheme) {
		return nil, wrong
	}
	return u, nil
}

type primaryKey struct{}

// Primary returns a context whose reads go to the database itself, not to a replica: for reading back what was just
// written.
func Primary(ctx context.Context) context.Context { return context.WithValue(ctx, primaryKey{}, true) }
