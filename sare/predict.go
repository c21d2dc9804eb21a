package sare

import (
	"math"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Prediction: rate and latency of the hottest routes one, five and thirty minutes ahead, and changes of level. A
// forecast that has not shown skill over a day drives nothing.

const season = 24 * time.Hour

var horizons = [...]time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute}

// predictor forecasts for the hottest routes. It belongs to the owner.
type predictor struct {
	interval time.Duration
	most     int
	series   map[*watched]*series
}

type series struct {
	rate, latency *evidence.Forecaster
	changes       evidence.Detector // of the logarithm of the median
	recent        []float64         // rates, for the z-score
}

func newPredictor(o Options) *predictor {
	return &predictor{interval: o.OptimizeInterval, most: o.HotRouteSlots, series: map[*watched]*series{}}
}

func (p *predictor) ahead(d time.Duration) int { return max(1, int(d/p.interval)) }

func (p *predictor) begin() *series {
	steps := []int{}
	for _, d := range horizons {
		if n := p.ahead(d); !slices.Contains(steps, n) {
			steps = append(steps, n)
		}
	}
	n := int(season / p.interval)
	return &series{rate: evidence.NewForecaster(n, steps...), latency: evidence.NewForecaster(n, steps...)}
}

// add takes the interval of a route.
func (s *series) add(w window) (evidence.Change, bool) {
	s.rate.Add(w.rate)
	s.recent = append(s.recent, w.rate)
	s.recent = slices.Delete(s.recent, 0, max(0, len(s.recent)-100))
	latency := math.NaN()
	if w.requests > 0 {
		latency = math.Log(max(float64(w.p50), 1))
	}
	s.latency.Add(latency)
	return s.changes.Add(latency)
}

// z is the seed's spike score of the last interval: how many deviations its rate is from the mean of the last hundred.
func (s *series) z() float64 {
	n := float64(len(s.recent))
	if n < 20 {
		return 0
	}
	var mean, square float64
	for _, x := range s.recent {
		mean += x / n
	}
	for _, x := range s.recent {
		square += (x - mean) * (x - mean) / n
	}
	if square == 0 {
		return 0
	}
	return (s.recent[len(s.recent)-1] - mean) / math.Sqrt(square)
}

// rateAhead is the rate in five minutes if the forecast has skill. The predictor may be nil.
func (p *predictor) rateAhead(w *watched) (float64, bool) {
	if p == nil {
		return 0, false
	}
	s := p.series[w]
	if s == nil {
		return 0, false
	}
	f, ok := s.rate.At(p.ahead(5 * time.Minute))
	return f.Point, ok && f.Skilled
}

// predict feeds the interval to the forecasts, and looks into what changed.
func (e *Engine) predict(now time.Time) {
	p := e.predictor
	if p == nil {
		return
	}
	list := slices.DeleteFunc(e.all(), func(w *watched) bool { return w.route == nil || w.s.total == 0 && w.s.last.requests == 0 })
	slices.SortStableFunc(list, func(a, b *watched) int { return compareHeat(a, b) })
	for i, w := range list {
		if p.series[w] == nil && i < p.most && len(p.series) < 2*p.most {
			p.series[w] = p.begin()
		}
	}
	var changes []evidence.Change
	var of []*watched
	for _, w := range list {
		s := p.series[w]
		if s == nil {
			continue
		}
		if c, found := s.add(w.s.last); found {
			changes, of = append(changes, c), append(of, w)
		}
	}
	e.changed(now, changes, of, len(p.series))
	if e.limit != nil {
		e.limit.expect(e.expected())
	}
}

// changed tells of the changes that are to be believed among as many series (Benjamini and Hochberg).
func (e *Engine) changed(now time.Time, changes []evidence.Change, of []*watched, series int) {
	if len(changes) == 0 {
		return
	}
	p := make([]float64, series)
	for i := range p {
		p[i] = 1
	}
	for i, c := range changes {
		p[i] = c.P
	}
	for i, believed := range evidence.Confirm(p, .05)[:len(changes)] {
		if !believed {
			continue
		}
		c := changes[i]
		what := "latency: the median went from " + logDuration(c.Before) + " to " + logDuration(c.After)
		if name, err := e.flight.keep(e, now); err != nil {
			e.app.Logger().Warn("the flight recorder could not be read", "engine", "sare", "error", err)
		} else if name != "" {
			what += "; the last seconds are in " + name
		}
		e.note(now, of[i].name, what)
	}
}

func logDuration(x float64) string {
	return time.Duration(math.Exp(x)).Round(time.Microsecond).String()
}

func compareHeat(a, b *watched) int {
	switch {
	case a.s.heat > b.s.heat:
		return -1
	case a.s.heat < b.s.heat:
		return 1
	}
	return 0
}

// expected is how many times the traffic of now is forecast for the next five minutes, 1 where no skill is.
func (e *Engine) expected() float64 {
	var now, then float64
	for w := range e.predictor.series {
		rate, ok := e.predictor.rateAhead(w)
		if !ok {
			rate = w.s.last.rate
		}
		now += w.s.last.rate
		then += rate
	}
	if now <= 0 {
		return 1
	}
	return then / now
}

// expect raises the limit before a rise that is forecast, by as much, so that its first requests are not refused while
// the limit still climbs. A fall changes nothing.
func (l *limiter) expect(times float64) {
	if times > 1.2 && l.cut == nil && l.limit < l.most {
		l.set(l.limit * min(times, 2))
	}
}
