// Package localonly guards what is for the machine's own users: profiles, metrics.
package localonly

import (
	"net/netip"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Proxies add these: with one of them the peer may be on this machine while the client is anywhere.
var proxyHeaders = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// Guard returns middleware that lets only clients on this machine through: the peer is a loopback address, no proxy stands
// between, and the client asked for this machine by a loopback name. The last keeps out a page of another site that points
// its own name at 127.0.0.1 (DNS rebinding). Others get a 403.
func Guard() ishaa.Middleware {
	return ishaa.Middleware{Name: "local-only", Before: func(r *ishaa.Request) (any, error) {
		if !local(r) {
			return nil, ishaa.Forbidden("this is for clients on the machine itself, under a name such as localhost")
		}
		return nil, nil
	}}
}

func local(r *ishaa.Request) bool {
	raw := r.HTTP()
	for _, name := range proxyHeaders {
		if len(raw.Header[name]) > 0 {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(raw.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && secure.LoopbackHost(raw.Host)
}
