package tasks

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// Schedule says when a periodic task ticks: see Every and Cron.
type Schedule struct {
	text string
	next func(after time.Time) time.Time // the first tick after a time
}

// String describes the schedule.
func (s Schedule) String() string { return s.text }

// Next returns the first tick after a time.
func (s Schedule) Next(after time.Time) time.Time { return s.next(after) }

// Every ticks at the multiples of an interval since 1970, so that all nodes agree on them: Every(5*time.Minute) at 12:00,
// 12:05 and so on. It panics if the interval is shorter than a second or has fractions of a millisecond.
func Every(interval time.Duration) Schedule {
	if interval < time.Second || interval%time.Millisecond != 0 {
		panic(fmt.Sprintf("tasks: Every(%s): an interval is a second or more, in whole milliseconds", interval))
	}
	step := interval.Milliseconds()
	return Schedule{"every " + interval.String(), func(after time.Time) time.Time {
		ms := after.UnixMilli()
		behind := ms % step
		if behind < 0 {
			behind += step
		}
		return time.UnixMilli(ms - behind + step)
	}}
}

// Cron ticks by a cron expression of five fields (minute, hour, day of month, month, day of week), or one such as
// "@daily", in a time zone of the IANA database; "" is UTC. It panics if either is unknown.
//
// When clocks are set forward, a tick in the hour that does not exist comes as long after the change as it would have been
// into the hour: one at 2:30 comes at 3:30. When they are set back, a tick at a fixed hour comes once, at the first of
// the two, and one at every hour, or every so many, comes at both.
func Cron(expression, zone string) Schedule {
	s, err := parseCron(expression, zone)
	if err != nil {
		panic(fmt.Sprintf("tasks: Cron(%q, %q): %v", expression, zone, err))
	}
	return s
}

func parseCron(expression, zone string) (Schedule, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Schedule{}, fmt.Errorf("the time zone is not known: %w", err)
	}
	segments, err := gronx.Segments(expression)
	if err != nil || !gronx.IsValid(expression) || len(strings.Fields(expression)) > 5 {
		return Schedule{}, errors.New("an expression has five fields: minute hour day month weekday")
	}
	if _, err := gronx.NextTickAfter(expression, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), false); err != nil {
		return Schedule{}, fmt.Errorf("there is no such day: %w", err)
	}
	c := cron{expression, location, strings.HasPrefix(segments[2], "*")}
	return Schedule{expression + " " + location.String(), c.next}, nil
}

type cron struct {
	expression string
	zone       *time.Location
	hourly     bool // the hour is free
}

// next looks for the tick on the clock on the wall, which gronx is handed as if it were UTC, and then for the moment
// that the wall shows it.
func (c cron) next(after time.Time) time.Time {
	wall := onWall(after.In(c.zone))
	if c.hourly {
		if t, ok := c.across(after); ok {
			return t
		}
	}
	for {
		next, err := gronx.NextTickAfter(c.expression, wall, false)
		if err != nil { // Cron has seen that there is one
			return after.AddDate(100, 0, 0)
		}
		wall = next
		if t := c.moment(wall); t.After(after) {
			return t
		}
	}
}

// moment returns when the wall shows a time: the first moment if there are two, and by the clock of before the change
// if there is none.
func (c cron) moment(wall time.Time) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, c.zone)
	_, before := t.Add(-3 * time.Hour).Zone()
	first := wall.Add(-time.Duration(before) * time.Second).In(c.zone)
	if onWall(t).Equal(wall) && !onWall(first).Equal(wall) {
		return t
	}
	return first
}

// across looks for the tick of a schedule with a free hour around a change of the clocks: minute by minute, since the
// wall shows some twice. It finds nothing if the clocks do not change within three hours.
func (c cron) across(after time.Time) (time.Time, bool) {
	const near = 3 * time.Hour
	_, before := after.Add(-near).In(c.zone).Zone()
	_, later := after.Add(near).In(c.zone).Zone()
	if before == later {
		return time.Time{}, false
	}
	g := gronx.New()
	for t := after.Truncate(time.Minute).Add(time.Minute); t.Sub(after) <= near; t = t.Add(time.Minute) {
		if due, err := g.IsDue(c.expression, onWall(t.In(c.zone))); err == nil && due {
			return t.In(c.zone), true
		}
	}
	return time.Time{}, false
}

func onWall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}
