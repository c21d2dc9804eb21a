package orm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// datePart compares a part of a time in UTC: created_at__year, __month, __day, __date, __hour, __minute, __second and
// __weekday (0 is Sunday). Years and dates become ranges, which an index serves.
func (s *scope) datePart(o operandText, rest []string, value any, path string) error {
	part, name := rest[0], "exact"
	if len(rest) > 1 {
		name = rest[1]
	}
	if len(rest) > 2 {
		return fmt.Errorf("orm: %q: nothing follows %s but one lookup", path, part)
	}
	if part == "year" || part == "date" {
		if handled, err := s.dateRange(o, part, name, value, path); handled {
			return err
		}
	}
	if name == "isnull" && part == "date" {
		return s.compare(o, name, value, path)
	}
	affix, ok := s.b.d.Part(part)
	if !ok {
		known := []string{"year", "month", "day", "date", "hour", "minute", "second", "weekday"}
		message := fmt.Sprintf("orm: %q: %s is a time and has no %q", path, o.column.lookup, part)
		if near := typo.Nearest(part, slices.Values(known)); near != "" {
			return fmt.Errorf("%s; did you mean %q?", message, near)
		}
		return fmt.Errorf("%s; it has %s and the lookups", message, strings.Join(known, ", "))
	}
	return s.compare(operandText{
		text: affix.Before + o.text + affix.Between, column: o.column, nullable: o.nullable, encode: encodeInt,
	}, name, value, path)
}

// dateRange writes a year or a date as a range of times, for the lookups where that is one.
func (s *scope) dateRange(o operandText, part, name string, value any, path string) (bool, error) {
	interval := func(v any) (from, to time.Time, err error) {
		if part == "year" {
			year, err := encodeInt(v)
			if err != nil {
				return from, to, err
			}
			from = time.Date(int(year.(int64)), 1, 1, 0, 0, 0, 0, time.UTC)
			return from, lastMoment(from.AddDate(1, 0, 0)), nil
		}
		at, err := encodeTime(v)
		if err != nil {
			return from, to, err
		}
		from = at.(time.Time).Truncate(24 * time.Hour)
		return from, lastMoment(from.AddDate(0, 0, 1)), nil
	}
	b := s.b
	if part == "year" && !plainYears(value) {
		return false, nil
	}
	compare := func(operator string, t time.Time) {
		b.text(o.text, operator)
		b.arg(t)
	}
	var from, to time.Time
	var err error
	if name == "range" {
		bounds, ok := elements(value)
		if !ok || len(bounds) != 2 {
			return true, fmt.Errorf("orm: %q: range needs a list of two values, the first and the last", path)
		}
		if from, _, err = interval(bounds[0]); err == nil {
			_, to, err = interval(bounds[1])
		}
		name = "exact"
	} else if name == "exact" || name == "ne" || name == "gt" || name == "gte" || name == "lt" || name == "lte" {
		from, to, err = interval(value)
	} else if part == "date" && name != "isnull" {
		return true, fmt.Errorf("orm: %q: a date is compared by exact, ne, gt, gte, lt, lte, range and isnull", path)
	} else {
		return false, nil
	}
	if err != nil {
		return true, fmt.Errorf("orm: %q: %w", path, err)
	}
	switch name {
	case "exact":
		b.text("(")
		compare(" >= ", from)
		b.text(" AND ")
		compare(" < ", to)
		b.text(")")
	case "ne":
		b.text("(")
		compare(" < ", from)
		b.text(" OR ")
		compare(" >= ", to)
		if o.nullable {
			b.text(" OR ", o.text, " IS NULL")
		}
		b.text(")")
	case "gt":
		compare(" >= ", to)
	case "gte":
		compare(" >= ", from)
	case "lt":
		compare(" < ", from)
	case "lte":
		compare(" < ", to)
	}
	return true, nil
}

// lastMoment keeps the end of a range inside of the years that engines have.
func lastMoment(t time.Time) time.Time {
	if t.Year() > 9999 {
		return time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	}
	return t
}

// plainYears reports whether years can be written as ranges: those that columns hold.
func plainYears(value any) bool {
	list, ok := elements(value)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		if year, err := encodeInt(indirect(v)); err == nil && (year.(int64) < 1 || year.(int64) > 9999) {
			return false
		}
	}
	return true
}
