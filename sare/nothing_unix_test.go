//go:build unix

package sare

import (
	"bufio"
	"bytes"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// BenchmarkNothingToImprove is what the engine costs a program where nothing can be improved, over a socket: processor time,
// client and all, of 2,400 requests with the engine on and off, in turns. The ratio is the geometric mean over the rounds
// with its 95 % interval; "control" compares two that are off. For a figure:
//
//	ISHAA_TEST_LONG=1 go test -run XXX -bench NothingToImprove -benchtime 100x ./sare
func BenchmarkNothingToImprove(b *testing.B) {
	const batches, perBatch = 40, 10
	batch := bytes.Repeat([]byte(unimprovableRequests), perBatch)
	side := func(engine bool) func() float64 {
		app := newApp(b)
		if engine {
			Enable(app, Options{})
		}
		unimprovable(app)
		conn := listening(b, app)
		in := bufio.NewReader(conn)
		return func() float64 {
			before := processorTime(b)
			for range batches {
				if err := exchange(conn, in, batch, perBatch*unimprovableRoutes); err != nil {
					b.Fatal(err)
				}
			}
			return float64(processorTime(b) - before)
		}
	}
	off, control, on := side(false), side(false), side(true)
	warm := 100 * time.Millisecond
	if testenv.Long() {
		warm = 25 * time.Second // the engine takes two turns
	}
	for begun := time.Now(); time.Since(begun) < warm; {
		off()
		control()
		on()
	}
	var ratios, controls []float64
	for b.Loop() {
		without := off()
		ratios = append(ratios, math.Log(on()/without))
		controls = append(controls, math.Log(control()/without))
	}
	for name, logs := range map[string][]float64{"ratio": ratios, "control": controls} {
		mean, half := interval(logs)
		b.ReportMetric(math.Exp(mean), name)
		b.ReportMetric(math.Exp(mean-half), name+"-low")
		b.ReportMetric(math.Exp(mean+half), name+"-high")
	}
}

// interval is the mean and half of its 95 % interval; the quantile is Student's for 20 rounds, a little wide for more.
func interval(x []float64) (mean, half float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	squares := 0.0
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return mean, 2.09 * math.Sqrt(squares/float64(max(len(x)-1, 1))/float64(len(x)))
}

func processorTime(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
