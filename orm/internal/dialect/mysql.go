package dialect

import "strings"

// MySQL is the dialect of MySQL 8 and MariaDB 10.6 and later. Text columns are created with a binary collation without
// padding, so that text compares and sorts by code point and blanks at its end count, as on the other engines. The two
// servers call it by different names: each reads the comment that is meant for it.
var MySQL Dialect = mysql{}

type mysql struct{}

func (mysql) Name() string                                       { return "mysql" }
func (mysql) Ident(b []byte, name string) []byte                 { return quoted(b, name, '`') }
func (mysql) Placeholder(b []byte, _ int) []byte                 { return append(b, '?') }
func (mysql) MaxArguments() int                                  { return 65535 }
func (mysql) Returning() bool                                    { return false }
func (mysql) Nulls(bool) string                                  { return "" }
func (mysql) Random() string                                     { return "RAND()" }
func (mysql) NoLimit() string                                    { return "18446744073709551615" }
func (mysql) IndexExists() bool                                  { return false }
func (mysql) IndexesText() bool                                  { return false }
func (mysql) InsertDefaults() string                             { return " () VALUES ()" }
func (mysql) Arrays() bool                                       { return false }
func (mysql) InsertArrays(b []byte, _ string, _ []string) []byte { return b }
func (mysql) UpdatesFromSelf() bool                              { return false }

func (mysql) TableOptions() string {
	return " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4" +
		" /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100201 COLLATE utf8mb4_nopad_bin */"
}

func (mysql) Lock(_ string, skipLocked, noWait bool) string { return rowLock("", skipLocked, noWait) }

func (mysql) Match(m Match) Affix {
	switch m {
	case Contains:
		return Affix{"", " LIKE ", " COLLATE utf8mb4_bin ESCAPE '!'"}
	case IContains, IExact:
		return Affix{"LOWER(", ") LIKE LOWER(", ") ESCAPE '!'"}
	case Like:
		return Affix{"", " LIKE ", ` COLLATE utf8mb4_bin ESCAPE '\\'`}
	case ILike:
		return Affix{"LOWER(", ") LIKE LOWER(", `) ESCAPE '\\'`}
	case IRegex:
		return Affix{"", " REGEXP CONCAT('(?i)', ", ")"}
	default:
		return Affix{"", " REGEXP CONCAT('(?-i)', ", ")"}
	}
}

var mysqlParts = map[string]Affix{
	"year": {Before: "YEAR(", Between: ")"}, "month": {Before: "MONTH(", Between: ")"},
	"day": {Before: "DAYOFMONTH(", Between: ")"}, "hour": {Before: "HOUR(", Between: ")"},
	"minute": {Before: "MINUTE(", Between: ")"}, "second": {Before: "SECOND(", Between: ")"},
	"weekday": {Before: "(DAYOFWEEK(", Between: ") - 1)"},
}

func (mysql) Part(part string) (Affix, bool) {
	a, ok := mysqlParts[part]
	return a, ok
}

func (mysql) Aggregate(function string, whole bool) Affix {
	switch {
	case function == "AVG": // of whole numbers MySQL gives four digits only
		return Affix{Before: "AVG(", Between: " + 0e0)"}
	case function == "SUM" && whole:
		return Affix{Before: "CAST(SUM(", Between: ") AS SIGNED)"}
	}
	return Affix{Before: function + "(", Between: ")"}
}

func (mysql) Function(name string) (open, separator, end string) {
	if name == "length" { // LENGTH counts bytes
		name = "CHAR_LENGTH"
	}
	return name + "(", ", ", ")"
}

func (mysql) JSON() JSON {
	return JSON{
		Kind:  Affix{"JSON_TYPE(JSON_EXTRACT(", ", ", "))"},
		Texts: " = 'STRING'", Numbers: " IN ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL')", Bools: " = 'BOOLEAN'", Null: "NULL",
		Text: Affix{"JSON_UNQUOTE(JSON_EXTRACT(", ", ", "))"},
		True: "true", False: "false",
		Number: Affix{"(JSON_UNQUOTE(JSON_EXTRACT(", ", ", ")) + 0e0)"}, // MariaDB compares JSON as text
	}
}

func (mysql) WholeDivision() string { return "DIV" }

func (mysql) Number(fraction int) (before, after string) {
	return "CAST(", " AS DECIMAL(65," + itoa(fraction) + "))"
}

func (mysql) Type(t Type) string {
	if t.Custom != "" {
		return t.Custom
	}
	switch t.Kind {
	case Bool:
		return "boolean"
	case Int, Uint:
		name := "bigint"
		switch {
		case t.Bits <= 8:
			name = "tinyint"
		case t.Bits <= 16:
			name = "smallint"
		case t.Bits <= 32:
			name = "int"
		}
		if t.Kind == Uint {
			name += " unsigned"
		}
		return name
	case Duration:
		return "bigint"
	case Float:
		if t.Bits == 32 {
			return "float"
		}
		return "double"
	case Bytes:
		if t.Size > 0 && t.Size <= 4096 {
			return "varbinary(" + itoa(t.Size) + ")"
		}
		if t.Indexed {
			return "varbinary(255)"
		}
		return "longblob"
	case Time:
		return "datetime(6)"
	case Date:
		return "date"
	case UUID:
		return "char(36)"
	case Decimal:
		return "decimal(" + itoa(t.Precision) + "," + itoa(t.Scale) + ")"
	case JSONValue:
		return "json"
	default:
		switch {
		case t.Size > 0 && t.Size <= 16383:
			return "varchar(" + itoa(t.Size) + ")"
		case t.Indexed: // a key needs a bound: 3,072 bytes at four a character
			return "varchar(255)"
		}
		return "longtext"
	}
}

func (d mysql) AutoIncrement(t Type) (typ, suffix string) { return d.Type(t), " AUTO_INCREMENT" }

func (mysql) Literal(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	case string: // a backslash is special unless the server says NO_BACKSLASH_ESCAPES
		return quoted(b, strings.ReplaceAll(v, `\`, `\\`), '\'')
	}
	return literal(b, v)
}

// Conflict: MySQL finds the conflicting key itself, whichever it is.
func (d mysql) Conflict(b []byte, keys, updates []string) []byte {
	b = append(b, " ON DUPLICATE KEY UPDATE "...)
	if len(updates) == 0 { // setting a column to itself changes nothing
		b = d.Ident(b, keys[0])
		b = append(b, " = "...)
		return d.Ident(b, keys[0])
	}
	for i, column := range updates {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = d.Ident(b, column)
		b = append(b, " = VALUES("...)
		b = d.Ident(b, column)
		b = append(b, ')')
	}
	return b
}
