package server

import (
	"net/http"
	"net/url"
	"strings"
)

// A request target is one of four forms (RFC 9112 §3.2): a path with a query, which nearly all are, a whole URL, which
// proxies send, "*" for OPTIONS, and host and port for CONNECT.

// isPlainPath has the bytes that stand for themselves in a path: those that package url would not escape.
var isPlainPath = func() (set [256]bool) {
	for c := range set {
		set[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for _, c := range "-_.~$&+,/:;=@" {
		set[c] = true
	}
	return set
}()

// parseTarget fills in a URL as url.ParseRequestURI would. It has been checked that the target has neither spaces nor
// control characters.
func parseTarget(u *url.URL, method, target string) *fault {
	switch {
	case target == "":
		return faultTarget
	case target[0] == '/':
		return parsePath(u, target)
	case target == "*":
		if method != http.MethodOptions {
			return faultTarget
		}
		u.Path = "*"
		return nil
	case method == http.MethodConnect:
		return parseAuthority(u, target)
	}
	parsed, err := url.ParseRequestURI(target)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" || !validHost(parsed.Host) {
		return faultTarget
	}
	*u = *parsed
	return nil
}

func parsePath(u *url.URL, target string) *fault {
	for i := range len(target) {
		c := target[i]
		if isPlainPath[c] {
			continue
		}
		if c == '?' {
			u.Path = target[:i]
			u.RawQuery = target[i+1:]
			u.ForceQuery = u.RawQuery == ""
			return nil
		}
		parsed, err := url.ParseRequestURI(target)
		if err != nil {
			return faultTarget
		}
		*u = *parsed
		return nil
	}
	u.Path = target
	return nil
}

// parseAuthority reads what CONNECT asks for: a host and a port.
func parseAuthority(u *url.URL, target string) *fault {
	colon := strings.LastIndexByte(target, ':')
	if colon < 1 || colon == len(target)-1 || strings.ContainsAny(target, "@/?#") {
		return faultTarget
	}
	parsed, err := url.ParseRequestURI("http://" + target)
	if err != nil || !validHost(target) {
		return faultTarget
	}
	*u = *parsed
	u.Scheme = ""
	return nil
}

// isHostByte has the bytes of a host with a port (RFC 3986 §3.2.2), which may be percent-encoded.
var isHostByte = func() (set [256]bool) {
	for c := range set {
		set[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for _, c := range "!$%&'()*+,-.:;=[]_~" {
		set[c] = true
	}
	return set
}()

func validHost(host string) bool {
	for i := range len(host) {
		if !isHostByte[host[i]] {
			return false
		}
	}
	return true
}
