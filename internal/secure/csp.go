package secure

import (
	"fmt"
	"slices"
	"strings"
)

// DefaultPolicy is the content security policy (CSP Level 3) of pages that say nothing else.
//
//   - default-src 'self': scripts, styles, frames, connections and fonts come from this site, from files. Inline scripts and
//     inline styles do not run, which is what makes an injected one harmless; a page that needs its own carries a nonce.
//   - img-src 'self' data: small images inside style sheets and pages; an image cannot run a script.
//   - base-uri 'self', form-action 'self': default-src does not cover them, and an injected <base> or <form> sends
//     relative scripts, or what a visitor types, to another site.
//   - frame-ancestors 'none': nobody frames the site (click-jacking). Browsers that know it ignore X-Frame-Options, and every
//     browser since 2017 knows it, so the older header is not sent.
//   - object-src 'none': plug-ins run in the origin of the page.
//
// upgrade-insecure-requests is left out: it breaks a site that is served by plain HTTP on a local network.
const DefaultPolicy = "default-src 'self'; img-src 'self' data:; base-uri 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; object-src 'none'"

// CSP is a content security policy: directives in order. The zero value is an empty policy. A CSP is immutable; With,
// Without and Nonced return changed copies.
type CSP struct {
	directives []directive
}

type directive struct {
	name    string
	sources []string
}

// DefaultCSP returns DefaultPolicy, as a starting point for With.
func DefaultCSP() CSP {
	c, err := ParseCSP(DefaultPolicy)
	if err != nil {
		panic("secure: " + err.Error()) // a constant of this package, held by a test
	}
	return c
}

// ParseCSP reads a policy as it stands in a header. A directive that occurs twice is an error, because browsers ignore
// the second one and its author meant it; so is text that would break out of the header.
func ParseCSP(policy string) (CSP, error) {
	var c CSP
	for text := range strings.SplitSeq(policy, ";") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if c.find(name) >= 0 {
			return CSP{}, fmt.Errorf("content security policy: directive %q occurs twice: list all sources in one", name)
		}
		var err error
		if c, err = c.With(name, words[1:]...); err != nil {
			return CSP{}, err
		}
	}
	return c, nil
}

// With returns the policy with the sources of one directive replaced, or the directive added at the end. Sources that
// are keywords carry their quotes: "'self'". A name or source that is not one word is an error.
func (c CSP) With(name string, sources ...string) (CSP, error) {
	name = strings.ToLower(name)
	if !isDirective(name) {
		return c, fmt.Errorf("content security policy: %q is not the name of a directive: write one like \"script-src\"", name)
	}
	for _, source := range sources {
		if !isSource(source) {
			return c, fmt.Errorf("content security policy: %s: %q is not one source: no spaces, \";\", \",\" or control characters", name, source)
		}
		if isBareKeyword(source) {
			return c, fmt.Errorf("content security policy: %s: %q without quotes is a host name: write \"'%s'\"", name, source, source)
		}
	}
	directives := slices.Clone(c.directives)
	d := directive{name, slices.Clone(sources)}
	if i := c.find(name); i >= 0 {
		directives[i] = d
	} else {
		directives = append(directives, d)
	}
	return CSP{directives}, nil
}

// Without returns the policy without one directive.
func (c CSP) Without(name string) CSP {
	i := c.find(strings.ToLower(name))
	if i < 0 {
		return c
	}
	return CSP{slices.Delete(slices.Clone(c.directives), i, i+1)}
}

// Sources returns the sources of a directive and whether the policy has it.
func (c CSP) Sources(name string) ([]string, bool) {
	if i := c.find(strings.ToLower(name)); i >= 0 {
		return slices.Clone(c.directives[i].sources), true
	}
	return nil, false
}

// IsZero reports whether the policy has no directives.
func (c CSP) IsZero() bool { return len(c.directives) == 0 }

// String returns the policy as the value of a Content-Security-Policy header.
func (c CSP) String() string { return c.render("") }

// Nonced returns the header value of the policy with a nonce (see [Nonce]) allowed for scripts and styles, in addition
// to what the policy allows them anyway. Give every answer its own nonce.
func (c CSP) Nonced(nonce string) string {
	if nonce == "" || !isSource(nonce) {
		return c.String()
	}
	return c.render("'nonce-" + nonce + "'")
}

// render writes the policy; with a nonce, script-src and style-src get it and exist even if they only came from
// default-src before, in which case they start as a copy of that.
func (c CSP) render(nonce string) string {
	var b strings.Builder
	b.Grow(256)
	write := func(name string, sources []string, extra string) {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(name)
		for _, source := range sources {
			if extra != "" && source == "'none'" {
				continue // 'none' counts only alone
			}
			b.WriteByte(' ')
			b.WriteString(source)
		}
		if extra != "" {
			b.WriteByte(' ')
			b.WriteString(extra)
		}
	}
	for _, d := range c.directives {
		if nonce != "" && (d.name == "script-src" || d.name == "style-src") {
			write(d.name, d.sources, nonce)
		} else {
			write(d.name, d.sources, "")
		}
	}
	if fallback := c.find("default-src"); nonce != "" && fallback >= 0 {
		for _, name := range [...]string{"script-src", "style-src"} {
			if c.find(name) < 0 {
				write(name, c.directives[fallback].sources, nonce)
			}
		}
	}
	return b.String()
}

func (c CSP) find(name string) int {
	return slices.IndexFunc(c.directives, func(d directive) bool { return d.name == name })
}

func isDirective(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c != '-' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

func isSource(source string) bool {
	for i := 0; i < len(source); i++ {
		if c := source[i]; c <= ' ' || c >= 0x7f || c == ';' || c == ',' {
			return false
		}
	}
	return source != ""
}

// isBareKeyword finds the usual mistake: without its quotes a keyword names a host, and the policy does something else.
func isBareKeyword(source string) bool {
	switch source {
	case "self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic", "wasm-unsafe-eval", "report-sample", "unsafe-hashes":
		return true
	}
	return strings.HasPrefix(source, "nonce-") || strings.HasPrefix(source, "sha256-") ||
		strings.HasPrefix(source, "sha384-") || strings.HasPrefix(source, "sha512-")
}
