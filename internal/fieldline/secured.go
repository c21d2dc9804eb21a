package fieldline

import "github.com/ishaa-framework/ishaa/internal/secure"

// Secured is a set of security headers, for answers over TLS and without. The zero value has none, so no Head takes them.
type Secured struct{ plain, tls *Lines }

// OfHeaders makes a set ready whose headers nothing else sets; see secure.Headers.Own.
func OfHeaders(headers *secure.Headers) Secured {
	if headers == nil || !headers.Own() {
		return Secured{}
	}
	return Secured{linesOf(headers, false), linesOf(headers, true)}
}

func linesOf(headers *secure.Headers, tls bool) *Lines {
	var fields []Field
	for name, values := range headers.All(tls) {
		fields = append(fields, Field{name, values})
	}
	return New(fields...)
}

// For returns the lines.
func (s *Secured) For(tls bool) *Lines {
	if tls {
		return s.tls
	}
	return s.plain
}
