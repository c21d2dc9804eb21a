package dialect

// SQLite is the dialect of SQLite 3.35 and later. Its LIKE ignores the case of ASCII letters, so that contains and
// icontains are the same there.
var SQLite Dialect = sqlite{}

type sqlite struct{}

func (sqlite) Name() string                                       { return "sqlite" }
func (sqlite) Ident(b []byte, name string) []byte                 { return quoted(b, name, '"') }
func (sqlite) Placeholder(b []byte, _ int) []byte                 { return append(b, '?') }
func (sqlite) MaxArguments() int                                  { return 32766 }
func (sqlite) Returning() bool                                    { return false }
func (sqlite) Nulls(bool) string                                  { return "" }
func (sqlite) Random() string                                     { return "random()" }
func (sqlite) Lock(string, bool, bool) string                     { return "" }
func (sqlite) NoLimit() string                                    { return "-1" }
func (sqlite) TableOptions() string                               { return "" }
func (sqlite) IndexExists() bool                                  { return true }
func (sqlite) IndexesText() bool                                  { return true }
func (sqlite) InsertDefaults() string                             { return " DEFAULT VALUES" }
func (sqlite) Arrays() bool                                       { return false }
func (sqlite) InsertArrays(b []byte, _ string, _ []string) []byte { return b }
func (sqlite) UpdatesFromSelf() bool                              { return true }

func (sqlite) Match(m Match) Affix {
	switch m {
	case Contains, IContains, IExact:
		return Affix{"", " LIKE ", " ESCAPE '!'"}
	case Like, ILike:
		return Affix{"", " LIKE ", ` ESCAPE '\'`}
	case IRegex:
		return Affix{"", " REGEXP ('(?i)' || ", ")"}
	default:
		return Affix{"", " REGEXP ", ""}
	}
}

// The parts of a date, as strftime names them.
var sqliteParts = map[string]string{
	"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S", "weekday": "%w",
}

func (sqlite) Part(part string) (Affix, bool) {
	format, ok := sqliteParts[part]
	return Affix{Before: "CAST(strftime('" + format + "', ", Between: ") AS INTEGER)"}, ok
}

func (sqlite) Aggregate(function string, whole bool) Affix {
	return Affix{Before: function + "(", Between: ")"}
}

func (sqlite) Function(name string) (open, separator, end string) {
	if name == "concat" {
		return "(", " || ", ")"
	}
	return name + "(", ", ", ")"
}

func (sqlite) JSON() JSON {
	return JSON{
		Kind:  Affix{"json_type(", ", ", ")"},
		Texts: " = 'text'", Numbers: " IN ('integer', 'real')", Bools: " IN ('true', 'false')", Null: "null",
		Text: Affix{"CAST(json_extract(", ", ", ") AS TEXT)"},
		True: "1", False: "0",
		Number: Affix{"json_extract(", ", ", ")"},
	}
}

func (sqlite) WholeDivision() string { return "/" }

func (sqlite) Number(int) (before, after string) { return "CAST(", " AS NUMERIC)" }

func (sqlite) Type(t Type) string {
	if t.Custom != "" {
		return t.Custom
	}
	switch t.Kind {
	case Bool:
		return "boolean"
	case Int, Uint, Duration:
		return "integer"
	case Float:
		return "real"
	case Bytes:
		return "blob"
	case Time:
		return "datetime"
	case Date:
		return "date"
	case Decimal:
		return "decimal(" + itoa(t.Precision) + "," + itoa(t.Scale) + ")"
	default: // JSON and UUIDs are text too: any other name would make SQLite turn what looks like a number into one
		if t.Size > 0 && t.Kind == Text {
			return "varchar(" + itoa(t.Size) + ")"
		}
		return "text"
	}
}

func (sqlite) AutoIncrement(Type) (typ, suffix string) { return "integer", " AUTOINCREMENT" }

func (sqlite) Literal(b []byte, v any) []byte {
	if v, ok := v.(bool); ok {
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	}
	return literal(b, v)
}

func (d sqlite) Conflict(b []byte, keys, updates []string) []byte {
	return onConflict(d, b, keys, updates)
}

// onConflict appends the clause that SQLite and PostgreSQL share.
func onConflict(d Dialect, b []byte, keys, updates []string) []byte {
	b = append(b, " ON CONFLICT "...)
	if len(keys) > 0 {
		b = append(b, '(')
		for i, key := range keys {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = d.Ident(b, key)
		}
		b = append(b, ") "...)
	}
	if len(updates) == 0 {
		return append(b, "DO NOTHING"...)
	}
	b = append(b, "DO UPDATE SET "...)
	for i, column := range updates {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = d.Ident(b, column)
		b = append(b, " = excluded."...)
		b = d.Ident(b, column)
	}
	return b
}
