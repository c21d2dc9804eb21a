package chinook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ishaa-framework/ishaa/orm"
)

// Chain is a query as the conformance data writes it: operations on a model, and what is asked for in the end.
type Chain struct {
	Model    string              `json:"model"`
	Ops      [][]json.RawMessage `json:"ops"`
	Terminal string              `json:"terminal"` // pks, count, exists, first, values, sum, avg, min or max
	Field    string              `json:"field"`
}

// Run runs a chain. What it returns is written as JSON like the conformance data's expectations.
func Run(ctx context.Context, db *orm.DB, c Chain) (any, error) {
	switch c.Model {
	case "Artist":
		return run[Artist](ctx, db, c)
	case "Album":
		return run[Album](ctx, db, c)
	case "Genre":
		return run[Genre](ctx, db, c)
	case "Track":
		return run[Track](ctx, db, c)
	case "Customer":
		return run[Customer](ctx, db, c)
	case "Invoice":
		return run[Invoice](ctx, db, c)
	}
	return nil, fmt.Errorf("there is no model %q", c.Model)
}

func run[T any](ctx context.Context, db *orm.DB, c Chain) (any, error) {
	q := orm.Of[T](db).Query()
	for _, op := range c.Ops {
		var err error
		if q, err = step(q, op); err != nil {
			return nil, err
		}
	}
	return finish(ctx, q, c)
}

// step applies one operation.
func step[T any](q orm.Query[T], op []json.RawMessage) (orm.Query[T], error) {
	var name string
	if len(op) != 2 || json.Unmarshal(op[0], &name) != nil {
		return q, errors.New("an operation is a pair of a name and its argument")
	}
	switch name {
	case "filter", "exclude":
		var conditions map[string]any
		if err := json.Unmarshal(op[1], &conditions); err != nil {
			return q, fmt.Errorf("%s: %w", name, err)
		}
		var lookups []any
		for _, lookup := range slices.Sorted(maps.Keys(conditions)) {
			lookups = append(lookups, lookup, conditions[lookup])
		}
		if name == "filter" {
			return q.Filter(lookups...), nil
		}
		return q.Exclude(lookups...), nil
	case "order_by":
		var fields []string
		err := json.Unmarshal(op[1], &fields)
		return q.OrderBy(fields...), err
	case "limit", "offset":
		var n int
		err := json.Unmarshal(op[1], &n)
		if name == "limit" {
			return q.Limit(n), err
		}
		return q.Offset(n), err
	}
	return q, fmt.Errorf("there is no operation %q", name)
}

// finish asks for what the chain wants in the end.
func finish[T any](ctx context.Context, q orm.Query[T], c Chain) (any, error) {
	switch c.Terminal {
	case "pks":
		var keys []any
		err := q.Values(ctx, &keys, "pk")
		return keys[:min(len(keys), 500)], err
	case "count":
		return q.Count(ctx)
	case "exists":
		return q.Exists(ctx)
	case "first":
		var keys []any
		if err := q.Limit(1).Values(ctx, &keys, "pk"); err != nil || len(keys) == 0 {
			return nil, err
		}
		return keys[0], nil
	case "values":
		var values []any
		err := q.Values(ctx, &values, c.Field)
		return values[:min(len(values), 300)], err
	}
	aggregate := map[string]func(any) orm.Output{"sum": orm.Sum, "avg": orm.Avg, "min": orm.Min, "max": orm.Max}[c.Terminal]
	if aggregate == nil {
		return nil, fmt.Errorf("there is no terminal %q", c.Terminal)
	}
	var v any
	err := q.Aggregate(ctx, &v, aggregate(c.Field))
	return v, err
}
