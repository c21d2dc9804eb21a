package middleware

import (
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// HeaderOff, as the value of a field of SecurityHeaderOptions, leaves that header
// out.
const HeaderOff = secure.Off

// SecurityHeaderOptions says which security headers answers get. The zero value is
// what the secure default does.
type SecurityHeaderOptions struct {
	// CSP is the Content-Security-Policy. The default takes scripts, styles and the
	// rest from the site itself only, images from data: URLs too, and lets nobody
	// frame it.
	CSP string

	// CSPReportOnly is a second policy that browsers report on without applying it,
	// to try one out.
	CSPReportOnly string

	// ReferrerPolicy is by default "strict-origin-when-cross-origin".
	ReferrerPolicy string

	// OpenerPolicy is Cross-Origin-Opener-Policy, by default "same-origin".
	OpenerPolicy string

	// HSTS is Strict-Transport-Security, sent to clients that came by TLS; by default
	// "max-age=63072000", two years. Add "; includeSubDomains" when all of them are
	// served by TLS.
	HSTS string

	// Extra are further headers, such as Permissions-Policy.
	Extra map[string]string
}

const (
	headerCSP           = "Content-Security-Policy"
	headerCSPReportOnly = "Content-Security-Policy-Report-Only"
)

// SecurityHeaders sets the headers that tell browsers what a site's pages may do.
// A header that the handler has set stays as it is. X-Content-Type-Options:
// nosniff is always among them. It replaces the secure default.
//
// A page with scripts or styles of its own between its tags gives them the nonce
// that Nonce returns.
func SecurityHeaders(options SecurityHeaderOptions) ishaa.Middleware {
	prepared := secure.HeaderOptions{
		ReferrerPolicy: options.ReferrerPolicy, OpenerPolicy: options.OpenerPolicy, HSTS: options.HSTS, Extra: options.Extra,
	}
	switch options.CSP {
	case "":
		prepared.CSP = secure.DefaultCSP()
	case HeaderOff:
		prepared.NoCSP = true
	default:
		prepared.CSP = parsePolicy("CSP", options.CSP)
	}
	headers, err := secure.NewHeaders(prepared)
	if err != nil {
		mistake("SecurityHeaders: %v", err)
	}
	s := &securityHeaders{headers: headers, lines: fieldline.OfHeaders(headers)}
	if options.CSPReportOnly != "" {
		s.tried = parsePolicy("CSPReportOnly", options.CSPReportOnly)
		s.triedValue = []string{s.tried.String()}
	}
	return ishaa.Middleware{Name: ishaa.DefaultSecurityHeaders, After: s.after}
}

func parsePolicy(field, text string) secure.CSP {
	policy, err := secure.ParseCSP(text)
	switch {
	case err != nil:
		mistake("SecurityHeaders: %s: %v", field, err)
	case policy.IsZero():
		mistake("SecurityHeaders: %s: %q is no policy: leave it empty for the default", field, text)
	}
	return policy
}

type securityHeaders struct {
	headers    *secure.Headers
	lines      fieldline.Secured
	tried      secure.CSP
	triedValue []string
}

func (s *securityHeaders) after(r *ishaa.Request, res *ishaa.Response) error {
	tls, nonce := r.Scheme() == "https", nonceKey.Get(r)
	if nonce == "" && s.triedValue == nil && inside.AddLines(res, inside.SecurityHeaders, s.lines.For(tls)) {
		return nil
	}
	part := inside.SecurityHeaders
	if !s.headers.Own() {
		part = inside.Anyone
	}
	header, maybe := inside.Header(res, part)
	maybe = maybe || part == inside.Anyone
	if !maybe && nonce == "" {
		s.headers.Set(header, tls)
		if s.triedValue != nil {
			header[headerCSPReportOnly] = s.triedValue
		}
		return nil
	}
	if policy := s.headers.CSP(); nonce != "" && header[headerCSP] == nil && !policy.IsZero() {
		header[headerCSP] = []string{policy.Nonced(nonce)}
	}
	if s.triedValue != nil && header[headerCSPReportOnly] == nil {
		header[headerCSPReportOnly] = s.triedValue
		if nonce != "" {
			header[headerCSPReportOnly] = []string{s.tried.Nonced(nonce)}
		}
	}
	s.headers.Apply(header, tls)
	return nil
}

// nonceKey is not traced: an answer with a nonce in it must not be remembered for
// another request.
var nonceKey = ishaa.NewKey[string]("csp nonce")

// Nonce returns the nonce of the request's answer, the same at each call, for
// <script nonce="…"> and <style nonce="…">. SecurityHeaders puts it into the
// policy; it has to be asked for before the handler returns, so a page that is
// streamed asks first. Without SecurityHeaders around the handler no policy allows
// it.
func Nonce(r *ishaa.Request) string {
	if nonce := nonceKey.Get(r); nonce != "" {
		return nonce
	}
	nonce := secure.Nonce()
	nonceKey.Set(r, nonce)
	return nonce
}
