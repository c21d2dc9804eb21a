package shell

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/ishaa-framework/ishaa/orm"
)

// hidden stands for a secret.
const hidden = "(hidden)"

// config is the application's configuration, without what signs or signs in.
func (s *session) config() starlark.Value {
	fields := starlark.StringDict{}
	v := reflect.ValueOf(s.app.Config())
	for f, value := range v.Fields() {
		name := snake(f.Name)
		switch {
		case f.Name == "Secret":
			text := ""
			if value.String() != "" {
				text = hidden
			}
			fields[name] = starlark.String(text)
		case f.Name == "DatabaseURL" || f.Name == "StoreURL":
			fields[name] = starlark.String(withoutSecrets(value.String()))
		case value.Kind() == reflect.Interface || value.Kind() == reflect.Pointer: // writers and loggers
		case value.Kind() == reflect.Bool:
			fields[name] = starlark.Bool(value.Bool())
		default:
			fields[name] = starlark.String(strings.Trim(fmt.Sprint(value.Interface()), "[]"))
		}
	}
	return starlarkstruct.FromStringDict(starlark.String("config"), fields)
}

// withoutSecrets hides the password of an address, and what its query may hold.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	if u.Opaque != "" && strings.Contains(u.Opaque, "@") {
		return hidden
	}
	query := u.Query()
	for name := range query {
		lower := strings.ToLower(name)
		for _, word := range []string{"password", "pass", "pwd", "secret", "token", "key"} {
			if strings.Contains(lower, word) {
				query.Set(name, "xxxxx")
			}
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}

func snake(name string) string {
	var b strings.Builder
	for i, c := range name {
		upper := c >= 'A' && c <= 'Z'
		if upper && i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z' || i+1 < len(name) && name[i+1] >= 'a') {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(c)))
	}
	return b.String()
}

// routes is the route table, as a list.
func (s *session) routes() starlark.Value {
	var list []starlark.Value
	for _, route := range s.app.Routes() {
		methods := "ANY"
		if m := route.Methods(); len(m) > 0 {
			methods = strings.Join(m, ",")
		}
		list = append(list, starlarkstruct.FromStringDict(starlark.String("route"), starlark.StringDict{
			"methods": starlark.String(methods), "pattern": starlark.String(route.Host() + route.Pattern()),
			"name": starlark.String(route.Name()), "source": starlark.String(route.Source()),
		}))
	}
	l := starlark.NewList(list)
	l.Freeze()
	return l
}

func (s *session) modelList() starlark.Value {
	var list []starlark.Value
	for _, name := range slices.Sorted(maps.Keys(s.models)) {
		m := s.models[name]
		var relations []string
		for _, r := range m.table.Relations {
			relations = append(relations, r.Lookup)
		}
		list = append(list, starlarkstruct.FromStringDict(starlark.String("table"), starlark.StringDict{
			"model": starlark.String(name), "table": starlark.String(m.table.Name),
			"fields": starlark.String(strings.Join(m.names, ", ")), "relations": starlark.String(strings.Join(relations, ", ")),
		}))
	}
	l := starlark.NewList(list)
	l.Freeze()
	return l
}

// url makes the path of a named route: url("user", id=7).
func (s *session) url(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	name := ""
	if len(args) == 1 {
		name, _ = starlark.AsString(args[0])
	}
	if name == "" {
		return nil, errors.New(`url: it is used as url("name", parameter=value)`)
	}
	var pairs []any
	for _, pair := range kwargs {
		value, err := s.toGo(pair[1])
		if err != nil {
			return nil, fmt.Errorf("url: %w", err)
		}
		pairs = append(pairs, string(pair[0].(starlark.String)), value)
	}
	address, err := s.app.URL(name, pairs...)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "ishaa: "))
	}
	return starlark.String(address), nil
}

// help says what there is, or what a value is for.
func (s *session) help(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 || len(args) > 1 {
		return nil, errors.New("help: it is used as help() or help(User)")
	}
	if len(args) == 0 {
		s.helpAll()
		return starlark.None, nil
	}
	switch v := args[0].(type) {
	case *model:
		s.helpModel(v)
	case *query:
		fmt.Fprintln(s.out, v)
		helpMethods(s, queryMethods)
	case *row:
		s.helpModel(v.m)
	case *starlark.Builtin:
		_, name, _ := strings.Cut(v.Name(), ".")
		fmt.Fprintln(s.out, s.helpOn(name, v.Name()))
	default:
		fmt.Fprintf(s.out, "a %s: %s\n", v.Type(), strings.Join(s.attributesOf(v), ", "))
	}
	return starlark.None, nil
}

func (s *session) helpOn(name, full string) string {
	if f, ok := modelMethods[name]; ok {
		return f.usage + ": " + f.doc
	}
	if f, ok := queryMethods[name]; ok {
		return f.usage + ": " + f.doc
	}
	if f, ok := rowMethods[name]; ok {
		return f.usage + ": " + f.doc
	}
	switch full {
	case "url":
		return `url("name", parameter=value): the path of a named route`
	case "help":
		return "help() or help(value): what there is, or what a value is for"
	}
	return full
}

func (s *session) helpAll() {
	names := slices.Sorted(maps.Keys(s.models))
	fmt.Fprintf(s.out, `models    %s
          help(Model) lists fields and methods; a query: Model.query().filter(field__gt=1).all()
routes    the addresses of the application; url("name", parameter=value) makes one
config    its settings
_         the last value
json, math, time and the functions of Starlark

Tab completes. Ctrl-C ends what runs. Ctrl-D leaves.
`, strings.Join(names, ", "))
	if s.readonly {
		fmt.Fprintln(s.out, "The shell is read-only.")
	}
}

func (s *session) helpModel(m *model) {
	fmt.Fprintf(s.out, "%s: the table %s\n\n", m.table.Model, m.table.Name)
	var lines [][]string
	for _, c := range m.table.Columns {
		lines = append(lines, []string{"  " + c.Lookup, c.Kind + notes(c)})
	}
	for _, r := range m.table.Relations {
		lines = append(lines, []string{"  " + r.Lookup, r.Kind + " " + r.Model})
	}
	writeTable(s.out, s.style, nil, lines)
	fmt.Fprintln(s.out)
	helpMethods(s, modelMethods)
	helpMethods(s, queryMethods)
	fmt.Fprintln(s.out, "\nA row:")
	helpMethods(s, rowMethods)
}

// notes are what is worth knowing of a column beside its kind.
func notes(c orm.Column) string {
	var list []string
	for _, note := range []struct {
		yes  bool
		text string
	}{{c.Key, "key"}, {c.Unique, "unique"}, {c.Null, "may be None"}, {c.AutoTime, "set by itself"}, {len(c.Enum) > 0, strings.Join(c.Enum, " or ")}} {
		if note.yes {
			list = append(list, note.text)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return ", " + strings.Join(list, ", ")
}

func helpMethods[T any](s *session, methods map[string]method[T]) {
	var lines [][]string
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		lines = append(lines, []string{"  " + methods[name].usage, methods[name].doc})
	}
	writeTable(s.out, s.style, nil, lines)
}

// attributesOf are the names behind a value's dot.
func (s *session) attributesOf(v starlark.Value) []string {
	if v, ok := v.(starlark.HasAttrs); ok {
		return v.AttrNames()
	}
	return nil
}

// asJSON is a value as JSON: rows by their fields.
func (s *session) asJSON(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case *row:
		fields := map[string]any{}
		for _, name := range v.m.names {
			field, err := v.field(name)
			if err != nil {
				return nil, err
			}
			if fields[name], err = s.asJSON(field); err != nil {
				return nil, err
			}
		}
		return fields, nil
	case *starlark.List:
		list := []any{}
		for i := range v.Len() {
			one, err := s.asJSON(v.Index(i))
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	case *starlark.Dict:
		fields := map[string]any{}
		for _, item := range v.Items() {
			name, ok := starlark.AsString(item[0])
			if !ok {
				return nil, fmt.Errorf("JSON has names that are texts, not %s", item[0])
			}
			var err error
			if fields[name], err = s.asJSON(item[1]); err != nil {
				return nil, err
			}
		}
		return fields, nil
	case *starlarkstruct.Struct:
		fields := map[string]any{}
		for _, name := range v.AttrNames() {
			field, err := v.Attr(name)
			if err != nil {
				return nil, err
			}
			if fields[name], err = s.asJSON(field); err != nil {
				return nil, err
			}
		}
		return fields, nil
	case *starlark.Builtin, *model, *query:
		return v.String(), nil
	case starlark.Int:
		return json.Number(v.String()), nil
	}
	return s.toGo(v)
}
