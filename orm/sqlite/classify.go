package sqlite

import (
	"errors"
	"regexp"
	"strings"

	driverpkg "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/ishaa-framework/ishaa/orm"
)

// Classify implements orm.Engine. SQLite tells tables and columns in words only.
func (engine) Classify(err error) orm.Fault {
	var e *driverpkg.Error
	if !errors.As(err, &e) {
		return orm.Fault{}
	}
	message := e.Error()
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		f := orm.Fault{Kind: orm.ErrUnique}
		f.Table, f.Columns, f.Constraint = subject(message, "UNIQUE constraint failed: ")
		return f
	case lib.SQLITE_CONSTRAINT_NOTNULL:
		f := orm.Fault{Kind: orm.ErrNotNull}
		f.Table, f.Columns, _ = subject(message, "NOT NULL constraint failed: ")
		return f
	case lib.SQLITE_CONSTRAINT_CHECK:
		_, name, _ := strings.Cut(message, "CHECK constraint failed: ")
		name, _, _ = strings.Cut(name, " (")
		if !plainName.MatchString(name) {
			name = "" // the constraint has no name, and this is its text
		}
		return orm.Fault{Kind: orm.ErrCheck, Constraint: name}
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return orm.Fault{Kind: orm.ErrForeignKey}
	case lib.SQLITE_CONSTRAINT_TRIGGER:
		if strings.Contains(message, "FOREIGN KEY") { // RESTRICT is checked at once, by a trigger
			return orm.Fault{Kind: orm.ErrForeignKey}
		}
		return orm.Fault{Kind: orm.ErrCheck}
	case lib.SQLITE_BUSY_SNAPSHOT:
		return orm.Fault{Kind: orm.ErrSerialization}
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return orm.Fault{Kind: orm.ErrTimeout, Text: "another process keeps the database locked: end its transaction, or give Options.LockTimeout more time"}
	case lib.SQLITE_INTERRUPT:
		return orm.Fault{Kind: orm.ErrCanceled, Ends: true}
	case lib.SQLITE_READONLY:
		return orm.Fault{Kind: orm.ErrReadOnly}
	case lib.SQLITE_CANTOPEN:
		return orm.Fault{Kind: orm.ErrConnection, Text: "the database file cannot be opened: see that its folder exists and may be written"}
	case lib.SQLITE_NOTADB:
		return orm.Fault{Kind: orm.ErrConnection, Text: "the file is not an SQLite database"}
	case lib.SQLITE_FULL:
		return orm.Fault{Text: "the disk is full", Ends: true}
	case lib.SQLITE_IOERR:
		return orm.Fault{Kind: orm.ErrConnection, Text: "reading or writing the database file failed: see the disk", Ends: true}
	case lib.SQLITE_CORRUPT:
		return orm.Fault{Text: "the database file is damaged: restore a backup, or try the recovery of the sqlite3 shell"}
	case lib.SQLITE_TOOBIG:
		return orm.Fault{Text: "a value or the statement is larger than SQLite allows"}
	case lib.SQLITE_MISMATCH:
		return orm.Fault{Text: "a value does not fit the type of its column"}
	case lib.SQLITE_ERROR:
		return orm.Fault{Text: strings.TrimPrefix(strings.TrimSuffix(message, " (1)"), "SQL logic error: ")}
	}
	return orm.Fault{Text: message}
}

var plainName = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// subject reads "users.name, users.email", or "index 'name'" for an index over an expression.
func subject(message, after string) (table string, columns []string, constraint string) {
	_, list, found := strings.Cut(message, after)
	if !found {
		return "", nil, ""
	}
	if end := strings.LastIndex(list, " ("); end >= 0 { // the error's number
		list = list[:end]
	}
	if name, ok := strings.CutPrefix(list, "index '"); ok {
		return "", nil, strings.TrimSuffix(name, "'")
	}
	for column := range strings.SplitSeq(list, ", ") {
		if dot := strings.LastIndexByte(column, '.'); dot >= 0 {
			table, column = column[:dot], column[dot+1:]
		}
		columns = append(columns, column)
	}
	return table, columns, ""
}
