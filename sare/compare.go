package sare

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// The third gate, while a route is remembered: some of its hits are answered again by the handler, in shadow, where
// nothing may change. A difference ends it, and so does anything the handler would have done to the world: a GET that
// writes would no longer write.

// Work in the background is bounded; what finds no place is left out.
const (
	pauseProving = 1 // times what a comparison took
	pauseKept    = 9

	backgroundSlots = 16
	backgroundTime  = 10 * time.Second
)

// background runs work on a goroutine that Stop waits for, or not at all.
func (e *Engine) background(work func(ctx context.Context)) bool {
	select {
	case e.slots <- struct{}{}:
	default:
		return false
	}
	e.workMu.Lock()
	defer e.workMu.Unlock()
	if e.stopped || e.life == nil {
		<-e.slots
		return false
	}
	e.work.Go(func() {
		defer func() { <-e.slots }()
		ctx, cancel := context.WithTimeout(e.life, backgroundTime)
		defer cancel()
		work(ctx)
	})
	return true
}

// compareAgain has the handler answer a request again, in shadow, and compares.
// One at a time for each route; and after each there is a pause, of so many times what it took, so that comparing never
// takes more than its share of a slow handler's time.
func (m *memo) compareAgain(r *ishaa.Request, was *entry, next ishaa.Handler, pause time.Duration) {
	clock := m.e.app.Clock()
	if clock.Now().UnixNano() < m.compareFrom.Load() || !m.comparing.CompareAndSwap(false, true) {
		return
	}
	snapshot, err := r.Snapshot(0)
	if err != nil {
		m.comparing.Store(false)
		return
	}
	started := m.e.background(func(ctx context.Context) {
		begin := clock.Now()
		defer func() {
			end := clock.Now()
			m.compareFrom.Store(end.Add(pause * end.Sub(begin)).UnixNano())
			m.comparing.Store(false)
		}()
		var acts atomic.Pointer[effect.Intent]
		shadow := effect.WithShadow(ctx, effect.RecorderFunc(func(i effect.Intent) { acts.Store(&i) }))
		answer, err := snapshot.Run(shadow, next)
		if ctx.Err() != nil || !m.open.Load() {
			return
		}
		if act := acts.Load(); act != nil {
			m.offend("the handler changes something ("+act.Kind+" "+act.Target+"), which an answer from memory would not", true)
			return
		}
		if errors.Is(err, ishaa.ErrStreamed) || err == nil && answer.Status() < 500 {
			if !unchanged(&m.e.far, was.tables) {
				return // it may be right that they differ
			}
			if err != nil || !sameAnswer(answer, answer.Header(), was) {
				m.offend("an answer from memory was not what the handler gives", false)
				return
			}
			m.counts.clean.Add(1)
			m.counts.shadows.Add(1)
			return
		}
		m.counts.failed.Add(1)
	})
	if !started {
		m.comparing.Store(false)
	}
}

// refresh makes an answer anew in the background while the old one is given out.
func (m *memo) refresh(r *ishaa.Request, l *leaf, next ishaa.Handler) {
	if !l.refreshing.CompareAndSwap(false, true) {
		return
	}
	snapshot, err := r.Snapshot(0)
	if err != nil {
		l.refreshing.Store(false)
		return
	}
	before := l.entry.Load()
	started := m.e.background(func(ctx context.Context) {
		defer l.refreshing.Store(false)
		// Its error is the handler's: the answer stays for as long as it may, and then a request gets the error itself.
		_, _ = snapshot.Run(ctx, func(copied *ishaa.Request) (any, error) {
			value, _, err := m.compute(copied, next, before)
			return value, err
		})
	})
	if !started {
		l.refreshing.Store(false)
	}
}
