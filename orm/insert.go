package orm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Create inserts a row and returns it with its key, its defaults and its times. Fields that are zero and have a
// default get it, unless they are named by Explicit.
func (r Repository[T]) Create(ctx context.Context, row T, options ...WriteOption) (T, error) {
	if err := r.ready(); err != nil {
		return row, err
	}
	base := unsafe.Pointer(&row)
	explicit, err := r.plan.named(options, func(o WriteOption) []string { return o.explicit })
	if err != nil {
		return row, err
	}
	if err := r.plan.prepare(r.on, base, explicit); err != nil {
		return row, err
	}
	return row, r.insert(ctx, base)
}

// prepare fills what a new row gets by itself, and makes its values those that will be read back.
func (p *plan) prepare(on Session, row unsafe.Pointer, explicit []*column) error {
	now := moment(databaseOf(on).options.Now())
	for _, c := range p.columns {
		field := c.at(row)
		switch {
		case (c.now || c.nowAdd) && c.zero(field):
			if err := c.scan(field, now); err != nil {
				return err
			}
		case c == p.version && c.zero(field):
			if err := c.scan(field, int64(1)); err != nil {
				return err
			}
		case c.defaulted && c.zero(field) && !slices.Contains(explicit, c):
			if err := c.scan(field, c.fallback); err != nil {
				return err
			}
		}
		if err := c.settle(field); err != nil {
			return fmt.Errorf("orm: %s.%s: %w", p.name, c.field, err)
		}
	}
	return nil
}

// settle makes a field hold what the database will: times in UTC and microseconds, decimals with the column's scale.
func (c *column) settle(field unsafe.Pointer) error {
	switch c.kind {
	case dialect.Time, dialect.Decimal:
		v, err := c.bind(field)
		if err != nil || v == nil {
			return err
		}
		return c.scan(field, v)
	}
	return nil
}

// values appends the driver values of columns.
func (p *plan) values(b *builder, row unsafe.Pointer, columns []*column) error {
	for i, c := range columns {
		if i > 0 {
			b.text(", ")
		}
		v, err := c.value(b.d, row)
		if err != nil {
			return err
		}
		b.arg(v)
	}
	return nil
}

// value is the driver value of a row's column, if the column takes it.
func (c *column) value(d dialect.Dialect, row unsafe.Pointer) (any, error) {
	v, err := c.bind(c.at(row))
	if err != nil {
		return nil, fmt.Errorf("orm: %s.%s: %w", c.owner.name, c.field, err)
	}
	return v, c.fits(d, v)
}

// arguments are the driver values of columns, as they go to the driver.
func (p *plan) arguments(d dialect.Dialect, row unsafe.Pointer, columns []*column) ([]any, error) {
	args, odd := make([]any, len(columns)), false
	for i, c := range columns {
		v, err := c.value(d, row)
		if err != nil {
			return nil, err
		}
		if text, ok := v.(string); ok {
			odd = odd || !isText(text)
		}
		args[i] = driverValue(d, v)
	}
	if odd {
		return nil, errOddText
	}
	if len(args) > d.MaxArguments() {
		return nil, tooMany(d, len(args))
	}
	return args, nil
}

// fits refuses what an engine would store as something else, or what only some engines would store.
func (c *column) fits(d dialect.Dialect, v any) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("orm: %s.%s: "+format, append([]any{c.owner.name, c.field}, args...)...)
	}
	switch v := v.(type) {
	case []byte:
		if most := c.most(d, 255); c.kind == dialect.Bytes && most > 0 && len(v) > most {
			return refuse("there are %d octets, the column takes %d", len(v), most)
		}
	case string:
		switch c.kind {
		case dialect.Decimal:
			if _, err := exactly(Decimal(v), c.sql.Precision, c.sql.Scale); err != nil {
				return refuse("%w", err)
			}
			if d == dialect.SQLite && Decimal(v).significant() > 15 {
				return refuse("SQLite keeps 15 significant digits of a decimal, and the value has more")
			}
		case dialect.Uint:
			if d == dialect.SQLite {
				return refuse("SQLite has no whole numbers above %d: make the field text or an orm.Decimal", int64(math.MaxInt64))
			}
		case dialect.Text:
			if most := c.most(d, 255); most > 0 && len(v) > most {
				if n := utf8.RuneCountInString(v); n > most {
					return refuse("the text has %d characters, the column takes %d", n, most)
				}
			}
		}
	}
	return nil
}

// most is the largest size of a value, 0 if there is none. MySQL has a bound for what is indexed.
func (c *column) most(d dialect.Dialect, indexed int) int {
	if c.sql.Size == 0 && c.sql.Indexed && c.sql.Custom == "" && d == dialect.MySQL {
		return indexed
	}
	return c.sql.Size
}

// inserted returns the columns that an INSERT gives: all but a key that the engine is to count.
func (p *plan) inserted(row unsafe.Pointer) []*column {
	if p.auto == nil || !p.auto.zero(p.auto.at(row)) {
		return p.columns
	}
	return p.uncounted
}

func (r Repository[T]) insert(ctx context.Context, row unsafe.Pointer) error {
	p, d := r.plan, r.on.dialect()
	columns := p.inserted(row)
	st := &statement{verb: "insert", table: p.table, writes: p.self}
	var err error
	if st.args, err = p.arguments(d, row, columns); err != nil {
		return err
	}
	st.text = p.fixed(d, p.shape(columns, "insert", "insert all"), func(b *builder) {
		p.insertHead(b, columns)
		if len(columns) == 0 {
			b.text(d.InsertDefaults())
		} else {
			b.text(" VALUES (")
			for i := range columns {
				if i > 0 {
					b.text(", ")
				}
				b.arg(nil)
			}
			b.text(")")
		}
		p.returnKey(b, columns)
	})
	if r.on.shadowed(ctx, st) {
		return nil
	}
	counted := len(columns) < len(p.columns)
	if !counted || !d.Returning() {
		result, err := r.on.exec(ctx, st)
		if err != nil {
			return err
		}
		if !counted {
			return r.countOn(ctx, row)
		}
		id, err := result.LastInsertId()
		if err != nil {
			return classify(r.on, err)
		}
		return p.auto.scan(p.auto.at(row), id)
	}
	result, err := r.on.query(ctx, st)
	if err != nil {
		return err
	}
	defer result.Close()
	if !result.Next() {
		return cmp.Or(classify(r.on, result.Err()), errors.New("orm: the database inserted a row and told no key"))
	}
	if err := newScanner([]*column{p.auto}).row(result, row); err != nil {
		return err
	}
	result.Next() // to the end, where the engine says what it refuses
	return classify(r.on, result.Err())
}

// countOn makes PostgreSQL count on from a key that was given, as the other engines do by themselves.
func (r Repository[T]) countOn(ctx context.Context, row unsafe.Pointer) error {
	p := r.plan
	if p.auto == nil || !r.on.dialect().Returning() {
		return nil
	}
	key, err := p.auto.bind(p.auto.at(row))
	if n, ok := key.(int64); err != nil || !ok || n <= 0 {
		return err
	}
	b := newBuilder(r.on)
	b.text("SELECT setval(s, ")
	b.arg(key)
	b.text("::bigint) FROM (SELECT pg_get_serial_sequence(")
	b.arg(string(b.d.Ident(nil, p.table)))
	b.text("::text, ")
	b.arg(p.auto.name)
	b.text("::text)::regclass AS s) AS counter WHERE s IS NOT NULL AND ")
	b.arg(key)
	b.text("::bigint > COALESCE(pg_sequence_last_value(s), 0)")
	st := b.statement("insert", p.table)
	st.writes = []string{p.table}
	_, err = r.on.exec(ctx, st)
	return err
}

// largest is the row with the largest key that the engine would count.
func (r Repository[T]) largest(list []T) unsafe.Pointer {
	row := unsafe.Pointer(&list[0])
	if r.plan.auto == nil {
		return row
	}
	most := int64(math.MinInt64)
	for i := range list {
		at := unsafe.Pointer(&list[i])
		if key, err := r.plan.auto.bind(r.plan.auto.at(at)); err == nil {
			if n, ok := key.(int64); ok && n > most {
				row, most = at, n
			}
		}
	}
	return row
}

func (p *plan) insertHead(b *builder, columns []*column) {
	b.text("INSERT INTO ")
	b.ident(p.table)
	if len(columns) == 0 {
		return
	}
	b.text(" (")
	for i, c := range columns {
		if i > 0 {
			b.text(", ")
		}
		b.ident(c.name)
	}
	b.text(")")
}

// returnKey has a key that the engine counts told.
func (p *plan) returnKey(b *builder, columns []*column) {
	if len(columns) < len(p.columns) && b.d.Returning() {
		b.text(" RETURNING ")
		b.ident(p.auto.name)
	}
}

// shape chooses the name for the text of an INSERT: without the key that the engine counts, or with all columns.
func (p *plan) shape(columns []*column, counted, all any) any {
	if len(columns) < len(p.columns) {
		return counted
	}
	return all
}
