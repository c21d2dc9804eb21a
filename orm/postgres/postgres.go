// Package postgres brings PostgreSQL to package orm. Import it for its side effect:
//
//	import (
//		"github.com/ishaa-framework/ishaa/orm"
//		_ "github.com/ishaa-framework/ishaa/orm/postgres"
//	)
//
//	db, err := orm.Open("postgres://user:password@localhost:5432/shop")
//
// The URL takes what libpq's does, such as sslmode, and pool_max_conns and its kin of pgx. Sessions are in UTC. Beside
// the connections that statements run on, Pool returns a pool for what SQL does not cover: LISTEN, COPY, batches. It
// connects when it is first used; one pool for both would cost every statement a turn through two of them.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ishaa-framework/ishaa/orm"
)

func init() { orm.RegisterEngine(engine{}, "postgres", "postgresql") }

type engine struct{}

// Dialect implements orm.Engine.
func (engine) Dialect() string { return "postgres" }

// Open implements orm.Engine.
func (engine) Open(u *url.URL, o orm.Options) (*orm.Pools, error) {
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil { // what pgx says may repeat the password
		return nil, errors.New("this is not a URL for PostgreSQL: write postgres://user:password@host:5432/name?sslmode=require and see that its parameters exist")
	}
	if !u.Query().Has("pool_max_conns") {
		config.MaxConns = int32(min(o.MaxConnections, 1<<20))
	}
	if o.MaxLifetime > 0 {
		config.MaxConnLifetime = o.MaxLifetime
	}
	if parameters := config.ConnConfig.RuntimeParams; parameters["timezone"] == "" {
		parameters["timezone"] = "UTC"
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, errors.New("the settings of the pool do not fit together")
	}
	pools := &orm.Pools{
		Source: source(config.ConnConfig),
		Writer: connector{stdlib.GetConnector(*config.ConnConfig)},
		Raw:    stdlib.GetConnector(*config.ConnConfig), // whose rows tell the types of their columns
		Native: pool,
		Close:  func() error { pool.Close(); return nil },
	}
	if u.Query().Has("pool_max_conns") {
		pools.MaxConnections = int(config.MaxConns)
	}
	return pools, nil
}

// source is the database's name in package effect, whatever way the URL is written in. A search path of one schema is
// part of it: then the same names are other tables.
func source(c *pgx.ConnConfig) string {
	host := strings.ToLower(c.Host)
	if host == "localhost" || host == "::1" || strings.HasPrefix(host, "/") {
		host = "127.0.0.1"
	}
	name := "postgres://" + net.JoinHostPort(host, strconv.Itoa(int(c.Port))) + "/" + url.PathEscape(c.Database)
	if schema := c.RuntimeParams["search_path"]; schema != "" && schema != "public" && !strings.ContainsAny(schema, ",$") {
		name += "?search_path=" + url.QueryEscape(schema)
	}
	return name
}

// Pool returns the pool of connections of a PostgreSQL database. Statements that run on it are not seen by package orm:
// no hook, no note in package effect, no shadow.
func Pool(db *orm.DB) (*pgxpool.Pool, error) {
	if pool, ok := db.Native().(*pgxpool.Pool); ok {
		return pool, nil
	}
	return nil, fmt.Errorf("orm/postgres: the database %s is not PostgreSQL but %s", db.Name(), db.Dialect())
}

// Conn hands the connection of a transaction to fn. All tables of the database count as written.
func Conn(tx *orm.Tx, fn func(conn *pgx.Conn) error) error {
	return tx.Native(func(conn any) error {
		c, ok := conn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("orm/postgres: the database %s is not PostgreSQL but %s", tx.DB().Name(), tx.DB().Dialect())
		}
		return fn(c.Conn())
	})
}
