// Package sqlite brings SQLite to package orm, without a C compiler. Import it for its side effect:
//
//	import (
//		"github.com/ishaa-framework/ishaa/orm"
//		_ "github.com/ishaa-framework/ishaa/orm/sqlite"
//	)
//
//	db, err := orm.Open("sqlite://app.db")
//
// One connection writes and the others read: they see the last commit and do not wait for the writer (write-ahead log).
// Writers wait for their turn in order, inside of the process, so SQLITE_BUSY is not seen; other processes on the same
// file are waited for up to Options.LockTimeout. A write is acknowledged when it is safe from a power failure, unless
// Options.Relaxed. Foreign keys are enforced. REGEXP takes Go's syntax (RE2), whose time is linear.
//
// Times are stored as text in UTC with microseconds, "2026-01-31 23:59:59.000000": it sorts as it reads.
//
// "sqlite://:memory:" is a database that is gone when it is closed. It is kept in a private folder of the system's
// memory file system where there is one, otherwise of its temporary files, so that it behaves as a file does.
//
// Parameters of the URL: mode=ro opens an existing file for reading only. Others are an error.
package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	driverpkg "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/ishaa-framework/ishaa/orm"
)

func init() { orm.RegisterEngine(engine{}, "sqlite", "sqlite3", "file") }

type engine struct{}

// Dialect implements orm.Engine.
func (engine) Dialect() string { return "sqlite" }

// Open implements orm.Engine.
func (engine) Open(u *url.URL, o orm.Options) (*orm.Pools, error) {
	readOnly := false
	for name, values := range u.Query() {
		if name != "mode" || len(values) != 1 || values[0] != "ro" && values[0] != "rwc" {
			return nil, fmt.Errorf("the parameter %s=%s is not known: there is mode=ro", name, strings.Join(values, ","))
		}
		readOnly = values[0] == "ro"
	}
	path, remove, err := locate(u.Path)
	if err != nil {
		return nil, err
	}
	synchronous := "FULL"
	switch {
	case remove != nil:
		synchronous = "OFF" // nothing is to survive
	case o.Relaxed:
		synchronous = "NORMAL"
	}
	d := withFunctions()
	connect := func(parameters ...string) driver.Connector {
		// The path is not a URL yet: "?", "#" and "%" in it are part of the file's name.
		dsn := (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String() + "?_timezone=UTC&_dqs=0" +
			"&_busy_timeout=" + strconv.FormatInt(o.LockTimeout.Milliseconds(), 10) + "&_foreign_keys=1"
		return connector{d, dsn + "&" + strings.Join(parameters, "&")}
	}
	writable := []string{"_txlock=immediate", "_journal_mode=WAL", "_synchronous=" + synchronous, "_pragma=journal_size_limit(67108864)"}
	p := &orm.Pools{
		Source:     "sqlite://" + path,
		Writer:     connect(writable...),
		Reader:     connect("mode=ro"),
		Statements: 256,
		Multiplex:  true,
		Argument:   argument,
		Busy:       busy,
		Guard:      "PRAGMA query_only=1",
		Unguard:    "PRAGMA query_only=0",
		Close:      remove,
	}
	if readOnly {
		p.Writer, p.Reader = p.Reader, nil
	} else {
		p.SingleWriter = true
		p.Reader = &following{Connector: p.Reader, writer: p.Writer}
	}
	return p, nil
}

// locate returns the absolute path of a database. One in memory is a file that remove removes.
func locate(path string) (abs string, remove func() error, err error) {
	switch path {
	case "":
		return "", nil, errors.New("the URL names no file: write sqlite://app.db, or sqlite://:memory: for one that is gone when it is closed")
	case ":memory:", "/:memory:":
		dir, err := os.MkdirTemp(memoryFolder(), "ishaa-sqlite-")
		if err != nil {
			return "", nil, fmt.Errorf("a database in memory needs a folder for temporary files: set TMPDIR (%w)", err)
		}
		return filepath.Join(dir, "memory.db"), func() error { return os.RemoveAll(dir) }, nil
	}
	abs, err = filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	// The same file has the same name through links: that of the folder is resolved, the file need not exist yet.
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real, nil, nil
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs)), nil, nil
	}
	return "", nil, fmt.Errorf("the folder %s does not exist: make it first", filepath.Dir(abs))
}

func memoryFolder() string {
	const shared = "/dev/shm"
	if dir, err := os.MkdirTemp(shared, "ishaa-probe-"); err == nil {
		os.Remove(dir)
		return shared
	}
	return ""
}

// timeLayout sorts as text in the order of time.
const timeLayout = "2006-01-02 15:04:05.000000"

// argument turns times into the text that they are stored as, cut to the microsecond.
func argument(v *driver.NamedValue) error {
	switch value := v.Value.(type) {
	case nil, int64, float64, string, []byte, bool:
		return nil
	case time.Time:
		v.Value = value.UTC().Format(timeLayout)
		return nil
	}
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if t, ok := value.(time.Time); ok {
		value = t.UTC().Format(timeLayout)
	}
	v.Value = value
	return err
}

func busy(err error) bool {
	var e *driverpkg.Error
	return errors.As(err, &e) && (e.Code()&0xff == lib.SQLITE_BUSY || e.Code()&0xff == lib.SQLITE_LOCKED)
}
