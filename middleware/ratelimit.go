package middleware

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

// RateLimitOptions says how many requests a client may send. The zero value is
// 100 a minute for each client address.
type RateLimitOptions struct {
	Max    int           // requests in a window; default 100
	Window time.Duration // default 60 seconds

	// Burst is how many requests may come at once, 1 to Max; default Max. Within any
	// time t a client gets at most Burst + t·Max/Window requests.
	Burst int

	// Key says who is counted; requests with the key "" are not. The default is the
	// address that Request.Client gives, of IPv6 the first 64 bits, since that is what one
	// customer has. Behind a proxy set Config.TrustedProxies, or every visitor is the
	// proxy.
	Key func(*ishaa.Request) string

	// Name tells limits apart that share a Store; default "default".
	Name string

	// Store shares the counts between nodes. One that is a store.Limiter (memory,
	// Redis, PostgreSQL) counts on its own clock, in one round trip; with any other
	// the nodes' clocks should be synchronised: a node that is fast by d allows what
	// comes d later. Nil counts in this process. While a store fails, each node goes
	// on with a count of its own.
	Store store.KV

	// StoreTimeout is how long the store may take; default 250 ms.
	StoreTimeout time.Duration

	// MaxKeys is how many keys this process remembers; default 65,536. Beyond that
	// the key goes that has used least.
	MaxKeys int
}

// RateLimit refuses requests beyond a rate by a 429 problem with Retry-After. All
// answers say how much is left in RateLimit-Limit, RateLimit-Remaining and
// RateLimit-Reset (seconds until the whole burst is there again), with
// RateLimit-Policy, after draft-ietf-httpapi-ratelimit-headers-06, the last one
// with fields that clients know; later drafts fold them into one.
//
// The rule is GCRA: no window begins or ends, so no client gets twice the rate
// around a boundary. It runs on the application's clock.
func RateLimit(options RateLimitOptions) ishaa.Middleware {
	l := newLimiter(options)
	return ishaa.Middleware{
		Name:   "rate-limit",
		Before: l.before,
		Probe:  l.probe,
		// The default key is what the connection says; a key of the program's own may
		// depend on what a neighbour found out.
		Commutes: options.Key == nil,
	}
}

type limiter struct {
	rule   gcra
	key    func(*ishaa.Request) string
	name   string
	table  *rateTable
	shared *sharedRate // nil: this process only
	max    int
	window time.Duration

	limitHeader, policyHeader []string
}

func newLimiter(o RateLimitOptions) *limiter {
	setDefault(&o.Max, 100)
	setDefault(&o.Window, time.Minute)
	setDefault(&o.Burst, o.Max)
	setDefault(&o.Name, "default")
	setDefault(&o.StoreTimeout, 250*time.Millisecond)
	setDefault(&o.MaxKeys, 1<<16)
	switch {
	case o.Max < 0 || o.Window < 0 || o.MaxKeys < 0 || o.StoreTimeout < 0:
		mistake("RateLimit: Max, Window, MaxKeys and StoreTimeout are positive, or 0 for the default")
	case o.Burst < 0 || o.Burst > o.Max:
		mistake("RateLimit: a Burst of %d: give 1 to Max, which is %d", o.Burst, o.Max)
	case int64(o.Window)/int64(o.Max) == 0:
		mistake("RateLimit: %d requests in %v are more than one a nanosecond", o.Max, o.Window)
	case int64(o.Window) > int64(10*365*24*time.Hour):
		mistake("RateLimit: a Window of %v: give at most ten years", o.Window)
	}
	l := &limiter{
		rule:  gcra{interval: int64(o.Window) / int64(o.Max), burst: int64(o.Burst)},
		key:   o.Key,
		name:  o.Name,
		table: newRateTable(o.MaxKeys),
		max:   o.Max, window: o.Window,
		limitHeader:  []string{strconv.Itoa(o.Max)},
		policyHeader: []string{strconv.Itoa(o.Max) + ";w=" + strconv.FormatInt(seconds(o.Window), 10)},
	}
	if o.Burst != o.Max {
		l.policyHeader[0] += ";burst=" + strconv.Itoa(o.Burst)
	}
	if l.key == nil {
		l.key = clientKey
	}
	if o.Store != nil {
		l.shared = newSharedRate(o.Store, l.rule, o.StoreTimeout)
	}
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// before counts the request or refuses it.
func (l *limiter) before(r *ishaa.Request) (any, error) {
	key := l.keyOf(r)
	if key == "" {
		return nil, nil
	}
	now := r.Time().UnixNano()
	var v verdict
	switch {
	case effect.Shadow(r.Context()):
		v = l.table.peek(l.rule, key, now)
	case l.shared != nil:
		v = l.shared.take(r, l.table, key, now)
	default:
		v = l.table.take(l.rule, key, now)
	}
	l.tell(r, v)
	if v.allowed {
		return nil, nil
	}
	retry := max(1, seconds(v.retry))
	return nil, ishaa.TooManyRequests("more than %d requests in %v; try again in %d s", l.max, l.window, retry).
		WithHeader("Retry-After", strconv.FormatInt(retry, 10))
}

// probe says whether before would refuse, and counts nothing.
func (l *limiter) probe(r *ishaa.Request) bool {
	key := l.keyOf(r)
	if key == "" {
		return false
	}
	now := r.Time().UnixNano()
	if v := l.table.peek(l.rule, key, now); !v.allowed || l.shared == nil {
		return !v.allowed
	}
	return l.shared.refuses(r, key, now)
}

// tell sets the headers on the answer that is being built. They stay when it
// becomes an error.
func (l *limiter) tell(r *ishaa.Request, v verdict) {
	header := r.Response().Header()
	values := [...]string{
		strconv.FormatInt(v.remaining, 10),
		strconv.FormatInt(seconds(v.reset), 10),
	}
	header["Ratelimit-Limit"] = l.limitHeader
	header["Ratelimit-Policy"] = l.policyHeader
	header["Ratelimit-Remaining"] = values[0:1:1]
	header["Ratelimit-Reset"] = values[1:2:2]
}

// seconds rounds up.
func seconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

// maxRateKey is the longest key that is kept as it is; longer ones, which a
// client may have chosen, are kept as a digest.
const maxRateKey = 100

func (l *limiter) keyOf(r *ishaa.Request) string {
	key := l.key(r)
	if key == "" {
		return ""
	}
	if len(key) > maxRateKey {
		digest := sha256.Sum256([]byte(key))
		key = "sha256-" + hex.EncodeToString(digest[:])
	}
	if l.shared != nil {
		return "ratelimit:" + l.name + ":" + key
	}
	return key
}

// clientKey counts by address. All connections that have none, as those of a unix
// socket, are one client.
func clientKey(r *ishaa.Request) string {
	address := r.Client().Addr()
	switch {
	case !address.IsValid():
		return "local"
	case address.Is6():
		return netip.PrefixFrom(address.WithZone(""), 64).Masked().String()
	}
	return address.String()
}
