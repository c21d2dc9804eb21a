package ishaatest

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// jar keeps cookies as browsers do (RFC 6265bis §5), by the clock of the
// application under test. Loopback hosts count as secure, as they do in browsers,
// so that the Secure cookies of a production set-up work without TLS. What a
// browser would refuse is refused with a line in the test's log.
type jar struct {
	now    func() time.Time
	mu     sync.Mutex
	kept   map[jarKey]jarEntry
	serial int // counts cookies, for the order in which they came
}

type jarKey struct{ domain, path, name string }

type jarEntry struct {
	cookie   *http.Cookie
	hostOnly bool
	expires  time.Time // zero: with the session
	serial   int
}

func newJar(now func() time.Time) *jar { return &jar{now: now, kept: map[jarKey]jarEntry{}} }

// store takes the cookies of an answer from u. It returns what it refused.
func (j *jar) store(u *url.URL, header http.Header) (refused []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range header["Set-Cookie"] {
		cookie, err := http.ParseSetCookie(line)
		if err == nil {
			err = j.put(u, cookie)
		}
		if err != nil {
			refused = append(refused, fmt.Sprintf("Set-Cookie %q: %v", line, err))
		}
	}
	return refused
}

// put stores a cookie, or deletes the one it replaces when it has expired.
func (j *jar) put(u *url.URL, cookie *http.Cookie) error {
	host := strings.ToLower(u.Hostname())
	domain, hostOnly, err := cookieDomain(host, cookie.Domain)
	if err != nil {
		return err
	}
	path := cookie.Path
	if !strings.HasPrefix(path, "/") {
		path = defaultPath(u.EscapedPath())
	}
	if err := allowedCookie(cookie, u, path, hostOnly); err != nil {
		return err
	}
	j.serial++
	entry := jarEntry{cookie: cookie, hostOnly: hostOnly, serial: j.serial}
	now := j.now()
	switch {
	case cookie.MaxAge < 0:
		entry.expires = now
	case cookie.MaxAge > 0:
		entry.expires = now.Add(time.Duration(cookie.MaxAge) * time.Second)
	default:
		entry.expires = cookie.Expires
	}
	key := jarKey{domain, path, cookie.Name}
	if entry.expired(now) {
		delete(j.kept, key)
		return nil
	}
	if before, ok := j.kept[key]; ok {
		entry.serial = before.serial
	}
	j.kept[key] = entry
	return nil
}

// cookieDomain says which hosts a cookie is for.
func cookieDomain(host, attribute string) (domain string, hostOnly bool, err error) {
	attribute = strings.ToLower(strings.TrimPrefix(attribute, "."))
	switch {
	case attribute == "":
		return host, true, nil
	case attribute == host:
		return host, net.ParseIP(host) != nil, nil
	case net.ParseIP(host) != nil || !strings.HasSuffix(host, "."+attribute):
		return "", false, fmt.Errorf("the domain %s does not include the host %s", attribute, host)
	case !strings.Contains(attribute, "."):
		return "", false, fmt.Errorf("the domain %s is a top-level domain", attribute)
	}
	return attribute, false, nil
}

// allowedCookie checks Secure and what the prefixes of a name promise.
func allowedCookie(cookie *http.Cookie, u *url.URL, path string, hostOnly bool) error {
	name := strings.ToLower(cookie.Name)
	switch {
	case cookie.Secure && !secureOrigin(u):
		return fmt.Errorf("it is Secure and %s is not; use ishaatest.TLS()", u.Scheme+"://"+u.Host)
	case strings.HasPrefix(name, "__secure-") && !cookie.Secure:
		return fmt.Errorf("a __Secure- cookie has to be Secure")
	case strings.HasPrefix(name, "__host-") && (!cookie.Secure || path != "/" || !hostOnly):
		return fmt.Errorf("a __Host- cookie has to be Secure, with the path / and without a domain")
	case cookie.SameSite == http.SameSiteNoneMode && !cookie.Secure:
		return fmt.Errorf("a cookie with SameSite=None has to be Secure")
	}
	return nil
}

// secureOrigin reports whether Secure cookies work: over TLS and on this machine.
func secureOrigin(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	return u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// defaultPath is RFC 6265 §5.1.4: the folder of the request's path.
func defaultPath(path string) string {
	if end := strings.LastIndexByte(path, '/'); end > 0 {
		return path[:end]
	}
	return "/"
}

func (e jarEntry) expired(now time.Time) bool { return !e.expires.IsZero() && !e.expires.After(now) }

// cookies returns what a request to u carries: longer paths first, then the older.
func (j *jar) cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	host, path := strings.ToLower(u.Hostname()), cmp.Or(u.EscapedPath(), "/")
	type match struct {
		key   jarKey
		entry jarEntry
	}
	var found []match
	now := j.now()
	for key, entry := range j.kept {
		inDomain := key.domain == host || !entry.hostOnly && strings.HasSuffix(host, "."+key.domain)
		switch {
		case entry.expired(now):
			delete(j.kept, key)
		case inDomain && pathWithin(path, key.path) && (!entry.cookie.Secure || secureOrigin(u)):
			found = append(found, match{key, entry})
		}
	}
	slices.SortFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(len(b.key.path), len(a.key.path)), cmp.Compare(a.entry.serial, b.entry.serial))
	})
	list := make([]*http.Cookie, len(found))
	for i, m := range found {
		list[i] = m.entry.cookie
	}
	return list
}

// pathWithin is RFC 6265 §5.1.4: whether a cookie's path covers a request's.
func pathWithin(path, cookie string) bool {
	rest, ok := strings.CutPrefix(path, cookie)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(cookie, "/"))
}

func (j *jar) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.kept)
}
