package middleware

import (
	"net/http"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/clientip"
	"github.com/ishaa-framework/ishaa/internal/inside"
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
	var proxies *proxyTrust
	if options.Trust == nil {
		proxies = &proxyTrust{}
		options.Trust = proxies.trusts
	}
	name := http.CanonicalHeaderKey(options.Header)
	return ishaa.Middleware{Name: ishaa.DefaultRequestID, Before: func(r *ishaa.Request) (any, error) {
		id := ""
		if proxies == nil || proxies.of(r.App()) != nil {
			id = r.Header(name)
		}
		if id != "" && (!secure.ValidRequestID(id) || !options.Trust(r)) {
			id = ""
		}
		var value *[1]string // for the header and the log
		switch {
		case id != "":
			value = &[1]string{id}
		case options.New != nil:
			value = &[1]string{options.New()}
		default:
			value = secure.NewRequestIDValue()
		}
		inside.SetID(r, value)
		switch {
		case name != "X-Request-Id":
			r.Response().Header()[name] = value[:] // a header of the program's choice may be any
		case !inside.AddValue(r.Response(), name, value):
			header, _ := inside.Header(r.Response(), 0)
			header[name] = value[:]
		}
		return nil, nil
	}}
}

// proxyTrust knows the trusted proxies of an application's configuration.
type proxyTrust struct{ known atomic.Pointer[proxiesOf] }

// proxiesOf are the proxies of one application; nil is none.
type proxiesOf struct {
	app     *ishaa.App
	proxies *clientip.Proxies
}

func (t *proxyTrust) of(app *ishaa.App) *clientip.Proxies {
	known := t.known.Load()
	if known == nil || known.app != app {
		known = &proxiesOf{app: app}
		if given := app.Config().TrustedProxies; len(given) > 0 {
			known.proxies, _ = clientip.Parse(given) // the application has checked them
		}
		t.known.Store(known)
	}
	return known.proxies
}

// trusts reports whether the peer of the connection is one of them.
func (t *proxyTrust) trusts(r *ishaa.Request) bool {
	proxies := t.of(r.App())
	return proxies != nil && proxies.Trusts(r.Peer().Addr())
}
