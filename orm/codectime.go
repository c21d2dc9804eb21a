package orm

import (
	"fmt"
	"time"
	"unsafe"

	"github.com/ishaa-framework/ishaa/orm/internal/dialect"
)

func timeCodec() *codec {
	return &codec{
		kind: dialect.Time,
		bind: func(p unsafe.Pointer) (any, error) { return dated(*(*time.Time)(p)) },
		scan: func(p unsafe.Pointer, src any) error {
			t, err := scanTime(src)
			if err == nil {
				*(*time.Time)(p) = t
			}
			return err
		},
		encode: encodeTime,
	}
}

// moment is a time as it is stored: UTC, in microseconds, which all engines keep.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// dated refuses years that not every engine has.
func dated(t time.Time) (any, error) {
	t = moment(t)
	if year := t.Year(); year < 1 || year > 9999 {
		return nil, fmt.Errorf("a time in the year %d: columns hold the years 1 to 9999", year)
	}
	return t, nil
}

// sqliteTime is the form of times in SQLite, which has no type for them: text of a fixed width sorts like the times.
const sqliteTime = "2006-01-02 15:04:05.000000"

var timeForms = []string{
	sqliteTime, time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly,
}

func parseTime(s string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func scanTime(src any) (time.Time, error) {
	switch src := src.(type) {
	case time.Time:
		return src.UTC(), nil
	case nil:
		return time.Time{}, errNull
	case int64:
		return time.Unix(src, 0).UTC(), nil
	}
	if t, ok := parseTime(text(src)); ok {
		return t, nil
	}
	return time.Time{}, mismatch(src, "a time")
}

func encodeTime(v any) (any, error) {
	switch v := v.(type) {
	case time.Time:
		return dated(v)
	case string:
		if t, ok := parseTime(v); ok {
			return dated(t)
		}
		return nil, fmt.Errorf("%q is not a time: write it like %q or pass a time.Time", v, time.RFC3339)
	}
	return nil, mismatch(v, "a time")
}
