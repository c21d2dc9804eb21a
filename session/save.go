package session

import (
	"context"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// Save writes the changes to the store. The middleware does it with the answer;
// call it for sessions from Sessions.Get, and to know before the answer that the
// changes are kept. Changes to a session that was ended meanwhile are dropped.
func (s *Session) Save(ctx context.Context) error {
	switch {
	case s.sessions == nil:
		return errNoMiddleware
	case s.failed != nil:
		return s.failed // also where a handler passed over it
	case !s.loaded && len(s.changes) == 0:
		return nil
	}
	if err := s.load(); err != nil {
		return err
	}
	if s.base != nil && len(s.changes) == 0 && !s.touchDue(ctx) {
		return nil
	}
	if effect.Shadow(ctx) { // every change was reported when it was made
		if s.created && s.id == "" {
			s.id = newID()
		}
		return nil
	}
	ctx, cancel := lasting(ctx)
	defer cancel()
	switch {
	case s.base == nil && s.ended && !s.signedIn:
		// Another request ended the session. To begin a new one here would put its
		// cookie in the place of the one that the visitor has got since.
		s.changes = nil
		return nil
	case s.base == nil:
		return s.create(ctx)
	case s.renewed != "":
		return s.move(ctx)
	case len(s.changes) > 0:
		return s.update(ctx)
	}
	return s.touch(ctx)
}

// create writes a session that the store does not have.
func (s *Session) create(ctx context.Context) error {
	c := s.blank().with(s.changes)
	if c.empty() && !s.created {
		s.changes = nil
		return nil
	}
	id := s.renewed
	if id == "" {
		id = newID()
	}
	return s.write(ctx, id, c)
}

// write puts a record under a new id. A user's list of sessions comes first: then
// EndAll, which may be under way, ends this one too or comes before it.
func (s *Session) write(ctx context.Context, id string, c *record) error {
	data, err := s.prepare(c)
	if err != nil {
		return err
	}
	hash := hashOf(id)
	if c.User != "" {
		if err := s.sessions.enlist(ctx, c.User, hash, "", c.end(&s.sessions.options)); err != nil {
			return err
		}
	}
	return s.put(ctx, id, c, data)
}

func (s *Session) put(ctx context.Context, id string, c *record, data []byte) error {
	done, err := s.sessions.kv.CompareAndSwap(ctx, s.sessions.recordKey(hashOf(id)), nil, data, s.sessions.ttl(ctx, c))
	if err != nil {
		return unavailable(err)
	}
	if !done { // EndAll was quicker
		s.signedIn = false
		s.lost()
		return nil
	}
	s.kept(id, c, data)
	return nil
}

// move carries the session on under a new id. Of several requests that do so one
// swaps the old record for a tombstone; the others find it ended.
func (s *Session) move(ctx context.Context) error {
	m, old, hash := s.sessions, hashOf(s.id), hashOf(s.renewed)
	listed := ""
	for range maxCollisions {
		c := s.base.with(s.changes)
		data, err := s.prepare(c)
		if err != nil {
			return err
		}
		if c.User != "" && c.User != listed {
			if err := m.enlist(ctx, c.User, hash, old, c.end(&m.options)); err != nil {
				return err
			}
			listed = c.User
		}
		done, err := m.kv.CompareAndSwap(ctx, m.recordKey(old), s.data, s.base.movedTo(hash, c.User), tombstone)
		if err != nil {
			return unavailable(err)
		}
		if done {
			user := s.base.User
			if err := s.put(ctx, s.renewed, c, data); err != nil || user == "" {
				return err
			}
			return m.delist(ctx, user, old)
		}
		if found, err := s.again(ctx); err != nil {
			return err
		} else if found {
			continue
		}
		if s.signedIn { // a person who has just shown who they are gets a session
			s.base = nil
			return s.create(ctx)
		}
		return nil
	}
	return errCollisions
}

// update writes the changes on top of whatever the store has by now.
func (s *Session) update(ctx context.Context) error {
	key := s.sessions.recordKey(hashOf(s.id))
	for range maxCollisions {
		c := s.base.with(s.changes)
		data, err := s.prepare(c)
		if err != nil {
			return err
		}
		done, err := s.sessions.kv.CompareAndSwap(ctx, key, s.data, data, s.sessions.ttl(ctx, c))
		if err != nil {
			return unavailable(err)
		}
		if done {
			s.kept(s.id, c, data)
			return nil
		}
		if found, err := s.again(ctx); err != nil || !found {
			return err
		}
	}
	return errCollisions
}

// touchDue says that the last visit was noted a while ago.
func (s *Session) touchDue(ctx context.Context) bool {
	return s.sessions.now(ctx).Sub(time.UnixMilli(s.base.Seen)) >= s.sessions.touchEvery()
}

// touch notes the visit, unless somebody else is doing it. A store that has gone
// away since it was read is no reason to refuse the answer: the next visit is noted.
func (s *Session) touch(ctx context.Context) error {
	c := s.base.clone()
	data, err := s.prepare(c)
	if err != nil {
		return err
	}
	done, err := s.sessions.kv.CompareAndSwap(ctx, s.sessions.recordKey(hashOf(s.id)), s.data, data, s.sessions.ttl(ctx, c))
	if done && err == nil {
		s.kept(s.id, c, data)
	}
	return nil
}

// touchEvery is a minute, or less where that would be much of the time that a
// session may be idle.
func (m *Sessions) touchEvery() time.Duration {
	if m.options.Idle > 0 {
		return min(touchEvery, m.options.Idle/10)
	}
	return touchEvery
}

// again reads what another request has written, and whether there is anything
// left to change.
func (s *Session) again(ctx context.Context) (bool, error) {
	c, data, err := s.sessions.read(ctx, hashOf(s.id))
	if err != nil {
		return false, err
	}
	if c == nil || c.Ended {
		s.lost()
		return false, nil
	}
	s.base, s.data = c, data
	return true, nil
}

// lost is what becomes of a session that somebody ended meanwhile. Its changes
// are only needed again by a person who signs in.
func (s *Session) lost() {
	s.base, s.data, s.id, s.ended = nil, nil, "", true
	if !s.signedIn {
		s.changes, s.renewed = nil, ""
	}
	s.start()
}

// prepare notes the visit in a record and encodes it.
func (s *Session) prepare(c *record) ([]byte, error) {
	c.Seen = s.sessions.now(s.ctx).UnixMilli()
	if r := s.request; r != nil {
		c.Agent = shorten(r.Header("User-Agent"))
		if client := r.Client(); client.IsValid() {
			c.Address = client.Addr().String()
		}
	}
	data := c.encode()
	if limit := s.sessions.options.MaxBytes; len(data) > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d; keep the data in a database and its id here", ErrTooLarge, len(data), limit)
	}
	return data, nil
}

// kept is the state after a write.
func (s *Session) kept(id string, c *record, data []byte) {
	s.id, s.base, s.data, s.changes = id, c, data, nil
	s.found = id
	s.renewed, s.signedIn, s.ended = "", false, false
	s.start()
}
