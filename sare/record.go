package sare

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// Every decision that the evidence made is an entry of the ledger, with the rule and the counters it rests on: the same
// counters give the same decision, and Replay shows it. What merely happened is a note.

// judges decide the kinds of entries there are.
func judges() []evidence.Judge {
	return []evidence.Judge{
		evidence.JudgeOf("sare.proof", decideProof),
		evidence.JudgeOf("sare.trial", decidePay),
		evidence.JudgeOf("sare.order", planOrder),
	}
}

// Note is something that happened to a route or to the engine, in words.
type Note struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

const (
	notesKept     = 50 // for each route
	decisionsKept = 200
)

// note writes down what happened.
func (e *Engine) note(now time.Time, subject, what string) {
	list := append(e.notes[subject], Note{now, what})
	e.notes[subject] = slices.Delete(list, 0, max(0, len(list)-notesKept))
	if e.ledger != nil {
		entry, err := e.ledger.Note(now, "sare.note", subject, what)
		e.noted(entry, err)
		return
	}
	outcome, err := json.Marshal(what)
	e.noted(evidence.Entry{At: now, Kind: "sare.note", Subject: subject, Outcome: outcome}, err)
}

// decideNow has the ledger make a decision, from the rule and the evidence as they are written down.
func (e *Engine) decideNow(now time.Time, kind, subject string, rule, seen any) {
	if e.ledger != nil {
		entry, err := e.ledger.Decide(now, kind, subject, rule, seen)
		e.noted(entry, err)
		return
	}
	entry := evidence.Entry{At: now, Kind: kind, Subject: subject}
	var errs [3]error
	entry.Rule, errs[0] = json.Marshal(rule)
	entry.Evidence, errs[1] = json.Marshal(seen)
	switch kind {
	case "sare.proof":
		entry.Outcome, errs[2] = outcomeOf(decideProof(rule.(proofRule), seen.(proof)))
	case "sare.trial":
		entry.Outcome, errs[2] = outcomeOf(decidePay(rule.(payRule), seen.(evidence.State)))
	case "sare.order":
		entry.Outcome, errs[2] = outcomeOf(planOrder(rule.(orderRule), seen.(orderEvidence)))
	}
	e.noted(entry, errors.Join(errs[:]...))
}

func outcomeOf[T any](outcome T, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(outcome)
}

func (e *Engine) noted(entry evidence.Entry, err error) {
	if err != nil {
		e.app.Logger().Warn("a decision could not be recorded", "engine", "sare", "subject", entry.Subject, "error", err)
		return
	}
	if entry.Seq == 0 && len(e.decisions) > 0 {
		entry.Seq = e.decisions[len(e.decisions)-1].Seq + 1
	} else if entry.Seq == 0 {
		entry.Seq = 1
	}
	e.decisions = append(e.decisions, entry)
	e.decisions = slices.Delete(e.decisions, 0, max(0, len(e.decisions)-decisionsKept))
}

// What outlives the process: how each route stands, and what trials gained.

const (
	saveEvery  = 30 * time.Second
	stateFile  = "sare-state.json"
	ledgerFile = "sare-ledger.jsonl"
)

// learnt is how a route stood.
type learnt struct {
	Phase    string          `json:"phase"` // kept, off or never
	Failures int             `json:"failures,omitempty"`
	Until    time.Time       `json:"until,omitzero"`
	Why      string          `json:"why,omitempty"`
	Frozen   evidence.Frozen `json:"frozen,omitzero"`
}

// saved is the file.
type saved struct {
	Build  string            `json:"build"`
	At     time.Time         `json:"at"`
	Bandit evidence.Bandit   `json:"bandit"`
	Routes map[string]learnt `json:"routes"`
}

func (e *Engine) openFolder() error {
	dir := e.options.Dir
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sare: Options.Dir: %w", err)
	}
	ledger, err := evidence.OpenLedger(filepath.Join(dir, ledgerFile), judges()...)
	if err != nil {
		return fmt.Errorf("sare: the ledger in Options.Dir cannot be used; move it away to begin another: %w", err)
	}
	e.ledger = ledger
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var state saved
	if err == nil {
		err = json.Unmarshal(data, &state)
	}
	if err != nil { // knowledge, not truth: begin anew
		e.app.Logger().Warn("what an earlier process learnt cannot be read", "engine", "sare", "error", err)
		return nil
	}
	e.bandit = state.Bandit
	if state.Build != buildID() {
		e.note(e.app.Clock().Now(), "engine", "another build than the one before: every route is proven anew")
		return nil
	}
	e.learnt = state.Routes
	for _, w := range e.all() {
		e.recall(w)
	}
	return nil
}

// recall takes up how a route stood in an earlier process of the same build.
func (e *Engine) recall(w *watched) {
	was, known := e.learnt[w.name]
	if !known || w.memo == nil {
		return
	}
	w.s.failures = was.Failures
	switch was.Phase {
	case "off":
		w.s.until, w.s.why = was.Until, was.Why
	case "never":
		w.s.forever, w.s.why = true, was.Why
	}
}

// warm begins the trial of a route that was remembered by an earlier process of the same build.
func (e *Engine) warm(w *watched, now time.Time) bool {
	was, known := e.learnt[w.name]
	if !known || was.Phase != "kept" || was.Frozen.Q50 <= 0 {
		return false
	}
	delete(e.learnt, w.name)
	s := &w.s
	s.phase, s.since = trying, now
	w.memo.counts.beginPhase()
	w.memo.open.Store(true)
	t := newTrial(w.name+" memory", now, was.Frozen)
	e.nodes.agree(t)
	s.plan = s.with(func(p *plan) { p.mode, p.trial = trying, t })
	e.trials.begun++
	e.note(now, w.name, "memory: an earlier process kept it; it is on trial again")
	return true
}

func (e *Engine) save() error {
	if e.options.Dir == "" || e.ledger == nil {
		return nil
	}
	state := saved{Build: buildID(), At: e.app.Clock().Now(), Bandit: e.bandit, Routes: map[string]learnt{}}
	for name, was := range e.learnt { // of routes that no request has come to yet
		state.Routes[name] = was
	}
	for _, w := range e.all() {
		s := &w.s
		switch {
		case w.memo == nil:
		case s.forever:
			state.Routes[w.name] = learnt{Phase: "never", Failures: s.failures, Why: s.why}
		case s.phase == keeping && s.plan != nil && s.plan.trial != nil:
			state.Routes[w.name] = learnt{Phase: "kept", Failures: s.failures, Why: s.why, Frozen: s.plan.trial.frozen}
		case !s.until.IsZero():
			state.Routes[w.name] = learnt{Phase: "off", Failures: s.failures, Until: s.until, Why: s.why}
		}
	}
	data, err := json.MarshalIndent(state, "", "\t")
	if err != nil {
		return err
	}
	path := filepath.Join(e.options.Dir, stateFile)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (e *Engine) closeFolder() error {
	if e.ledger == nil {
		return nil
	}
	err := e.ledger.Close()
	e.ledger = nil
	return err
}
