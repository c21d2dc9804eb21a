package middleware

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/clientip"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// RealIPOptions says which proxies stand in front of the application and how they
// tell the client's address.
type RealIPOptions struct {
	// Proxies are the addresses and networks ("10.0.0.0/8") whose word is taken. They
	// are required: a header that anybody may write says nothing.
	Proxies []string

	// Header is the one header that those proxies set: "X-Forwarded-For" (default)
	// or "Forwarded", which are read from the right up to the first address that is
	// not a trusted proxy, or a header with one address that the proxies always
	// overwrite, such as "X-Real-IP", "CF-Connecting-IP" or "True-Client-IP".
	Header string
}

// RealIP finds the client's address behind proxies, for Request.Client.
//
// Config.TrustedProxies is the usual way, for X-Forwarded-For and Forwarded: it
// serves the client's address, the scheme and the host alike, everywhere. RealIP is
// for proxies with a header of their own and for trust that is not the same on all
// routes; where it finds nothing to believe, the address stays what it was.
func RealIP(options RealIPOptions) ishaa.Middleware {
	if len(options.Proxies) == 0 {
		mistake("RealIP: Proxies is empty, so nobody's word could be taken: list the proxies' addresses or networks")
	}
	proxies, err := clientip.Parse(options.Proxies)
	if err != nil {
		mistake("RealIP: %v", err)
	}
	setDefault(&options.Header, clientip.XForwardedFor)
	if !secure.ValidHeaderName(options.Header) {
		mistake("RealIP: %q is not the name of a header", options.Header)
	}
	name := http.CanonicalHeaderKey(options.Header)
	chain := name == clientip.XForwardedFor || name == clientip.Forwarded
	proxies.Header = clientip.XForwardedFor
	if chain {
		proxies.Header = name
	}
	return ishaa.Middleware{Name: "real-ip", Before: func(r *ishaa.Request) (any, error) {
		from := r.Peer()
		if !proxies.Trusts(from.Addr()) {
			return nil, nil
		}
		lines := r.HeaderValues(name)
		switch {
		case len(lines) == 0:
		case chain:
			r.SetClient(proxies.Client(from, http.Header{name: lines}))
		case len(lines) == 1:
			if address, err := netip.ParseAddr(strings.TrimSpace(lines[0])); err == nil {
				r.SetClient(netip.AddrPortFrom(address.Unmap().WithZone(""), 0))
			}
		}
		return nil, nil
	}}
}
