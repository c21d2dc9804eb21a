package evidence

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func TestBuckets(t *testing.T) {
	for b := range buckets {
		low, end := lowerEdge(b), lowerEdge(b+1)
		if bucketOf(low) != b || bucketOf(end-1) != b {
			t.Fatalf("bucket %d goes from %v to %v, which are in buckets %d and %d", b, low, end-1, bucketOf(low), bucketOf(end-1))
		}
		if float64(end-low)/2 > float64(low)/64 {
			t.Errorf("bucket %d is %v wide at %v", b, end-low, low)
		}
	}
	for _, c := range []struct {
		d    time.Duration
		want int
	}{{-1, 0}, {0, 0}, {time.Microsecond, 0}, {1023, 0}, {1024, 0}, {137 * time.Second, buckets - 1}, {math.MaxInt64, buckets - 1}} {
		if got := bucketOf(c.d); got != c.want {
			t.Errorf("%v is in bucket %d, want %d", c.d, got, c.want)
		}
	}
	if lowerEdge(0) != 1024 || lowerEdge(buckets) != 1<<37 {
		t.Errorf("the edges are %v and %v", lowerEdge(0), lowerEdge(buckets))
	}
}

// Quantiles of a heavy-tailed stream are within 1/64 of the exact ones, through recorder, merge and binary form.
func TestQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	exact := make([]time.Duration, 100_000)
	nodes := make([]Recorder, 3)
	var sum time.Duration
	for i := range exact {
		v := math.Exp(r.NormFloat64()*1.2 + 13.5)
		if r.Float64() < 0.02 {
			v *= 40
		}
		exact[i] = time.Duration(v)
		sum += exact[i]
		nodes[i%3].Record(exact[i], ClassOf(200+100*(i%4)), 7)
	}
	slices.Sort(exact)
	var all Snapshot
	for i := range nodes {
		s := nodes[i].Snapshot()
		wire, _ := s.Latency.MarshalBinary()
		var back Histogram
		if err := back.UnmarshalBinary(wire); err != nil || back != s.Latency {
			t.Fatalf("the binary form does not come back: %v", err)
		}
		all.Merge(s)
	}
	if all.Requests() != 100_000 || all.ServerErrors != 25_000 || all.ClientErrors != 25_000 || all.Bytes != 700_000 {
		t.Errorf("got %d requests, %d and %d errors, %d bytes", all.Requests(), all.ServerErrors, all.ClientErrors, all.Bytes)
	}
	if all.Latency.Sum() != sum || all.Latency.Mean() != sum/100_000 {
		t.Errorf("sum %v, want %v", all.Latency.Sum(), sum)
	}
	for _, q := range []float64{0, .01, .5, .9, .95, .99, .999, 1} {
		want := exact[max(int(math.Ceil(q*100_000))-1, 0)]
		if got := all.Latency.Quantile(q); math.Abs(float64(got)/float64(want)-1) > 1./64 {
			t.Errorf("quantile %v is %v, exactly %v", q, got, want)
		}
		threshold := all.Latency.Threshold(q)
		above := 0
		for _, d := range exact {
			if d >= threshold {
				above++
			}
		}
		if got := all.Latency.Above(threshold); got != uint64(above) {
			t.Errorf("%d above %v, exactly %d", got, threshold, above)
		}
	}
}

func TestEmptyHistogram(t *testing.T) {
	var r Recorder
	s := r.Snapshot()
	h := &s.Latency
	if h.Count() != 0 || h.Mean() != 0 || h.Quantile(.5) != 0 || h.Threshold(.5) != 0 || h.Above(0) != 0 || h.Sum() != 0 {
		t.Errorf("an empty histogram is not empty: %v", h.Quantile(.5))
	}
	h.Record(-time.Second)
	if h.Count() != 1 || h.Sum() != 0 {
		t.Errorf("a negative duration counts %d with %v", h.Count(), h.Sum())
	}
	if d := new(Histogram).Since(h); d.Count() != 0 {
		t.Errorf("since a later state: %d", d.Count())
	}
}

// Merging is commutative and associative, and Since undoes it.
func TestMergeHistograms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	some := func() *Snapshot {
		var rec Recorder
		for range r.IntN(200) {
			rec.Record(time.Duration(r.Int64N(1<<(5+r.IntN(40)))), Class(r.IntN(3)), r.Int64N(9))
		}
		return rec.Snapshot()
	}
	sum := func(parts ...*Snapshot) *Snapshot {
		var s Snapshot
		for _, p := range parts {
			s.Merge(p)
		}
		return &s
	}
	for range 200 {
		a, b, c := some(), some(), some()
		if *sum(a, b, c) != *sum(c, sum(b, a)) {
			t.Fatal("the order of merging matters")
		}
		if *sum(a, b).Since(a) != *b {
			t.Fatal("Since does not undo Merge")
		}
	}
}

// No record is lost while the recorder grows its stripes under load, and a reader never sees more errors than requests.
func TestRecorderUnderLoad(t *testing.T) {
	const writers, each = 4, 40_000
	var rec Recorder
	var wg sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				rec.Record(time.Duration(w+1)*time.Millisecond, Class(i%3), 1)
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	for last := uint64(0); ; {
		s := rec.Snapshot()
		n := s.Requests()
		if s.ServerErrors+s.ClientErrors > n || s.Bytes > n || n < last {
			t.Fatalf("%d requests after %d, %d errors, %d bytes", n, last, s.ServerErrors+s.ClientErrors, s.Bytes)
		}
		last = n
		select {
		case <-done:
			s := rec.Snapshot()
			if s.Requests() != writers*each || s.Bytes != writers*each || s.Latency.Sum() != (1+2+3+4)*each*time.Millisecond {
				t.Errorf("got %d requests, %d bytes, %v", s.Requests(), s.Bytes, s.Latency.Sum())
			}
			return
		default:
		}
	}
}

func TestRecorderCost(t *testing.T) {
	var cold, hot Recorder
	cold.Record(time.Millisecond, Success, 1)
	for range wideAfter {
		hot.Record(time.Millisecond, Success, 1)
	}
	hot.Snapshot()
	for name, r := range map[string]*Recorder{"cold": &cold, "hot": &hot} {
		if n := testing.AllocsPerRun(1000, func() { r.Record(time.Millisecond, ServerError, 5) }); n != 0 {
			t.Errorf("%s: %v allocations a record", name, n)
		}
	}
	if size := unsafe.Sizeof(stripe{}); size > 8192 || size <= 6912 {
		t.Errorf("a stripe has %d bytes, which is not of the allocator's 8 KiB class", size)
	}
}

func FuzzHistogram(f *testing.F) {
	var h Histogram
	wire, _ := h.MarshalBinary()
	f.Add(wire)
	for i := range 50 {
		h.Record(time.Duration(i*i*i) * time.Microsecond)
	}
	wire, _ = h.MarshalBinary()
	f.Add(wire)
	f.Add(wire[:9])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4 { // with the right checksum, or nothing behind it would ever be reached
			body := data[:len(data)-4]
			data = binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
		}
		var h Histogram
		if err := h.UnmarshalBinary(data); err != nil {
			if h != (Histogram{}) {
				t.Fatal("a refused form left something behind")
			}
			return
		}
		again, _ := h.MarshalBinary()
		var back Histogram
		if err := back.UnmarshalBinary(again); err != nil || back != h {
			t.Fatalf("%x is read and cannot be written: %v", data, err)
		}
		h.Quantile(.5)
	})
}

func BenchmarkRecord(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var latency [1 << 14]time.Duration
	for i := range latency {
		latency[i] = time.Duration(math.Exp(r.NormFloat64()*0.9 + 13.5)) // median 0.7 ms
	}
	var cold, hot Recorder
	for range wideAfter {
		hot.Record(time.Millisecond, Success, 1)
	}
	hot.Snapshot()
	run := func(name string, rec *Recorder, parallel bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			if !parallel {
				for i := 0; b.Loop(); i++ {
					rec.Record(latency[i&(1<<14-1)], Success, 0)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					rec.Record(latency[i&(1<<14-1)], Success, 0)
				}
			})
		})
	}
	run("cold", &cold, false)
	run("hot", &hot, false)
	run("cold/parallel", &cold, true)
	run("hot/parallel", &hot, true)
}

func BenchmarkSnapshot(b *testing.B) {
	var rec Recorder
	rec.Record(time.Millisecond, Success, 1)
	for b.Loop() {
		rec.Snapshot()
	}
}
