package evidence

import "math"

// A change of level in a series of windows, such as the median latency of every ten seconds. The series of a web
// service are heavy-tailed and remember their last values, which is what makes plain rules fail: |z| > 2.5 alarms every
// day. So the reference is robust (median, and median absolute deviation), a window counts for three deviations at
// most, and the memory of the last window is taken out (pre-whitening, von Storch 1995) before a two-sided cumulative
// sum adds up what is left (Page 1954). An alarm is confirmed by a test that compares the windows since the change with
// the reference, and so knows how well the reference itself is known.

const (
	// reference is how many windows are learnt before the first alarm is possible, and mature how many they grow to
	// while nothing happens: most false alarms come from a reference that is a little off, not from the windows after.
	reference = 120
	mature    = 480
	// slack and height are k and h of the cumulative sum, in deviations. A change of 2k is found soonest.
	slack  = 0.5
	height = 14
	// clipped is how much one window can count, in deviations: five of them at least make an alarm.
	clipped = 3
	// memorable bounds the autocorrelation that is taken out: above it, a window says next to nothing new.
	memorable = 0.9
	// convincing is the p-value that confirms an alarm. The windows are those that made the alarm, so it is no error
	// rate; it refuses what a reference of 120 windows cannot tell from its own error.
	convincing = 1e-4
)

// Change is a confirmed change of level.
type Change struct {
	Onset  int     `json:"onset"`  // the first window of the new level, as far as can be told
	Found  int     `json:"found"`  // the window with which it was found; windows count from 0
	Before float64 `json:"before"` // medians
	After  float64 `json:"after"`
	P      float64 `json:"p"` // of Mann-Whitney; across series, see Confirm
}

// Detector finds changes in one series. After one it learns the new level. A series with a daily course should be
// given as what a forecast with skill leaves of it, or the course is the change.
type Detector struct {
	// Floor is the smallest deviation that means anything, in units of the series: a series that never moves would
	// else take its first move for a miracle. Default: a thousandth of the median.
	Floor float64

	seen     int // windows
	raw      []float64
	white    []float64 // the reference after pre-whitening
	next     int       // reference length at which it is learnt again
	middle   float64
	scale    float64
	memory   float64 // lag-1 autocorrelation
	last     float64 // the last window, in deviations
	up, down run
}

// run is one side of the cumulative sum, with the windows since it left 0.
type run struct {
	sum   float64
	white []float64
	raw   []float64
}

// Add takes the next window. Windows that are NaN or infinite, as without traffic, are counted and left out.
func (d *Detector) Add(x float64) (Change, bool) {
	d.seen++
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Change{}, false
	}
	if len(d.raw) < reference {
		d.raw = append(d.raw, x)
		if len(d.raw) == reference {
			d.learn()
		}
		return Change{}, false
	}
	w := d.whiten(x)
	d.up.add(w-slack, w, x)
	d.down.add(-w-slack, w, x)
	for _, side := range []*run{&d.up, &d.down} {
		if side.sum <= height {
			continue
		}
		if p, _ := MannWhitney(d.white, side.white); p <= convincing {
			return d.changed(side, p), true
		}
		side.reset()
	}
	if len(d.raw) < mature {
		d.grow(x)
	}
	return Change{}, false
}

func (d *Detector) changed(side *run, p float64) Change {
	c := Change{
		Onset:  d.seen - len(side.raw),
		Found:  d.seen - 1,
		Before: d.middle,
		After:  Median(side.raw),
		P:      p,
	}
	// The new level is learnt from the windows that showed it, and those to come.
	fresh := side.raw[max(0, len(side.raw)-reference+1):]
	*d = Detector{Floor: d.Floor, seen: d.seen, raw: append(make([]float64, 0, reference), fresh...)}
	return c
}

// grow lets the reference become longer while both sums are low. Windows of a possible change stay out until they
// turn out to be none, and then they are not missed.
func (d *Detector) grow(x float64) {
	if d.up.sum > height/2 || d.down.sum > height/2 {
		return
	}
	d.raw = append(d.raw, x)
	if len(d.raw) >= d.next {
		d.learn()
	}
}

func (d *Detector) learn() {
	d.next = 2 * len(d.raw)
	d.middle = Median(d.raw)
	floor := d.Floor
	if floor <= 0 {
		floor = max(math.Abs(d.middle)/1000, 1e-9)
	}
	d.scale = max(spread(d.raw, d.middle), floor)
	var product, square float64
	for i := 1; i < len(d.raw); i++ {
		before := d.deviations(d.raw[i-1])
		product += before * d.deviations(d.raw[i])
		square += before * before
	}
	d.memory = 0
	if square > 0 {
		d.memory = max(-memorable, min(memorable, product/square))
	}
	d.last = d.deviations(d.raw[0])
	d.white = d.white[:0]
	for _, x := range d.raw[1:] {
		d.white = append(d.white, d.whiten(x))
	}
}

// deviations returns how far a window is from the reference.
func (d *Detector) deviations(x float64) float64 {
	return max(-clipped, min(clipped, (x-d.middle)/d.scale))
}

// whiten returns what is new in a window, given the one before, with the spread of a window.
func (d *Detector) whiten(x float64) float64 {
	z := d.deviations(x)
	w := (z - d.memory*d.last) / math.Sqrt(1-d.memory*d.memory)
	d.last = z
	return w
}

func (r *run) add(step, white, raw float64) {
	if r.sum += step; r.sum <= 0 {
		r.reset()
		return
	}
	r.white = append(r.white, white)
	r.raw = append(r.raw, raw)
	if len(r.raw) > mature { // so slow a rise is not told from a drift of the reference
		r.reset()
	}
}

func (r *run) reset() {
	r.sum, r.white, r.raw = 0, r.white[:0], r.raw[:0]
}
