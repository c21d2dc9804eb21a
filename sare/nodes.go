package sare

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/evidence"
	"github.com/ishaa-framework/ishaa/store"
)

// Many nodes. What one writes, the others hear, and then do not answer from memory what they remember of those tables;
// while a node cannot hear, it remembers such answers for a second at most. Trials of one adaptation are one trial: the
// nodes share what counts as slow, each reports its counters, and the holder of a lease decides on their sum.

// farWrites counts what other nodes wrote, by source and table.
type farWrites struct {
	any    atomic.Bool // false until the first: then no look-up is needed
	mu     sync.RWMutex
	all    uint64 // what was missed: everything may have been written
	counts map[[2]string]uint64
}

func (f *farWrites) of(source, name string) uint64 {
	if !f.any.Load() {
		return 0
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	// Keys are the whole source, the table, and for who depends on the whole source, any table of it.
	n := f.all + f.counts[[2]string{source, ""}]
	if name != "" {
		return n + f.counts[[2]string{source, name}]
	}
	return n + f.counts[[2]string{source, "\x00any"}]
}

func (f *farWrites) wrote(source, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = map[[2]string]uint64{}
	}
	f.counts[[2]string{source, name}]++
	if name != "" {
		f.counts[[2]string{source, "\x00any"}]++
	}
	f.any.Store(true)
}

func (f *farWrites) missed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all++
	f.any.Store(true)
}

// nodes is this node among the others. Without a store there are none.
type nodes struct {
	e      *Engine
	store  store.Store
	sub    store.Subscription
	unhook func()
	wg     sync.WaitGroup
	leader bool

	mu      sync.Mutex
	pending map[[2]string]struct{}
	off     map[string]struct{}
	wake    chan struct{}
	done    chan struct{}
}

const (
	unheardTTL = time.Second
	askStore   = 2 * time.Second
	trialTTL   = time.Hour
)

func newNodes(e *Engine) *nodes {
	return &nodes{e: e, store: e.options.Store, pending: map[[2]string]struct{}{}, off: map[string]struct{}{}, wake: make(chan struct{}, 1)}
}

// message is what nodes tell each other at once.
type message struct {
	Node   string      `json:"n"`
	Tables [][2]string `json:"t,omitempty"`
	Off    []string    `json:"off,omitempty"` // routes of which a wrong answer was found in memory
}

func (n *nodes) name(parts ...string) string {
	key := "sare:" + n.e.app.Name()
	for _, part := range parts {
		key += ":" + part
	}
	return key
}

func (n *nodes) start(ctx context.Context) error {
	if n.store == nil {
		return nil
	}
	sub, err := n.store.Subscribe(ctx, n.name("news"))
	if err != nil {
		return err
	}
	n.sub, n.done = sub, make(chan struct{})
	n.unhook = effect.Watch(func(source, table string) {
		n.mu.Lock()
		n.pending[[2]string{source, table}] = struct{}{}
		n.mu.Unlock()
		n.nudge()
	})
	n.wg.Go(n.listen)
	n.wg.Go(func() { n.send(ctx) })
	return nil
}

func (n *nodes) stop() {
	if n.sub == nil {
		return
	}
	n.unhook()
	close(n.done)
	_ = n.sub.Close() // nothing is lost by it
	n.wg.Wait()
	n.sub = nil
}

func (n *nodes) nudge() {
	select {
	case n.wake <- struct{}{}:
	default: // the sender has been woken already
	}
}

// send tells the others what was written here.
func (n *nodes) send(ctx context.Context) {
	for {
		select {
		case <-n.done:
			return
		case <-n.wake:
		}
		n.mu.Lock()
		m := message{Node: n.e.options.Node}
		for t := range n.pending {
			m.Tables = append(m.Tables, t)
		}
		for name := range n.off {
			m.Off = append(m.Off, name)
		}
		clear(n.pending)
		clear(n.off)
		n.mu.Unlock()
		if len(m.Tables) == 0 && len(m.Off) == 0 {
			continue
		}
		data, err := json.Marshal(m)
		if err == nil {
			within, cancel := context.WithTimeout(context.WithoutCancel(ctx), askStore)
			err = n.store.Publish(within, n.name("news"), data)
			cancel()
		}
		if err != nil {
			n.e.app.Logger().Warn("other nodes could not be told of a write; they find out when their answers' time is up",
				"engine", "sare", "error", err)
		}
	}
}

// listen hears what the others tell.
func (n *nodes) listen() {
	for m := range n.sub.Messages() {
		if m.Gap != nil {
			n.e.far.missed()
			continue
		}
		var news message
		if json.Unmarshal(m.Data, &news) != nil {
			n.e.far.missed() // of another version: who knows what it said
			continue
		}
		if news.Node == n.e.options.Node {
			continue
		}
		for _, t := range news.Tables {
			n.e.far.wrote(t[0], t[1])
		}
		for _, name := range news.Off {
			for _, w := range n.e.all() {
				if w.name == name && w.memo != nil {
					w.memo.offend("node "+news.Node+" found a wrong answer in its memory", false)
				}
			}
		}
	}
}

// limit is until when an entry may be given out.
func (n *nodes) limit(hard time.Time, e *entry) time.Time {
	if n.store == nil || len(e.tables) == 0 || n.sub == nil || n.sub.Live() {
		return hard
	}
	if unheard := e.stored.Add(unheardTTL); unheard.Before(hard) {
		return unheard
	}
	return hard
}

// announce tells the others that a route's memory was wrong.
func (n *nodes) announce(w *watched) {
	if n.store == nil {
		return
	}
	n.mu.Lock()
	n.off[w.name] = struct{}{}
	n.mu.Unlock()
	n.nudge()
}

// sharedTrial is what nodes agree on about one trial.
type sharedTrial struct {
	ID     string          `json:"id"`
	Frozen evidence.Frozen `json:"frozen"`
	Began  time.Time       `json:"began"`
}

// agree has a trial judged by what the first node to begin it called slow, and adds its counters to the others'.
func (n *nodes) agree(t *trial) {
	if n.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(n.e.life, askStore)
	defer cancel()
	mine := sharedTrial{ID: strconv.FormatInt(t.began.UnixNano(), 36), Frozen: t.frozen, Began: t.began}
	data, err := json.Marshal(mine)
	if err != nil {
		return
	}
	key := n.name("trial", t.subject)
	if first, err := n.store.CompareAndSwap(ctx, key, nil, data, trialTTL); err != nil || first {
		if err == nil {
			t.shared = mine.ID
		}
		return
	}
	theirs, err := n.store.Get(ctx, key)
	if err != nil {
		return
	}
	var other sharedTrial
	if json.Unmarshal(theirs, &other) == nil && other.Frozen.Q50 > 0 {
		t.frozen, t.began, t.shared = other.Frozen, other.Began, other.ID
	}
}

// merged is what a trial counted, on all nodes. It is not decided here while another node has the lease.
func (n *nodes) merged(t *trial, now time.Time) (seen evidence.State, decide bool) {
	seen = t.state(now)
	if n.store == nil || t.shared == "" {
		return seen, true
	}
	ctx, cancel := context.WithTimeout(n.e.life, askStore)
	defer cancel()
	prefix := n.name("counts", t.shared, t.subject) + ":"
	data, err := json.Marshal(seen.Epochs[0])
	if err == nil {
		err = n.store.Set(ctx, prefix+n.e.options.Node, data, trialTTL)
	}
	if err != nil {
		return seen, true // this node alone, until the store answers
	}
	var verdict payVerdict
	if data, err := n.store.Get(ctx, n.name("verdict", t.shared, t.subject)); err == nil && json.Unmarshal(data, &verdict) == nil {
		t.verdict = &verdict
		return seen, true
	}
	if !n.leader {
		return seen, false
	}
	var tally evidence.Tally
	for key, err := range n.store.Scan(ctx, prefix) {
		if err != nil {
			return seen, false
		}
		data, err := n.store.Get(ctx, key)
		if err != nil {
			continue // its time was up
		}
		var epoch evidence.Epoch
		if json.Unmarshal(data, &epoch) == nil && len(epoch.Metrics) == 4 {
			tally.Report(key, epoch)
		}
	}
	seen.Epochs = tally.Epochs()
	return seen, true
}

// settle tells the others how a trial ended.
func (n *nodes) settle(t *trial, verdict payVerdict) {
	if n.store == nil || t.shared == "" || t.verdict != nil {
		return
	}
	ctx, cancel := context.WithTimeout(n.e.life, askStore)
	defer cancel()
	data, err := json.Marshal(verdict)
	if err == nil {
		err = errors.Join(n.store.Set(ctx, n.name("verdict", t.shared, t.subject), data, trialTTL),
			n.store.Delete(ctx, n.name("trial", t.subject)))
	}
	if err != nil {
		n.e.app.Logger().Warn("other nodes could not be told how a trial ended", "engine", "sare", "error", err)
	}
}

// exchange takes or keeps the lease.
func (n *nodes) exchange(time.Time) {
	if n.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(n.e.life, askStore)
	defer cancel()
	key, me := n.name("lease"), []byte(n.e.options.Node)
	ttl := max(3*n.e.options.OptimizeInterval, 2*time.Second)
	if n.leader {
		n.leader, _ = n.store.CompareAndSwap(ctx, key, me, me, ttl) // an error is not to lead
		return
	}
	n.leader, _ = n.store.CompareAndSwap(ctx, key, nil, me, ttl)
}
