package sare

// policy is all that the request path reads: one pointer to something that never changes. A nil policy is an engine that
// is off.
type policy struct {
	routes  routeTable
	plans   []*plan // by watched.index; nil is to leave a route alone
	limiter *limiter
	onTrial bool // some request may belong to a trial
}

// mode is what is done about a route's answers.
type mode uint8

const (
	watching mode = iota // nothing
	proving              // answers are looked at, none is given from memory
	trying               // half of the requests are answered from memory
	keeping              // all but the holdback
)

var modeNames = [...]string{"watching", "proving", "on trial", "kept"}

func (m mode) String() string { return modeNames[m] }

// plan is what is done with a route.
type plan struct {
	mode       mode
	traceBelow uint32 // while proving, lots up to here are looked at
	trial      *trial // or the holdback
	order      *orderPlan
	slots      *slotPlan
}
