// Package mysql brings MySQL and MariaDB to package orm. Import it for its side effect:
//
//	import (
//		"github.com/ishaa-framework/ishaa/orm"
//		_ "github.com/ishaa-framework/ishaa/orm/mysql"
//	)
//
//	db, err := orm.Open("mysql://user:password@localhost:3306/shop")
//
// Sessions are in UTC, in strict mode, and in utf8mb4. Affected rows are those that matched, as on other engines, not
// only those that changed. Arguments are always bound, never written into the text.
//
// Parameters of the URL: tls (true, false, skip-verify, preferred), socket (the path of a Unix socket), timeout (to
// connect), read_timeout, write_timeout, collation. Others are an error.
package mysql

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/ishaa-framework/ishaa/orm"
)

func init() { orm.RegisterEngine(engine{}, "mysql", "mariadb") }

type engine struct{}

// Dialect implements orm.Engine.
func (engine) Dialect() string { return "mysql" }

// sqlMode refuses what would otherwise be stored changed: text that is cut, numbers out of range, impossible dates.
const sqlMode = "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// Open implements orm.Engine.
func (engine) Open(u *url.URL, o orm.Options) (*orm.Pools, error) {
	c, err := config(u)
	if err != nil {
		return nil, err
	}
	c.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 sqlMode,
		"innodb_lock_wait_timeout": strconv.Itoa(max(1, int(o.LockTimeout.Seconds()))),
	}
	connect, err := driverpkg.NewConnector(c)
	if err != nil {
		return nil, errors.New("the parameters of the URL do not fit together")
	}
	return &orm.Pools{Source: source(c), Writer: &connector{connect}, Statements: 128, Argument: argument}, nil
}

func config(u *url.URL) (*driverpkg.Config, error) {
	c := driverpkg.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr = "tcp", address(u)
	c.DBName = strings.TrimPrefix(u.Path, "/")
	if c.DBName == "" || strings.Contains(c.DBName, "/") {
		return nil, errors.New("the URL names no database: write mysql://user:password@host:3306/name")
	}
	c.ParseTime = true
	c.Loc = time.UTC
	c.ClientFoundRows = true
	c.Logger = log.New(io.Discard, "", 0) // what it logs is returned as an error as well
	collation := "utf8mb4_bin"            // constants compare as on the other engines, by code point
	for name, values := range u.Query() {
		value := values[len(values)-1]
		var err error
		switch name {
		case "tls":
			c.TLSConfig = value
		case "socket":
			c.Net, c.Addr = "unix", value
		case "timeout":
			c.Timeout, err = time.ParseDuration(value)
		case "read_timeout":
			c.ReadTimeout, err = time.ParseDuration(value)
		case "write_timeout":
			c.WriteTimeout, err = time.ParseDuration(value)
		case "collation":
			collation = value
		default:
			return nil, fmt.Errorf("the parameter %s is not known: there are tls, socket, timeout, read_timeout, write_timeout and collation", name)
		}
		if err != nil {
			return nil, fmt.Errorf("the parameter %s=%s is not a duration such as 5s", name, value)
		}
	}
	if err := c.Apply(driverpkg.Charset("utf8mb4", collation)); err != nil {
		return nil, err
	}
	return c, nil
}

func address(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "3306"
	}
	return net.JoinHostPort(host, port)
}

// source is the database's name in package effect, whatever way the URL is written in.
func source(c *driverpkg.Config) string {
	address := c.Addr
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "localhost" || host == "::1") {
		address = net.JoinHostPort("127.0.0.1", port)
	} else if c.Net == "unix" {
		address = "127.0.0.1:3306"
	}
	return "mysql://" + strings.ToLower(address) + "/" + url.PathEscape(c.DBName)
}

// argument sends times in UTC, cut to the microseconds that columns hold; the server would round them.
func argument(v *driver.NamedValue) error {
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if err != nil {
		if big, ok := v.Value.(uint64); ok { // the driver sends numbers over 1<<63 as they are
			v.Value = big
			return nil
		}
		return err
	}
	if t, ok := value.(time.Time); ok {
		value = t.UTC().Truncate(time.Microsecond)
	}
	v.Value = value
	return nil
}
