// Package dialect holds the SQL that differs between SQLite, PostgreSQL and MySQL or MariaDB, as text. It knows no
// driver and no model, so everything in it can be compared with golden files.
//
// The rule for meaning is: what can be made the same on all engines is made the same. Empty values (NULL) sort first,
// a backslash escapes in "like" patterns, times are UTC with microseconds, averages are floating point. What stays
// different is listed in the documentation of package orm: the case rules of LIKE and the collation of text.
package dialect

import "strconv"

// Dialect is the SQL of one engine.
type Dialect interface {
	// Name is "sqlite", "postgres" or "mysql".
	Name() string

	// Ident appends a quoted identifier.
	Ident(b []byte, name string) []byte
	// Placeholder appends the place of argument number n, counted from 1.
	Placeholder(b []byte, n int) []byte
	// MaxArguments is the largest number of arguments in one statement.
	MaxArguments() int
	// Returning reports whether INSERT needs RETURNING to tell the generated key; otherwise the driver tells it.
	Returning() bool

	// Match says how a text lookup is written around its column and its argument.
	Match(m Match) Affix
	// Nulls is appended to an ordering term so that empty values sort as the smallest.
	Nulls(descending bool) string
	// Random is the function that orders rows by chance.
	Random() string
	// Part wraps a time column so that it yields a part of its date in UTC: "month", "day", "hour", "weekday" …
	Part(part string) (Affix, bool)
	// Aggregate wraps a column in COUNT, SUM, AVG, MIN or MAX so that the result has the same type on all engines.
	Aggregate(function string, whole bool) Affix
	// Function wraps its arguments in a scalar function: "lower", "upper", "length", "coalesce", "concat".
	Function(name string) (open, separator, end string)
	// WholeDivision is the operator that divides whole numbers and cuts the result towards zero.
	WholeDivision() string
	// Number wraps an argument that is a decimal number as text, so that it computes and compares as a number.
	Number(fraction int) (before, after string)
	// Lock is the row lock at the end of a SELECT from a quoted table and others joined to it; "" if the engine has none.
	Lock(table string, skipLocked, noWait bool) string
	// NoLimit stands where a LIMIT is needed for an OFFSET but all rows are wanted.
	NoLimit() string

	// JSON says how values inside a JSON column are reached and compared.
	JSON() JSON

	// Type is the column type for a kind of value.
	Type(t Type) string
	// AutoIncrement returns the type of an integer primary key that the engine counts up, and what follows PRIMARY KEY.
	AutoIncrement(t Type) (typ, suffix string)
	// Literal appends a constant for DEFAULT clauses.
	Literal(b []byte, v any) []byte
	// TableOptions follows the closing parenthesis of CREATE TABLE.
	TableOptions() string
	// IndexExists reports whether CREATE INDEX IF NOT EXISTS is known.
	IndexExists() bool
	// PrefixIndexed reports whether text without a size can be indexed.
	IndexesText() bool
	// InsertDefaults is the tail of an INSERT that gives no column.
	InsertDefaults() string
	// Arrays reports whether an argument can be all the values of a column.
	Arrays() bool
	// InsertArrays appends what follows the columns of an INSERT that takes each column as one array. The rows are inserted
	// in the order of the arrays. It is not called if the engine has no Arrays.
	InsertArrays(b []byte, table string, columns []string) []byte
	// Conflict appends the clause that turns an INSERT into an upsert. With no update columns, conflicts are ignored.
	Conflict(b []byte, keys, updates []string) []byte
	// UpdatesFromSelf reports whether UPDATE and DELETE may read their own table in a subquery.
	UpdatesFromSelf() bool
}

// Affix is text to put before a column, between the column and its argument, and after the argument.
type Affix struct{ Before, Between, After string }

// Match is a way to compare text with a pattern.
type Match int

// The text lookups. Like and ILike take the caller's own pattern, in which a backslash escapes; the others escape theirs with "!", on PostgreSQL with a backslash.
const (
	Contains Match = iota
	IContains
	Like
	ILike
	IExact
	Regex
	IRegex
)

// JSON is how an engine reaches into JSON. In an Affix the column comes between Before and Between, the path, as an
// argument of the form $."key"[0], between Between and After.
type JSON struct {
	Kind                  Affix  // the name of the kind of value
	Texts, Numbers, Bools string // a comparison of that name, to follow it
	Null                  string // the name of the kind of null
	Text                  Affix  // a text without its quotes
	True, False           string // the Text of bools
	Number                Affix  // what compares with a number
	Encoded               bool   // numbers compare as JSON, with an argument of JSON text
}

// Kind is a kind of value that a column holds.
type Kind int

// Kinds of columns.
const (
	Bool Kind = iota
	Int
	Uint
	Float
	Text
	Bytes
	Time
	Date
	UUID
	Decimal
	JSONValue
	Duration
)

// Type describes a column's values.
type Type struct {
	Kind             Kind
	Bits             int // 8, 16, 32, 64 for numbers
	Size             int // the longest text in characters; 0 is without bound
	Precision, Scale int // digits of a decimal, in all and after the point
	Indexed          bool
	Custom           string // a type given by the model, as it is
}

// Of returns the dialect with a name.
func Of(name string) (Dialect, bool) {
	switch name {
	case "sqlite":
		return SQLite, true
	case "postgres":
		return Postgres, true
	case "mysql":
		return MySQL, true
	}
	return nil, false
}

// All lists the dialects.
func All() []Dialect { return []Dialect{SQLite, Postgres, MySQL} }

// quoted appends a name between quotes, with quotes inside doubled.
func quoted(b []byte, name string, quote byte) []byte {
	b = append(b, quote)
	for i := 0; i < len(name); i++ {
		if name[i] == quote {
			b = append(b, quote)
		}
		b = append(b, name[i])
	}
	return append(b, quote)
}

// literal appends what all engines write the same way; text is quoted by doubling, which is right as long as
// backslashes are not special, so a dialect where they are handles text itself.
func literal(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case string:
		return quoted(b, v, '\'')
	}
	panic("dialect: a default of a type that no literal is known for")
}
