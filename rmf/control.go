package rmf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ishaa-framework/ishaa/internal/evidence"
)

// note is what the ledger says of a person's decision.
type note struct {
	To     Stage  `json:"to"`
	Reason string `json:"reason"`
	By     string `json:"by"`
}

// Promote makes a reality the stable one now, whatever the evidence says. The one before is guarding it and can be
// brought back by one call. An experiment is named as Stats names it, or by its route's pattern or name.
func (m *Realities) Promote(ctx context.Context, experiment, reality, reason string) error {
	return m.decide(ctx, experiment, reality, reason, func(t *trial, st *state) (ruling, error) {
		if st.Stable == reality {
			return ruling{}, fmt.Errorf("rmf: %s: %q is the stable reality already", experiment, reality)
		}
		return ruling{To: StageGuard}, nil
	})
}

// Rollback takes a reality out of service: a candidate gets no traffic any more, and a reality that was promoted gives
// its place back to the one before. With "" for the reality it is the one that was promoted, or else the only candidate.
func (m *Realities) Rollback(ctx context.Context, experiment, reality, reason string) error {
	return m.decide(ctx, experiment, reality, reason, func(t *trial, _ *state) (ruling, error) {
		if t.Stage == StageRolledBack {
			return ruling{}, fmt.Errorf("rmf: %s: it is rolled back already", experiment)
		}
		return ruling{To: StageRolledBack}, nil
	})
}

// Pause takes a candidate's traffic away and keeps what is known about it.
func (m *Realities) Pause(ctx context.Context, experiment, reality, reason string) error {
	return m.decide(ctx, experiment, reality, reason, func(t *trial, st *state) (ruling, error) {
		switch t.Stage {
		case StageDraft, StageShadow, StageCanary:
			return ruling{To: StagePaused, Step: t.Step}, nil
		}
		return ruling{}, fmt.Errorf("rmf: %s: a reality that is %s cannot be paused; roll it back instead", experiment, t.Stage)
	})
}

// Resume goes on where Pause, or a mismatch of the shares, has stopped.
func (m *Realities) Resume(ctx context.Context, experiment, reality, reason string) error {
	return m.decide(ctx, experiment, reality, reason, func(t *trial, _ *state) (ruling, error) {
		if t.Stage != StagePaused {
			return ruling{}, fmt.Errorf("rmf: %s: a reality that is %s cannot be resumed", experiment, t.Stage)
		}
		return ruling{To: t.Paused, Step: t.Step}, nil
	})
}

// decide puts a person's decision into effect, on all nodes.
func (m *Realities) decide(ctx context.Context, experiment, reality, reason string, rule func(*trial, *state) (ruling, error)) error {
	e, err := m.find(experiment)
	if err != nil {
		return err
	}
	n := m.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.open(); err != nil {
		return err
	}
	for range 100 {
		st, raw, err := n.vault.state(ctx, e.name)
		if err != nil {
			return err
		}
		now := m.app.Clock().Now()
		if st == nil {
			if err := n.begin(ctx, e); err != nil {
				return err
			}
			continue
		}
		name, err := e.meant(st, reality)
		if err != nil {
			return err
		}
		r, err := rule(st.Trials[name], st)
		if err != nil {
			return err
		}
		r.Reason = "decided by a person"
		if reason != "" {
			r.Reason += ": " + reason
		}
		next := e.transition(st, name, r, now)
		outcome, err := json.Marshal(note{r.To, r.Reason, "person"})
		if err != nil {
			return err
		}
		entry := &evidence.Entry{At: now, Kind: "rmf.person", Subject: e.name + " " + name, Outcome: outcome}
		raw, done, err := n.vault.swap(ctx, raw, next, entry)
		if err != nil {
			return err
		}
		if done {
			e.adopt(next, raw, now)
			n.announce(e, name, next, entry)
			return nil
		}
	}
	return errors.New("rmf: the state changes faster than it can be read; try again")
}

// meant returns the reality that is meant, "" being the only one that can be.
func (e *experiment) meant(st *state, name string) (string, error) {
	if name != "" {
		if _, ok := e.indexOf(name); !ok {
			return "", e.unknown(name)
		}
		if st.Trials[name] == nil {
			return "", fmt.Errorf("rmf: %s: %q is no candidate: it is what the others are compared with, or has a window", e.name, name)
		}
		return name, nil
	}
	if st.Trials[st.Stable] != nil {
		return st.Stable, nil
	}
	for candidate, t := range st.Trials {
		if t.Stage == StageRolledBack || t.Stage == StageInconclusive {
			continue
		}
		if name != "" {
			return "", fmt.Errorf("rmf: %s has several candidates; name one of them", e.name)
		}
		name = candidate
	}
	if name == "" {
		return "", fmt.Errorf("rmf: %s has no candidate", e.name)
	}
	return name, nil
}

// WriteLedger makes every decision about an experiment again, from what was known then, and writes them as lines of
// JSON, each with a checksum. A decision that would be another one today is an error.
func (m *Realities) WriteLedger(ctx context.Context, experiment string, out io.Writer) error {
	e, err := m.find(experiment)
	if err != nil {
		return err
	}
	if err := m.node.open(); err != nil {
		return err
	}
	entries, err := m.node.vault.entries(ctx, e.name)
	if err != nil {
		return err
	}
	lines, err := evidence.Replay(entries, judge)
	if err != nil {
		return fmt.Errorf("rmf: the ledger of %s: %w", e.name, err)
	}
	_, err = out.Write(lines)
	return err
}

// Ask tells in which reality the lot puts a subject: a user as Options.Subject names one. It counts nothing, and knows
// nothing of headers, cookies and rules. Package rmf/openfeature makes a provider of it.
func (m *Realities) Ask(experiment, subject string) (reality string, err error) {
	e, err := m.find(experiment)
	if err != nil {
		return "", err
	}
	if m.options.Unit == ByRequest {
		return "", fmt.Errorf("rmf: %s draws a lot for each request, so no subject is in a reality", e.name)
	}
	if e.policy.Load() == nil {
		return "", errors.New("rmf: the application has not started")
	}
	p := e.current(func() time.Time { return m.app.Clock().Now() })
	i := p.forced
	if i < 0 {
		i = p.choose(Bucket(p.lot, "u:"+subject))
	}
	if i < 0 {
		return "", fmt.Errorf("rmf: %s has no reality that is active now", e.name)
	}
	return e.realities[i].name, nil
}
