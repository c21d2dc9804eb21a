package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

// Options are the settings of New. All may be left out.
type Options struct {
	// MaxAge is how long a session lasts at most, however much it is used; the
	// visitor has to sign in again after that. Default 12 hours.
	MaxAge time.Duration

	// Idle is how long a session lasts without being used; default 30 minutes, or
	// MaxAge if that is shorter. A negative value sets no limit. The last use is
	// noted once a minute at most, so a session may end that much sooner.
	Idle time.Duration

	// Cookie is the name of the cookie, to which TLS adds the prefix "__Host-";
	// default "session".
	Cookie string

	// Persistent has the cookie outlive the browser, up to MaxAge. By default it
	// ends with the browser's session.
	Persistent bool

	// SameSite is the cookie's; default Lax. Strict makes a visitor who follows a
	// link from elsewhere arrive signed out.
	SameSite http.SameSite

	// Prefix begins the keys in the store; default "session". Applications that
	// have one store and one prefix share their sessions.
	Prefix string

	// PerUser is how many sessions a user has at most; signing in once more ends the
	// oldest. Default 100.
	PerUser int

	// MaxBytes is how large a session may be, encoded; default 64 KiB.
	MaxBytes int

	// Clock tells the time; default the application's clock in requests, the
	// system's elsewhere.
	Clock ishaa.Clock
}

// Errors that callers tell apart, by errors.Is.
var (
	// ErrNotFound is returned for a session that does not exist, or no longer.
	ErrNotFound = errors.New("session: there is no such session")
	// ErrTooLarge is returned for a session that would be larger than Options.MaxBytes.
	ErrTooLarge = errors.New("session: it would be too large")
)

// Sessions are the sessions of an application, in a store. It is safe for
// concurrent use.
type Sessions struct {
	kv      store.KV
	options Options
	key     *ishaa.Key[*holder]
}

const (
	defaultMaxAge   = 12 * time.Hour
	defaultIdle     = 30 * time.Minute
	defaultPerUser  = 100
	defaultMaxBytes = 64 << 10
	touchEvery      = time.Minute
	// tombstone is how long an ended session is remembered as such: longer than the
	// requests last that were under way.
	tombstone = time.Minute
	// maxCollisions is how often a write is tried again that others got ahead of.
	maxCollisions = 1000
)

// New returns sessions that are kept in a store. Options that cannot work stop
// the program.
func New(kv store.KV, options Options) *Sessions {
	if kv == nil {
		mistake("the store is nil: use store.Open")
	}
	setDefault(&options.MaxAge, defaultMaxAge)
	setDefault(&options.Idle, min(defaultIdle, options.MaxAge))
	setDefault(&options.Cookie, "session")
	setDefault(&options.SameSite, http.SameSiteLaxMode)
	setDefault(&options.Prefix, "session")
	setDefault(&options.PerUser, defaultPerUser)
	setDefault(&options.MaxBytes, defaultMaxBytes)
	switch {
	case options.MaxAge < 0 || options.PerUser < 0 || options.MaxBytes < 0:
		mistake("MaxAge, PerUser and MaxBytes must be positive; leave them out for their defaults")
	case options.SameSite == http.SameSiteNoneMode:
		mistake("SameSite None would send the session along with other sites' requests; use Lax or Strict")
	}
	check := &http.Cookie{Name: "__Host-" + options.Cookie, Path: "/", Secure: true}
	if err := check.Valid(); err != nil {
		mistake("Cookie %q cannot be the name of a cookie: %v", options.Cookie, err)
	}
	return &Sessions{kv: kv, options: options, key: ishaa.NewKey[*holder]("session")}
}

// mistake stops the program with the line that called New.
func mistake(format string, args ...any) {
	where := "session.New"
	if _, file, line, ok := runtime.Caller(2); ok {
		where = filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file) + ":" + strconv.Itoa(line) + ": " + where
	}
	panic(where + ": " + fmt.Sprintf(format, args...))
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Create starts a session that no request brings with it, such as one for a
// program that sends the id in a header of its own, and returns its id. The id is
// a secret: who has it has the session.
func (m *Sessions) Create(ctx context.Context, values map[string]any) (id string, err error) {
	s := m.session(ctx, "")
	s.loaded = true
	s.created = true
	s.start()
	for key, value := range values {
		if err := s.Set(key, value); err != nil {
			return "", err
		}
	}
	if err := s.Save(ctx); err != nil {
		return "", err
	}
	return s.id, nil
}

// Get returns the session of an id, or ErrNotFound. Save keeps what is changed.
func (m *Sessions) Get(ctx context.Context, id string) (*Session, error) {
	s := m.session(ctx, id)
	if err := s.load(); err != nil {
		return nil, err
	}
	if s.base == nil {
		return nil, ErrNotFound
	}
	return s, nil
}

// Destroy ends the session of an id. One that does not exist is no error.
func (m *Sessions) Destroy(ctx context.Context, id string) error {
	return m.session(ctx, id).Destroy()
}

func (m *Sessions) recordKey(hash string) string { return m.options.Prefix + ":s:" + hash }
func (m *Sessions) userKey(user string) string   { return m.options.Prefix + ":u:" + hashOf(user) }

func (m *Sessions) now(ctx context.Context) time.Time {
	if m.options.Clock != nil {
		return m.options.Clock.Now()
	}
	if r := ishaa.FromContext(ctx); r != nil {
		return r.Time()
	}
	return time.Now()
}

// read returns the record under a hash with its bytes. It is nil where there is
// none and where its time is up; an ended one is returned.
func (m *Sessions) read(ctx context.Context, hash string) (*record, []byte, error) {
	data, err := m.kv.Get(ctx, m.recordKey(hash))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, unavailable(err)
	}
	c := decode(data)
	if c == nil || !c.Ended && !m.now(ctx).Before(c.expires(&m.options)) {
		return nil, nil, nil
	}
	return c, data, nil
}

// ttl is how long the store is to keep a record.
func (m *Sessions) ttl(ctx context.Context, c *record) time.Duration {
	return max(c.expires(&m.options).Sub(m.now(ctx)), time.Millisecond)
}

// bury ends the session under a hash, whatever others are doing with it.
func (m *Sessions) bury(ctx context.Context, hash string) error {
	if effect.Intend(ctx, effect.Intent{Kind: "session", Target: handleOf(hash), Detail: "end"}) {
		return nil
	}
	if err := m.kv.Set(ctx, m.recordKey(hash), tombstoneData, tombstone); err != nil {
		return unavailable(err)
	}
	return nil
}

// end ends the session under a hash and takes it out of its user's list. One that
// is just being given a new id ends under that: signing out wins.
func (m *Sessions) end(ctx context.Context, hash string) error {
	if effect.Intend(ctx, effect.Intent{Kind: "session", Target: handleOf(hash), Detail: "end"}) {
		return nil
	}
	user, moved := "", false
	for range maxCollisions {
		c, data, err := m.read(ctx, hash)
		switch {
		case err != nil:
			return err
		case c == nil && !moved, c != nil && c.Ended && c.Next == "":
			return nil
		case c == nil: // its new record is about to be written
			if err := m.bury(ctx, hash); err != nil {
				return err
			}
			return m.delist(ctx, user, hash)
		case c.Ended:
			hash, user, moved = c.Next, c.User, true
			continue
		}
		done, err := m.kv.CompareAndSwap(ctx, m.recordKey(hash), data, tombstoneData, tombstone)
		if err != nil {
			return unavailable(err)
		}
		if done && c.User != "" {
			return m.delist(ctx, c.User, hash)
		}
		if done {
			return nil
		}
	}
	return errCollisions
}

// movedTo is the tombstone of a session that goes on under another hash. A user's
// session does not follow from what a visitor, or somebody else, had before.
func (c *record) movedTo(hash, user string) []byte {
	if c.User == "" || c.User != user {
		return tombstoneData
	}
	return (&record{Ended: true, Next: hash, User: user}).encode()
}

var tombstoneData = (&record{Ended: true}).encode()

// unavailable is answered by 503. The cause is for the log.
func unavailable(err error) error {
	problem := ishaa.Unavailable("sessions cannot be reached; try again in a moment").WithHeader("Retry-After", "5")
	return fmt.Errorf("session: %w: %w", problem, err)
}

var errCollisions = unavailable(errors.New("too many requests change one session at the same time"))
