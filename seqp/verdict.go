package seqp

// Outcome is what a check came to.
type Outcome string

// The outcomes, from the best.
const (
	Pass         Outcome = "pass"
	Inconclusive Outcome = "inconclusive" // there is not enough to say so: measure more, or let a person decide
	Fail         Outcome = "fail"
)

// Finding is one reason of a verdict.
type Finding struct {
	Check   string  `json:"check"` // tests, coverage, mutation, benchmark, errors or latency
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"` // with the numbers
}

// Verdict is the answer to "may this go out?". Its outcome is the worst of its findings.
type Verdict struct {
	Outcome  Outcome   `json:"outcome"`
	Findings []Finding `json:"findings"`
}

// add takes a finding in.
func (v *Verdict) add(check string, outcome Outcome, text string) {
	v.Findings = append(v.Findings, Finding{check, outcome, text})
	switch {
	case outcome == Fail, v.Outcome == Fail:
		v.Outcome = Fail
	case outcome == Inconclusive:
		v.Outcome = Inconclusive
	}
}
