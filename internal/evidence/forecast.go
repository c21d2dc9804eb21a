package evidence

import "math"

// A forecast is worth what it adds to "as it is now". Every method forecasts every window, and is scored when the
// window is there: its mean absolute error over the last day, divided by that of persistence at the same distance, is
// its MASE (Hyndman and Koehler 2006; scaled out of sample and at the same horizon, so that 1 is no better than doing
// nothing whatever the horizon). The best so far is used, and what was in fact said is scored again, which no choice
// made afterwards can flatter.
//
// The interval holds the value nine times in ten, whatever the series does: after a miss it becomes wider, after a hit
// a little narrower (adaptive conformal inference, Gibbs and Candès 2021, in the form that tracks the quantile itself,
// Angelopoulos, Candès and Tibshirani 2023, eq. 5).

const (
	slots = 24 // the last day is kept in as many sums
	// skillful is the MASE below which a forecast may drive something. On a random walk, where there is no skill to
	// have, the best of six methods stays above it.
	skillful = .95
	missing  = .1 // how often the value may lie outside the interval
	// pace is how far the interval moves after a miss, in mean errors. It forgets a burst of errors in some 100 windows.
	pace = .1
)

// Forecast is a value ahead.
type Forecast struct {
	Point  float64 `json:"point"`
	Low    float64 `json:"low"` // the value lies between Low and High nine times in ten
	High   float64 `json:"high"`
	Method string  `json:"method"`
	// MASE is the error of what was forecast over the last day, as a share of persistence's. It is 1 until a day has
	// been scored.
	MASE float64 `json:"mase"`
	// Skilled says whether the forecast may drive anything: MASE below 0.95 over a whole day.
	Skilled bool `json:"skilled"`
}

// Forecaster forecasts one series at fixed distances. It takes about 25 KiB for the horizons of one, five and thirty
// minutes.
type Forecaster struct {
	course course
	tracks []track
}

// track is one horizon.
type track struct {
	ahead   int
	pending []said // ring, by the window that is forecast
	scores  [slots]score
	slot    int // the one that fills, counted from the start
	scored  int // windows
	width   float64
	typical float64 // mean absolute error of what was said, fading
	chosen  method
}

// said is what was forecast for a window.
type said struct {
	by     [methods]float64
	chosen method
	width  float64
	issued bool
}

// score sums absolute errors: of each method, and of persistence wherever that method had something to say. The last
// pair is that of what was said.
type score struct {
	own, naive [methods + 1]float64
}

// NewForecaster makes a forecaster for a series with a season of so many windows, 8640 for a day of ten seconds each,
// that looks the given numbers of windows ahead. Horizons below 1 count as 1.
func NewForecaster(season int, horizons ...int) *Forecaster {
	f := &Forecaster{course: course{season: max(season, slots)}}
	for _, h := range horizons {
		h = max(h, 1)
		f.tracks = append(f.tracks, track{ahead: h, pending: make([]said, h)})
	}
	return f
}

// Add takes the next window. NaN is a window of which nothing is known; time passes all the same.
func (f *Forecaster) Add(x float64) {
	if math.IsInf(x, 0) {
		x = math.NaN()
	}
	perSlot := f.course.season / slots
	for i := range f.tracks {
		t := &f.tracks[i]
		if slot := f.course.n / perSlot; slot != t.slot {
			t.slot = slot
			t.scores[slot%slots] = score{}
		}
		if due := t.pending[f.course.n%t.ahead]; due.issued && !math.IsNaN(x) {
			t.judge(due, x)
		}
	}
	f.course.add(x)
	for i := range f.tracks {
		t := &f.tracks[i]
		next := said{by: f.course.ahead(t.ahead), chosen: t.chosen, width: t.width}
		if math.IsNaN(next.by[t.chosen]) { // as a seasonal one whose yesterday has a gap
			next.chosen = persistence
		}
		next.issued = !math.IsNaN(next.by[next.chosen])
		t.pending[(f.course.n-1+t.ahead)%t.ahead] = next
	}
}

// judge scores what was said about a window that has the value x.
func (t *track) judge(was said, x float64) {
	s := &t.scores[t.slot%slots]
	naive := math.Abs(x - was.by[persistence])
	for m, v := range was.by {
		if !math.IsNaN(v) {
			s.own[m] += math.Abs(x - v)
			s.naive[m] += naive
		}
	}
	off := math.Abs(x - was.by[was.chosen])
	s.own[methods] += off
	s.naive[methods] += naive
	t.scored++
	if t.scored == 1 {
		t.typical = off
	}
	t.typical += (off - t.typical) / min(float64(t.scored), 100)
	if t.scored <= span {
		t.width = max(t.width, off)
	} else if off > was.width {
		t.width += pace * t.typical * (1 - missing)
	} else {
		t.width = max(0, t.width-pace*t.typical*missing)
	}
	if t.scored >= span {
		t.choose()
	}
}

// choose takes the method with the least error over the last day. One that has been scored for less than half of what
// persistence was, as the seasonal one on its first day, waits.
func (t *track) choose() {
	total := t.total()
	best := persistence
	for m := range methods {
		if total.naive[m] < total.naive[persistence]/2 {
			continue
		}
		if ratio(total.own[m], total.naive[m]) < ratio(total.own[best], total.naive[best]) {
			best = m
		}
	}
	t.chosen = best
}

func (t *track) total() (sum score) {
	for _, s := range t.scores {
		for m := range s.own {
			sum.own[m] += s.own[m]
			sum.naive[m] += s.naive[m]
		}
	}
	return sum
}

// ratio is 1 where persistence makes no error: nothing can be better.
func ratio(own, naive float64) float64 {
	if naive <= 0 {
		return 1
	}
	return own / naive
}

// At returns the forecast of the window at one of the horizons, counted from the last added. It is false for another
// distance, and as long as nothing is known.
func (f *Forecaster) At(ahead int) (Forecast, bool) {
	for i := range f.tracks {
		t := &f.tracks[i]
		if t.ahead != ahead || f.course.n == 0 {
			continue
		}
		next := t.pending[(f.course.n-1+ahead)%ahead]
		if !next.issued {
			return Forecast{}, false
		}
		point := next.by[next.chosen]
		out := Forecast{Point: point, Low: point - t.width, High: point + t.width, Method: methodNames[next.chosen], MASE: 1}
		if t.scored >= f.course.season {
			total := t.total()
			out.MASE = ratio(total.own[methods], total.naive[methods])
			out.Skilled = out.MASE < skillful
		}
		return out, true
	}
	return Forecast{}, false
}
