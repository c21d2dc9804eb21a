package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// hosts is the allow-list, compiled.
type hosts []pattern

// pattern is one entry: an exact name or address, the names below one, or any name.
type pattern struct {
	name  string // in lower case
	below bool   // "*.name"
	any   bool   // "*"
	port  string // "" for those of http and https
}

func compile(list []string) (hosts, error) {
	if len(list) == 0 {
		return nil, errors.New("Options.Hosts is empty: name the hosts that may be reached, or \"*\" for all public ones")
	}
	compiled := make(hosts, 0, len(list))
	for _, text := range list {
		p, err := compileOne(text)
		if err != nil {
			return nil, fmt.Errorf("Options.Hosts: %q: %w", text, err)
		}
		compiled = append(compiled, p)
	}
	return compiled, nil
}

func compileOne(text string) (pattern, error) {
	if text == "*" {
		return pattern{any: true}, nil
	}
	var p pattern
	name := text
	if host, port, err := net.SplitHostPort(text); err == nil {
		name, p.port = host, port
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return p, errors.New("the port is not a number from 1 to 65535")
		}
	}
	if rest, ok := strings.CutPrefix(name, "*."); ok {
		p.below, name = true, rest
		if !strings.Contains(name, ".") {
			return p, errors.New("a whole top-level domain is not a family of hosts")
		}
	}
	if address, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil && !p.below {
		p.name = address.String()
		return p, nil
	}
	p.name = strings.ToLower(name)
	if !hostName(p.name) {
		return p, errors.New("give a host name such as api.example.com, \"*.example.com\", or an address; a name in another script in its ASCII form")
	}
	return p, nil
}

// check refuses a URL that does not lead to one of the hosts.
func (h hosts) check(u *url.URL, plainHTTP bool) error {
	refuse := func(format string, args ...any) error {
		return &Refused{Host: u.Host, Reason: fmt.Sprintf(format, args...)}
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && plainHTTP:
	case u.Scheme == "http":
		return refuse("the URL is not https; Options.PlainHTTP allows http")
	default:
		return refuse("the scheme %q is neither https nor http", u.Scheme)
	}
	switch {
	case u.User != nil:
		return refuse("the URL has a user or password; set the header Authorization instead")
	case u.Opaque != "" || u.Host == "":
		return refuse("the URL has no host")
	}
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return refuse("the port is empty")
	}
	name := u.Hostname()
	address, err := netip.ParseAddr(name)
	literal := err == nil
	switch {
	case literal:
		if address.Zone() != "" {
			return refuse("the address has a zone")
		}
		name = address.String()
	case strings.ContainsAny(u.Host, "[]"):
		return refuse("it is not an address")
	default:
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if !hostName(name) {
			return refuse("it is not a host name")
		}
	}
	for _, p := range h {
		if p.allows(name, literal) && p.allowsPort(u.Scheme, port) {
			return nil
		}
	}
	return refuse("host or port are not in Options.Hosts")
}

func (p pattern) allows(name string, literal bool) bool {
	switch {
	case p.any:
		return !literal // an address only by name: nobody means "any address at all"
	case p.below:
		return !literal && strings.HasSuffix(name, "."+p.name)
	}
	return name == p.name
}

func (p pattern) allowsPort(scheme, port string) bool {
	if p.port != "" {
		return port == p.port || port == "" && p.port == defaultPort(scheme)
	}
	return port == "" || port == defaultPort(scheme)
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// hostName reports names that every system looks up in the name service: labels of
// letters, digits, "-" and "_", of which the last is no number. "127.1" and "0x7f.1"
// are addresses to some, names to others.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
		last = label
	}
	return '0' > last[0] || last[0] > '9'
}

// Refused is the error of a request that was not sent, or of a connection that was
// not made, because it leads where the client may not go.
type Refused struct {
	Host   string // as the URL has it, or the address
	Reason string
}

// Error names the host and the reason.
func (r *Refused) Error() string { return fmt.Sprintf("outbound: %q is refused: %s", r.Host, r.Reason) }
