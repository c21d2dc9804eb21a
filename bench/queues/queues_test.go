package queues

import (
	"slices"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/bench/inproc"
)

// Each does the same: it runs what it was given, once, and is idle afterwards.
func TestEngines(t *testing.T) {
	for _, place := range Places() {
		for _, candidate := range place.Engines {
			t.Run(place.Name+"/"+candidate.Name, func(t *testing.T) {
				f := &fixture{}
				s := &site{fixture: f, candidate: candidate}
				for range 2 {
					if err := s.work(); err != nil {
						t.Fatal(err)
					}
					if err := s.rest(); err != nil {
						t.Fatal(err)
					}
				}
				if took, err := PickUp(t.Context(), s.engine, &s.counter, time.Millisecond); err != nil || took < 0 {
					t.Errorf("%s, %v", took, err)
				}
				if err := f.close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A comparison of two short rounds.
func TestCompare(t *testing.T) {
	for _, g := range Groups() {
		report, err := inproc.Compare(t.Context(), g, inproc.Options{Rounds: 2, Round: time.Millisecond, Wall: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range report.Rows {
			if row.Nanos <= 0 {
				t.Errorf("%s: %+v", g.Name, row)
			}
		}
	}
}

// BenchmarkWork is a batch from the first enqueued to the last noted as done; an operation is a job.
func BenchmarkWork(b *testing.B) {
	each(b, func(b *testing.B, s *site) {
		b.ResetTimer()
		for n := 0; n < b.N; n += batch {
			if err := s.work(); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := s.rest(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
}

// BenchmarkPickUp is how long a job waits on an idle queue, from being on disk to its start: the median and the largest.
func BenchmarkPickUp(b *testing.B) {
	each(b, func(b *testing.B, s *site) {
		var times []time.Duration
		for b.Loop() {
			took, err := PickUp(b.Context(), s.engine, &s.counter, 20*time.Millisecond)
			if err != nil {
				b.Fatal(err)
			}
			times = append(times, took)
		}
		slices.Sort(times)
		b.ReportMetric(0, "ns/op") // which holds the pauses
		b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms/median")
		b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "ms/p99")
	})
}

func each(b *testing.B, run func(b *testing.B, s *site)) {
	for _, place := range Places() {
		for _, candidate := range place.Engines {
			b.Run(place.Name+"/"+candidate.Name, func(b *testing.B) {
				f := &fixture{}
				defer f.close()
				s := &site{fixture: f, candidate: candidate}
				if err := s.work(); err != nil {
					b.Fatal(err)
				}
				if err := s.rest(); err != nil {
					b.Fatal(err)
				}
				run(b, s)
			})
		}
	}
}
