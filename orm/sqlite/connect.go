package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"regexp"
	"sync"

	driverpkg "modernc.org/sqlite"
)

// connector opens connections with a driver of our own: what is registered on it stays out of the process-wide one.
type connector struct {
	driver *driverpkg.Driver
	dsn    string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.driver.Open(c.dsn)
}

func (c connector) Driver() driver.Driver { return c.driver }

// following connects readers after a writer has connected once: that makes the file and its write-ahead log, without
// which a connection that cannot write cannot begin.
type following struct {
	driver.Connector
	writer driver.Connector

	mu    sync.Mutex
	ready bool
}

func (f *following) Connect(ctx context.Context) (driver.Conn, error) {
	if err := f.prepare(ctx); err != nil {
		return nil, err
	}
	return f.Connector.Connect(ctx)
}

func (f *following) prepare(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ready {
		return nil
	}
	conn, err := f.writer.Connect(ctx)
	if err != nil {
		return err
	}
	f.ready = true
	return conn.Close()
}

// withFunctions is SQLite with the function regexp. A driver never forgets a function, so there is one of it.
var withFunctions = sync.OnceValue(func() *driverpkg.Driver {
	d := &driverpkg.Driver{}
	d.MustRegisterDeterministicScalarFunction("regexp", 2, func(_ *driverpkg.FunctionContext, args []driver.Value) (driver.Value, error) {
		if args[0] == nil || args[1] == nil {
			return nil, nil
		}
		re, err := patterns.compile(text(args[0]))
		if err != nil {
			return nil, err
		}
		return re.MatchString(text(args[1])), nil
	})
	return d
})

func text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return fmt.Sprint(v)
}

// patterns holds compiled expressions: the function is called for every row. It is the same for every database, as a
// pure function is.
var patterns = cache{compiled: map[string]*regexp.Regexp{}}

type cache struct {
	sync.RWMutex
	compiled map[string]*regexp.Regexp
}

func (c *cache) compile(pattern string) (*regexp.Regexp, error) {
	c.RLock()
	re := c.compiled[pattern]
	c.RUnlock()
	if re != nil {
		return re, nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("the regular expression is not valid: %w", err)
	}
	c.Lock()
	defer c.Unlock()
	if len(c.compiled) >= 256 {
		clear(c.compiled)
	}
	c.compiled[pattern] = re
	return re, nil
}
