package rmf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A window says when a reality is active, by the clock on the wall of a time zone:
//
//	22:00-06:00                        every night; the end is not part of it
//	mon-fri 09:00-17:00                office hours; "fri 22:00-06:00" ends on Saturday morning
//	sat,sun                            whole days
//	2026-12-24/2026-12-26              three whole days
//	2026-12-24T18:00/2026-12-27T06:00  from a time to a time; either may be left out
//	cron 0-29 9-17 * * mon-fri         the minutes that the five fields name
//
// Parts that stand beside one another must all hold; alternatives are separated by ";". Where the clocks go forward the
// hour that does not exist is nobody's; where they go back the hour that comes twice counts twice. A night that a
// window spans is one night, however long it is.

// window is a parsed text.
type window struct {
	text string
	any  []clause
	zone *time.Location
}

// clause is an alternative: all its parts must hold.
type clause struct {
	day    []dayRule // of the day on which the span began
	span   *span     // nil is the whole day
	period *period   // nil is always
	cron   *cronRule // nil is every minute
	zone   *time.Location
}

// span is a part of the day in minutes from midnight. One whose end is not after its start ends on the next day.
type span struct{ from, to int }

// period lies between two moments, which are by the wall unless the text gave an offset; zero is open.
type period struct {
	from, to time.Time
}

type dayRule struct{ weekdays [7]bool }

// parseWindow reads a window for a time zone. The error says which part is not one.
func parseWindow(text string, zone *time.Location) (*window, error) {
	w := &window{text: text, zone: zone}
	for alternative := range strings.SplitSeq(text, ";") {
		c, err := parseClause(strings.TrimSpace(alternative), zone)
		if err != nil {
			return nil, fmt.Errorf("the window %q: %w", text, err)
		}
		w.any = append(w.any, c)
	}
	return w, nil
}

func parseClause(text string, zone *time.Location) (clause, error) {
	c := clause{zone: zone}
	if rest, ok := strings.CutPrefix(text, "cron "); ok {
		rule, err := parseCron(rest)
		c.cron = rule
		return c, err
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return c, fmt.Errorf("there is nothing to say when; write 22:00-06:00, mon-fri, 2026-12-24/2026-12-26 or cron with five fields")
	}
	for _, word := range words {
		if err := c.add(word); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c *clause) add(word string) error {
	lower := strings.ToLower(word)
	switch {
	case lower[0] >= 'a' && lower[0] <= 'z':
		days, err := parseDays(lower)
		if err != nil {
			return err
		}
		c.day = append(c.day, dayRule{days})
		return nil
	case isDate(word) || strings.Contains(word, "/"):
		if c.period != nil {
			return fmt.Errorf("%q is a second period; separate alternatives by \";\"", word)
		}
		p, err := parsePeriod(word, c.zone)
		c.period = p
		return err
	}
	if c.span != nil {
		return fmt.Errorf("%q is a second span of the day; separate alternatives by \";\"", word)
	}
	s, err := parseSpan(word)
	c.span = s
	return err
}

func isDate(word string) bool { return len(word) >= 10 && word[4] == '-' && word[7] == '-' }

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func dayOf(name string) (int, bool) {
	for i, short := range dayNames {
		if name == short || strings.EqualFold(name, time.Weekday(i).String()) {
			return i, true
		}
	}
	return 0, false
}

func parseDays(word string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(word, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, ok := dayOf(first)
		to := from
		if isRange && ok {
			to, ok = dayOf(last)
		}
		if !ok {
			return days, fmt.Errorf("%q is no weekday or range of them, such as mon-fri or sat,sun", part)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func parseSpan(word string) (*span, error) {
	first, last, ok := strings.Cut(word, "-")
	from, err := parseClock(first, 23)
	to := 0
	if ok && err == nil {
		to, err = parseClock(last, 24)
	}
	switch {
	case !ok || err != nil:
		return nil, fmt.Errorf("%q is no span of the day such as 22:00-06:00", word)
	case from == to:
		return nil, fmt.Errorf("%q begins when it ends; leave it out for the whole day", word)
	}
	return &span{from, to}, nil
}

// parseClock reads "22:00" as minutes from midnight.
func parseClock(text string, lastHour int) (int, error) {
	hours, minutes, ok := strings.Cut(text, ":")
	h, err1 := strconv.Atoi(hours)
	m, err2 := strconv.Atoi(minutes)
	if !ok || err1 != nil || err2 != nil || len(hours) > 2 || len(minutes) != 2 || h < 0 || m < 0 || h > lastHour || m > 59 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	return h*60 + m, nil
}

func parsePeriod(word string, zone *time.Location) (*period, error) {
	first, last, isRange := strings.Cut(word, "/")
	if !isRange {
		last = first
		if len(first) != len(time.DateOnly) {
			return nil, fmt.Errorf("%q is a moment; write from/to, and leave one of them out if it is open", word)
		}
	}
	p := &period{}
	var err error
	if first != "" {
		if p.from, err = parseMoment(first, zone, false); err != nil {
			return nil, err
		}
	}
	if last != "" {
		if p.to, err = parseMoment(last, zone, true); err != nil {
			return nil, err
		}
	}
	switch {
	case first == "" && last == "":
		return nil, fmt.Errorf("%q has neither a start nor an end", word)
	case first != "" && last != "" && !p.from.Before(p.to):
		return nil, fmt.Errorf("%q ends before it begins", word)
	}
	return p, nil
}

// parseMoment reads a date or a date and time. As an end, a date means the end of that day.
func parseMoment(text string, zone *time.Location, end bool) (t time.Time, err error) {
	if t, err = time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err = time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, fmt.Errorf("%q is no date such as 2026-12-24 or time such as 2026-12-24T18:00", text)
}

// active reports whether the window is open.
func (w *window) active(now time.Time) bool {
	local := now.In(w.zone)
	for i := range w.any {
		if w.any[i].active(local) {
			return true
		}
	}
	return false
}

func (c *clause) active(local time.Time) bool {
	if c.cron != nil {
		return c.cron.matches(local)
	}
	if c.period != nil && !c.period.holds(local) {
		return false
	}
	weekday := int(local.Weekday())
	if c.span != nil {
		minute := local.Hour()*60 + local.Minute()
		switch overnight := c.span.to <= c.span.from; {
		case !overnight && (minute < c.span.from || minute >= c.span.to):
			return false
		case overnight && minute < c.span.to:
			weekday = (weekday + 6) % 7 // the night began yesterday
		case overnight && minute < c.span.from:
			return false
		}
	}
	for _, rule := range c.day {
		if !rule.weekdays[weekday] {
			return false
		}
	}
	return true
}

func (p *period) holds(local time.Time) bool {
	if !p.from.IsZero() && local.Before(p.from) {
		return false
	}
	return p.to.IsZero() || local.Before(p.to)
}

// cronRule is the five fields of crontab(5): minute, hour, day of month, month, day of week.
type cronRule struct {
	minute, hour, day, month, weekday uint64 // sets of bits
	anyDay, anyWeekday                bool
}

var monthNames = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func parseCron(text string) (*cronRule, error) {
	fields := strings.Fields(strings.ToLower(text))
	if len(fields) != 5 {
		return nil, fmt.Errorf("cron takes five fields, minute hour day month weekday, and got %d", len(fields))
	}
	c := &cronRule{anyDay: strings.HasPrefix(fields[2], "*"), anyWeekday: strings.HasPrefix(fields[4], "*")}
	for i, f := range []struct {
		set      *uint64
		from, to int
		names    []string
	}{{&c.minute, 0, 59, nil}, {&c.hour, 0, 23, nil}, {&c.day, 1, 31, nil}, {&c.month, 1, 12, monthNames}, {&c.weekday, 0, 7, dayNames}} {
		set, err := parseCronField(fields[i], f.from, f.to, f.names)
		if err != nil {
			return nil, err
		}
		*f.set = set
	}
	if c.weekday&(1<<7) != 0 {
		c.weekday |= 1 // Sunday is 0 and 7
	}
	return c, nil
}

func parseCronField(text string, from, to int, names []string) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		body, stepText, hasStep := strings.Cut(part, "/")
		step := 1
		if hasStep {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > to {
				return 0, fmt.Errorf("%q has no step from 1 to %d", part, to)
			}
		}
		low, high := from, to
		if body != "*" {
			first, last, isRange := strings.Cut(body, "-")
			if low, err = cronNumber(first, from, to, names); err != nil {
				return 0, err
			}
			switch {
			case isRange:
				if high, err = cronNumber(last, from, to, names); err != nil {
					return 0, err
				}
			case !hasStep:
				high = low
			}
		}
		if low > high {
			return 0, fmt.Errorf("%q runs backwards; write it as two ranges", part)
		}
		for n := low; n <= high; n += step {
			set |= 1 << n
		}
	}
	return set, nil
}

func cronNumber(text string, from, to int, names []string) (int, error) {
	for i, name := range names {
		if name != "" && text == name {
			return i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < from || n > to {
		return 0, fmt.Errorf("%q is not from %d to %d", text, from, to)
	}
	return n, nil
}

// matches follows crontab(5): where both the day of the month and the weekday are restricted, either will do.
func (c *cronRule) matches(t time.Time) bool {
	has := func(set uint64, n int) bool { return set&(1<<n) != 0 }
	if !has(c.minute, t.Minute()) || !has(c.hour, t.Hour()) || !has(c.month, int(t.Month())) {
		return false
	}
	day, weekday := has(c.day, t.Day()), has(c.weekday, int(t.Weekday()))
	if c.anyDay || c.anyWeekday {
		return day && weekday
	}
	return day || weekday
}
