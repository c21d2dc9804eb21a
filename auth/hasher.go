package auth

import (
	"context"
	"crypto/fips140"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa"
)

// Hasher hashes and verifies passwords. It is made once for an application and may
// be used by any number of goroutines: as hashes are costly on purpose, only a few
// are computed at a time, and the others wait.
//
// Hashes are text that says how it was made, so a Hasher verifies those of other
// algorithms and settings too, and tells when one should be made anew:
//
//   - $argon2id$v=19$m=19456,t=2,p=1$salt$hash, the default
//   - $pbkdf2-sha256$i=600000$salt$hash, and with $600000$ alone, as passlib has it
//   - pbkdf2_sha256$260000$salt$hash, as Django has it
//   - pbkdf2:sha256:260000$salt$hash, as Werkzeug has it
//   - $2a$, $2b$ and $2y$: bcrypt, for passwords of up to 72 bytes; longer ones are
//     wrong, as bcrypt would look at their first 72 bytes only
type Hasher struct {
	current scheme
	policy  Policy
	slots   chan struct{}
	waiting atomic.Int64
	patient int64  // how many may wait
	unknown parsed // stands for the hash of an account that does not exist
	spent   atomic.Uint64
}

// HasherOptions are the settings of NewHasher. The zero value is Argon2id with
// 19 MiB, 2 passes and 1 lane (OWASP's first recommendation), a few hundred hashes
// a second for each gigabyte and core.
type HasherOptions struct {
	// PBKDF2 has new hashes made by PBKDF2-HMAC-SHA256, which FIPS 140 allows. It is
	// the default where the program runs in FIPS mode.
	PBKDF2 bool

	// Rounds of PBKDF2; default 600,000. Less is for tests.
	Rounds int

	// Memory in KiB, Passes and Lanes of Argon2id; default 19,456, 2 and 1. Less is
	// for tests.
	Memory uint32
	Passes uint32
	Lanes  uint8

	// Concurrent is how many hashes are computed at a time; default GOMAXPROCS. Each
	// needs Memory.
	Concurrent int

	// MaxWaiting is how many callers with a context may wait for their turn; default
	// 64 for each that is computed. Beyond, they get an error that is answered by 503.
	MaxWaiting int

	// Policy is what Hash demands of a password.
	Policy Policy
}

// NewHasher returns a hasher. Settings that cannot work stop the program.
func NewHasher(options ...HasherOptions) *Hasher {
	var o HasherOptions
	if len(options) > 0 {
		o = options[0]
	}
	if err := o.Policy.check(); err != nil {
		mistake("NewHasher: %v", err)
	}
	setDefault(&o.Rounds, 600_000)
	setDefault(&o.Memory, 19*1024)
	setDefault(&o.Passes, 2)
	setDefault(&o.Lanes, 1)
	setDefault(&o.Concurrent, runtime.GOMAXPROCS(0))
	setDefault(&o.MaxWaiting, 64*o.Concurrent)
	if o.Concurrent < 0 || o.MaxWaiting < 0 {
		mistake("NewHasher: Concurrent and MaxWaiting are positive, or 0 for the default")
	}
	var current scheme = argon2id{memory: o.Memory, passes: o.Passes, lanes: o.Lanes}
	if o.PBKDF2 || fips140.Enabled() {
		current = pbkdf2SHA256{rounds: o.Rounds}
	}
	if err := current.check(); err != nil {
		mistake("NewHasher: %v", err)
	}
	h := &Hasher{current: current, policy: o.Policy, slots: make(chan struct{}, o.Concurrent), patient: int64(o.MaxWaiting)}
	// No password has this hash: it is not one of the scheme's.
	h.unknown = parsed{scheme: current, salt: randomBytes(saltLength), hash: randomBytes(hashLength)}
	return h
}

// Hash returns the hash of a new password, after the policy has accepted it: the
// error is a *PolicyError, or one of HashContext.
func (h *Hasher) Hash(password string) (string, error) {
	return h.HashContext(context.Background(), password)
}

// HashContext is Hash for as long as the context lasts. Where too many callers
// wait already, the error is answered by 503.
func (h *Hasher) HashContext(ctx context.Context, password string) (string, error) {
	if err := h.policy.Check(password); err != nil {
		return "", err
	}
	return h.Rehash(ctx, password)
}

// Check tells whether a person may choose the password, without hashing it: the
// error is a *PolicyError. Words are of the person, such as the account's name.
func (h *Hasher) Check(password string, words ...string) error {
	return h.policy.Check(password, words...)
}

// Rehash returns a new hash of a password that Verify has accepted. The policy of
// new passwords does not apply, so a person with an old, short one can still sign
// in, and is better protected than before.
//
//	if ok, rehash := hasher.Verify(password, user.Hash); ok && rehash {
//		user.Hash, err = hasher.Rehash(ctx, password)
//	}
func (h *Hasher) Rehash(ctx context.Context, password string) (string, error) {
	if !(parsed{}).takes(password) {
		return "", &PolicyError{fmt.Sprintf("is longer than %d bytes or has a NUL in it", MaxPassword)}
	}
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	salt := randomBytes(saltLength)
	h.spent.Add(h.current.cost())
	return h.current.text(salt, h.current.derive([]byte(password), salt, hashLength)), nil
}

// Verify reports whether the password is the one that was hashed, and if so
// whether the hash should be made anew by Rehash, because it is of another
// algorithm or weaker than what the hasher makes.
//
// For an account that does not exist call Verify with the hash "". It does the
// same work as for one that does, and reports false: how long a sign-in takes then
// says nothing about who has an account. A hash that cannot be read is treated in
// the same way.
func (h *Hasher) Verify(password, hash string) (ok, rehash bool) {
	h.slots <- struct{}{}
	defer h.leave()
	return h.verify(password, hash)
}

// VerifyContext is Verify for as long as the context lasts. Where too many callers
// wait already, the error is answered by 503.
func (h *Hasher) VerifyContext(ctx context.Context, password, hash string) (ok, rehash bool, err error) {
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	ok, rehash = h.verify(password, hash)
	return ok, rehash, nil
}

func (h *Hasher) verify(password, hash string) (ok, rehash bool) {
	stored, err := parseHash(hash)
	known := err == nil && stored.takes(password)
	if !known {
		stored = h.unknown
		password = password[:min(len(password), MaxPassword)]
	}
	h.spent.Add(stored.scheme.cost())
	ok = stored.matches([]byte(password)) && known
	return ok, ok && !stored.asStrongAs(h.current)
}

var errBusy = errors.New("auth: too many passwords are waiting to be hashed")

// enter waits for a turn.
func (h *Hasher) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	default:
	}
	if h.waiting.Add(1) > h.patient {
		h.waiting.Add(-1)
		return ishaa.Unavailable("too many people are signing in at this moment").WithHeader("Retry-After", "5").Wrap(errBusy)
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Hasher) leave() { <-h.slots }
