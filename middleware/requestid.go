package middleware

import (
	"net/http"
	"slices"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/clientip"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// RequestIDOptions are the settings of RequestID. The zero value is what the
// secure default does.
type RequestIDOptions struct {
	// Header is the header of requests and answers; default "X-Request-Id".
	Header string

	// Trust says whether an id that came with the request is taken over. An id of a
	// stranger's choice lets him forge a trail in the logs. The default trusts the
	// proxies of Config.TrustedProxies.
	Trust func(*ishaa.Request) bool

	// New makes an id: 1 to 64 letters, digits, ".", "_" and "-". The default is 128
	// random bits.
	New func() string
}

// RequestID names each request, in a header of the answer and in the log. It
// replaces the secure default.
func RequestID(options RequestIDOptions) ishaa.Middleware {
	setDefault(&options.Header, "X-Request-Id")
	if !secure.ValidHeaderName(options.Header) {
		mistake("RequestID: %q is not the name of a header", options.Header)
	}
	if options.Trust == nil {
		options.Trust = new(proxyTrust).trusts
	}
	if options.New == nil {
		options.New = secure.NewRequestID
	}
	name := http.CanonicalHeaderKey(options.Header)
	return ishaa.Middleware{Name: ishaa.DefaultRequestID, Before: func(r *ishaa.Request) (any, error) {
		id := r.Header(name)
		if id != "" && (!secure.ValidRequestID(id) || !options.Trust(r)) {
			id = ""
		}
		if id == "" {
			id = options.New()
		}
		r.SetID(id)
		r.Response().Header()[name] = []string{id}
		return nil, nil
	}}
}

// proxyTrust knows the trusted proxies of an application's configuration.
type proxyTrust struct {
	mu      sync.Mutex
	given   []string
	proxies *clientip.Proxies
}

// trusts reports whether the peer of the connection is one of them.
func (t *proxyTrust) trusts(r *ishaa.Request) bool {
	given := r.App().Config().TrustedProxies
	if len(given) == 0 {
		return false
	}
	t.mu.Lock()
	if !slices.Equal(t.given, given) {
		t.given = given
		t.proxies, _ = clientip.Parse(given) // the application has checked them
	}
	proxies := t.proxies
	t.mu.Unlock()
	return proxies.Trusts(r.Peer().Addr())
}
