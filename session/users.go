package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

// Every user has a list of sessions in the store, so that they can be shown and
// ended. A session is in the list before it exists and is taken out after it has
// ended: the list may name too many, never too few.

// Info is what a user is told of a session.
type Info struct {
	Handle  string    // its public name, for End
	Created time.Time // when the user signed in
	Seen    time.Time // when it was last used, to the minute
	Agent   string    // the browser's User-Agent; the client's word
	Address string    // the client's address then
	Current bool      // it is that of the request whose context was given
}

type listed struct {
	Hash  string `json:"h"`
	Added int64  `json:"a"` // in seconds since 1970
	End   int64  `json:"x"` // when it is too old, likewise
}

// List returns a user's sessions, the one used last first.
func (m *Sessions) List(ctx context.Context, user string) ([]Info, error) {
	list, _, err := m.listOf(ctx, user)
	if err != nil {
		return nil, err
	}
	current := ""
	if r := ishaa.FromContext(ctx); r != nil {
		if current, err = m.From(r).Handle(); err != nil {
			return nil, err
		}
	}
	infos := []Info{}
	for _, entry := range list {
		c, _, err := m.read(ctx, entry.Hash)
		if err != nil {
			return nil, err
		}
		if c == nil || c.Ended || c.User != user {
			continue
		}
		handle := handleOf(entry.Hash)
		infos = append(infos, Info{
			Handle: handle, Created: time.UnixMilli(c.Created), Seen: time.UnixMilli(c.Seen),
			Agent: c.Agent, Address: c.Address, Current: handle == current,
		})
	}
	slices.SortStableFunc(infos, func(a, b Info) int { return b.Seen.Compare(a.Seen) })
	return infos, nil
}

// End ends one of a user's sessions, by its handle. It returns ErrNotFound when
// the user has no session of that handle.
func (m *Sessions) End(ctx context.Context, user, handle string) error {
	list, _, err := m.listOf(ctx, user)
	if err != nil {
		return err
	}
	for _, entry := range list {
		if handleOf(entry.Hash) == handle {
			return m.end(ctx, entry.Hash)
		}
	}
	return ErrNotFound
}

// EndAll ends all sessions of a user, on all nodes, but those whose handles are
// given. Do so when a password is changed or an account is closed.
func (m *Sessions) EndAll(ctx context.Context, user string, keep ...string) error {
	for range maxCollisions {
		list, data, err := m.listOf(ctx, user)
		if err != nil {
			return err
		}
		left := []listed{}
		for _, entry := range list {
			if slices.Contains(keep, handleOf(entry.Hash)) {
				left = append(left, entry)
			} else if err := m.bury(ctx, entry.Hash); err != nil {
				return err
			}
		}
		if done, err := m.swapList(ctx, user, data, left); err != nil || done {
			return err
		}
		// A session has come since: it is to go too.
	}
	return errCollisions
}

// enlist adds a session to a user's list. Where there are too many, the oldest end,
// but for the one that the new one replaces.
func (m *Sessions) enlist(ctx context.Context, user, hash, replaces string, end time.Time) error {
	added := m.now(ctx).Unix()
	return m.changeList(ctx, user, func(list []listed) ([]listed, error) {
		list, err := m.makeRoom(ctx, list, replaces, added)
		if err != nil {
			return nil, err
		}
		list = without(list, hash)
		return append(list, listed{hash, added, end.Unix()}), nil
	})
}

// makeRoom ends the oldest sessions until there is room for one more.
func (m *Sessions) makeRoom(ctx context.Context, list []listed, replaces string, now int64) ([]listed, error) {
	others := func() int {
		if slices.ContainsFunc(list, func(entry listed) bool { return entry.Hash == replaces }) {
			return len(list) - 1
		}
		return len(list)
	}
	if others() < m.options.PerUser {
		return list, nil
	}
	alive := list[:0:0]
	for _, entry := range list {
		c, _, err := m.read(ctx, entry.Hash)
		if err != nil {
			return nil, err
		}
		// A young one may be about to be written.
		if c != nil && !c.Ended || now-entry.Added < int64(commitTimeout/time.Second)+1 {
			alive = append(alive, entry)
		}
	}
	for list = alive; others() >= m.options.PerUser; {
		oldest := slices.IndexFunc(list, func(entry listed) bool { return entry.Hash != replaces })
		if err := m.bury(ctx, list[oldest].Hash); err != nil {
			return nil, err
		}
		list = slices.Delete(list, oldest, oldest+1)
	}
	return list, nil
}

func (m *Sessions) delist(ctx context.Context, user, hash string) error {
	return m.changeList(ctx, user, func(list []listed) ([]listed, error) {
		return without(list, hash), nil
	})
}

func without(list []listed, hash string) []listed {
	return slices.DeleteFunc(list, func(entry listed) bool { return entry.Hash == hash })
}

func (m *Sessions) changeList(ctx context.Context, user string, change func([]listed) ([]listed, error)) error {
	for range maxCollisions {
		list, data, err := m.listOf(ctx, user)
		if err != nil {
			return err
		}
		if list, err = change(list); err != nil {
			return err
		}
		if done, err := m.swapList(ctx, user, data, list); err != nil || done {
			return err
		}
	}
	return errCollisions
}

// listOf returns the sessions that a user may have, oldest first, and the bytes
// that said so.
func (m *Sessions) listOf(ctx context.Context, user string) ([]listed, []byte, error) {
	data, err := m.kv.Get(ctx, m.userKey(user))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, unavailable(err)
	}
	var list []listed
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, nil, fmt.Errorf("session: the list of a user's sessions in the store is damaged: %w", err)
	}
	now := m.now(ctx).Unix()
	return slices.DeleteFunc(list, func(entry listed) bool { return entry.End < now }), data, nil
}

func (m *Sessions) swapList(ctx context.Context, user string, old []byte, list []listed) (bool, error) {
	if effect.Shadow(ctx) {
		return true, nil // what happens to the sessions themselves is reported
	}
	var data []byte // an empty list is no key
	if len(list) > 0 {
		var err error
		if data, err = json.Marshal(list); err != nil {
			return false, err
		}
	} else if old == nil {
		return true, nil
	}
	done, err := m.kv.CompareAndSwap(ctx, m.userKey(user), old, data, m.options.MaxAge)
	if err != nil {
		return false, unavailable(err)
	}
	return done, nil
}
