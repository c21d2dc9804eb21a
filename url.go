package ishaa

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// URL is App.URL for the route itself.
func (rt *Route) URL(pairs ...any) (string, error) {
	if rt.pattern == nil {
		return "", fmt.Errorf("the route has no pattern")
	}
	if rt.mounted {
		return "", fmt.Errorf("%s is a mounted handler, which has no single address", rt)
	}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("give name, value pairs; got %d arguments", len(pairs))
	}
	given := make(map[string]string, len(pairs)/2)
	var query strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return "", fmt.Errorf("argument %d is a %T where a parameter's name is expected", i+1, pairs[i])
		}
		text, err := urlText(pairs[i+1])
		if err != nil {
			return "", fmt.Errorf("parameter %q: %w", name, err)
		}
		if rt.takes(name) {
			given[name] = text
			continue
		}
		if query.Len() > 0 {
			query.WriteByte('&')
		}
		query.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(text))
	}
	host, err := expandHost(rt.host, given)
	if err != nil {
		return "", err
	}
	path, err := rt.pattern.URL(func(name string) (string, bool) {
		value, ok := given[name]
		return value, ok
	})
	if err != nil {
		return "", err
	}
	if query.Len() > 0 {
		path += "?" + query.String()
	}
	return host + path, nil
}

func (rt *Route) takes(name string) bool {
	return rt.paramIndex(name) >= 0 || strings.Contains(rt.host, "<"+name+">")
}

// urlText is how a value stands in a URL.
func urlText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case time.Time: // a Stringer too, but its String is for people
		return v.Format(time.RFC3339Nano), nil
	case fmt.Stringer:
		if isNilPointer(value) {
			return "", fmt.Errorf("it is a nil %T", value)
		}
		return v.String(), nil
	case [16]byte:
		return uuid.Format(v), nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits()), nil
	}
	return "", fmt.Errorf("a %T cannot stand in a URL; give a string, a number or a fmt.Stringer", value)
}

// suggest names the entry that a mistyped one was probably meant to be.
func suggest[T any](name string, known map[string]T) string {
	if nearest := typo.Nearest(name, maps.Keys(known)); nearest != "" {
		return fmt.Sprintf("; did you mean %q?", nearest)
	}
	return ""
}
