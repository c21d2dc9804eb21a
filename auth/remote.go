package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// RemoteKeysOptions are the settings of RemoteKeys. The zero value fits most
// providers.
type RemoteKeysOptions struct {
	// Algorithms that tokens may have, of RS256, ES256 and EdDSA; default all three.
	// Name the one that the provider uses.
	Algorithms []string

	// Client fetches; the default waits at most 5 seconds and follows no redirects.
	// A client of package outbound keeps it off the private network.
	Client *http.Client

	// Refresh is how long keys are used before they are fetched again; default 15
	// minutes. Stale is how long they go on being used while that fails; default 24
	// hours.
	Refresh, Stale time.Duration

	// Interval is the shortest time between two fetches, whatever tokens ask for;
	// default 30 seconds.
	Interval time.Duration

	Clock ishaa.Clock // default the system's
}

// RemoteKeys returns the keys that another service publishes as a JWK Set at an
// https address; plain http is for the machine itself. They are fetched when a token
// first needs them, kept, and fetched again when they are old or when a token names
// one that is not there, but never more often than the Interval says, so that
// invented tokens cause no traffic. At most 64 keys from 256 KiB are used. It only
// checks tokens.
//
//	jwt := auth.JWT(auth.RemoteKeys("https://id.example.com/jwks.json", auth.RemoteKeysOptions{}),
//		auth.Issuer("https://id.example.com"), auth.Audience("shop"))
func RemoteKeys(address string, options RemoteKeysOptions) Keys {
	setDefault(&options.Refresh, 15*time.Minute)
	setDefault(&options.Stale, 24*time.Hour)
	setDefault(&options.Interval, 30*time.Second)
	if options.Client == nil {
		options.Client = &http.Client{
			Timeout:       5 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	if options.Algorithms == nil {
		options.Algorithms = []string{"RS256", "ES256", "EdDSA"}
	}
	return &remoteKeys{address: address, options: options, turn: make(chan struct{}, 1)}
}

// remoteKeys is a cached key set. The lock guards what is known; whoever has the
// turn fetches, and the others of the moment wait for it or go on with what is known.
type remoteKeys struct {
	address string
	options RemoteKeysOptions
	turn    chan struct{}

	mu      sync.Mutex
	keys    []Key
	fetched time.Time // the last success; zero: never
	tried   time.Time
	err     error // of the last try
}

const (
	maxKeySetSize = 256 << 10
	fetchTimeout  = 10 * time.Second
)

func (k *remoteKeys) own() []Key { return nil }

func (k *remoteKeys) check() error {
	u, err := url.Parse(k.address)
	switch {
	case err != nil:
		return err
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return fmt.Errorf("RemoteKeys(%q): give an https address", k.address)
	case u.Host == "" || u.User != nil:
		return fmt.Errorf("RemoteKeys(%q): give an address with a host and without a password", k.address)
	case k.options.Refresh < 0 || k.options.Stale < 0 || k.options.Interval < 0:
		return errors.New("RemoteKeys: Refresh, Stale and Interval are positive, or 0 for the default")
	}
	for _, alg := range k.options.Algorithms {
		if !slices.Contains([]string{"RS256", "ES256", "EdDSA"}, alg) {
			return fmt.Errorf("RemoteKeys: the algorithm %q: give RS256, ES256 or EdDSA", alg)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (k *remoteKeys) now() time.Time {
	if k.options.Clock != nil {
		return k.options.Clock.Now()
	}
	return time.Now()
}

func (k *remoteKeys) find(ctx context.Context, alg, id string) ([]Key, error) {
	if !slices.Contains(k.options.Algorithms, alg) {
		return nil, errAlgorithm
	}
	found, missing := k.known(alg, id)
	if missing == nil && !k.due(k.options.Refresh) {
		return found, nil
	}
	if !k.due(0) { // asked a moment ago
		return k.answer(found, missing)
	}
	if missing == nil {
		select {
		case k.turn <- struct{}{}:
		default: // somebody is at it, and what is known will do
			return found, nil
		}
	} else {
		select {
		case k.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-k.turn }()
	if found, missing = k.known(alg, id); (missing != nil || k.due(k.options.Refresh)) && k.due(0) {
		k.fetch(ctx)
		found, missing = k.known(alg, id)
	}
	return k.answer(found, missing)
}

// known looks among the keys that are not too old.
func (k *remoteKeys) known(alg, id string) ([]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched.IsZero() || k.now().Sub(k.fetched) > k.options.Refresh+k.options.Stale {
		return nil, errKeyID
	}
	return pick(k.keys, alg, id)
}

// due reports whether the keys have an age and a fetch is allowed.
func (k *remoteKeys) due(age time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	return now.Sub(k.fetched) >= age && (k.tried.IsZero() || now.Sub(k.tried) >= k.options.Interval)
}

// answer says 503 rather than 401 when it is not known which keys there are.
func (k *remoteKeys) answer(found []Key, missing error) ([]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if missing != nil && k.err != nil {
		return nil, ishaa.Unavailable("the keys to check tokens with cannot be had at this moment").WithHeader("Retry-After", "30").Wrap(k.err)
	}
	return found, missing
}

// fetch asks for the keys. They are for everybody: that the client has gone whose
// token needed them is no reason to stop.
func (k *remoteKeys) fetch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	keys, err := k.download(ctx)
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.err = now, err
	if err == nil {
		k.keys, k.fetched = keys, now
	}
}

func (k *remoteKeys) download(ctx context.Context) ([]Key, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := k.options.Client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("auth: RemoteKeys: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("auth: RemoteKeys: %s answered %s", k.address, answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySetSize+1))
	if err != nil {
		return nil, fmt.Errorf("auth: RemoteKeys: %s: %w", k.address, err)
	}
	if len(data) > maxKeySetSize {
		return nil, fmt.Errorf("auth: RemoteKeys: %s is larger than %d bytes", k.address, maxKeySetSize)
	}
	keys, err := parseJWKS(data, k.options.Algorithms)
	if err == nil && len(keys) == 0 {
		err = errors.New("there is no key for " + fmt.Sprint(k.options.Algorithms))
	}
	if err != nil {
		return nil, fmt.Errorf("auth: RemoteKeys: %s: %w", k.address, err)
	}
	return keys, nil
}
