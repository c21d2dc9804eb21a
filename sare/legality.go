package sare

import (
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/httpcache"
	"github.com/ishaa-framework/ishaa/internal/inside"
)

// The first gate: what may be shared at all. It follows RFC 9111 for a shared cache and is stricter where that leaves a
// choice, since nobody asked for this cache.

var methodInput = ishaa.Input{Kind: ishaa.InputMethod}

// asking is what a request allows.
type asking uint8

const (
	askNothing asking = iota // neither look nor keep
	askFresh                 // keep, but do not look
	askAny
)

// asks looks at a request without being seen to read it, so that an engine further out is not told of inputs that the
// handler does not have.
func asks(r *ishaa.Request) asking {
	if method, _ := r.Input(methodInput); method != http.MethodGet && method != http.MethodHead {
		return askNothing
	}
	header := inside.RequestHeader(r)
	if len(header["Authorization"]) > 0 || len(header["Range"]) > 0 {
		return askNothing
	}
	if length := header["Content-Length"]; len(length) > 0 && (len(length) > 1 || length[0] != "0") {
		return askNothing // a GET with a body
	}
	control, pragma := header["Cache-Control"], header["Pragma"]
	if len(control) > 0 || len(pragma) > 0 {
		want := httpcache.DemandsOf(control, pragma)
		switch {
		case want.Bypass:
			return askNothing
		case want.Reload, want.MaxAge == 0:
			return askFresh
		}
	}
	if effect.Shadow(r.Context()) {
		return askNothing // work for comparison is to be done
	}
	return askAny
}

// isIdentityHeader reports headers that say who asks.
func isIdentityHeader(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Proxy-Authorization":
		return true
	}
	return false
}

// keptStatus lists what is remembered: what RFC 9110 §15.1 calls cacheable by default and says nothing about the server's
// abilities or about a choice.
func keptStatus(status int) bool {
	switch status {
	case 200, 203, 204, 301, 404, 410:
		return true
	}
	return false
}

// refusedHeaders are of answers to one client: a challenge, a proof of who answers, an age that others counted.
var refusedHeaders = [...]string{"Set-Cookie", "Set-Cookie2", "Www-Authenticate", "Authentication-Info", "Proxy-Authenticate", "Clear-Site-Data", "Age"}

// lifetime is how long an answer may be kept, ttl at most, and whether it must not be given out stale. A reason says why
// it may not be kept at all.
func lifetime(answer *ishaa.Rendered, header http.Header, now time.Time, ttl time.Duration) (fresh time.Duration, strict bool, reason string) {
	switch {
	case !keptStatus(answer.Status()):
		return 0, true, "its status is not one that is kept"
	case len(answer.Bytes()) > maxAnswer:
		return 0, true, "it is larger than 1 MiB"
	}
	for _, name := range refusedHeaders {
		if len(header[name]) > 0 {
			return 0, true, "it has " + name
		}
	}
	fresh, strict = httpcache.Freshness(answer.Status(), header, now, ttl)
	if fresh <= 0 {
		return 0, true, "it says that it is not to be kept"
	}
	return fresh, strict, ""
}
