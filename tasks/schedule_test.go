package tasks

import (
	"context"
	"slices"
	"testing"
	"time"
)

const clockLayout = "2006-01-02 15:04 MST"

func TestCron(t *testing.T) {
	for _, c := range []struct {
		name, expression, zone string
		after                  string // RFC 3339
		want                   []string
	}{
		{"every day", "0 3 * * *", "Europe/Berlin", "2026-01-10T12:00:00Z", []string{"2026-01-11 03:00 CET", "2026-01-12 03:00 CET"}},
		{"across spring", "0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29 03:00 CEST", "2026-03-30 03:00 CEST"}},
		{"in the hour that spring skips", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29 03:30 CEST", "2026-03-30 02:30 CEST"}},
		{"in the hour that autumn repeats", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"}},
		{"every hour in spring", "0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", []string{"2026-03-29 03:00 CEST", "2026-03-29 04:00 CEST"}},
		{"every hour in autumn", "0 * * * *", "Europe/Berlin", "2026-10-24T23:30:00Z",
			[]string{"2026-10-25 02:00 CEST", "2026-10-25 02:00 CET", "2026-10-25 03:00 CET", "2026-10-25 04:00 CET"}},
		{"every quarter in autumn", "*/15 * * * *", "America/New_York", "2026-11-01T05:40:00Z",
			[]string{"2026-11-01 01:45 EDT", "2026-11-01 01:00 EST", "2026-11-01 01:15 EST"}},
		{"working days", "30 9 * * 1-5", "UTC", "2026-01-09T10:00:00Z", []string{"2026-01-12 09:30 UTC"}},
		{"leap day", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29 00:00 UTC"}},
		{"daily", "@daily", "", "2026-01-01T00:00:00Z", []string{"2026-01-02 00:00 UTC"}},
		{"half an hour of daylight saving", "0 3 * * *", "Australia/Lord_Howe", "2026-04-03T17:00:00Z", []string{"2026-04-05 03:00 +1030"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			s := Cron(c.expression, c.zone)
			location, _ := time.LoadLocation(c.zone)
			for _, want := range c.want {
				at = s.Next(at)
				if got := at.In(location).Format(clockLayout); got != want {
					t.Fatalf("%s: %s, not %s", s, got, want)
				}
			}
		})
	}
}

// TestCronMovesOn walks through a year of a zone with changes: ticks grow, and the wall shows what the expression says.
func TestCronMovesOn(t *testing.T) {
	for _, expression := range []string{"*/20 * * * *", "5 */2 * * *", "30 2 * * *", "0 0,1,2,3 * * *"} {
		s := Cron(expression, "Europe/Berlin")
		at := time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC)
		for range 600 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%s: after %s comes %s", expression, at, next)
			}
			at = next
		}
	}
}

func TestEvery(t *testing.T) {
	s := Every(5 * time.Minute)
	at := s.Next(time.Date(2026, 1, 1, 12, 1, 2, 3, time.UTC))
	for _, want := range []string{"12:05", "12:10", "12:15"} {
		if got := at.UTC().Format("15:04"); got != want {
			t.Errorf("%s, not %s", got, want)
		}
		at = s.Next(at)
	}
	if got := Every(time.Hour).Next(time.Unix(-1, 0)); !got.Equal(time.Unix(0, 0)) {
		t.Errorf("before 1970: %s", got)
	}
}

func TestMistakesInSchedulesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"too often":        func() { Every(time.Millisecond) },
		"no expression":    func() { Cron("", "UTC") },
		"too few fields":   func() { Cron("1 2 3", "UTC") },
		"out of range":     func() { Cron("61 * * * *", "UTC") },
		"seconds":          func() { Cron("0 0 3 * * *", "UTC") },
		"no such zone":     func() { Cron("0 3 * * *", "Mars/Olympus") },
		"no such day":      func() { Cron("0 0 31 2 *", "UTC") },
		"name of one byte": func() { Define(Memory(), "x", func(_ context.Context, _ int) (int, error) { return 0, nil }) },
		"no attempts": func() {
			Define(Memory(), "xy", func(_ context.Context, _ int) (int, error) { return 0, nil }, MaxAttempts(0))
		},
		"priority": func() {
			Define(Memory(), "xy", func(_ context.Context, _ int) (int, error) { return 0, nil }, Priority(5))
		},
		"queue": func() {
			Define(Memory(), "xy", func(_ context.Context, _ int) (int, error) { return 0, nil }, Queue("a b"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestTicksThatAreCaughtUp(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes ...int) (list []time.Time) {
		for _, m := range minutes {
			list = append(list, noon.Add(time.Duration(m)*time.Minute))
		}
		return list
	}
	for _, c := range []struct {
		catchUp int
		now     time.Time
		want    []time.Time
	}{
		{1000, noon.Add(59 * time.Second), nil},
		{1000, noon.Add(time.Minute), at(1)},
		{1000, noon.Add(3*time.Minute + 30*time.Second), at(1, 2, 3)},
		{2, noon.Add(9*time.Minute + 30*time.Second), at(8, 9)},
		{1, noon.Add(100 * time.Hour), at(6000)},
		{0, noon.Add(3*time.Minute + 30*time.Second), nil},
		{0, noon.Add(3*time.Minute + time.Second), at(3)},
	} {
		p := periodic{def: &definition{settings: settings{catchUp: c.catchUp}}, schedule: Every(time.Minute)}
		got, next := p.due(noon, c.now)
		if !slices.EqualFunc(got, c.want, time.Time.Equal) || !next.After(c.now) || next.Sub(c.now) > time.Minute {
			t.Errorf("catching up on %d at %s: %v and then %s", c.catchUp, c.now, got, next)
		}
	}
}

func TestBackoffGrows(t *testing.T) {
	d := definition{settings: defaults()}
	for failures, most := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		for range 100 {
			if pause := d.backoff(failures); pause > most || pause < most/2-1 {
				t.Errorf("after %d failures: %s", failures, pause)
			}
		}
	}
	for _, failures := range []int{20, 63, 64, 1000} {
		if pause := d.backoff(failures); pause > time.Hour || pause < 30*time.Minute-1 {
			t.Errorf("after %d failures: %s", failures, pause)
		}
	}
}

func FuzzCron(f *testing.F) {
	for _, seed := range []string{"0 3 * * *", "*/5 * * * 1-5", "@hourly", "0 0 L * *", "0 0 31 2 *", "x"} {
		f.Add(seed, int64(1_770_000_000))
	}
	f.Fuzz(func(t *testing.T, expression string, unix int64) {
		after := time.Unix(unix%4_000_000_000, 0)
		s, err := parseCron(expression, "Europe/Berlin")
		if err != nil {
			return
		}
		if next := s.Next(after); !next.After(after) {
			t.Errorf("%q: after %s comes %s", expression, after, next)
		}
	})
}
