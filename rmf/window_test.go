package rmf

import (
	"strings"
	"testing"
	"time"
)

func berlin(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this machine has no time zones: " + err.Error())
	}
	return zone
}

func TestWindows(t *testing.T) {
	zone := berlin(t)
	for _, c := range []struct {
		window, at string // on the wall in Berlin
		want       bool
	}{
		{"22:00-06:00", "2026-06-10 12:00", false},
		{"22:00-06:00", "2026-06-10 21:59", false},
		{"22:00-06:00", "2026-06-10 22:00", true},
		{"22:00-06:00", "2026-06-11 00:00", true},
		{"22:00-06:00", "2026-06-11 05:59", true},
		{"22:00-06:00", "2026-06-11 06:00", false},
		{"9:00-17:30", "2026-06-10 09:00", true},
		{"9:00-17:30", "2026-06-10 17:30", false},
		{"00:00-24:00", "2026-06-10 00:00", true},
		{"22:00-24:00", "2026-06-10 23:59", true},
		{"22:00-24:00", "2026-06-11 00:00", false},
		{"mon-fri", "2026-06-10 12:00", true},
		{"mon-fri", "2026-06-13 12:00", false},
		{"Saturday,sun", "2026-06-13 12:00", true},
		{"sat-mon", "2026-06-15 12:00", true},
		{"sat-mon", "2026-06-16 12:00", false},
		{"mon-fri 09:00-17:00", "2026-06-13 12:00", false},
		{"mon-fri 09:00-17:00", "2026-06-12 12:00", true},
		{"09:00-17:00 mon-fri", "2026-06-12 18:00", false},
		{"fri 22:00-06:00", "2026-06-13 03:00", true},  // the night that began on Friday
		{"fri 22:00-06:00", "2026-06-12 03:00", false}, // that one began on Thursday
		{"mon; 22:00-06:00", "2026-06-15 12:00", true},
		{"mon; 22:00-06:00", "2026-06-16 12:00", false},
		{"2026-12-24/2026-12-26", "2026-12-26 23:59", true},
		{"2026-12-24/2026-12-26", "2026-12-27 00:00", false},
		{"2026-12-24", "2026-12-24 23:59", true},
		{"2026-12-24", "2026-12-23 23:59", false},
		{"2026-12-24 18:00-20:00", "2026-12-24 19:00", true},
		{"2026-12-24 18:00-20:00", "2026-12-25 19:00", false},
		{"2026-12-24T18:00/2026-12-27T06:00", "2026-12-24 17:59", false},
		{"2026-12-24T18:00/2026-12-27T06:00", "2026-12-27 05:59", true},
		{"2026-12-24T18:00/", "2030-01-01 00:00", true},
		{"/2026-12-24T18:00", "2026-12-24 18:00", false},
		{"/2026-12-24T18:00", "1999-12-24 18:00", true},
		{"2026-12-24T17:00:00Z/2026-12-24T19:00Z", "2026-12-24 18:30", true}, // 17:30 in London
		{"2026-12-24T17:00:00+00:00/", "2026-12-24 17:30", false},
		{"cron * * * * *", "2026-06-10 12:34", true},
		{"cron 0-29 9-17 * * mon-fri", "2026-06-10 09:29", true},
		{"cron 0-29 9-17 * * mon-fri", "2026-06-10 09:30", false},
		{"cron 0-29 9-17 * * mon-fri", "2026-06-13 09:10", false},
		{"cron */15 * * * *", "2026-06-10 12:45", true},
		{"cron */15 * * * *", "2026-06-10 12:46", false},
		{"cron 5/20 * * * *", "2026-06-10 12:45", true},
		{"cron * * 13 * fri", "2026-06-13 12:00", true}, // the 13th or a Friday
		{"cron * * 13 * fri", "2026-06-12 12:00", true},
		{"cron * * 13 * fri", "2026-06-11 12:00", false},
		{"cron * * 13 * *", "2026-06-12 12:00", false},
		{"cron * * * jun,dec 7", "2026-06-14 12:00", true},
		{"cron * * * jun,dec sun", "2026-07-05 12:00", false},
	} {
		t.Run(c.window+" at "+c.at, func(t *testing.T) {
			w, err := parseWindow(c.window, zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.ParseInLocation("2006-01-02 15:04", c.at, zone)
			if err != nil {
				t.Fatal(err)
			}
			for _, as := range []time.Time{at, at.UTC()} { // whatever zone the clock is in
				if got := w.active(as); got != c.want {
					t.Errorf("active: %t, want %t", got, c.want)
				}
			}
		})
	}
}

// The night is one night when the clocks change, in both directions: inactive at noon, active at midnight, and at every
// minute in between as the wall says.
func TestWindowsOverDST(t *testing.T) {
	zone := berlin(t)
	w, err := parseWindow("22:00-06:00", zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2026-03-28", "2026-10-24"} { // the nights after them
		noon, _ := time.ParseInLocation("2006-01-02 15:04", day+" 12:00", zone)
		active, total := 0, 0
		for at := noon; at.Before(noon.AddDate(0, 0, 1)); at = at.Add(time.Minute) {
			total++
			wall := at.Hour()*60 + at.Minute()
			if want := wall >= 22*60 || wall < 6*60; w.active(at) != want {
				t.Fatalf("%v: %t", at, !want)
			} else if want {
				active++
			}
		}
		want := map[string][2]int{"2026-03-28": {7 * 60, 23 * 60}, "2026-10-24": {9 * 60, 25 * 60}}[day]
		if active != want[0] || total != want[1] {
			t.Errorf("the night after %s: %d of %d minutes, want %v", day, active, total, want)
		}
	}
	gap, _ := parseWindow("02:00-03:00", zone) // does not exist in March, comes twice in October
	for day, want := range map[string]int{"2026-03-29": 0, "2026-10-25": 120, "2026-06-10": 60} {
		start, _ := time.ParseInLocation(time.DateOnly, day, zone)
		got := 0
		for at := start; at.Before(start.AddDate(0, 0, 1)); at = at.Add(time.Minute) {
			if gap.active(at) {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d minutes, want %d", day, got, want)
		}
	}
}

func TestWindowsThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", " ", ";", "mon;", "22:00", "22:00-22:00", "25:00-26:00", "22:60-23:00", "24:00-06:00", "22:00-24:01", "2:0-3:0", "-", "22:00-06:00-07:00",
		"22:00-06:00 07:00-08:00", "noday", "mon-", "-fri", "mon,,tue", "2026-13-01", "2026-02-30", "2026-12-24T18:00", "2026-12-26/2026-12-24",
		"2026-12-24/2026-12-24T00:00", "/", "2026-12-24/2026-12-25 2026-12-26", "cron", "cron *", "cron * * * *", "cron * * * * * *", "cron 60 * * * *",
		"cron */0 * * * *", "cron 5-1 * * * *", "cron * 24 * * *", "cron * * 0 * *", "cron * * * 13 *", "cron * * * * 8", "cron a * * * *", "+22:00-06:00",
	} {
		if w, err := parseWindow(text, time.UTC); err == nil {
			t.Errorf("%q is a window: %+v", text, w.any)
		} else if !strings.Contains(err.Error(), "window") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzWindow(f *testing.F) {
	for _, text := range []string{"22:00-06:00", "mon-fri 09:00-17:00; sat", "2026-12-24T18:00/2026-12-27T06:00", "cron */5 1-2,4 * jan mon"} {
		f.Add(text, int64(1_780_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, at int64) {
		w, err := parseWindow(text, time.UTC)
		if err != nil {
			return
		}
		now := time.Unix(at%(1<<40), 0)
		// Alternatives add up, and their order does not matter.
		parts := strings.Split(text, ";")
		any := false
		for _, part := range parts {
			one, err := parseWindow(part, time.UTC)
			if err != nil {
				t.Fatalf("%q is one and its part %q is not: %v", text, part, err)
			}
			any = any || one.active(now)
		}
		if got := w.active(now); got != any {
			t.Fatalf("%q at %v: %t, its parts %t", text, now, got, any)
		}
	})
}
