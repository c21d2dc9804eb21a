package evidence

import (
	"fmt"
	"math"
)

// After a promotion: detect, then attribute. The new arm has 95 % of the traffic and there is little to compare it
// with, so each metric is watched alone by a cumulative sum (Page 1954) of log-likelihood ratios, of p1 against the
// certified p0:
//
//	S ← max(0, S + bad·ln(p1/p0) + good·ln((1−p1)/(1−p0))),   alarm at S > h
//
// An alarm says that something got worse, not what. The arms are then put at 50 to 50 and compared by a fresh harm
// test: the candidate's fault shows within hundreds of requests, an outage of the database hits both alike and shows
// nothing in 20,000, and then the world did it.
//
// Alarms may come again and again while the world stays bad, and each comparison could be wrong once, so the j-th of
// them gets α/(j(j+1)) of the chance of error: all together never more than α (Σ 1/(j(j+1)) = 1).

const (
	// worse is p1/p0, the size of deterioration that is found soonest.
	worse = 3
	// alarmAt is h: with p0 at the true rate a false alarm comes at most once in e^7 ≈ 1,100 departures of S from 0 (by
	// Wald's bound), and p0, certified, lies above the true rate.
	alarmAt = 7
	// comparison is how many requests of both arms a harm test gets: it finds 0.4 % errors against 0.05 % in 97 %, and
	// what it missed alarms again.
	comparison = 20_000
	// evenly is the share of each arm in a comparison, where it is the most sensitive.
	evenly = 0.5
)

// GuardRule watches a promoted arm.
type GuardRule struct {
	Metrics []Metric `json:"metrics"`
	// Certified is the share of bad outcomes that each metric had been shown to stay below: stable's and the margin.
	// 0 is the metric's Centre and Margin together.
	Certified []float64 `json:"certified,omitempty"`
	// Alpha bounds the chance of ever rolling back an arm that is not worse. Default 0.05.
	Alpha float64 `json:"alpha,omitempty"`
}

// Phase is what a guard is doing.
type Phase string

const (
	Watching  Phase = "watching"  // the arm keeps its share
	Comparing Phase = "comparing" // something is worse; both arms must get half of the traffic
	Convicted Phase = "convicted" // the arm did it: roll back
)

// GuardState is all that a guard remembers. Its zero value begins to watch.
type GuardState struct {
	Phase  Phase     `json:"phase,omitempty"`
	Scores []float64 `json:"scores,omitempty"` // S of each metric
	Alarms int       `json:"alarms,omitempty"` // how often something got worse
	World  int       `json:"world,omitempty"`  // how often it was not the arm
	Counts []Counts  `json:"counts,omitempty"` // of the comparison
	Reason string    `json:"reason,omitempty"`
}

// Next returns the state after a window of traffic, in which the new arm, as the candidate, had the given share. While
// comparing, windows with another share than 0.5, still under way when the shares changed, are left out.
func (r GuardRule) Next(s GuardState, window Epoch) (GuardState, error) {
	if r.Alpha == 0 {
		r.Alpha = 0.05
	}
	rule := Rule{Metrics: r.Metrics, Alpha: r.Alpha}.withDefaults()
	if err := rule.check(State{Epochs: []Epoch{window}}); err != nil {
		return s, err
	}
	if len(r.Certified) != 0 && len(r.Certified) != len(r.Metrics) {
		return s, fmt.Errorf("evidence: %d certified shares for %d metrics", len(r.Certified), len(r.Metrics))
	}
	switch s.Phase {
	case Convicted:
	case Comparing:
		if window.Share == evenly {
			s = r.compare(s, window)
		}
	default:
		s = r.watch(s, window)
	}
	return s, nil
}

func (r GuardRule) watch(s GuardState, window Epoch) GuardState {
	next := GuardState{Phase: Watching, Alarms: s.Alarms, World: s.World, Scores: make([]float64, len(r.Metrics))}
	copy(next.Scores, s.Scores)
	for i, c := range window.Metrics {
		p0 := r.certified(i)
		next.Scores[i] = cusum(next.Scores[i], p0, c.CandidateBad, c.CandidateGood)
		if next.Scores[i] <= alarmAt {
			continue
		}
		return GuardState{
			Phase:  Comparing,
			Alarms: s.Alarms + 1,
			World:  s.World,
			Counts: make([]Counts, len(r.Metrics)),
			Reason: fmt.Sprintf("%s rose above the certified %.4g: comparing the arms", r.Metrics[i].Name, p0),
		}
	}
	return next
}

func (r GuardRule) compare(s GuardState, window Epoch) GuardState {
	s.Counts = grown(s.Counts, len(r.Metrics))
	alpha := r.Alpha / float64(s.Alarms*(s.Alarms+1))
	needed := rounded(math.Log(float64(len(r.Metrics)) / alpha))
	var requests uint64
	for i, m := range r.Metrics {
		s.Counts[i].plus(window.Metrics[i])
		requests = max(requests, s.Counts[i].Candidate()+s.Counts[i].Stable())
		var bets wealth
		harmWager(m, evenly).settle(&bets, s.Counts[i])
		if harm := bets.log(); harm >= needed {
			c := s.Counts[i]
			s.Phase = Convicted
			s.Reason = fmt.Sprintf("%s is worse: %.4g of the new arm's against %.4g (evidence %.1f, needed %.1f)",
				m.Name, share(c.CandidateBad, c.CandidateGood), share(c.StableBad, c.StableGood), harm, needed)
			return s
		}
	}
	if requests >= comparison {
		return GuardState{Phase: Watching, Alarms: s.Alarms, World: s.World + 1,
			Reason: fmt.Sprintf("no difference between the arms in %d requests: something outside them", requests)}
	}
	return s
}

func (r GuardRule) certified(i int) float64 {
	p := 0.0
	if len(r.Certified) > 0 {
		p = r.Certified[i]
	}
	if p <= 0 || p >= 1 {
		p = r.Metrics[i].Centre + r.Metrics[i].Margin
	}
	return p
}

// cusum adds outcomes whose order is not known. In one piece the sum returns to 0 less often than outcome by outcome,
// so it is never larger: batches alarm later, not falsely.
func cusum(s, p0 float64, bad, good uint64) float64 {
	p1 := min(worse*p0, (1+p0)/2) // a share of 0.4 cannot treble: halfway to 1
	return rounded(max(0, s+float64(bad)*math.Log(p1/p0)+float64(good)*math.Log((1-p1)/(1-p0))))
}
