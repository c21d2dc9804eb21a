// Package dotenv reads files of settings: lines NAME=value, as in .env.
//
//	values, err := dotenv.Read(".env")
//	addr := values["ISHAA_ADDR"].Text
package dotenv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Value is what a line gives.
type Value struct {
	Text string
	Line int
}

// Read reads NAME=value lines. Values may be quoted; # begins a comment at
// the start of a line or after a space. A missing file is empty.
func Read(name string) (map[string]Value, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR) {
		return nil, nil // a folder of that name is some other tool's
	}
	if err != nil {
		return nil, err
	}
	values := map[string]Value{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		number++
		key, value, ok, err := parse(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if ok {
			values[key] = Value{value, number}
		}
	}
	return values, nil
}

func parse(line string) (key, value string, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", false, nil
	}
	key, value, ok = strings.Cut(strings.TrimPrefix(line, "export "), "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" || strings.ContainsAny(key, " \t") {
		return "", "", false, errors.New("expected NAME=value")
	}
	quoted, after := strings.TrimSpace(value), ""
	switch {
	case strings.HasPrefix(quoted, "'"):
		if value, after, ok = strings.Cut(quoted[1:], "'"); !ok {
			return "", "", false, fmt.Errorf("the value of %s has no closing quote", key)
		}
	case strings.HasPrefix(quoted, `"`):
		literal, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return "", "", false, fmt.Errorf("the value of %s has no closing quote, or an escape that is none", key)
		}
		after = quoted[len(literal):]
		if value, err = strconv.Unquote(literal); err != nil {
			return "", "", false, fmt.Errorf("the value of %s is not a quoted string", key)
		}
	default:
		value, _, _ = strings.Cut(value, " #")
		value = strings.TrimSpace(value)
	}
	if after = strings.TrimSpace(after); after != "" && after[0] != '#' {
		return "", "", false, fmt.Errorf("something follows the closing quote of the value of %s", key)
	}
	return key, value, true, nil
}
