package store

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Engines register under the scheme of their URLs when their package is imported,
// as drivers of database/sql do: what is registered is a fact about the program,
// the same for every application in it.
var engines = struct {
	sync.RWMutex
	open map[string]func(*url.URL) (Store, error)
}{open: map[string]func(*url.URL) (Store, error){"memory": openMemory}}

// packages names the import that brings an engine of this module.
var packages = map[string]string{
	"redis": "redis", "rediss": "redis",
	"nats":     "nats",
	"postgres": "postgres", "postgresql": "postgres",
}

// Register makes an engine known for a URL scheme. It is called by the init
// function of the engine's package and panics when the scheme is taken.
func Register(scheme string, open func(*url.URL) (Store, error)) {
	engines.Lock()
	defer engines.Unlock()
	if open == nil {
		panic("store.Register(" + scheme + "): the open function is nil")
	}
	if _, taken := engines.open[scheme]; taken {
		panic("store.Register(" + scheme + "): the scheme is registered twice")
	}
	engines.open[scheme] = open
}

// Open returns the store that a URL names, such as "memory://" or
// "redis://127.0.0.1:6379/0". An engine that is not part of the program is an
// error that names the import; an engine that cannot be reached is one as well.
// Every call opens a store of its own, so two memory stores share nothing.
func Open(address string) (Store, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		// The error of url.Parse repeats the URL, password included.
		return nil, fmt.Errorf("store: the address is not a URL such as memory:// or redis://127.0.0.1:6379")
	}
	engines.RLock()
	open := engines.open[u.Scheme]
	known := slices.Sorted(maps.Keys(engines.open))
	engines.RUnlock()
	if open == nil {
		if name, ok := packages[u.Scheme]; ok {
			return nil, fmt.Errorf("store: the engine for %s:// is not part of this program: import _ %q", u.Scheme, "github.com/ishaa-framework/ishaa/store/"+name)
		}
		return nil, fmt.Errorf("store: there is no engine for %s://; this program has %s", u.Scheme, strings.Join(known, ", "))
	}
	st, err := open(u)
	var away *UnavailableError
	switch {
	case errors.As(err, &away):
		return nil, away // it says where
	case err != nil:
		return nil, fmt.Errorf("store: opening %s: %w", u.Redacted(), err)
	}
	return WithEffects(st, effectSource(u)), nil
}

// effectSource names a store the same for everybody who uses it, without
// credentials.
func effectSource(u *url.URL) string {
	if u.Scheme == "memory" {
		return newMemorySource()
	}
	return u.Scheme + "://" + u.Host + u.Path
}
