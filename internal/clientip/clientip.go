// Package clientip decides who sent a request when proxies stand between the client and the server.
//
// Anybody can write an X-Forwarded-For header. It means something only as far as the chain of proxies that wrote it
// is known, so the rule is: start at the peer of the connection, which cannot lie about its address; as long as the
// address at hand is a proxy that the operator trusts, believe what it says about its own peer, which is the entry it
// appended at the right; the first address that is not a trusted proxy is the client. Whatever stands further left
// was written by the client.
//
//	proxies, err := clientip.Parse([]string{"10.0.0.0/8", "2001:db8::1"})
//	…
//	client := proxies.Client(peer, r.Header)
//
// For peer 10.0.0.7 and "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.3" that is 203.0.113.9: 10.0.0.7 and 10.0.0.3
// are trusted, and 6.6.6.6 is a claim of 203.0.113.9's. Without trusted proxies, a nil *Proxies, every header is ignored.
//
// X-Real-IP, True-Client-IP, CF-Connecting-IP and their like are never read: they are single values that a proxy
// overwrites or passes through, and nothing in the request tells which.
package clientip

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// The headers that a Proxies can walk. They are never mixed: a proxy that maintains one passes the other through
// untouched, so the other is the client's own text.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

// maxHops bounds the walk. Nobody runs 64 proxies in a row; a longer chain of trusted addresses is an invention.
const maxHops = 64

// Proxies is a set of trusted proxies. A nil *Proxies trusts nobody. It is safe for concurrent use.
type Proxies struct {
	// Header is the header that the trusted proxies maintain: XForwardedFor (also meant by "") or Forwarded. Set it
	// before the first request; any other value is treated as "trust no header". See [Proxies.Validate].
	Header string

	prefixes []netip.Prefix
}

// Parse builds a set from addresses and CIDR prefixes ("10.0.0.0/8", "::1"). An empty list gives nil: no proxy is
// trusted. An entry that is not an address or a prefix is an error that names it.
func Parse(cidrsOrIPs []string) (*Proxies, error) {
	if len(cidrsOrIPs) == 0 {
		return nil, nil
	}
	p := &Proxies{}
	for _, entry := range cidrsOrIPs {
		prefix, err := parsePrefix(strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("trusted proxy %q: %w", entry, err)
		}
		p.prefixes = append(p.prefixes, prefix)
	}
	return p, nil
}

func parsePrefix(entry string) (netip.Prefix, error) {
	if !strings.Contains(entry, "/") {
		address, err := netip.ParseAddr(entry)
		if err != nil {
			return netip.Prefix{}, errors.New(`not an IP address or a prefix: write "10.0.0.7", "10.0.0.0/8" or "2001:db8::/32"`)
		}
		address = plain(address)
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(entry)
	if err != nil {
		return netip.Prefix{}, errors.New(`not a valid prefix: write "10.0.0.0/8" or "2001:db8::/32"`)
	}
	if address := prefix.Addr(); address.Is4In6() {
		// "::ffff:10.0.0.0/104" means 10.0.0.0/8, and addresses are unmapped before they are compared.
		if prefix.Bits() < 96 {
			return netip.Prefix{}, errors.New("an IPv4-mapped prefix shorter than 96 bits covers more than IPv4: write it as IPv6 or IPv4")
		}
		prefix = netip.PrefixFrom(address.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// Validate reports a Header that is neither of the two.
func (p *Proxies) Validate() error {
	if p == nil || p.Header == "" || p.walks(XForwardedFor) || p.walks(Forwarded) {
		return nil
	}
	return fmt.Errorf("trusted proxies: header %q cannot be walked: use %q or %q", p.Header, XForwardedFor, Forwarded)
}

// Trusts reports whether an address is one of the trusted proxies.
func (p *Proxies) Trusts(address netip.Addr) bool {
	if p == nil || !address.IsValid() {
		return false
	}
	address = plain(address)
	for _, prefix := range p.prefixes {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// Client returns the address of the client: the peer, unless the peer is a trusted proxy and says otherwise. An
// IPv4-mapped IPv6 address is returned as IPv4, an address from a header without its zone, and with port 0 unless the
// header gives one. Text that is not an address ends the walk, and the last good address is the answer: if all
// addresses of the chain are trusted, that is the left-most one.
func (p *Proxies) Client(peer netip.AddrPort, header http.Header) netip.AddrPort {
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if !p.Trusts(peer.Addr()) {
		return peer
	}
	client, _ := p.walk(peer, header)
	return client
}

// walk follows the chain from right to left. It also returns the element that named the client, "" if the client is
// the peer.
func (p *Proxies) walk(peer netip.AddrPort, header http.Header) (client netip.AddrPort, element string) {
	client = peer
	var name string
	var quotes bool
	switch {
	case p.walks(XForwardedFor):
		name = XForwardedFor
	case p.walks(Forwarded):
		name, quotes = Forwarded, true
	default:
		return client, ""
	}
	lines := header[name]
	hops := 0
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			if hops++; hops > maxHops {
				return client, element
			}
			var last string
			last, rest, more = cutLast(rest, quotes)
			node := last
			if quotes {
				var ok bool
				if node, ok = parameter(last, "for"); !ok {
					return client, element
				}
			}
			address, ok := parseNode(node)
			if !ok {
				return client, element
			}
			client, element = address, last
			if !p.Trusts(address.Addr()) {
				return client, element
			}
		}
	}
	return client, element
}

func (p *Proxies) walks(name string) bool {
	if p.Header == "" {
		return name == XForwardedFor
	}
	return strings.EqualFold(p.Header, name)
}

// plain is the form in which addresses are compared: IPv4 unmapped, no zone.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
