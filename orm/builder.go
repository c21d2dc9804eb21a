package orm

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// A builder writes one statement: text in b, arguments in the order of their places. Names come from plans only, and
// values become arguments only; there is no third way into the text.
type builder struct {
	d       dialect.Dialect
	b       []byte
	args    []any
	reads   []string
	aliases int
	once    bool // the text is not likely to come again
	odd     bool // an argument is text that no engine but one takes
}

func newBuilder(s Session) *builder {
	return &builder{d: s.dialect(), b: make([]byte, 0, 256), args: make([]any, 0, 4)}
}

func (b *builder) text(parts ...string) {
	for _, part := range parts {
		b.b = append(b.b, part...)
	}
}

func (b *builder) ident(name string) { b.b = b.d.Ident(b.b, name) }

// column writes a column of the table that is called by a quoted name.
func (b *builder) column(table string, c *column) {
	b.text(table, ".")
	b.ident(c.name)
}

// arg binds a driver value and writes its place.
func (b *builder) arg(v any) {
	switch x := v.(type) {
	case string:
		b.odd = b.odd || !isText(x)
	case time.Time:
		v = driverValue(b.d, x)
	}
	b.args = append(b.args, v)
	b.b = b.d.Placeholder(b.b, len(b.args))
}

// isText reports whether every engine stores a text as it is.
func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// typed binds a value where the engine cannot see its type from what is around it.
func (b *builder) typed(v any, kind dialect.Kind) {
	if text, ok := v.(string); ok && kind == dialect.Decimal {
		before, after := b.d.Number(min(Decimal(text).fraction(), 30))
		b.text(before)
		b.arg(v)
		b.text(after)
		return
	}
	b.arg(v)
	if b.d != dialect.Postgres {
		return
	}
	switch {
	case kind == dialect.UUID:
		b.text("::uuid")
		return
	case kind == dialect.Uint:
		b.text("::numeric")
		return
	}
	switch v.(type) {
	case []byte:
		b.text("::bytea")
	case int64:
		b.text("::bigint")
	case float64:
		b.text("::float8")
	case string:
		b.text("::text")
	case bool:
		b.text("::boolean")
	case time.Time:
		b.text("::timestamptz")
	}
}

// read notes a table that the statement reads.
func (b *builder) read(table string) {
	if !slices.Contains(b.reads, table) {
		b.reads = append(b.reads, table)
	}
}

// aside writes with f into a text of its own and returns it.
func (b *builder) aside(f func() error) ([]byte, error) {
	outer := b.b
	b.b = nil
	err := f()
	inner := b.b
	b.b = outer
	return inner, err
}

// check refuses what no engine would take.
func (b *builder) check() error {
	if b.odd {
		return errOddText
	}
	if len(b.args) > b.d.MaxArguments() {
		return tooMany(b.d, len(b.args))
	}
	return nil
}

func tooMany(d dialect.Dialect, values int) error {
	return fmt.Errorf("orm: a statement with %d values: %s takes %d; ask in parts, or with a subquery", values, d.Name(), d.MaxArguments())
}

var errOddText = errors.New("orm: a text with a NUL or with bytes that are no UTF-8: use a []byte for octets, or strings.ToValidUTF8")

// statement makes the statement that was written.
func (b *builder) statement(verb, table string) *statement {
	return &statement{text: string(b.b), args: b.args, verb: verb, table: table, reads: b.reads, once: b.once}
}

// A scope is a table that names are resolved in, with the tables joined to it on the way.
type scope struct {
	b     *builder
	plan  *plan
	table string // quoted: the table's name, or an alias
	outer *scope // of the rows that these are related to, in a condition on those
	joins []join
	from  []byte // the text of the joins
}

type join struct {
	path  string
	table string
}

func (b *builder) scope(p *plan) *scope {
	b.read(p.table)
	return &scope{b: b, plan: p, table: p.fixed(b.d, "table", func(name *builder) { name.ident(p.table) })}
}

// alias opens a scope for a table under a name of its own, for use beside others.
func (b *builder) alias(p *plan) *scope {
	b.read(p.table)
	b.aliases++
	return &scope{b: b, plan: p, table: "t" + strconv.Itoa(b.aliases)}
}

// join joins a related row, of which there is at most one, and returns the name of its table.
func (s *scope) join(from, path string, r *relation) string {
	for _, j := range s.joins {
		if j.path == path {
			return j.table
		}
	}
	b := s.b
	b.read(r.target.table)
	b.aliases++
	alias := "t" + strconv.Itoa(b.aliases)
	text, _ := b.aside(func() error {
		b.text(" LEFT JOIN ")
		b.ident(r.target.table)
		b.text(" AS ", alias, " ON ")
		b.column(alias, r.remote)
		b.text(" = ")
		b.column(from, r.local)
		return nil
	})
	s.from = append(s.from, text...)
	s.joins = append(s.joins, join{path, alias})
	return alias
}

// valueCodec returns the codec for a constant's own type, or nil for NULL.
func valueCodec(v any) (*codec, error) {
	t := reflect.TypeOf(v)
	if t == nil {
		return nil, nil
	}
	return codecOf(t)
}
