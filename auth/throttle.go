package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

// Guessing passwords has to be slow, and yet nobody may be able to keep somebody
// else from signing in. Failures are counted
//
//   - per account and address: the delay doubles from failure to failure;
//   - per address: against one that tries many accounts;
//   - per account: against many addresses that try one account. Here the delay does
//     not grow: it bounds the guesses a day without shutting the account.
//
// A browser that has signed in to an account before has a cookie that says so. It
// has a count of its own instead of these, which nobody else can drive up. That is
// the device cookie of OWASP's protocol against lockout by others.
//
// A count leaks: as many failures as are free come back evenly within Forget.

// Throttle slows down the guessing of passwords and codes.
//
//	attempt, err := throttle.Attempt(r, strings.ToLower(name))
//	if err != nil {
//		return nil, err // 429 with Retry-After
//	}
//	ok, rehash := hasher.Verify(password, account.Hash)
//	if !ok {
//		return nil, ishaa.Unauthorized("the name or the password is wrong")
//	}
//	attempt.Succeeded()
//
// It counts names whether there is such an account or not, so that its answers do
// not tell.
type Throttle struct {
	kv      store.KV
	local   store.KV // counts while the store is away
	options ThrottleOptions
	warned  atomic.Int64
}

// ThrottleOptions are the settings of NewThrottle. All may be left out.
type ThrottleOptions struct {
	Free     int           // failures on one account from one address, or one known browser, without a delay; default 5
	Delay    time.Duration // after the next failure, doubling from then on; default 1 second
	MaxDelay time.Duration // where that ends; default 15 minutes
	Forget   time.Duration // within which Free failures are forgotten; default 1 hour

	AddressFree  int           // failures from one address on whatever accounts without a delay; default 50
	AccountFree  int           // failures on one account from wherever without a delay; default 100
	AccountDelay time.Duration // between attempts on an account after that; default 5 seconds

	Cookie string      // the name for browsers that have signed in, to which TLS adds "__Host-"; default "device"
	Prefix string      // of keys in the store; default "throttle"
	Clock  ishaa.Clock // default the application's
}

// deviceAge is how long a browser is known after it signed in.
const deviceAge = 90 * 24 * time.Hour

// NewThrottle returns a throttle that counts in a store. While the store is away
// each node counts by itself. Settings that cannot work stop the program.
func NewThrottle(kv store.KV, options ThrottleOptions) *Throttle {
	if kv == nil {
		mistake("NewThrottle: the store is nil: use store.Open")
	}
	setDefault(&options.Free, 5)
	setDefault(&options.Delay, time.Second)
	setDefault(&options.MaxDelay, 15*time.Minute)
	setDefault(&options.Forget, time.Hour)
	setDefault(&options.AddressFree, 50)
	setDefault(&options.AccountFree, 100)
	setDefault(&options.AccountDelay, 5*time.Second)
	setDefault(&options.Cookie, "device")
	setDefault(&options.Prefix, "throttle")
	for _, n := range []int{options.Free, options.AddressFree, options.AccountFree} {
		if n < 0 {
			mistake("NewThrottle: Free, AddressFree and AccountFree are positive, or 0 for the default")
		}
	}
	if min(options.Delay, options.AccountDelay, options.Forget) < time.Millisecond || options.MaxDelay < options.Delay {
		mistake("NewThrottle: delays are at least a millisecond, and MaxDelay is not less than Delay")
	}
	return &Throttle{kv: kv, local: store.NewMemory(store.MemoryOptions{}), options: options}
}

// Attempt is one try to sign in. It counts as a failure unless Succeeded is called.
type Attempt struct {
	throttle *Throttle
	request  *ishaa.Request
	account  string
	device   string // of a browser that sent one, known or not
	counted  []*count
}

// Attempt begins a try to sign in to an account, which is named as the visitor
// named it, in one spelling: lower case if case does not matter. The error says
// that it is too early: it is answered by 429 with Retry-After. A refused try
// counts nowhere.
//
// The count is taken before the password is looked at, so that many tries at the
// same time are no more than one after the other.
func (t *Throttle) Attempt(r *ishaa.Request, account string) (*Attempt, error) {
	a := &Attempt{throttle: t, request: r, account: account}
	a.device, _ = r.Cookie(t.cookieName(r))
	ctx := r.Context()
	counts, err := t.counts(ctx, a)
	if err != nil {
		return nil, err
	}
	now := timeOf(ctx, t.options.Clock)
	wait := time.Duration(0)
	for _, c := range counts {
		waits, err := c.wait(ctx, now)
		if err != nil {
			return nil, err
		}
		wait = max(wait, waits)
	}
	for i := 0; i < len(counts) && wait <= 0; i++ {
		if wait, err = counts[i].add(ctx, now); err != nil {
			return nil, err
		}
		if wait <= 0 {
			a.counted = append(a.counted, counts[i])
		}
	}
	if wait > 0 {
		for _, c := range a.counted {
			c.takeBack(ctx, now)
		}
		return nil, tooEarly(wait)
	}
	return a, nil
}

// counts are those that a try goes by.
func (t *Throttle) counts(ctx context.Context, a *Attempt) ([]*count, error) {
	known, err := t.knows(ctx, a)
	if err != nil {
		return nil, err
	}
	o := &t.options
	doubling := o.doubling()
	if known {
		return []*count{t.count("d", a.device+"\x00"+a.account, doubling)}, nil
	}
	list := []*count{
		t.count("u", a.account, rule{free: o.AccountFree, delay: o.AccountDelay, most: o.AccountDelay, forget: o.Forget}),
	}
	if address := network(a.request.Client().Addr()); address != "" {
		list = append(list,
			t.count("p", address+"\x00"+a.account, doubling),
			t.count("a", address, rule{free: o.AddressFree, delay: o.Delay, most: o.MaxDelay, forget: o.Forget}))
	}
	return list, nil
}

// doubling is the rule for one account and address, or one known browser.
func (o *ThrottleOptions) doubling() rule {
	return rule{free: o.Free, delay: o.Delay, most: o.MaxDelay, forget: o.Forget}
}

// network is what one client may be taken to have: an IPv4 address, or an IPv6
// network of 64 bits, in which anybody has as many addresses as they like.
func network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if address.Is6() {
		if prefix, err := address.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	if !address.IsValid() {
		return ""
	}
	return address.String()
}

// Succeeded says that the password was right: the try was no failure, and the
// browser is known to have signed in to the account. Call it before the answer is
// on its way.
func (a *Attempt) Succeeded() {
	a.takeBack()
	ctx := context.WithoutCancel(a.request.Context())
	t := a.throttle
	if effect.Shadow(ctx) {
		return
	}
	if len(a.device) != deviceLength {
		a.device = base64.RawURLEncoding.EncodeToString(randomBytes(deviceBytes))
	}
	if t.set(ctx, t.deviceKey(a), []byte("1"), deviceAge) != nil {
		return // away: the browser is not known, and that is all
	}
	a.request.Response().SetCookie(&http.Cookie{
		Name: t.cookieName(a.request), Value: a.device, MaxAge: int(deviceAge / time.Second),
		Secure: a.request.Scheme() == "https", SameSite: http.SameSiteLaxMode,
	})
}

// takeBack has the try count as none.
func (a *Attempt) takeBack() {
	ctx := context.WithoutCancel(a.request.Context())
	now := timeOf(ctx, a.throttle.options.Clock)
	for _, c := range a.counted {
		if c.kind == "d" || c.kind == "p" {
			c.forget(ctx)
		} else {
			c.takeBack(ctx, now) // not all: others' failures are in it
		}
	}
	a.counted = nil
}

const (
	deviceBytes  = 24
	deviceLength = 32
)

// knows reports whether the browser has signed in to the account. The store's key
// is a hash of both, so that what the store holds opens nothing.
func (t *Throttle) knows(ctx context.Context, a *Attempt) (bool, error) {
	if len(a.device) != deviceLength {
		return false, nil
	}
	value, err := t.get(ctx, t.deviceKey(a))
	return value != nil, err
}

func (t *Throttle) deviceKey(a *Attempt) string { return t.key("k", a.device+"\x00"+a.account) }

func (t *Throttle) key(kind, text string) string {
	digest := sha256.Sum256([]byte(text))
	return t.options.Prefix + ":" + kind + ":" + base64.RawURLEncoding.EncodeToString(digest[:])
}

func (t *Throttle) cookieName(r *ishaa.Request) string {
	if r.Scheme() == "https" {
		return "__Host-" + t.options.Cookie
	}
	return t.options.Cookie
}

func tooEarly(wait time.Duration) error {
	seconds := int64(math.Ceil(wait.Seconds()))
	return ishaa.TooManyRequests("there were too many attempts to sign in; try again in %d seconds", seconds).
		WithHeader("Retry-After", strconv.FormatInt(seconds, 10))
}

// rule says how a count slows down.
type rule struct {
	free        int
	delay, most time.Duration
	forget      time.Duration
}

// after is the delay after so many failures.
func (l rule) after(failures float64) time.Duration {
	excess := math.Ceil(failures-1e-9) - float64(l.free)
	if excess <= 0 {
		return 0
	}
	if excess > 40 {
		return l.most
	}
	delay := float64(l.delay) * math.Exp2(excess-1)
	return time.Duration(min(delay, float64(l.most)))
}

// leak is how long it takes to forget one failure.
func (l rule) leak() time.Duration { return l.forget / time.Duration(l.free) }

// count is one of the counts, in the store.
type count struct {
	throttle *Throttle
	kind     string
	key      string
	rule     rule
}

func (t *Throttle) count(kind, text string, l rule) *count {
	return &count{throttle: t, kind: kind, key: t.key(kind, text), rule: l}
}

// tally is what the store has of a count.
type tally struct {
	Failures float64 `json:"n"`
	At       int64   `json:"t"` // when, in milliseconds since 1970
	Next     int64   `json:"x"` // when the next try may be
}

// at returns the tally with what has leaked away since.
func (y tally) at(now time.Time, l rule) tally {
	if passed := now.UnixMilli() - y.At; passed > 0 {
		y.Failures = max(0, y.Failures-float64(passed)/float64(l.leak().Milliseconds()+1))
		y.At = now.UnixMilli()
	}
	return y
}

func (c *count) read(ctx context.Context, now time.Time) (tally, []byte, error) {
	data, err := c.throttle.get(ctx, c.key)
	if err != nil || data == nil {
		return tally{At: now.UnixMilli()}, nil, err
	}
	var y tally
	if json.Unmarshal(data, &y) != nil || math.IsNaN(y.Failures) || y.Failures < 0 {
		y = tally{At: now.UnixMilli()}
	}
	return y.at(now, c.rule), data, nil
}

// wait is how long it is until the next try.
func (c *count) wait(ctx context.Context, now time.Time) (time.Duration, error) {
	y, _, err := c.read(ctx, now)
	return time.UnixMilli(y.Next).Sub(now), err
}

// add counts a try, unless it is too early.
func (c *count) add(ctx context.Context, now time.Time) (wait time.Duration, err error) {
	err = c.change(ctx, now, func(y *tally) bool {
		if wait = time.UnixMilli(y.Next).Sub(now); wait > 0 {
			return false
		}
		// Far beyond what makes a difference it does not grow, so that it does not take
		// days to come down again.
		y.Failures = min(y.Failures+1, float64(c.rule.free)+40)
		y.Next = now.Add(c.rule.after(y.Failures)).UnixMilli()
		return true
	})
	return wait, err
}

// takeBack undoes one try. An error leaves the count too high, which passes.
func (c *count) takeBack(ctx context.Context, now time.Time) {
	_ = c.change(ctx, now, func(y *tally) bool {
		y.Failures = max(0, y.Failures-1)
		y.Next = min(y.Next, now.Add(c.rule.after(y.Failures)).UnixMilli())
		return true
	})
}

func (c *count) forget(ctx context.Context) { _ = c.throttle.delete(ctx, c.key) }

func (c *count) change(ctx context.Context, now time.Time, apply func(*tally) bool) error {
	for range maxSwaps {
		y, old, err := c.read(ctx, now)
		if err != nil {
			return err
		}
		if !apply(&y) {
			return nil
		}
		data, err := json.Marshal(y)
		if err != nil {
			return err
		}
		ttl := max(time.UnixMilli(y.Next).Sub(now), time.Duration(y.Failures*float64(c.rule.leak()))) + time.Second
		done, err := c.throttle.swap(ctx, c.key, old, data, ttl)
		if err != nil || done {
			return err
		}
	}
	return tooEarly(time.Second)
}
