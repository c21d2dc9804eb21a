package evidence

import (
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// A recorder is written by every request and read every few seconds, so writing must be cheap from all processors at
// once. A cold one is a single set of counters. One that has counted a lot gets up to eight sets, its stripes: writers
// spread over them, and reading adds them up. Nothing is ever reset, so any number of readers can look, each
// subtracting what it saw before (Snapshot.Since).

// Class says how a request ended.
type Class uint8

const (
	Success     Class = iota // a status below 400
	ClientError              // 4xx, counted apart: not the route's fault
	ServerError              // 5xx, a panic, a broken stream
)

// ClassOf returns the class of an HTTP status.
func ClassOf(status int) Class {
	switch {
	case status >= 500:
		return ServerError
	case status >= 400:
		return ClientError
	}
	return Success
}

// wideAfter is the number of records after which a recorder gets its stripes. Below it, a route is too cold for two
// processors to meet, and 8 KiB for each stripe would be wasted on it.
const wideAfter = 1 << 16

// maxStripes bounds the memory of a hot recorder to 64 KiB.
const maxStripes = 8

// stripe is 6,944 bytes, which the allocator rounds up to 8 KiB and aligns to it: no two share a cache line.
type stripe struct {
	sum, bytes, client, server atomic.Uint64
	counts                     [buckets]atomic.Uint64
}

// stripes holds a power of two of them; those beyond mask are nil.
type stripes struct {
	mask uint32
	set  [maxStripes]*stripe
}

// Recorder counts requests by duration and class. Its zero value is ready and takes no memory until the first record.
// It is safe for concurrent use and must not be copied.
type Recorder struct {
	stripes atomic.Pointer[stripes]
}

// Record counts a request: how long it took, how it ended, and how many bytes its answer had. It does not allocate,
// the very first call excepted, and does not wait.
func (r *Recorder) Record(d time.Duration, class Class, bytes int64) {
	all := r.stripes.Load()
	if all == nil {
		all = r.first()
	}
	s := all.set[0]
	if all.mask > 0 {
		s = all.set[here()&all.mask&(maxStripes-1)]
	}
	d = max(d, 0)
	// The bucket is counted first and read last: no reader sees more errors than requests.
	s.counts[bucketOf(d)].Add(1)
	s.sum.Add(uint64(d))
	if bytes > 0 {
		s.bytes.Add(uint64(bytes))
	}
	switch class {
	case ServerError:
		s.server.Add(1)
	case ClientError:
		s.client.Add(1)
	}
}

// here returns a number that is much the same for one goroutine and differs between goroutines: where its stack is.
// Those that run at the same time so meet on a stripe by chance only, and a stripe stays in the cache of a processor for
// as long as its goroutine does; with random stripes, a record took two to three times as long.
func here() uint32 {
	var on byte
	return uint32(uint64(uintptr(unsafe.Pointer(&on))>>10) * 0x9e3779b97f4a7c15 >> 32) // Fibonacci hashing, Knuth vol. 3 §6.4
}

func (r *Recorder) first() *stripes {
	fresh := &stripes{}
	fresh.set[0] = new(stripe)
	if r.stripes.CompareAndSwap(nil, fresh) {
		return fresh
	}
	return r.stripes.Load()
}

// Snapshot returns what was counted so far. A request that is being counted at the same time may be in it in part,
// never more of its parts than its duration.
func (r *Recorder) Snapshot() *Snapshot {
	out := &Snapshot{}
	all := r.stripes.Load()
	if all == nil {
		return out
	}
	var n uint64
	for _, s := range all.set {
		if s == nil {
			continue
		}
		out.ServerErrors += s.server.Load()
		out.ClientErrors += s.client.Load()
		out.Bytes += s.bytes.Load()
		out.Latency.sum += s.sum.Load()
		for b := range s.counts {
			c := s.counts[b].Load()
			out.Latency.counts[b] += c
			n += c
		}
	}
	if all.mask == 0 && n >= wideAfter {
		r.widen(all)
	}
	return out
}

// widen gives the recorder a stripe for each processor, up to eight. Writers that hold the old list go on with the
// first stripe, which stays, so nothing is lost.
func (r *Recorder) widen(all *stripes) {
	n := uint32(1)
	for n < maxStripes && int(n) < runtime.GOMAXPROCS(0) {
		n *= 2
	}
	if n == 1 {
		return
	}
	wide := &stripes{mask: n - 1}
	wide.set[0] = all.set[0]
	for i := uint32(1); i < n; i++ {
		wide.set[i] = new(stripe)
	}
	r.stripes.CompareAndSwap(all, wide)
}

// Snapshot is the state of a recorder at one moment. Snapshots of nodes merge by addition.
type Snapshot struct {
	Latency      Histogram
	ClientErrors uint64 // 4xx
	ServerErrors uint64 // 5xx
	Bytes        uint64 // of answers
}

// Requests returns the number of requests.
func (s *Snapshot) Requests() uint64 { return s.Latency.Count() }

// Merge adds another snapshot.
func (s *Snapshot) Merge(other *Snapshot) {
	s.Latency.Merge(&other.Latency)
	s.ClientErrors += other.ClientErrors
	s.ServerErrors += other.ServerErrors
	s.Bytes += other.Bytes
}

// Since returns what was counted after an earlier snapshot of the same recorder.
func (s *Snapshot) Since(earlier *Snapshot) *Snapshot {
	return &Snapshot{
		Latency:      *s.Latency.Since(&earlier.Latency),
		ClientErrors: less(s.ClientErrors, earlier.ClientErrors),
		ServerErrors: less(s.ServerErrors, earlier.ServerErrors),
		Bytes:        less(s.Bytes, earlier.Bytes),
	}
}
