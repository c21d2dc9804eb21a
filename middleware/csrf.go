package middleware

import (
	"net/http"
	"slices"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// CSRFOptions says who besides the site itself may send requests that change
// something. The zero value is what the secure default does.
type CSRFOptions struct {
	// TrustedOrigins are other origins that may write, as browsers send them:
	// "https://admin.example.com". Origins that CORS around the route names are
	// trusted as well: with its Credentials for everything, without for requests that
	// carry none.
	TrustedOrigins []string

	// ExemptPaths are paths that are not checked, such as a webhook that
	// authenticates its callers itself. They are compared byte for byte with the path
	// as it stands in the request; patterns are refused.
	ExemptPaths []string

	// Tokens asks clients that send neither Sec-Fetch-Site nor Origin, such as
	// browsers from before 2020, for a token. Nil lets those clients pass.
	Tokens *CSRFTokens
}

// CSRF refuses requests by which another site acts in the name of a visitor
// (cross-site request forgery): POST, PUT, PATCH, DELETE and whatever else is not
// GET, HEAD or OPTIONS, when the browser says, by Sec-Fetch-Site or Origin, that
// they come from another origin. That is the decision of
// net/http.CrossOriginProtection, with a plain http Origin refused on a site that
// is used by TLS. Refusals are a 403 problem. It replaces the secure default.
func CSRF(options CSRFOptions) ishaa.Middleware {
	guard, err := secure.NewCrossOrigin(secure.CrossOriginOptions{
		TrustedOrigins: options.TrustedOrigins, ExemptPaths: options.ExemptPaths,
	})
	if err != nil {
		mistake("CSRF: %v", err)
	}
	c := &csrf{guard: guard}
	m := ishaa.Middleware{Name: ishaa.DefaultCSRF, Before: c.before, Commutes: true}
	if options.Tokens == nil {
		m.Probe = func(r *ishaa.Request) bool { return c.check(r) != nil }
		return m
	}
	c.tokens = newCSRFTokens(*options.Tokens)
	c.exempt = map[string]bool{}
	for _, path := range options.ExemptPaths {
		c.exempt[path] = true
	}
	// Reading the token may read the body, and the binding may read a session: no
	// neighbour may trade places with that, and asking is not free of effects.
	m.Commutes = false
	return m
}

type csrf struct {
	guard  *secure.CrossOrigin
	tokens *csrfTokens
	exempt map[string]bool
}

func (c *csrf) before(r *ishaa.Request) (any, error) {
	if c.tokens != nil {
		csrfKey.Set(r, c.tokens)
	}
	if err := c.check(r); err != nil {
		return nil, err
	}
	if c.tokens != nil && c.needsToken(r) {
		return nil, c.tokens.check(r)
	}
	return nil, nil
}

func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// check decides by the headers alone.
func (c *csrf) check(r *ishaa.Request) error {
	method := r.Method()
	if isSafe(method) {
		return nil
	}
	// What the decision reads, without asking for the raw request, which would make
	// the answer opaque to engines.
	asked := &http.Request{Method: method, URL: r.URL(), Host: r.Host(), Header: http.Header{
		headerOrigin:     r.HeaderValues(headerOrigin),
		"Sec-Fetch-Site": r.HeaderValues("Sec-Fetch-Site"),
	}}
	err := c.guard.Check(asked, r.Scheme() == "https")
	if err == nil || isTrusted(r) {
		return nil
	}
	return ishaa.Forbidden("the request comes from another origin, which may not change anything here").Wrap(err)
}

// isTrusted reports whether middleware around the route, such as CORS, welcomes the
// request from another origin.
func isTrusted(r *ishaa.Request) bool {
	welcomes := func(m ishaa.Middleware) bool { return m.Trusts != nil && m.Trusts(r) }
	route := r.Route()
	return slices.ContainsFunc(route.Middleware(), welcomes) || slices.ContainsFunc(route.OwnMiddleware(), welcomes)
}

// needsToken reports whether the headers say nothing about where a request comes
// from, so that a token has to. Authorization by a bearer token is never added by
// a browser on its own.
func (c *csrf) needsToken(r *ishaa.Request) bool {
	if isSafe(r.Method()) || r.Header("Sec-Fetch-Site") != "" || r.Header(headerOrigin) != "" || isBearer(r.Header("Authorization")) {
		return false
	}
	return !c.exempt[r.URL().EscapedPath()]
}
