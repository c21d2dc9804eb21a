package websocket

import (
	"slices"
	"time"
)

// Who is there: each link numbers the changes of its members, so that others notice
// when they missed one, and ask for all.

// roster is what is known of another link.
type roster struct {
	members map[string]Member // by ID
	coming  map[string]Member // of a state that has begun
	version uint64
	seen    time.Time
}

const (
	stateSize = 1000      // members in one part of a state
	pastSize  = 128 << 10 // bytes of messages in one part of the past
)

func (l *link) currentVersion() uint64 {
	l.room.mu.Lock()
	defer l.room.mu.Unlock()
	return l.version
}

// pending takes what is to be told.
func (l *link) pending() []control {
	r := l.room
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []control
	if len(l.joined)+len(l.left) > 0 {
		for len(l.joined) > 0 || len(l.left) > 0 {
			l.version++
			came, went := min(len(l.joined), stateSize), min(len(l.left), stateSize)
			list = append(list, control{
				Kind: controlChanges, Version: l.version, Members: stillHere(r, l.joined[:came]), Left: l.left[:went],
			})
			l.joined, l.left = l.joined[came:], l.left[went:]
		}
		l.joined, l.left = nil, nil
	}
	if l.hello {
		l.hello, l.state = false, true
		list = append(list, control{Kind: controlHello})
	}
	if l.state {
		l.state = false
		list = append(list, l.stateParts()...)
	}
	for _, to := range l.ask {
		list = append(list, control{Kind: controlAsk, To: to})
	}
	l.ask = nil
	for _, to := range l.past {
		list = append(list, pastParts(to, r.history.last(r.remember))...)
	}
	l.past = nil
	return list
}

// stillHere leaves out who has left since: a change that says both would leave it
// to the reader which came first.
func stillHere(r *room, joined []Member) []Member {
	here := map[string]bool{}
	for _, m := range r.members {
		here[m.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(joined), func(m Member) bool { return !here[m.ID] })
}

func (l *link) stateParts() []control {
	var members []Member
	for _, m := range l.room.members {
		members = append(members, m.Member)
	}
	list := []control{}
	for part := range slices.Chunk(members, stateSize) {
		list = append(list, control{Kind: controlState, Version: l.version, Members: part})
	}
	if len(list) == 0 {
		list = append(list, control{Kind: controlState, Version: l.version})
	}
	list[0].First, list[len(list)-1].Last = true, true
	return list
}

func pastParts(to string, past []*posted) []control {
	list := []control{{Kind: controlPast, To: to}}
	size := 0
	for _, p := range past {
		if size += len(p.payload); size > pastSize {
			list = append(list, control{Kind: controlPast, To: to})
			size = len(p.payload)
		}
		part := &list[len(list)-1]
		part.Past = append(part.Past, oldEntry{Origin: p.origin, Seq: p.seq, At: p.at, Kind: p.kind, Payload: p.payload})
	}
	list[len(list)-1].Last = true
	return list
}

// heed acts on what another link tells.
func (l *link) heed(c *control) {
	r := l.room
	r.mu.Lock()
	defer r.mu.Unlock()
	defer l.nudge()
	now := time.Now()
	other := r.others[c.From]
	if other != nil {
		other.seen = now
	}
	switch c.Kind {
	case controlHello:
		l.state = true
		if r.remember > 0 {
			l.past = append(l.past, c.From)
		}
	case controlAsk:
		l.state = true
	case controlState:
		if r.link == l {
			l.takeState(c, now)
		}
	case controlChanges:
		if other == nil || other.version+1 != c.Version {
			l.askFor(c.From, now)
			return
		}
		other.version = c.Version
		for _, id := range c.Left {
			delete(other.members, id)
		}
		for _, m := range c.Members {
			other.members[m.ID] = m
		}
		r.tellPresence()
	case controlBeat:
		if other == nil || other.version != c.Version {
			l.askFor(c.From, now)
		}
	case controlBye:
		if other != nil {
			delete(r.others, c.From)
			r.tellPresence()
		}
	case controlPast:
		r.history.learn(c.Past, r.remember)
		if c.Last {
			l.sync.Do(func() { close(l.synced) })
		}
	}
}

func (l *link) takeState(c *control, now time.Time) {
	other := l.room.others[c.From]
	if other == nil {
		other = &roster{members: map[string]Member{}, seen: now}
		l.room.others[c.From] = other
	}
	if c.First {
		other.coming = map[string]Member{}
	}
	if other.coming == nil {
		return // its beginning was missed
	}
	for _, m := range c.Members {
		other.coming[m.ID] = m
	}
	if c.Last {
		other.members, other.coming, other.version = other.coming, nil, c.Version
		l.room.tellPresence()
	}
}

// askFor asks a link for its members, now and then.
func (l *link) askFor(id string, now time.Time) {
	if now.Sub(l.asked[id]) >= askInterval {
		l.asked[id] = now
		l.ask = append(l.ask, id)
	}
}

// forgetDead drops the members of links that have not been heard of.
func (l *link) forgetDead(now time.Time) {
	l.room.mu.Lock()
	defer l.room.mu.Unlock()
	for id, other := range l.room.others {
		if now.Sub(other.seen) > beatPatience {
			delete(l.room.others, id)
			l.room.tellPresence()
		}
	}
	for id, when := range l.asked {
		if now.Sub(when) > beatPatience {
			delete(l.asked, id)
		}
	}
}
