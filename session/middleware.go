package session

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// current is the session of the innermost middleware.
var current = ishaa.NewKey[*holder]("session")

// holder is what a request carries. A copy of the request, on which a shadow
// runs, carries the same holder but has a Session of its own: it begins with what
// the request had read by then.
type holder struct {
	session *Session
	saved   bool // the middleware is around the handler and saves what is changed
	read    atomic.Pointer[reading]
}

type reading struct {
	record *record
	data   []byte
}

// Middleware gives requests their sessions: From finds them, and what they change
// is saved with the answer. Use it on the application, a blueprint or a route.
func (m *Sessions) Middleware() ishaa.Middleware {
	return ishaa.Middleware{
		Name: "session",
		Before: func(r *ishaa.Request) (any, error) {
			m.attach(r).saved = true
			return nil, nil
		},
		After: m.after,
	}
}

// attach gives the request a holder, if it has none. What runs before the
// middleware, such as CSRF, may read the session too.
func (m *Sessions) attach(r *ishaa.Request) *holder {
	h := m.key.Get(r)
	if h == nil {
		h = &holder{}
		h.session = &Session{sessions: m, request: r, holder: h}
		m.key.Set(r, h)
	}
	current.Set(r, h)
	return h
}

// From returns the request's session. It does not ask the store yet. Where no
// middleware is around the handler, the session's methods say so.
func From(r *ishaa.Request) *Session { return current.Get(r).of(r) }

// From returns the request's session for a program that has several Sessions. The
// session can be read also before the middleware has run.
func (m *Sessions) From(r *ishaa.Request) *Session {
	if h := m.key.Get(r); h != nil {
		return h.of(r)
	}
	return m.attach(r).of(r)
}

// FromContext is From for code that has only the context, such as typed handlers.
func FromContext(ctx context.Context) *Session {
	if r := ishaa.FromContext(ctx); r != nil {
		return From(r)
	}
	return &Session{}
}

// Binding returns what binds a token to the session, such as middleware.CSRF's:
//
//	middleware.CSRF(middleware.CSRFOptions{Tokens: &middleware.CSRFTokens{Session: sessions.Binding}})
//
// It is the session's handle, or "" while there is no session.
func (m *Sessions) Binding(r *ishaa.Request) string {
	s := m.From(r)
	if s.load() == nil && s.base == nil && !s.ended && len(s.changes) > 0 && s.renewed == "" {
		s.renewed = newID() // of the session that this request begins
	}
	if s.renewed != "" {
		return handleOf(hashOf(s.renewed))
	}
	handle, _ := s.Handle() // a store that is away shows in the answer
	return handle
}

// of returns the session of the holder's request, or for a copy of that request
// one of its own.
func (h *holder) of(r *ishaa.Request) *Session {
	if h == nil {
		return &Session{}
	}
	s := h.session
	if s.request != r {
		own := &holder{saved: h.saved}
		own.read.Store(h.read.Load())
		s = &Session{sessions: s.sessions, request: r, holder: own}
		own.session = s
		s.sessions.key.Set(r, own)
		if current.Get(r) == h {
			current.Set(r, own)
		}
	}
	if s.ctx = r.Context(); !s.looked {
		s.brought, s.looked = s.sessions.cookieOf(r), true
		s.id = s.brought
	}
	return s
}

// after saves the session and marks the answer.
func (m *Sessions) after(r *ishaa.Request, res *ishaa.Response) error {
	h, ok := m.key.Lookup(r)
	if !ok || h.session.request != r || !h.session.asked {
		return nil
	}
	s := h.session
	defer func() { s.sent = true }()
	protect(res.Header())
	if res.Status() < 500 {
		if err := s.Save(r.Context()); err != nil {
			return err
		}
	}
	switch {
	case s.base != nil && s.id != s.brought:
		res.SetCookie(m.cookie(r, s.id, s.base))
	case s.base == nil && s.destroyed && s.brought != "":
		res.DeleteCookie(m.cookieName(r))
	}
	return nil
}

// protect keeps the answer out of caches that others are served from (OWASP ASVS
// 5.0 V14.3.2).
func protect(header http.Header) {
	if !slices.ContainsFunc(header["Vary"], func(value string) bool { return hasToken(value, "Cookie") || hasToken(value, "*") }) {
		header.Add("Vary", "Cookie")
	}
	for _, value := range header["Cache-Control"] {
		if hasToken(value, "private") || hasToken(value, "no-store") {
			return
		}
	}
	header.Set("Cache-Control", "no-store")
}

func hasToken(list, token string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), token) {
			return true
		}
	}
	return false
}

// cookieName tells the cookies of TLS and of plain HTTP apart, so that one set
// without TLS, or by a neighbouring domain, does not count with it.
func (m *Sessions) cookieName(r *ishaa.Request) string {
	if r.Scheme() == "https" {
		return "__Host-" + m.options.Cookie
	}
	return m.options.Cookie
}

func (m *Sessions) cookieOf(r *ishaa.Request) string {
	value, _ := r.Cookie(m.cookieName(r))
	return value
}

func (m *Sessions) cookie(r *ishaa.Request, id string, c *record) *http.Cookie {
	cookie := &http.Cookie{
		Name: m.cookieName(r), Value: id, Path: "/", HttpOnly: true,
		Secure: r.Scheme() == "https", SameSite: m.options.SameSite,
	}
	if m.options.Persistent {
		end := c.end(&m.options)
		cookie.Expires = end.UTC()
		cookie.MaxAge = max(1, int(end.Sub(m.now(r.Context()))/time.Second))
	}
	return cookie
}
