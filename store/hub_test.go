package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/ishaa-framework/ishaa/store"
)

// engineLog is what a hub asked its engine for.
type engineLog struct {
	mu    sync.Mutex
	calls []string
	fail  error
}

func (e *engineLog) listen(_ context.Context, topic string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, "listen "+topic)
	return e.fail
}

func (e *engineLog) unlisten(topic string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, "unlisten "+topic)
}

func (e *engineLog) said(t *testing.T, want ...string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Equal(e.calls, want) {
		t.Errorf("the engine was asked %q, want %q", e.calls, want)
	}
	e.calls = nil
}

func mustSubscribe(t *testing.T, hub *store.Hub, ctx context.Context, topic string) store.Subscription {
	t.Helper()
	sub, err := hub.Subscribe(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// waiting gives what is there to be read, markers as their reason.
func waiting(sub store.Subscription) []string {
	var list []string
	for {
		select {
		case m, open := <-sub.Messages():
			switch {
			case !open:
				return append(list, "end")
			case m.Gap != nil:
				list = append(list, m.Gap.Error())
			default:
				list = append(list, string(m.Data))
			}
		default:
			return list
		}
	}
}

func hears(t *testing.T, sub store.Subscription, want ...string) {
	t.Helper()
	if got := waiting(sub); !slices.Equal(got, want) {
		t.Errorf("the subscriber hears %q, want %q", got, want)
	}
}

var (
	away = store.ErrUnavailable.Error()
	slow = store.ErrSlow.Error()
)

func TestHubListensOnce(t *testing.T) {
	engine := &engineLog{}
	hub := store.NewHub(engine.listen, engine.unlisten)
	first := mustSubscribe(t, hub, t.Context(), "t")
	second := mustSubscribe(t, hub, t.Context(), "t")
	engine.said(t, "listen t", "listen t") // the second to know that it comes after
	if got := hub.Topics(); !slices.Equal(got, []string{"t"}) {
		t.Errorf("topics %q", got)
	}
	first.Close()
	first.Close()
	engine.said(t)
	second.Close()
	engine.said(t, "unlisten t")
	if got := hub.Topics(); len(got) != 0 {
		t.Errorf("topics %q", got)
	}
	engine.fail = errors.New("away")
	if _, err := hub.Subscribe(t.Context(), "u"); err != engine.fail {
		t.Errorf("the error is %v", err)
	}
	engine.said(t, "listen u", "unlisten u")
}

func TestHubMarksGaps(t *testing.T) {
	hub := store.NewHub(nil, nil)
	a, b := mustSubscribe(t, hub, t.Context(), "a"), mustSubscribe(t, hub, t.Context(), "b")
	hub.Deliver("a", []byte("1"))
	hub.Resumed() // nothing was lost
	hub.Lost()
	hub.Lost()
	if a.Live() || b.Live() {
		t.Error("a subscription without a connection is live")
	}
	late := mustSubscribe(t, hub, t.Context(), "a")
	if late.Live() {
		t.Error("a subscription without a connection is live")
	}
	hub.Resumed()
	hub.Resumed()
	hub.Deliver("a", []byte("2"))
	hears(t, a, "1", away, "2")
	hears(t, b, away)
	hears(t, late, away, "2")
	if !a.Live() || !b.Live() || !late.Live() {
		t.Error("not live again")
	}
	t.Run("of one topic", func(t *testing.T) {
		hub.Lost("a")
		if a.Live() || !b.Live() {
			t.Errorf("a is live: %v, b: %v", a.Live(), b.Live())
		}
		hub.Resumed("a")
		hears(t, a, away)
		hears(t, b)
	})
}

// However much a subscriber misses, and however it reads, a marker stands at each
// place where something is missing, and what it hears is in order.
func TestHubMarksWhatTheSlowMiss(t *testing.T) {
	for _, reads := range []int{0, 1, 2, 3, 5, 1500} {
		t.Run(fmt.Sprint("reading ", reads, " after each 3"), func(t *testing.T) {
			hub := store.NewHub(nil, nil)
			sub := mustSubscribe(t, hub, t.Context(), "t")
			last, marked, heard := -1, false, 0
			read := func() bool {
				select {
				case m := <-sub.Messages():
					if m.Gap != nil {
						marked = true
						return true
					}
					var n int
					fmt.Sscan(string(m.Data), &n)
					if n <= last || n != last+1 && !marked {
						t.Fatalf("heard %d after %d, marked: %v", n, last, marked)
					}
					last, marked = n, false
					heard++
					return true
				default:
					return false
				}
			}
			const sent = 9000
			for n := range sent {
				hub.Deliver("t", fmt.Append(nil, n))
				for i := 0; n%3 == 2 && i < reads && read(); i++ {
				}
			}
			for read() {
			}
			if last != sent-1 && !marked {
				t.Errorf("the end is missing after %d and not marked", last)
			}
			if reads >= 3 && heard != sent || heard < store.Backlog {
				t.Errorf("heard %d of %d", heard, sent)
			}
		})
	}
	t.Run("an outage on top is covered by the marker", func(t *testing.T) {
		hub := store.NewHub(nil, nil)
		sub := mustSubscribe(t, hub, t.Context(), "t")
		for range store.Backlog + 5 {
			hub.Deliver("t", []byte("x"))
		}
		hub.Lost()
		hub.Resumed()
		got := waiting(sub)
		if len(got) != store.Backlog+1 || got[store.Backlog] != slow || !sub.Live() {
			t.Errorf("%d heard, the last is %q, live: %v", len(got), got[len(got)-1], sub.Live())
		}
	})
}

func TestHubEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &engineLog{}
		hub := store.NewHub(engine.listen, engine.unlisten)
		ctx, cancel := context.WithCancel(t.Context())
		byContext := mustSubscribe(t, hub, ctx, "t")
		byClose := mustSubscribe(t, hub, t.Context(), "t")
		cancel()
		synctest.Wait()
		hears(t, byContext, "end")
		if !errors.Is(byContext.Err(), context.Canceled) || byContext.Live() {
			t.Errorf("it ended with %v, live: %v", byContext.Err(), byContext.Live())
		}
		hub.Deliver("t", nil)
		hub.Close()
		hub.Close()
		hears(t, byClose, "", "end")
		if !errors.Is(byClose.Err(), store.ErrClosed) {
			t.Errorf("it ended with %v", byClose.Err())
		}
		hub.Deliver("t", []byte("nobody"))
		hub.Resumed()
		if _, err := hub.Subscribe(t.Context(), "t"); !errors.Is(err, store.ErrClosed) {
			t.Errorf("subscribing gives %v", err)
		}
		engine.said(t, "listen t", "listen t") // closing the engine ends the rest
	})
}

// A topic that is given up and taken up at once is listened to in the end.
func TestHubTakesUpAgain(t *testing.T) {
	var mu sync.Mutex
	listening := map[string]bool{}
	hub := store.NewHub(func(_ context.Context, topic string) error {
		mu.Lock()
		defer mu.Unlock()
		listening[topic] = true
		return nil
	}, func(topic string) {
		mu.Lock()
		defer mu.Unlock()
		listening[topic] = false
	})
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for n := range 200 {
				topic := fmt.Sprint((i + n) % 3)
				sub, err := hub.Subscribe(t.Context(), topic)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if !listening[topic] {
					t.Error("a subscription that nobody listens for")
				}
				mu.Unlock()
				sub.Close()
			}
		})
	}
	running.Wait()
	for topic, still := range listening {
		if still {
			t.Errorf("%s is still listened to", topic)
		}
	}
}
