package seqp

import (
	"fmt"
	"math"
)

// burst watches the share of errors of one route by a cumulative sum of log-likelihood ratios (Page 1954), of a bad rate
// p1 against the rate p0 that is taken for normal, request by request:
//
//	S ← max(0, S + errors·ln(p1/p0) + others·ln((1−p1)/(1−p0))),   alarm at S > 12, until S is 0 again
//
// A hundred requests a window with 5 % errors, where there were none, alarm with the second window. A false alarm at the
// normal rate itself comes at most once in e^12 ≈ 160,000 departures of S from 0, and p0 lies above that rate.
type burst struct {
	score       float64
	alarm       bool
	requests    float64 // of the normal, fading
	errors      float64
	badRequests float64 // since the score left 0
	badErrors   float64
}

const (
	burstAlarm = 12
	// burstMost caps the score, so that an outage of a day ends with it and not a day later.
	burstMost = 24
	// burstFloor is the least p0: a route without errors is not alarmed by its first.
	burstFloor = 0.002
	// burstSlack is p0 as a multiple of the rate so far, and burstWorse is p1 as a multiple of p0.
	burstSlack = 1.5
	burstWorse = 3
	// burstMemory is after how many requests the normal rate has forgotten half of what it knew.
	burstMemory = 100_000
)

// add takes a window. The least bad rate worth an alarm is half of the limit.
func (b *burst) add(w Window, limit float64) {
	if w.Requests == 0 || w.Errors > w.Requests {
		return
	}
	n, bad := float64(w.Requests), float64(w.Errors)
	p0 := min(max(burstSlack*b.base(), burstFloor), 0.25)
	p1 := min(max(burstWorse*p0, limit/2), 0.75)
	b.score += bad*math.Log(p1/p0) + (n-bad)*math.Log((1-p1)/(1-p0))
	b.score = min(max(b.score, 0), burstMost)
	if b.score == 0 {
		b.alarm, b.badRequests, b.badErrors = false, 0, 0
		fade := math.Exp2(-n / burstMemory)
		b.requests, b.errors = b.requests*fade+n, b.errors*fade+bad
		return
	}
	b.badRequests += n
	b.badErrors += bad
	b.alarm = b.alarm || b.score > burstAlarm
}

// base is the normal rate, rate the one since it got worse.
func (b *burst) base() float64 { return b.errors / max(b.requests, 1) }
func (b *burst) rate() float64 { return b.badErrors / max(b.badRequests, 1) }

func (b *burst) text() string {
	return fmt.Sprintf("%.2f %% of the requests end in 5xx, %.2f %% did before", 100*b.rate(), 100*b.base())
}
