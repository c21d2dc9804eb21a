package evidence

import "math"

// Sample-ratio mismatch: if the lot gives the candidate 20 % and it shows 19 % over a million requests, something else
// takes part in the choice (a crash before the count, a cache, a retry, a bot), and whatever it is differs between the
// arms. The comparison then means nothing, however significant.
//
// The assignment is Bernoulli(π). The bet against it spreads the stake over other probabilities θ by a beta
// distribution around π; the wealth is the ratio of the two likelihoods, which has a closed form (Lindon and Malek
// 2022, "Anytime-valid inference for multinomial count data", with two categories):
//
//	K = B(a + n_candidate, b + n_stable) / B(a, b) / (π^n_candidate (1 − π)^n_stable),   a = cπ, b = c(1 − π)

// concentration is c: θ strays about sqrt(π(1−π)/1000) from π, 1.6 points at 50 %, the size of mismatch that is found
// soonest. One half the size takes some five times the requests, a gross one about a hundred.
const concentration = 1000

// mismatch returns the logarithm of the e-value that the arms of some epoch did not get their shares. Epochs multiply.
func mismatch(epochs []Epoch) float64 {
	var log float64
	for _, e := range epochs {
		c, s := float64(e.Assigned.Candidate), float64(e.Assigned.Stable)
		a, b := concentration*e.Share, concentration*(1-e.Share)
		log += logBeta(a+c, b+s) - logBeta(a, b) - c*math.Log(e.Share) - s*math.Log1p(-e.Share)
	}
	return rounded(log)
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}
