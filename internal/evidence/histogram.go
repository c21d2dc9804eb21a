package evidence

import (
	"math"
	"math/bits"
	"time"
)

// The layout of buckets is log-linear: every octave (a doubling) of nanoseconds is cut into 32 buckets of equal
// width. A bucket is at most 1/32 of its lower edge wide, so its middle is at most 1/64 = 1.6 % away from anything in
// it, and the index is found with a bit scan and a shift, no logarithm. HdrHistogram (Tene) uses the same idea; the
// octaves here are those a web request can take, 2^10 ns to 2^37 ns, and everything else counts in the first or last.
const (
	subBits   = 5  // 2^5 buckets an octave
	lowOctave = 10 // 2^10 ns = 1.024 µs
	octaves   = 27 // up to 2^37 ns = 137.4 s
	buckets   = octaves << subBits
)

// bucketOf returns the bucket of a duration in nanoseconds.
func bucketOf(d time.Duration) int {
	if d < 1<<lowOctave {
		return 0
	}
	if d >= 1<<(lowOctave+octaves) {
		return buckets - 1
	}
	octave := bits.Len64(uint64(d)) - 1
	return (octave-lowOctave)<<subBits + int(uint64(d)>>(octave-subBits))&(1<<subBits-1)
}

// lowerEdge returns the smallest duration of a bucket; that of bucket b+1 is the end of bucket b.
func lowerEdge(bucket int) time.Duration {
	octave := bucket>>subBits + lowOctave
	return time.Duration(1<<subBits|bucket&(1<<subBits-1)) << (octave - subBits)
}

// Histogram is a mergeable sketch of durations from 1 µs to 137 s: quantiles are within 1.6 % of the exact ones, the
// mean is exact. Shorter and longer durations count as the shortest and the longest. Its zero value is empty.
type Histogram struct {
	counts [buckets]uint64
	sum    uint64 // nanoseconds
}

// Record adds a duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)]++
	h.sum += uint64(d)
}

// Count returns the number of durations.
func (h *Histogram) Count() uint64 {
	var n uint64
	for _, c := range h.counts {
		n += c
	}
	return n
}

// Sum returns all durations together: the time spent.
func (h *Histogram) Sum() time.Duration { return time.Duration(min(h.sum, math.MaxInt64)) }

// Mean returns the mean duration, 0 for an empty histogram.
func (h *Histogram) Mean() time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	return time.Duration(min(h.sum/n, math.MaxInt64))
}

// Quantile returns the duration that a share q of all do not exceed, 0 for an empty histogram: 0.5 for the median.
func (h *Histogram) Quantile(q float64) time.Duration {
	bucket, ok := h.at(q)
	if !ok {
		return 0
	}
	low, high := lowerEdge(bucket), lowerEdge(bucket+1)
	return low + (high-low)/2
}

// Threshold returns the edge above a quantile: with it, Above counts exactly, nothing is interpolated. It is 0 for an
// empty histogram.
func (h *Histogram) Threshold(q float64) time.Duration {
	bucket, ok := h.at(q)
	if !ok {
		return 0
	}
	return lowerEdge(bucket + 1)
}

// Above returns how many durations lie in buckets that begin at the threshold or later.
func (h *Histogram) Above(threshold time.Duration) uint64 {
	var n uint64
	for b := buckets - 1; b >= 0 && lowerEdge(b) >= threshold; b-- {
		n += h.counts[b]
	}
	return n
}

// Merge adds the durations of another histogram. The order of merging does not matter.
func (h *Histogram) Merge(other *Histogram) {
	for b, n := range other.counts {
		h.counts[b] += n
	}
	h.sum += other.sum
}

// Since returns what was recorded after an earlier state of the same histogram. Where the earlier one counts more, as
// after a restart, the answer is 0 rather than a huge number.
func (h *Histogram) Since(earlier *Histogram) *Histogram {
	d := &Histogram{sum: less(h.sum, earlier.sum)}
	for b, n := range h.counts {
		d.counts[b] = less(n, earlier.counts[b])
	}
	return d
}

// at returns the bucket in which a quantile lies.
func (h *Histogram) at(q float64) (bucket int, ok bool) {
	n := h.Count()
	if n == 0 {
		return 0, false
	}
	rank := uint64(1)
	if q > 0 {
		rank = min(max(uint64(math.Ceil(min(q, 1)*float64(n))), 1), n)
	}
	var seen uint64
	for b, c := range h.counts {
		if seen += c; seen >= rank {
			return b, true
		}
	}
	return 0, false
}

func less(now, earlier uint64) uint64 {
	if now < earlier {
		return 0
	}
	return now - earlier
}
