package shell

import (
	"errors"
	"fmt"
	"math"
	"time"

	starjson "go.starlark.net/lib/json"
	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// toGo is a value as lookups and fields take it.
func (s *session) toGo(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return n, nil
		}
		if n, ok := v.Uint64(); ok {
			return n, nil
		}
		return nil, fmt.Errorf("the number %s is too large for a column", v)
	case starlark.Float:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
		return nil, fmt.Errorf("the number %s is none that a column holds", v)
	case starlark.String:
		return string(v), nil
	case starlark.Bytes:
		return []byte(v), nil
	case startime.Time:
		return time.Time(v), nil
	case startime.Duration:
		return time.Duration(v), nil
	case *row:
		return v.key()
	case *query:
		if err := s.bound(v); err != nil {
			return nil, err
		}
		return v.rows(s.db), nil
	case starlark.Iterable: // a list, a tuple, a set, a range
		if _, ok := v.(*starlark.Dict); ok {
			break
		}
		list := []any{}
		iterator := v.Iterate()
		defer iterator.Done()
		var item starlark.Value
		for iterator.Next(&item) {
			one, err := s.toGo(item)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	}
	return nil, fmt.Errorf("a %s is no value for a column", v.Type())
}

// toGoJSON is a value for a column with JSON, where dicts and lists are what they are.
func toGoJSON(thread *starlark.Thread, v starlark.Value) (any, error) {
	text, err := starlark.Call(thread, starjson.Module.Members["encode"], starlark.Tuple{v}, nil)
	if err != nil {
		return nil, err
	}
	return rawJSON(string(text.(starlark.String))), nil
}

// rawJSON is JSON that is written as it stands.
type rawJSON string

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// toStarlark is a column's value.
func toStarlark(v any, kind string) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case int64:
		if kind == "duration" {
			return startime.Duration(v), nil
		}
		if kind == "bool" {
			return starlark.Bool(v != 0), nil
		}
		return starlark.MakeInt64(v), nil
	case uint64:
		return starlark.MakeUint64(v), nil
	case float64:
		return starlark.Float(v), nil
	case string:
		switch kind {
		case "json":
			thread := &starlark.Thread{Name: "json"}
			return starlark.Call(thread, starjson.Module.Members["decode"], starlark.Tuple{starlark.String(v)}, nil)
		case "uint":
			if n, ok := starlarkInt(v); ok {
				return n, nil
			}
		}
		return starlark.String(v), nil
	case []byte:
		return starlark.Bytes(v), nil
	case time.Time:
		return startime.Time(v), nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be shown", v)
}

func starlarkInt(text string) (starlark.Int, bool) {
	var n uint64
	if _, err := fmt.Sscan(text, &n); err != nil {
		return starlark.Int{}, false
	}
	return starlark.MakeUint64(n), true
}

// lookups are the arguments of filter and its kin: keywords, and rows or queries in none.
func (s *session) lookups(thread *starlark.Thread, m *model, args starlark.Tuple, kwargs []starlark.Tuple) ([]any, error) {
	if len(args) > 0 {
		return nil, errors.New("give what is looked for by name, such as age__gt=18")
	}
	var list []any
	for _, pair := range kwargs {
		name := string(pair[0].(starlark.String))
		value, err := s.argument(thread, m, name, pair[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, name, value)
	}
	return list, nil
}

func (s *session) argument(thread *starlark.Thread, m *model, name string, v starlark.Value) (any, error) {
	if c := m.column(name); c != nil && c.Kind == "json" && v != starlark.None {
		return toGoJSON(thread, v)
	}
	return s.toGo(v)
}

// bound checks that a query may be part of another.
func (s *session) bound(q *query) error {
	_, _, err := q.rows(s.db).SQL()
	return err
}
