package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
)

// Session is one visitor's session, as one request sees it. It is read from the
// store when something in it is first asked for. Like the request it is not for
// several goroutines at once.
type Session struct {
	sessions *Sessions
	ctx      context.Context
	request  *ishaa.Request // nil outside of requests
	holder   *holder        // nil outside of the middleware

	brought string  // the cookie's value
	looked  bool    // for the cookie
	found   string  // the id that the store knew when the session was read, or had known a moment ago
	id      string  // the one that was brought, then the one that was given; "" for none
	base    *record // as the store has it; nil for none
	data    []byte  // base's bytes
	view    *record // base and the changes so far
	changes []change
	loaded  bool
	ended   bool  // base is nil because the session was ended a moment ago
	asked   bool  // the answer may depend on the session
	failed  error // the store's
	sent    bool  // the answer is on its way: nothing can be changed any more

	renewed  string // the id that the session will have
	signedIn bool   // a person has just shown who they are
	created  bool   // kept even when it is empty

	destroyed bool // by this request
}

func (m *Sessions) session(ctx context.Context, id string) *Session {
	return &Session{sessions: m, ctx: ctx, request: ishaa.FromContext(ctx), id: id}
}

var (
	errNoMiddleware = errors.New("session: there is no session around this handler: app.Use(sessions.Middleware())")
	errSent         = errors.New("session: the answer is on its way, which is when the session was saved; change it before the handler returns")
)

// load reads the session once.
func (s *Session) load() error {
	switch {
	case s.sessions == nil:
		return errNoMiddleware
	case s.loaded || s.failed != nil:
		s.asked = true
		return s.failed
	}
	s.asked = true
	var c *record
	if wellFormed(s.id) {
		var err error
		if c, s.data, err = s.readOnce(); err != nil {
			s.failed = err
			return err
		}
	}
	if c != nil {
		s.found = s.id
	}
	if c != nil && c.Ended {
		c, s.ended = nil, true
	}
	s.loaded, s.base = true, c
	if c == nil {
		s.id, s.data = "", nil
	}
	s.start()
	return nil
}

// readOnce reads the record, or takes the one that the request has read before a
// copy of it was made.
func (s *Session) readOnce() (*record, []byte, error) {
	if s.holder == nil {
		return s.sessions.read(s.ctx, hashOf(s.id))
	}
	if read := s.holder.read.Load(); read != nil {
		return read.record, read.data, nil
	}
	c, data, err := s.sessions.read(s.ctx, hashOf(s.id))
	if err == nil {
		s.holder.read.Store(&reading{c, data})
	}
	return c, data, err
}

// start makes the view that the request works on.
func (s *Session) start() {
	switch {
	case s.base == nil:
		s.view = s.blank().with(s.changes)
	case len(s.changes) == 0:
		s.view = s.base // copied with the first change
	default:
		s.view = s.base.with(s.changes)
	}
}

func (s *Session) blank() *record {
	now := s.sessions.now(s.ctx).UnixMilli()
	return &record{Created: now, Seen: now}
}

// do notes a change. What it says of itself is for shadows: the same change has
// the same text.
func (s *Session) do(apply change, intent string) error {
	switch {
	case s.sessions == nil, s.holder != nil && !s.holder.saved:
		return errNoMiddleware
	case s.sent:
		return errSent
	case s.failed != nil:
		return s.failed
	}
	s.asked = true
	effect.Intend(s.ctx, effect.Intent{Kind: "session", Target: s.sessions.options.Prefix, Detail: intent})
	s.changes = append(s.changes, apply)
	if !s.loaded {
		return nil
	}
	if s.view == s.base {
		s.view = s.base.clone()
	}
	apply(s.view)
	return nil
}

// Set keeps a value, which has to be one that encoding/json can encode, under a
// key.
func (s *Session) Set(key string, value any) error {
	if !utf8.ValidString(key) {
		return fmt.Errorf("session: Set(%q): the key is not UTF-8", key)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("session: Set(%q): %w", key, err)
	}
	if s.sessions != nil && len(data) > s.sessions.options.MaxBytes {
		return fmt.Errorf("%w: Set(%q): %d bytes, at most %d; keep the data in a database and its id here", ErrTooLarge, key, len(data), s.sessions.options.MaxBytes)
	}
	digest := sha256.Sum256(data)
	return s.do(func(c *record) {
		if c.Values == nil {
			c.Values = map[string]json.RawMessage{}
		}
		c.Values[key] = data
	}, "set "+key+" "+hex.EncodeToString(digest[:8]))
}

// Get returns the value of a key as encoding/json decodes it into an any, or nil.
// Value gives it a type.
func (s *Session) Get(key string) (any, error) { return Value[any](s, key) }

// Value returns the value of a key, or T's zero value where there is none. A
// value that does not decode into a T is an error.
func Value[T any](s *Session, key string) (T, error) {
	var value T
	if err := s.load(); err != nil {
		return value, err
	}
	data, ok := s.view.Values[key]
	if !ok {
		return value, nil
	}
	if err := json.Unmarshal(data, &value); err != nil {
		var zero T
		return zero, fmt.Errorf("session: the value of %q is no %T: %w", key, value, err)
	}
	return value, nil
}

// Has reports whether there is a value for a key.
func (s *Session) Has(key string) (bool, error) {
	if err := s.load(); err != nil {
		return false, err
	}
	_, ok := s.view.Values[key]
	return ok, nil
}

// Keys returns the keys, sorted.
func (s *Session) Keys() ([]string, error) {
	if err := s.load(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(s.view.Values)), nil
}

// Delete removes a key.
func (s *Session) Delete(key string) error {
	return s.do(func(c *record) { delete(c.Values, key) }, "delete "+key)
}

// Clear removes all values and flashes. The user stays.
func (s *Session) Clear() error {
	return s.do(func(c *record) { c.Values, c.Flashes = nil, nil }, "clear")
}

// SignIn makes the session that of a user, under a new id: one that somebody knew
// or planted before is worth nothing. What an anonymous visitor had in the
// session stays; what another user had does not. The user is any text that
// identifies one for good, such as a number from the database.
//
// The session's age begins anew.
func (s *Session) SignIn(user string) error {
	if user == "" || !utf8.ValidString(user) {
		return errors.New("session: SignIn: the user is empty, or not UTF-8")
	}
	if err := s.load(); err != nil {
		return err
	}
	now := s.sessions.now(s.ctx).UnixMilli()
	err := s.do(func(c *record) {
		if c.User != "" && c.User != user {
			c.Values, c.Flashes = nil, nil
		}
		c.User, c.Created, c.Seen = user, now, now
	}, "sign in "+user)
	if err == nil {
		s.signedIn = true
		err = s.Renew()
	}
	return err
}

// User returns who SignIn named, or "" for an anonymous visitor.
func (s *Session) User() (string, error) {
	if err := s.load(); err != nil {
		return "", err
	}
	return s.view.User, nil
}

// SignedInAt returns when the user signed in, or the zero time for an anonymous
// visitor: ask for the password again before a change that a stolen session must
// not be enough for.
func (s *Session) SignedInAt() (time.Time, error) {
	if err := s.load(); err != nil || s.view.User == "" {
		return time.Time{}, err
	}
	return time.UnixMilli(s.view.Created), nil
}

// Renew gives the session a new id; the old one ends as soon as the new one is
// saved. Do so whenever a visitor may do more than before: SignIn does. Of
// requests that renew one session at the same time one carries it on.
func (s *Session) Renew() error {
	if err := s.do(func(*record) {}, "renew"); err != nil {
		return err
	}
	if s.renewed == "" {
		s.renewed = newID()
	}
	return nil
}

// Destroy ends the session at once, on all nodes: that is signing out. What is
// set later in the request begins another one.
func (s *Session) Destroy() error {
	if err := s.load(); err != nil {
		return err
	}
	if s.sent {
		return errSent
	}
	if s.base != nil || s.ended {
		ctx, cancel := lasting(s.ctx)
		defer cancel()
		if err := s.sessions.end(ctx, hashOf(s.found)); err != nil {
			return err
		}
	}
	s.destroyed = true
	s.base, s.data, s.id, s.renewed = nil, nil, "", ""
	s.changes, s.ended, s.signedIn, s.created = nil, false, false, false
	s.start()
	return nil
}

// ID returns the session's id, or "" while there is none: the store knows a new
// session once it is saved. It is a secret, for programs that do not use the
// cookie; to show or to log, use Handle.
func (s *Session) ID() (string, error) {
	if err := s.load(); err != nil {
		return "", err
	}
	if s.renewed != "" && s.base != nil {
		return s.renewed, nil
	}
	return s.id, nil
}

// Handle returns the public name of the session, by which List and End know it.
// It is "" for a session that is not in the store yet. It changes with the id.
func (s *Session) Handle() (string, error) {
	id, err := s.ID()
	if err != nil || id == "" {
		return "", err
	}
	return handleOf(hashOf(id)), nil
}

// Expires returns when the session ends if it is not used again, and when it
// ends however it is used.
func (s *Session) Expires() (idle, end time.Time, err error) {
	if err := s.load(); err != nil {
		return idle, end, err
	}
	o := &s.sessions.options
	return s.view.expires(o), s.view.end(o), nil
}

// LogValue keeps the id and the values out of logs.
func (s *Session) LogValue() slog.Value { return slog.StringValue("session") }

// String keeps the id and the values out of texts.
func (s *Session) String() string { return "session" }

// GoString is String, for the verb %#v.
func (s *Session) GoString() string { return "session" }

// commitTimeout bounds what is done for a client that may be gone.
const commitTimeout = 5 * time.Second

// lasting is a context that does not end with the client: signing out must happen
// also for one that went away.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
}
