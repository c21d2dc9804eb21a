package evidence

import "math"

// The ways to forecast a series. Each is simple on purpose: they run for every route and every window, and which of
// them is right for a series is measured, not believed.

type method int

const (
	persistence   method = iota // as it is now: what every other method has to beat
	average                     // as it was over the last 30 windows
	dampedHolt                  // level and trend, the trend dying away (Gardner and McKenzie 1985)
	seasonalRatio               // as at this time yesterday, scaled by how today compares
	smoothed                    // exponentially weighted average
	regression                  // the line through the last 30 windows, drawn on
	methods
)

var methodNames = [methods]string{"persistence", "30-window mean", "damped Holt", "seasonal ratio", "EWMA", "linear regression"}

const (
	span = 30 // windows of the mean and the line: five minutes of ten-second windows
	// levelGain, trendGain and damping are Holt's α, β and φ: a level of some 20 windows, a trend of some 100.
	levelGain, trendGain, damping = .1, .02, .98
	ewmaGain                      = .3  // the weight of the newest window
	bins                          = 288 // of a season at most, five minutes each for a day
)

// course is the state of all methods: what a series was like.
type course struct {
	season int // windows
	n      int // windows seen
	last   float64
	ewma   float64
	level  float64
	trend  float64
	recent [span]float64 // ring, the newest at (count-1) % span
	count  int           // values in the ring so far
	// Yesterday, in bins: bin b of the whole series is at b % len. It reaches as far behind a season as the middle of the
	// mean does, and a little more for the ends.
	bin  [bins + span/2 + 4]struct{ sum, n float64 }
	head int // the bin that fills
}

func (c *course) binWidth() int { return (c.season + bins - 1) / bins }

// add takes the next window; NaN is one that is not known.
func (c *course) add(x float64) {
	if b := c.n / c.binWidth(); b != c.head || c.n == 0 {
		c.head = b
		c.bin[b%len(c.bin)] = struct{ sum, n float64 }{}
	}
	c.n++
	if math.IsNaN(x) {
		return
	}
	bin := &c.bin[c.head%len(c.bin)]
	bin.sum += x
	bin.n++
	if c.count == 0 {
		c.ewma, c.level = x, x
	}
	c.ewma += ewmaGain * (x - c.ewma)
	before := c.level
	c.level = levelGain*x + (1-levelGain)*(c.level+damping*c.trend)
	c.trend = trendGain*(c.level-before) + (1-trendGain)*damping*c.trend
	c.recent[c.count%span] = x
	c.count++
	c.last = x
}

// ahead returns what each method says about the window h after the last, NaN where it cannot say.
func (c *course) ahead(h int) (all [methods]float64) {
	for m := range all {
		all[m] = math.NaN()
	}
	if c.count == 0 {
		return all
	}
	all[persistence] = c.last
	all[smoothed] = c.ewma
	all[dampedHolt] = c.level + c.trend*damping*(1-math.Pow(damping, float64(h)))/(1-damping)
	if c.count < span {
		return all
	}
	mean, slope := c.line()
	all[average] = mean
	all[regression] = mean + slope*(float64(span-1)/2+float64(h))
	if ago, then := c.usual(c.n-1-c.season-span/2), c.usual(c.n-1-c.season+h); ago > 0 && then >= 0 && h < c.season {
		all[seasonalRatio] = mean * then / ago
	}
	return all
}

// line returns the mean of the last 30 windows and their slope by least squares.
func (c *course) line() (mean, slope float64) {
	var sum, weighted float64
	for i := range span {
		x := c.recent[(c.count+i)%span] // from the oldest
		sum += x
		weighted += (float64(i) - float64(span-1)/2) * x
	}
	return sum / span, weighted / (span * (span*span - 1) / 12.)
}

// usual returns the level at a window of the last season, between the means of the two bins around it.
func (c *course) usual(window int) float64 {
	width := c.binWidth()
	at := (float64(window)+.5)/float64(width) - .5
	left := int(math.Floor(at))
	if left < 0 || left <= c.head-len(c.bin) || left+1 >= c.head {
		return math.NaN()
	}
	a, b := c.bin[left%len(c.bin)], c.bin[(left+1)%len(c.bin)]
	if a.n == 0 || b.n == 0 {
		return math.NaN()
	}
	part := at - float64(left)
	return (1-part)*a.sum/a.n + part*b.sum/b.n
}
