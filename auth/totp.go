package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// TOTP checks the codes of authenticator apps (RFC 6238), the second factor of a
// sign-in. Each code counts once: the step of the last one accepted is kept in a
// store, and neither it nor an earlier one is taken again.
//
//	secret := totp.NewSecret()                  // kept with the account, encrypted if you can
//	uri, err := totp.URI(secret, "ann@shop.example") // shown as a QR code, once
//	ok, err := totp.Verify(ctx, account.ID, secret, code)
//
// A code has a million values, so wrong ones are counted: after a few the delay
// until the next try doubles, up to 15 minutes. Only who knows the password gets as
// far as that, so a stranger cannot keep anybody out by it.
type TOTP struct {
	kv      store.KV
	options TOTPOptions
	hash    func() hash.Hash
	tries   *Throttle
}

// TOTPOptions are the settings of NewTOTP. Apps know the defaults best: many
// ignore the others.
type TOTPOptions struct {
	Issuer    string        // the name that apps show; required
	Digits    int           // of a code: 6, the default, or 8
	Period    time.Duration // how long a code lasts; whole seconds, default 30
	Algorithm string        // "SHA1", the default, "SHA256" or "SHA512"

	// Skew is how many periods a code may be early or late, for clocks that are wrong;
	// default 1. A negative value allows none.
	Skew int

	Tries int // wrong codes an hour without a delay, for each account; default 5

	Prefix string      // of keys in the store; default "totp"
	Clock  ishaa.Clock // default the system's
}

// NewTOTP returns a checker of codes that remembers in a store which were used.
// Settings that cannot work stop the program.
func NewTOTP(kv store.KV, options TOTPOptions) *TOTP {
	setDefault(&options.Digits, 6)
	setDefault(&options.Period, 30*time.Second)
	setDefault(&options.Algorithm, "SHA1")
	setDefault(&options.Skew, 1)
	setDefault(&options.Prefix, "totp")
	setDefault(&options.Tries, 5)
	options.Skew = max(options.Skew, 0)
	t := &TOTP{kv: kv, options: options, hash: map[string]func() hash.Hash{
		"SHA1": sha1.New, "SHA256": sha256.New, "SHA512": sha512.New,
	}[options.Algorithm]}
	switch {
	case kv == nil:
		mistake("NewTOTP: the store is nil: use store.Open")
	case options.Issuer == "" || strings.Contains(options.Issuer, ":"):
		mistake("NewTOTP: Issuer %q: give the name that apps show, without a colon", options.Issuer)
	case options.Digits != 6 && options.Digits != 8:
		mistake("NewTOTP: %d Digits: apps show 6 or 8", options.Digits)
	case options.Period < time.Second || options.Period%time.Second != 0:
		mistake("NewTOTP: a Period of %v: give whole seconds", options.Period)
	case options.Tries < 0:
		mistake("NewTOTP: Tries are positive, or 0 for the default")
	case options.Skew > 10:
		mistake("NewTOTP: a Skew of %d makes codes last too long: give 10 at most", options.Skew)
	case t.hash == nil:
		mistake("NewTOTP: the Algorithm %q: give SHA1, SHA256 or SHA512", options.Algorithm)
	}
	t.tries = NewThrottle(kv, ThrottleOptions{Free: options.Tries, Prefix: options.Prefix, Clock: options.Clock})
	return t
}

const totpSecretBytes = 20 // RFC 4226 §4, R6 recommends 160 bits

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret returns a random secret of 160 bits in base 32, to be kept with the
// account.
func (t *TOTP) NewSecret() string { return base32Text.EncodeToString(randomBytes(totpSecretBytes)) }

var errTOTPSecret = errors.New("auth: the TOTP secret is not one that NewSecret made: base 32 of at least 16 bytes")

// decodeSecret reads base 32 as people copy it: in any case, with spaces.
func decodeSecret(secret string) ([]byte, error) {
	text := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(secret))
	key, err := base32Text.DecodeString(text)
	if err != nil || len(key) < 16 {
		return nil, errTOTPSecret // without the secret
	}
	return key, nil
}

// URI returns the otpauth:// address that an app reads from a QR code. It holds
// the secret: show it to its owner once, over TLS, and keep it out of logs.
func (t *TOTP) URI(secret, account string) (string, error) {
	key, err := decodeSecret(secret)
	if err != nil {
		return "", err
	}
	if account == "" || strings.Contains(account, ":") {
		return "", errors.New("auth: the account of a TOTP URI is empty or has a colon")
	}
	query := strings.Join([]string{
		"secret=" + base32Text.EncodeToString(key),
		"issuer=" + pathEscape(t.options.Issuer),
		"algorithm=" + t.options.Algorithm,
		"digits=" + strconv.Itoa(t.options.Digits),
		"period=" + strconv.Itoa(int(t.options.Period/time.Second)),
	}, "&")
	return "otpauth://totp/" + pathEscape(t.options.Issuer) + ":" + pathEscape(account) + "?" + query, nil
}

// pathEscape writes a space as %20, also in the query: apps show a plus as one.
func pathEscape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// Code returns the code of a time, for tests.
func (t *TOTP) Code(secret string, at time.Time) (string, error) {
	key, err := decodeSecret(secret)
	if err != nil {
		return "", err
	}
	return hotp(t.hash, key, uint64(t.step(at)), t.options.Digits), nil
}

func (t *TOTP) step(at time.Time) int64 { return at.Unix() / int64(t.options.Period/time.Second) }

// Verify reports whether a code is the account's of now, or of as many periods
// around it as Skew says, and was not used before. Of several calls with one code
// one gets true. The account is the text that the last step is kept under: the
// same one for the same secret. An error is answered by 429 after too many wrong
// codes, and by 503 when the store cannot be asked: then no code is right.
func (t *TOTP) Verify(ctx context.Context, account, secret, code string) (bool, error) {
	key, err := decodeSecret(secret)
	if err != nil {
		return false, err
	}
	now := timeOf(ctx, t.options.Clock)
	tries := t.tries.count("c", account, t.tries.options.doubling())
	// Counted before it is looked at: many tries at once are no more than one after the other.
	if wait, err := tries.add(ctx, now); err != nil {
		return false, err
	} else if wait > 0 {
		return false, tooEarly(wait)
	}
	step, ok := t.match(key, strings.ReplaceAll(code, " ", ""), now)
	if !ok {
		return false, nil
	}
	if ok, err = t.use(ctx, account, step); ok {
		tries.forget(ctx)
	}
	return ok, err
}

// match finds the step whose code it is. All are compared, so that the time it
// takes says nothing.
func (t *TOTP) match(key []byte, code string, now time.Time) (step int64, ok bool) {
	current := t.step(now)
	for at := max(current-int64(t.options.Skew), 0); at <= current+int64(t.options.Skew); at++ {
		want := hotp(t.hash, key, uint64(at), t.options.Digits)
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = at, true
		}
	}
	return step, ok
}

// use moves the account's last step on to this one, if it is later.
func (t *TOTP) use(ctx context.Context, account string, step int64) (bool, error) {
	digest := sha256.Sum256([]byte(account))
	key := t.options.Prefix + ":" + base64.RawURLEncoding.EncodeToString(digest[:])
	ttl := t.options.Period * time.Duration(2*t.options.Skew+2)
	for range maxSwaps {
		last, err := t.kv.Get(ctx, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, storeAway(err)
		}
		if err == nil {
			used, err := strconv.ParseInt(string(last), 10, 64)
			if err != nil || step <= used {
				return false, nil
			}
		}
		done, err := t.kv.CompareAndSwap(ctx, key, last, strconv.AppendInt(nil, step, 10), ttl)
		if err != nil {
			return false, storeAway(err)
		}
		if done {
			return true, nil
		}
	}
	return false, storeAway(errors.New("too many requests change one key at the same time"))
}

// maxSwaps is how often a write is tried again that others got ahead of.
const maxSwaps = 100

// storeAway is answered by 503. The cause is for the log.
func storeAway(err error) error {
	problem := ishaa.Unavailable("signing in is not possible just now; try again in a moment").WithHeader("Retry-After", "5")
	return fmt.Errorf("auth: %w: %w", problem, err)
}

// timeOf is the time by a clock, by the application's of the request, or by the
// system's.
func timeOf(ctx context.Context, clock ishaa.Clock) time.Time {
	if clock != nil {
		return clock.Now()
	}
	if r := ishaa.FromContext(ctx); r != nil {
		return r.Time()
	}
	return time.Now()
}

// hotp is the code of a counter (RFC 4226 §5.3).
func hotp(algorithm func() hash.Hash, key []byte, counter uint64, digits int) string {
	mac := hmac.New(algorithm, key)
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], counter)
	mac.Write(message[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 15
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	modulus := uint32(1)
	for range digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", digits, number%modulus)
}

// String keeps everything out of texts.
func (t *TOTP) String() string { return "auth.TOTP(" + t.options.Issuer + ")" }

// RecoveryCodes are an account's codes for the day its authenticator is lost, as
// they are stored: hashes only. It encodes as JSON.
type RecoveryCodes struct{ hashes []string }

const (
	recoveryCount = 10
	recoveryBytes = 10 // 80 random bits: more than can be tried, so a plain hash is enough
)

// NewRecoveryCodes returns ten codes, such as "k3ph-77aq-wm2e-b5rt", to be shown to
// their owner once, and what to store of them.
func NewRecoveryCodes() (codes []string, stored RecoveryCodes) {
	for range recoveryCount {
		text := strings.ToLower(base32Text.EncodeToString(randomBytes(recoveryBytes)))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		stored.hashes = append(stored.hashes, recoveryHash(text))
	}
	return codes, stored
}

// recoveryHash reads a code as people type it.
func recoveryHash(code string) string {
	text := strings.NewReplacer("-", "", " ", "", "0", "o", "1", "l", "8", "b").Replace(strings.ToLower(code))
	digest := sha256.Sum256([]byte("recovery code " + text))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}

// Use reports whether a code is one of those that are left, and takes it away.
// Store the codes again in the transaction that has read them: each counts once.
func (c *RecoveryCodes) Use(code string) bool {
	if len(code) > 64 {
		return false
	}
	want, found := []byte(recoveryHash(code)), -1
	for i, hash := range c.hashes {
		if subtle.ConstantTimeCompare([]byte(hash), want) == 1 {
			found = i
		}
	}
	if found < 0 {
		return false
	}
	c.hashes = append(c.hashes[:found:found], c.hashes[found+1:]...)
	return true
}

// Left is how many codes have not been used.
func (c *RecoveryCodes) Left() int { return len(c.hashes) }

// MarshalJSON writes the hashes.
func (c RecoveryCodes) MarshalJSON() ([]byte, error) {
	return json.Marshal(append([]string{}, c.hashes...))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *RecoveryCodes) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &c.hashes) }
