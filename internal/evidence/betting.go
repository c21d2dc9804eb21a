package evidence

import "math"

// Testing by betting. Somebody who doubts a hypothesis bets against it, at odds that are fair if it is true. If it is
// true, their wealth is a martingale (or shrinks), and by Ville's inequality (1939) the chance that it ever reaches
// 1/α times the stake is at most α, whenever they look and whenever they stop. Wealth is evidence: an e-value.
//
// Each request goes to the candidate (A = 1) with a known probability π, the share, or to stable (A = 0); its outcome
// X is 1 for "bad". With a centre c that was fixed before,
//
//	Z = (X − c) · (A/π − (1 − A)/(1 − π)),      E[Z] = p_candidate − p_stable
//
// by inverse-probability weighting (Horvitz and Thompson 1952), whatever the hour of the day does to both arms. Any c
// is right; one near the usual rate makes Z small where nothing happens, and so the bets sharper. The bets are
//
//	harm,            H0: E[Z] ≤ 0     Π (1 + λ Z)
//	non-inferiority, H0: E[Z] ≥ δ     Π (1 + λ (δ − Z))
//
// (Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", the capital process of §4;
// Turner, Ly and Grünwald 2024 for two streams.) Z takes four values, so four counters carry the whole product, and
// order, batching and the number of nodes do not matter. Which λ is best depends on the unknown difference, so the
// stake is spread evenly over a grid of them: a mean of martingales is a martingale, and it costs ln 24 at most.

const (
	// grid, reach and decades lay out λ: 24 points, evenly spaced in the logarithm, from 0.9 of the largest λ that
	// cannot be ruined by a single outcome, down by four decades. The best λ is about difference / E[Z²], so this
	// covers differences from the size of an outcome to a ten-thousandth of it, each within a factor of 1.22 of its
	// best λ, where nothing is noticeably lost. At reach 1 one unlucky outcome would end the bet for good.
	grid    = 24
	reach   = 0.9
	decades = 4
)

// wager is what one outcome of each of the four kinds does to the logarithm of the wealth, for every λ of the grid.
type wager [grid][4]float64

type wealth [grid]float64 // logarithms

// outcomes lists the four values of Z in the order of the fields of Counts.
func outcomes(centre, share float64) [4]float64 {
	return [4]float64{
		(1 - centre) / share,
		-centre / share,
		-(1 - centre) / (1 - share),
		centre / (1 - share),
	}
}

// harmWager bets that the candidate is worse than stable.
func harmWager(m Metric, share float64) *wager {
	return newWager(outcomes(m.Centre, share))
}

// safeWager bets that the candidate is worse by less than the margin.
func safeWager(m Metric, share float64) *wager {
	z := outcomes(m.Centre, share)
	for k := range z {
		z[k] = m.Margin - z[k]
	}
	return newWager(z)
}

// lambdas is the grid relative to its largest λ.
var lambdas = func() (s [grid]float64) {
	for i := range s {
		s[i] = math.Pow(10, -decades*float64(i)/(grid-1))
	}
	return s
}()

// newWager takes the brackets, what a bet of 1 on an outcome adds to the wealth. The smallest is negative.
func newWager(bracket [4]float64) *wager {
	worst := min(bracket[0], bracket[1], bracket[2], bracket[3])
	w := &wager{}
	for i := range w {
		lambda := reach / -worst * lambdas[i]
		for k, b := range bracket {
			w[i][k] = math.Log1p(lambda * b)
		}
	}
	return w
}

// settle pays the bets on what was counted.
func (w *wager) settle(to *wealth, c Counts) {
	n := [4]float64{float64(c.CandidateBad), float64(c.CandidateGood), float64(c.StableBad), float64(c.StableGood)}
	for i := range w {
		to[i] += n[0]*w[i][0] + n[1]*w[i][1] + n[2]*w[i][2] + n[3]*w[i][3]
	}
}

// log returns the logarithm of the mean wealth. It is rounded to a millionth: processors differ in the last digit of a
// logarithm, and a decision must not.
func (w *wealth) log() float64 {
	most := w[0]
	for _, l := range w {
		most = max(most, l)
	}
	var sum float64
	for _, l := range w {
		sum += math.Exp(l - most)
	}
	return rounded(most + math.Log(sum/grid))
}

func rounded(x float64) float64 { return math.Round(x*1e6) / 1e6 }
