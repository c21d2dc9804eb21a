package orm

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// What went wrong, for errors.Is. Every error of a database that means one of these is an *Error of that kind.
var (
	ErrNotFound      = errors.New("no such row")
	ErrUnique        = errors.New("the value is taken")
	ErrForeignKey    = errors.New("the row is referred to, or refers to none")
	ErrNotNull       = errors.New("a value is missing")
	ErrCheck         = errors.New("a check constraint is violated")
	ErrStale         = errors.New("the row was changed in the meantime")
	ErrSerialization = errors.New("the transaction collided with another")
	ErrConnection    = errors.New("the database cannot be reached")
	ErrTimeout       = errors.New("the database took too long")
	ErrCanceled      = errors.New("the query was given up")
	ErrReadOnly      = errors.New("nothing can be written here")
)

// Error is an error of the database. Its text names tables, columns and constraints, never values; what the driver said
// is behind Unwrap and belongs in a log at most.
type Error struct {
	Kind       error    // one of the Err values, or nil
	Op         string   // what was tried: "select", "insert", "update", "delete", "ddl", "raw", "begin", "commit"
	Table      string   // the table, if known
	Constraint string   // the constraint that was violated, where the engine tells its name
	Columns    []string // the columns of the constraint, where the engine tells them

	text  string // what to say in place of what the kind says
	ends  bool   // the transaction is over on the server
	cause error
}

// Error says what happened, where, and what to do.
func (e *Error) Error() string {
	b := []byte("orm: ")
	switch {
	case e.Op != "" && e.Table != "":
		b = append(b, e.Op+" "+e.Table+": "...)
	case e.Op != "" || e.Table != "":
		b = append(b, e.Op+e.Table+": "...)
	}
	b = append(b, e.what()...)
	if e.Constraint != "" {
		b = append(b, " (constraint "+e.Constraint+")"...)
	}
	return string(b)
}

func (e *Error) what() string {
	if e.text != "" {
		return e.text
	}
	columns := strings.Join(e.Columns, ", ")
	with := func(one, none string) string {
		if columns == "" {
			return none
		}
		return strings.ReplaceAll(one, "$", columns)
	}
	switch e.Kind {
	case ErrNotFound:
		return "there is no such row"
	case ErrUnique:
		return with("another row has the same $: choose a different value", "another row has the same value where it must be unique: choose a different one")
	case ErrForeignKey:
		return with("$ refers to a row that does not exist, or other rows still refer to this one: save the one it refers to first, or delete those that refer to it",
			"a row that it refers to does not exist, or other rows still refer to it: save the one it refers to first, or delete those that refer to it")
	case ErrNotNull:
		return with("$ must have a value: set it", "a column that must have a value has none: set it")
	case ErrCheck:
		return "a value is outside of what the table allows: see its check constraint"
	case ErrStale:
		return "somebody else changed or deleted the row since it was read: read it again and apply the change to that"
	case ErrSerialization:
		return "the transaction collided with another one: run it again, or let Tx do so"
	case ErrConnection:
		return "the database cannot be reached, or the connection broke: see that it runs and that the URL is right"
	case ErrTimeout:
		return "the database took too long: give the context more time, or make the query lighter"
	case ErrCanceled:
		return "the query was given up because its context ended"
	case ErrReadOnly:
		return "nothing can be written here: the transaction or the database is read-only"
	}
	return "the database refused: what it said is behind errors.Unwrap"
}

// Unwrap returns the kind and the driver's error.
func (e *Error) Unwrap() []error {
	list := make([]error, 0, 2)
	if e.Kind != nil {
		list = append(list, e.Kind)
	}
	if e.cause != nil {
		list = append(list, e.cause)
	}
	return list
}

// HTTPStatus returns the status that a web server answers with when the error is not handled: 404 for a row that is not
// there, 409 for a conflict, 503 if the database cannot be reached or collided too often, otherwise 500.
func (e *Error) HTTPStatus() int {
	switch e.Kind {
	case ErrNotFound:
		return http.StatusNotFound
	case ErrUnique, ErrForeignKey, ErrStale:
		return http.StatusConflict
	case ErrConnection, ErrTimeout, ErrSerialization:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// classify makes an *Error of what the driver said. A nil error stays nil, and an *Error stays as it is.
func classify(s Session, err error) error {
	return databaseOf(s).classify(err, "", "")
}

func databaseOf(s Session) *DB {
	if tx := s.transaction(); tx != nil {
		return tx.core.db
	}
	return s.(*DB)
}

func (db *DB) classify(err error, op, table string) error {
	if err == nil {
		return nil
	}
	if already := (*Error)(nil); errors.As(err, &already) {
		return err
	}
	if strings.HasPrefix(err.Error(), "sql: Scan error") || strings.HasPrefix(err.Error(), "sql: expected") {
		return err // says the column, and is no error of the database
	}
	f := db.fault(err)
	if f.Table != "" {
		table = f.Table
	}
	return &Error{Kind: f.Kind, Op: op, Table: table, Constraint: f.Constraint, Columns: f.Columns, text: f.Text, ends: f.Ends, cause: err}
}

func (db *DB) fault(err error) Fault {
	switch {
	case errors.Is(err, context.Canceled):
		return Fault{Kind: ErrCanceled}
	case errors.Is(err, context.DeadlineExceeded):
		return Fault{Kind: ErrTimeout}
	case errors.Is(err, sql.ErrNoRows):
		return Fault{Kind: ErrNotFound}
	}
	if f := db.engine.Classify(err); f.Kind != nil || f.Text != "" {
		return f
	}
	var network net.Error
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return Fault{Kind: ErrConnection}
	case errors.Is(err, sql.ErrTxDone):
		return Fault{Text: "the transaction has ended"}
	case err.Error() == "sql: database is closed":
		return Fault{Kind: ErrConnection, Text: "the database was closed by DB.Close"}
	}
	return Fault{}
}
