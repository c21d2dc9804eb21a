package clientip

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

var (
	stranger = netip.MustParseAddrPort("203.0.113.9:4711")
	proxy    = netip.MustParseAddrPort("10.0.0.7:5000")
)

func trusted(t testing.TB, header string) *Proxies {
	t.Helper()
	p, err := Parse([]string{"10.0.0.0/8", "2001:db8::/32", "192.0.2.1", " ::1 "})
	if err != nil {
		t.Fatal(err)
	}
	p.Header = header
	return p
}

func TestClientByXForwardedFor(t *testing.T) {
	for _, c := range []struct {
		name  string
		peer  netip.AddrPort
		lines []string
		want  string
	}{
		{"no header", proxy, nil, "10.0.0.7:5000"},
		{"a stranger's header means nothing (CVE-2020-28483)", stranger, []string{"6.6.6.6"}, "203.0.113.9:4711"},
		{"one hop", proxy, []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"right-most untrusted", proxy, []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9:0"},
		{"trusted ones are skipped", proxy, []string{"6.6.6.6, 203.0.113.9, 10.1.1.1, 192.0.2.1"}, "203.0.113.9:0"},
		{"a trusted address left of the client is a claim", proxy, []string{"10.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
		{"all trusted, the left-most", proxy, []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1:0"},
		{"lines are one list", proxy, []string{"6.6.6.6", "203.0.113.9", "10.0.0.3, 10.0.0.4"}, "203.0.113.9:0"},
		{"client's own line first", proxy, []string{"6.6.6.6, 7.7.7.7", "203.0.113.9"}, "203.0.113.9:0"},
		{"spaces and tabs", proxy, []string{"6.6.6.6 ,\t203.0.113.9 "}, "203.0.113.9:0"},
		{"no spaces", proxy, []string{"6.6.6.6,203.0.113.9"}, "203.0.113.9:0"},
		{"a port", proxy, []string{"203.0.113.9:1234"}, "203.0.113.9:1234"},
		{"IPv6", proxy, []string{"2a00::1"}, "[2a00::1]:0"},
		{"IPv6 in brackets", proxy, []string{"[2a00::1]"}, "[2a00::1]:0"},
		{"IPv6 with a port", proxy, []string{"[2a00::1]:443"}, "[2a00::1]:443"},
		{"IPv6 with a zone", proxy, []string{"fe80::1%eth0"}, "[fe80::1]:0"},
		{"IPv6 trusted, with a zone", proxy, []string{"203.0.113.9, 2001:db8::5%eth0"}, "203.0.113.9:0"},
		{"IPv4-mapped is IPv4", proxy, []string{"::ffff:203.0.113.9"}, "203.0.113.9:0"},
		{"IPv4-mapped and trusted", proxy, []string{"203.0.113.9, ::ffff:10.0.0.9"}, "203.0.113.9:0"},
		{"a peer that is IPv4-mapped", netip.MustParseAddrPort("[::ffff:10.0.0.7]:5"), []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"a stranger that is IPv4-mapped", netip.MustParseAddrPort("[::ffff:203.0.113.9]:5"), []string{"6.6.6.6"}, "203.0.113.9:5"},
		{"a peer on loopback", netip.MustParseAddrPort("[::1]:5"), []string{"203.0.113.9"}, "203.0.113.9:0"},
		{"garbage at the right, the peer", proxy, []string{"203.0.113.9, junk"}, "10.0.0.7:5000"},
		{"garbage behind a proxy, that proxy", proxy, []string{"203.0.113.9, junk, 10.0.0.3"}, "10.0.0.3:0"},
		{"unknown", proxy, []string{"203.0.113.9, unknown"}, "10.0.0.7:5000"},
		{"an empty element hides who it was", proxy, []string{"203.0.113.9, "}, "10.0.0.7:5000"},
		{"an empty line", proxy, []string{"203.0.113.9", ""}, "10.0.0.7:5000"},
		{"garbage at the left is never reached", proxy, []string{"junk, 203.0.113.9"}, "203.0.113.9:0"},
		{"octal is garbage", proxy, []string{"203.0.113.011"}, "10.0.0.7:5000"},
		{"a host name is garbage", proxy, []string{"example.com"}, "10.0.0.7:5000"},
		{"a port out of range is garbage", proxy, []string{"203.0.113.9:65536"}, "10.0.0.7:5000"},
		{"a port with a sign is garbage", proxy, []string{"203.0.113.9:+80"}, "10.0.0.7:5000"},
		{"a colon without a port is garbage", proxy, []string{"203.0.113.9:"}, "10.0.0.7:5000"},
		{"IPv4 in brackets is garbage", proxy, []string{"[203.0.113.9]"}, "10.0.0.7:5000"},
		{"an open bracket is garbage", proxy, []string{"[2a00::1"}, "10.0.0.7:5000"},
		{"text behind a bracket is garbage", proxy, []string{"[2a00::1]x80"}, "10.0.0.7:5000"},
		{"quotes are garbage here", proxy, []string{`"203.0.113.9"`}, "10.0.0.7:5000"},
		{"line breaks are garbage", proxy, []string{"203.0.113.9\r\nX: y"}, "10.0.0.7:5000"},
		{"more hops than anybody has", proxy, []string{"203.0.113.9" + strings.Repeat(",10.0.0.1", maxHops)}, "10.0.0.1:0"},
		{"as many hops as are allowed", proxy, []string{"203.0.113.9" + strings.Repeat(",10.0.0.1", maxHops-1)}, "203.0.113.9:0"},
	} {
		header := http.Header{
			XForwardedFor: c.lines,
			// None of these may ever count.
			Forwarded: {"for=6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"}, "True-Client-Ip": {"6.6.6.6"},
			"X-Client-Ip": {"6.6.6.6"}, "Cf-Connecting-Ip": {"6.6.6.6"}, "X-Cluster-Client-Ip": {"6.6.6.6"},
		}
		if got := trusted(t, "").Client(c.peer, header); got.String() != c.want {
			t.Errorf("%s: client is %s, want %s", c.name, got, c.want)
		}
		if got := trusted(t, "x-forwarded-for").Client(c.peer, header); got.String() != c.want {
			t.Errorf("%s, header named: client is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestClientByForwarded(t *testing.T) {
	for _, c := range []struct {
		name  string
		peer  netip.AddrPort
		lines []string
		want  string
	}{
		{"no header", proxy, nil, "10.0.0.7:5000"},
		{"a stranger's header means nothing", stranger, []string{"for=6.6.6.6"}, "203.0.113.9:4711"},
		{"one hop", proxy, []string{"for=203.0.113.9"}, "203.0.113.9:0"},
		{"right-most untrusted", proxy, []string{"for=6.6.6.6, for=203.0.113.9;proto=https, for=10.0.0.2"}, "203.0.113.9:0"},
		{"names in capitals", proxy, []string{"FOR=203.0.113.9"}, "203.0.113.9:0"},
		{"among other parameters", proxy, []string{`proto=https;by=10.0.0.7;for=203.0.113.9;host="a.example"`}, "203.0.113.9:0"},
		{"IPv6 in quotes, with a port", proxy, []string{`for="[2a00::1]:4711"`}, "[2a00::1]:4711"},
		{"IPv4 with a port", proxy, []string{`for="203.0.113.9:80"`}, "203.0.113.9:80"},
		{"a comma in quotes separates nothing", proxy, []string{`for=203.0.113.9;host="a,b"`}, "203.0.113.9:0"},
		{"the client's open quote swallows nothing", proxy, []string{`for="6.6.6.6, for=203.0.113.9`}, "203.0.113.9:0"},
		{"nor does an escaped one", proxy, []string{`for="\", for=203.0.113.9`}, "203.0.113.9:0"},
		{"obfuscated", proxy, []string{"for=_hidden"}, "10.0.0.7:5000"},
		{"unknown behind a proxy", proxy, []string{"for=6.6.6.6, for=unknown, for=10.0.0.3"}, "10.0.0.3:0"},
		{"an element without for", proxy, []string{"for=6.6.6.6, proto=https"}, "10.0.0.7:5000"},
		{"for twice", proxy, []string{"for=6.6.6.6;for=203.0.113.9"}, "10.0.0.7:5000"},
		{"text behind quotes", proxy, []string{`for="203.0.113.9"x`}, "10.0.0.7:5000"},
		{"a backslash in quotes", proxy, []string{`for="203.0.113.\9"`}, "10.0.0.7:5000"},
		{"no equals sign", proxy, []string{"203.0.113.9"}, "10.0.0.7:5000"},
		{"lines are one list", proxy, []string{"for=6.6.6.6", "for=203.0.113.9", "for=10.0.0.9"}, "203.0.113.9:0"},
	} {
		header := http.Header{Forwarded: c.lines, XForwardedFor: {"6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"}}
		if got := trusted(t, Forwarded).Client(c.peer, header); got.String() != c.want {
			t.Errorf("%s: client is %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTheLastElementIsCutOffWhole(t *testing.T) {
	for _, c := range []struct{ list, last, rest string }{
		{`a, b`, `b`, `a`},
		{`a, b="c,d"`, `b="c,d"`, `a`},
		{`a, b="c\",d"`, `b="c\",d"`, `a`},
		{`a, b="c,d\\"`, `b="c,d\\"`, `a`},
		{`a="x, b="c,d\\"`, `b="c,d\\"`, `a="x`},
		{`a="x, b="c\\\",d"`, `b="c\\\",d"`, `a="x`},
	} {
		last, rest, more := cutLast(c.list, true)
		if last != c.last || rest != c.rest || !more {
			t.Errorf("cutLast(%s) = %s | %s, want %s | %s", c.list, rest, last, c.rest, c.last)
		}
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	none, err := Parse(nil)
	if err != nil || none != nil {
		t.Fatalf("Parse(nil) gave %v, %v", none, err)
	}
	header := http.Header{XForwardedFor: {"6.6.6.6"}, Forwarded: {"for=6.6.6.6;proto=https;host=evil.example"},
		"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.example"}, "X-Real-Ip": {"6.6.6.6"}}
	loopback := netip.MustParseAddrPort("127.0.0.1:1")
	for _, p := range []*Proxies{none, {}} {
		if got := p.Client(loopback, header); got != loopback {
			t.Errorf("client is %s", got)
		}
		if scheme, ok := p.Scheme(loopback, header); ok {
			t.Errorf("scheme is %s", scheme)
		}
		if host, ok := p.Host(loopback, header); ok {
			t.Errorf("host is %s", host)
		}
	}
	if n := testing.AllocsPerRun(100, func() { none.Client(loopback, header) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if err := none.Validate(); err != nil {
		t.Error(err)
	}
	// A header that cannot be walked trusts nothing rather than everything.
	other := trusted(t, "X-Real-IP")
	if other.Validate() == nil || other.Client(proxy, header) != proxy {
		t.Error("a header that cannot be walked is accepted")
	}
	if _, ok := other.Scheme(proxy, header); ok {
		t.Error("with a header that cannot be walked there is a scheme")
	}
	var unset netip.AddrPort // as for a unix socket
	if got := trusted(t, "").Client(unset, header); got != unset {
		t.Errorf("no peer gave %v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, entry := range []string{"", "10.0.0.0/33", "10.0.0", "example.com", "10.0.0.1:80", "fe80::1%eth0/64", "*", "::ffff:0.0.0.0/90"} {
		if p, err := Parse([]string{"10.0.0.1", entry}); err == nil || p != nil || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("Parse(%q) gave %v, %v", entry, p, err)
		}
	}
	mapped, err := Parse([]string{"::ffff:10.0.0.0/104"})
	if err != nil || !mapped.Trusts(netip.MustParseAddr("10.200.0.1")) || mapped.Trusts(netip.MustParseAddr("11.0.0.1")) {
		t.Errorf("a mapped prefix gave %v, %v", mapped, err)
	}
	loose, err := Parse([]string{"10.1.2.3/8"})
	if err != nil || !loose.Trusts(netip.MustParseAddr("10.200.0.1")) {
		t.Errorf("a prefix with host bits gave %v, %v", loose, err)
	}
}

func TestSchemeAndHost(t *testing.T) {
	for _, c := range []struct {
		name         string
		walk         string
		peer         netip.AddrPort
		header       http.Header
		scheme, host string
	}{
		{"from a proxy", "", proxy, http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"shop.example:8443"}}, "https", "shop.example:8443"},
		{"from a stranger", "", stranger, http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil.example"}}, "", ""},
		{"capitals", "", proxy, http.Header{"X-Forwarded-Proto": {"HTTPS"}}, "https", ""},
		{"the nearest proxy's word", "", proxy, http.Header{"X-Forwarded-Proto": {"https, http"}, "X-Forwarded-Host": {"evil.example, shop.example"}}, "http", "shop.example"},
		{"the last line", "", proxy, http.Header{"X-Forwarded-Proto": {"https", "http"}}, "http", ""},
		{"another scheme", "", proxy, http.Header{"X-Forwarded-Proto": {"javascript"}}, "", ""},
		{"a user in a host", "", proxy, http.Header{"X-Forwarded-Host": {"example.com@evil.example"}}, "", ""},
		{"the other header does not count", "", proxy, http.Header{Forwarded: {"for=1.2.3.4;proto=https;host=evil.example"}}, "", ""},
		{"Forwarded", Forwarded, proxy, http.Header{Forwarded: {`for=6.6.6.6;proto=http, for=1.2.3.4;proto=https;host="shop.example:80", for=10.0.0.9;proto=http`}}, "https", "shop.example:80"},
		{"Forwarded does not say", Forwarded, proxy, http.Header{Forwarded: {"for=1.2.3.4"}, "X-Forwarded-Proto": {"https"}}, "", ""},
		{"Forwarded of a stranger", Forwarded, stranger, http.Header{Forwarded: {"for=1.2.3.4;proto=https;host=evil.example"}}, "", ""},
		{"nothing", "", proxy, http.Header{}, "", ""},
	} {
		p := trusted(t, c.walk)
		scheme, schemeOK := p.Scheme(c.peer, c.header)
		host, hostOK := p.Host(c.peer, c.header)
		if scheme != c.scheme || schemeOK != (c.scheme != "") {
			t.Errorf("%s: scheme is %q, %v, want %q", c.name, scheme, schemeOK, c.scheme)
		}
		if host != c.host || hostOK != (c.host != "") {
			t.Errorf("%s: host is %q, %v, want %q", c.name, host, hostOK, c.host)
		}
	}
}

func TestValidHost(t *testing.T) {
	for _, host := range []string{"example.com", "example.com:80", "12.34.56.78", "12.34.56.78:443", "[2001:19f0:feee::dead:beef:cafe]",
		"[2001:19f0:feee::dead:beef:cafe]:8080", "xn--4ca9at.com", "example.com.", "example.com.:80", "[::ffff:169.254.169.254]",
		"localhost", "my_service:9", "EXAMPLE.com", strings.Repeat("a", 253)} {
		if !ValidHost(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{"", "example.com@evil.tld", "example.com:dr.frankenstein@evil.tld", "example.com:dr.frankenstein@evil.tld:80",
		"example.com:80/badpath", "example.com: recovermypassword.com", "example.com..", ".example.com", "a..b", ".", ":80", "a:", "a:65536",
		"a:123456", "[::1", "[::1]x", "[::1]80", "[127.0.0.1]", "[fe80::1%eth0]", "[]", "::1", "a b", "a\r\nb", "a\x00", "bücher.example", "a/b",
		`a\b`, "a?b", "a#b", "a,b", strings.Repeat("a", 300)} {
		if ValidHost(host) {
			t.Errorf("%q is accepted", host)
		}
	}
}

func TestHostileHeadersAreLinear(t *testing.T) {
	for name, part := range map[string]string{
		"commas": ",", "trusted": "10.0.0.1,", "quotes": `"`, "backslashes": `\`, "both": `\"`, "semicolons": "a=b;",
		"digits": "1", "brackets": "[",
	} {
		testenv.Linear(t, name, 1<<17, func(size int) func() { // up to a mebibyte
			line := strings.Repeat(part, size/len(part))
			if name == "backslashes" {
				line += `"`
			}
			header := http.Header{XForwardedFor: {line}, Forwarded: {line, "for=" + line, `for="` + line + `"`}}
			return func() {
				trusted(t, "").Client(proxy, header)
				p := trusted(t, Forwarded)
				p.Client(proxy, header)
				p.Host(proxy, header)
			}
		})
	}
}

// What a stranger writes to the left of what the trusted proxies appended changes nothing.
func FuzzClient(f *testing.F) {
	f.Add("6.6.6.6", "203.0.113.9")
	f.Add(`for="6.6.6.6`, "unknown")
	f.Add("[::1]:80, fe80::1%x", "1.2.3.4:80")
	f.Fuzz(func(t *testing.T, claim, entry string) {
		for _, name := range []string{XForwardedFor, Forwarded} {
			p := trusted(t, name)
			appended, raw := "203.0.113.9", entry
			if name == Forwarded {
				appended = "for=203.0.113.9;proto=https"
			}
			for _, lines := range [][]string{{claim + ", " + appended}, {claim, appended}} {
				if got := p.Client(proxy, http.Header{name: lines}); got != netip.MustParseAddrPort("203.0.113.9:0") {
					t.Fatalf("%s %q: client is %s", name, lines, got)
				}
			}
			got := p.Client(proxy, http.Header{name: {raw}})
			if !got.IsValid() || got.Addr().Zone() != "" || got.Addr().Is4In6() {
				t.Fatalf("%s %q: client is %v", name, raw, got)
			}
			if got := p.Client(stranger, http.Header{name: {raw}}); got != stranger {
				t.Fatalf("%s %q: a stranger became %s", name, raw, got)
			}
			if host, ok := p.Host(proxy, http.Header{name: {raw}, "X-Forwarded-Host": {raw}}); ok && strings.ContainsAny(host, "/\\@ \r\n,?#") {
				t.Fatalf("host is %q", host)
			}
		}
	})
}

func BenchmarkClient(b *testing.B) {
	header := http.Header{XForwardedFor: {"203.0.113.9, 10.0.0.3"}}
	for name, p := range map[string]*Proxies{"nil": nil, "trusted": trusted(b, "")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Client(proxy, header)
			}
		})
	}
}
