package websocket

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// link is a node's connection with the other nodes of a room, from its first member
// to its last. Three goroutines belong to it: one takes messages from the store as
// they come, so that none is lost while the members' queues are filled; one fills
// these; one tells other nodes who is here.
type link struct {
	room   *room
	id     string
	cancel context.CancelFunc
	ends   sync.WaitGroup
	ready  chan struct{} // closed when it listens, or could not at first
	synced chan struct{} // closed when others have told what they remember, or had the time to
	sync   sync.Once

	inbox inbox

	// What is to be told, guarded by the room.
	wake    chan struct{}
	hello   bool
	state   bool
	version uint64
	joined  []Member
	left    []string
	asked   map[string]time.Time // links whose members were asked for
	ask     []string
	past    []string // links that said hello
}

const (
	joinPatience = 3 * time.Second        // for the store
	syncPatience = 300 * time.Millisecond // for other nodes
	beatInterval = 10 * time.Second
	beatPatience = 3 * beatInterval // until a node that says nothing is taken for dead
	askInterval  = time.Second
)

// startLink is called with the room locked.
func startLink(r *room) *link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{
		room: r, id: rand.Text(), cancel: cancel, ready: make(chan struct{}), synced: make(chan struct{}),
		inbox: inbox{wake: make(chan struct{}, 1)}, wake: make(chan struct{}, 1), asked: map[string]time.Time{},
	}
	for _, m := range r.members {
		l.joined = append(l.joined, m.Member)
	}
	l.ends.Go(func() { l.listen(ctx) })
	l.ends.Go(func() { l.fill(ctx) })
	l.ends.Go(func() { l.announce(ctx) })
	return l
}

func (l *link) stop() {
	l.cancel()
	l.ends.Wait()
}

// wait returns when the link listens, and if that is asked for, knows what others
// remember.
func (l *link) wait(ctx context.Context, synced bool) {
	if l == nil || isClosed(l.ready) && (!synced || isClosed(l.synced)) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	select {
	case <-l.ready:
	case <-ctx.Done():
		return
	}
	if synced && l.room.remember > 0 {
		select {
		case <-l.synced:
		case <-ctx.Done():
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// listen subscribes, and takes what comes.
func (l *link) listen(ctx context.Context) {
	defer l.sync.Do(func() { close(l.synced) })
	sub, missed := l.subscribe(ctx)
	if sub == nil {
		return
	}
	defer sub.Close()
	if missed {
		l.inbox.put(store.Message{Gap: store.ErrUnavailable})
	}
	l.tell(func() { l.hello = true })
	timer := time.AfterFunc(syncPatience, func() { l.sync.Do(func() { close(l.synced) }) })
	defer timer.Stop()
	for m := range sub.Messages() {
		l.inbox.put(m)
	}
}

// subscribe tries until it succeeds, and says whether that took more than once.
func (l *link) subscribe(ctx context.Context) (sub store.Subscription, missed bool) {
	opened := sync.OnceFunc(func() { close(l.ready) })
	defer opened()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		sub, err := l.room.st.Subscribe(ctx, l.room.topic)
		if err == nil {
			return sub, missed
		}
		opened()
		missed = true
		select {
		case <-ctx.Done():
			return nil, true
		case <-time.After(wait):
		}
	}
}

// inbox holds messages between the store and the members.
type inbox struct {
	mu      sync.Mutex
	waiting []store.Message
	wake    chan struct{}
}

// inboxSize bounds it: beyond that many messages this node is too slow for the room.
const inboxSize = 1 << 16

func (b *inbox) put(m store.Message) {
	b.mu.Lock()
	switch n := len(b.waiting); {
	case n < inboxSize:
		b.waiting = append(b.waiting, m)
	case n == inboxSize:
		b.waiting = append(b.waiting, store.Message{Gap: store.ErrSlow})
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) take() []store.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.waiting
	b.waiting = nil
	return list
}

// fill gives what came to the members.
func (l *link) fill(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.inbox.wake:
		}
		for _, m := range l.inbox.take() {
			l.handle(m)
		}
	}
}

func (l *link) handle(m store.Message) {
	switch {
	case m.Gap != nil:
		l.room.gap(m.Gap)
		l.tell(func() { l.hello = true }) // who came and went meanwhile?
	case len(m.Data) > 0 && m.Data[0] == messageMark:
		if p, err := parsePosted(m.Data); err == nil {
			l.room.deliver(p)
		}
	default:
		if c, err := parseControl(m.Data); err == nil && c.From != l.id && (c.To == "" || c.To == l.id) {
			l.heed(c)
		}
	}
}

// tell notes something to be told to others and wakes who does.
func (l *link) tell(note func()) {
	l.room.mu.Lock()
	note()
	l.room.mu.Unlock()
	l.nudge()
}

func (l *link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// came and went are called with the room locked; the link may be nil.
func (l *link) came(m Member) {
	if l != nil {
		l.joined = append(l.joined, m)
		l.nudge()
	}
}

func (l *link) went(id string) {
	if l != nil {
		l.left = append(l.left, id)
		l.nudge()
	}
}

// announce tells other nodes who is here, and that it still is.
func (l *link) announce(ctx context.Context) {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return
	}
	beat := time.NewTicker(beatInterval)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			l.publish(ctx, control{Kind: controlBye})
			return
		case <-l.wake:
		case <-beat.C:
			l.forgetDead(time.Now())
			l.publish(ctx, control{Kind: controlBeat, Version: l.currentVersion()})
		}
		for _, c := range l.pending() {
			l.publish(ctx, c)
		}
	}
}

// publish sends control. What cannot be sent others find missing by its version,
// and ask.
func (l *link) publish(ctx context.Context, c control) {
	c.From = l.id
	data, err := json.Marshal(c)
	if err == nil {
		_ = l.room.st.Publish(ctx, l.room.topic, data)
	}
}
