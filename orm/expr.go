package orm

import (
	"fmt"
	"strings"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

// Expr is a value that the database computes: a field, or an operation on fields and values.
//
//	users.Filter("id", 7).Update(ctx, orm.Set{"age": orm.F("age").Add(1)})
//	orders.Filter("paid__lt", orm.F("total"))
//
// Names in it are resolved in the model that it is used with; values are bound.
type Expr struct {
	op   string // "field", "value", an operator, or the name of a function
	path string
	args []any
}

// F is the value of a field, also of a related row: F("author__name").
func F(path string) Expr { return Expr{op: "field", path: path} }

// Value is a constant in an expression.
func Value(v any) Expr { return Expr{op: "value", args: []any{v}} }

// Add is e + v.
func (e Expr) Add(v any) Expr { return Expr{op: "+", args: []any{e, v}} }

// Sub is e - v.
func (e Expr) Sub(v any) Expr { return Expr{op: "-", args: []any{e, v}} }

// Mul is e × v.
func (e Expr) Mul(v any) Expr { return Expr{op: "*", args: []any{e, v}} }

// Div is e ÷ v. Of two whole numbers it is whole, cut towards zero; divided by zero it is NULL.
func (e Expr) Div(v any) Expr { return Expr{op: "/", args: []any{e, v}} }

// Lower is text in lower case.
func Lower(v any) Expr { return Expr{op: "lower", args: []any{v}} }

// Upper is text in upper case.
func Upper(v any) Expr { return Expr{op: "upper", args: []any{v}} }

// Length is the number of characters of a text.
func Length(v any) Expr { return Expr{op: "length", args: []any{v}} }

// Coalesce is the first value that is not NULL.
func Coalesce(values ...any) Expr { return Expr{op: "coalesce", args: values} }

// Concat is texts one after the other.
func Concat(values ...any) Expr { return Expr{op: "concat", args: values} }

// Is compares the expression by a lookup: exact, ne, gt, gte, lt, lte, in, notin, range, isnull or a text lookup.
func (e Expr) Is(lookup string, value any) Condition {
	return Condition{op: opLookup, expr: &e, path: lookup, value: value}
}

// As names an aggregate or expression in a result: the field of the struct that receives it, in snake case.
func (e Expr) As(name string) Output { return Output{name: name, expr: e} }

// Output is a named column of a result.
type Output struct {
	name     string
	expr     Expr
	function string // an aggregate
	distinct bool
	path     string // what it aggregates, if no expression
}

// As gives the column another name.
func (o Output) As(name string) Output { o.name = name; return o }

// Distinct makes an aggregate look at different values only.
func (o Output) Distinct() Output { o.distinct = true; return o }

// Count counts rows ("*"), or the rows where a field is not NULL.
func Count(of any) Output { return aggregate("COUNT", of) }

// Sum adds up. It is NULL of no rows.
func Sum(of any) Output { return aggregate("SUM", of) }

// Avg is the mean, a float. It is NULL of no rows.
func Avg(of any) Output { return aggregate("AVG", of) }

// Min is the smallest value. It is NULL of no rows.
func Min(of any) Output { return aggregate("MIN", of) }

// Max is the largest value. It is NULL of no rows.
func Max(of any) Output { return aggregate("MAX", of) }

func aggregate(function string, of any) Output {
	o := Output{function: function, name: strings.ToLower(function)}
	switch of := of.(type) {
	case string:
		o.path = of
		if of != "*" {
			o.name = of + "__" + o.name
		}
	case Expr:
		o.expr = of
	default:
		o.expr = Value(of)
	}
	return o
}

// yield is what is known of an expression's values.
type yield struct {
	column *column // whose type they have, or nil
	whole  bool    // whole numbers
}

func yieldOf(c *column) yield {
	return yield{c, c.kind == dialect.Int || c.kind == dialect.Uint || c.kind == dialect.Duration}
}

// wider is the type of a computation with two values.
func wider(a, b yield) yield {
	y := yield{a.column, a.whole && b.whole}
	if a.column == nil || a.whole && !b.whole && b.column != nil {
		y.column = b.column
	}
	if y.column != nil && yieldOf(y.column).whole && !y.whole { // a column of whole numbers and a fraction
		y.column = nil
	}
	return y
}

// expression writes an expression.
func (s *scope) expression(e Expr) (yield, error) {
	b := s.b
	switch e.op {
	case "field":
		at, c, rest, err := s.resolve(e.path)
		if err == nil && (c == nil || len(rest) > 0) {
			err = fmt.Errorf("orm: %q is not a field of %s that can be computed with", e.path, s.plan.name)
		}
		if err != nil {
			return yield{}, err
		}
		b.column(at, c)
		return yieldOf(c), nil
	case "value":
		return s.operand(e.args[0], nil)
	case "+", "-", "*", "/":
		return s.arithmetic(e)
	case "":
		return yield{}, fmt.Errorf("orm: an empty expression: make one with orm.F")
	}
	if len(e.args) == 0 {
		return yield{}, fmt.Errorf("orm: %s of nothing: give it a value", e.op)
	}
	open, separator, end := b.d.Function(e.op)
	b.text(open)
	var of yield
	for i, v := range e.args {
		if i > 0 {
			b.text(separator)
		}
		y, err := s.operand(v, of.column)
		if err != nil {
			return yield{}, err
		}
		if i == 0 && e.op == "coalesce" {
			of = y
		}
		of.whole = of.whole && y.whole
	}
	b.text(end)
	of.whole = of.whole || e.op == "length"
	return of, nil
}

func (s *scope) arithmetic(e Expr) (yield, error) {
	b, operator := s.b, e.op
	left, first, err := s.side(e.args[0], nil)
	if err != nil {
		return yield{}, err
	}
	right, second, err := s.side(e.args[1], left.column)
	if err != nil {
		return yield{}, err
	}
	if e.op == "/" {
		second = "NULLIF(" + second + ", 0)"
		switch {
		case left.whole && right.whole:
			operator = b.d.WholeDivision()
		case b.d == dialect.SQLite: // where the decimal 100.00 is the whole number 100
			first = "CAST(" + first + " AS REAL)"
		}
	}
	b.text("(", first, " ", operator, " ", second, ")")
	return wider(left, right), nil
}

// side writes one side of a computation aside.
func (s *scope) side(v any, beside *column) (y yield, written string, err error) {
	text, err := s.b.aside(func() (err error) { y, err = s.operand(v, beside); return err })
	if err == nil {
		err = y.computable()
	}
	written = string(text)
	if c := y.column; c != nil && c.kind == dialect.Uint && c.bits < 64 && s.b.d == dialect.MySQL {
		written = "CAST(" + written + " AS SIGNED)" // there a result below zero would be an error
	}
	return y, written, err
}

func (y yield) computable() error {
	if y.column == nil || y.column.numeric() {
		return nil
	}
	return fmt.Errorf("orm: %s.%s cannot be computed with: it is no number", y.column.owner.name, y.column.field)
}

func (c *column) numeric() bool {
	switch c.kind {
	case dialect.Int, dialect.Uint, dialect.Float, dialect.Decimal, dialect.Duration:
		return true
	}
	return c.sql.Custom != ""
}

// operand writes an argument of an expression: another expression, or a value in the type of its neighbour.
func (s *scope) operand(v any, beside *column) (yield, error) {
	if e, ok := v.(Expr); ok {
		return s.expression(e)
	}
	v = indirect(v)
	var kind dialect.Kind
	var err error
	if _, fraction := v.(float64); beside != nil && !(fraction && yieldOf(beside).whole) {
		kind = beside.kind
		v, err = beside.encode(v)
	} else {
		v, kind, err = plainValue(v)
	}
	if err != nil {
		return yield{}, fmt.Errorf("orm: in an expression: %w", err)
	}
	s.b.typed(v, kind)
	_, whole := v.(int64)
	return yield{nil, whole}, nil
}

// plainValue makes a driver value of any constant.
func plainValue(v any) (any, dialect.Kind, error) {
	v = indirect(v)
	c, err := valueCodec(v)
	if err != nil || c == nil {
		return nil, dialect.Text, err
	}
	e, err := c.encode(v)
	return e, c.kind, err
}
