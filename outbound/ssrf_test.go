package outbound_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ishaa-framework/ishaa/outbound"
)

// resolver answers for names; each time the next of the list, the last for ever.
type resolver map[string][]string

func (r resolver) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	list := r[host]
	if len(list) == 0 {
		return nil, errors.New("no such host")
	}
	if len(list) > 1 {
		r[host] = list[1:]
	}
	var found []netip.Addr
	for text := range strings.SplitSeq(list[0], ",") {
		found = append(found, netip.MustParseAddr(text))
	}
	return found, nil
}

// Where a URL from a stranger must not lead, for a client that may reach any public
// host by http and https.
var forbiddenURLs = []struct{ name, url string }{
	{"loopback", "http://127.0.0.1/"},
	{"loopback, another", "http://127.8.8.8/"},
	{"localhost", "http://localhost/"},
	{"localhost in capitals", "http://LocalHost/"},
	{"localhost with a dot", "http://localhost./"},
	{"decimal", "http://2130706433/"},
	{"octal", "http://017700000001/"},
	{"octal parts", "http://0177.0.0.01/"},
	{"hexadecimal", "http://0x7f000001/"},
	{"hexadecimal parts", "http://0x7f.0.0.1/"},
	{"hexadecimal end", "http://127.0.0.0x1/"},
	{"two parts", "http://127.1/"},
	{"three parts", "http://127.0.1/"},
	{"one number", "http://0/"},
	{"zeros in front", "http://127.000.000.001/"},
	{"a dot behind", "http://127.0.0.1./"},
	{"digits of another script", "http://１２７.０.０.１/"},
	{"digits in circles", "http://①②⑦.⓪.⓪.①/"},
	{"dots of another script", "http://127。0。0。1/"},
	{"escaped", "http://%31%32%37.0.0.1/"},
	{"escaped dots", "http://127%2e0%2e0%2e1/"},
	{"this network", "http://0.0.0.0/"},
	{"private 10", "http://10.0.0.1/"},
	{"private 172", "http://172.16.0.1/"},
	{"private 172, the end", "http://172.31.255.255/"},
	{"private 192", "http://192.168.1.1/"},
	{"carrier-grade NAT", "http://100.64.0.1/"},
	{"metadata of a cloud", "http://169.254.169.254/latest/meta-data/"},
	{"metadata by decimal", "http://2852039166/"},
	{"multicast", "http://224.0.0.1/"},
	{"broadcast", "http://255.255.255.255/"},
	{"reserved", "http://240.0.0.1/"},
	{"a public address", "http://8.8.8.8/"},
	{"loopback 6", "http://[::1]/"},
	{"loopback 6 in full", "http://[0:0:0:0:0:0:0:1]/"},
	{"loopback 6 with zeros", "http://[0000:0000:0000:0000:0000:0000:0000:0001]/"},
	{"unspecified 6", "http://[::]/"},
	{"mapped", "http://[::ffff:127.0.0.1]/"},
	{"mapped in hexadecimal", "http://[::ffff:7f00:1]/"},
	{"mapped in full", "http://[0:0:0:0:0:ffff:127.0.0.1]/"},
	{"compatible", "http://[::127.0.0.1]/"},
	{"NAT64", "http://[64:ff9b::127.0.0.1]/"},
	{"NAT64 of one's own", "http://[64:ff9b:1::7f00:1]/"},
	{"6to4", "http://[2002:7f00:1::]/"},
	{"Teredo", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/"},
	{"unique local", "http://[fd00::1]/"},
	{"metadata of a cloud by 6", "http://[fd00:ec2::254]/"},
	{"link-local", "http://[fe80::1]/"},
	{"link-local with a zone", "http://[fe80::1%25eth0]/"},
	{"loopback with a zone", "http://[::1%25lo]/"},
	{"site-local", "http://[fec0::1]/"},
	{"multicast 6", "http://[ff02::1]/"},
	{"documentation 6", "http://[2001:db8::1]/"},
	{"a name for loopback", "http://loop.example/"},
	{"a name for loopback 6", "http://loop6.example/"},
	{"a name for private", "http://private.example/"},
	{"a name for metadata", "http://metadata.example/"},
	{"a name for carrier-grade NAT", "http://cgnat.example/"},
	{"a name for mapped", "http://mapped.example/"},
	{"a name for NAT64", "http://nat64.example/"},
	{"a name for 6to4", "http://sixtofour.example/"},
	{"a name for Teredo", "http://teredo.example/"},
	{"a name for unique local", "http://ula.example/"},
	{"a name for link-local", "http://linklocal.example/"},
	{"a name for the unspecified address", "http://zero.example/"},
	{"a name for multicast", "http://multicast.example/"},
	{"a name for several", "http://several.example/"},
	{"a name without addresses", "http://nowhere.example/"},
	{"an encoded name", "http://xn--a/"},
	{"a user that looks like a host", "http://public.example@127.0.0.1/"},
	{"a user", "http://user:hunter2@public.example/"},
	{"a user and a fragment", "http://127.0.0.1#@public.example/"},
	{"a user and a backslash", `http://public.example\@127.0.0.1/`},
	{"two users", "http://a@b@127.0.0.1/"},
	{"another port", "http://public.example:22/"},
	{"the other scheme's port", "http://public.example:443/"},
	{"an empty port", "http://public.example:/"},
	{"port 0", "http://public.example:0/"},
	{"file", "file:///etc/passwd"},
	{"gopher", "gopher://public.example/"},
	{"ftp", "ftp://public.example/"},
	{"data", "data:text/plain,x"},
	{"no scheme", "//127.0.0.1/"},
	{"opaque", "http:127.0.0.1"},
	{"no host", "http:///path"},
	{"a unix socket", "http+unix://%2Fvar%2Frun%2Fdocker.sock/"},
	{"a space", "http://127.0.0.1 .public.example/"},
	{"a tab", "http://127.0.0.1\t.public.example/"},
	{"a NUL", "http://127.0.0.1%00.public.example/"},
	{"a line break", "http://public.example%0d%0aHost:127.0.0.1/"},
	{"an underscore and a dash", "http://-127.0.0.1/"},
	{"a long name", "http://" + strings.Repeat("a.", 140) + "example/"},
	{"brackets around a name", "http://[localhost]/"},
	{"brackets around a number", "http://[2130706433]/"},
}

func TestForbiddenURLs(t *testing.T) {
	if len(forbiddenURLs) < 60 {
		t.Fatalf("%d cases", len(forbiddenURLs))
	}
	names := resolver{
		"localhost": {"127.0.0.1"}, "loop.example": {"127.0.0.1"}, "loop6.example": {"::1"}, "private.example": {"192.168.0.1"},
		"metadata.example": {"169.254.169.254"}, "cgnat.example": {"100.100.100.200"}, "mapped.example": {"::ffff:127.0.0.1"},
		"nat64.example": {"64:ff9b::7f00:1"}, "sixtofour.example": {"2002:a00:1::"}, "teredo.example": {"2001:0:53aa:64c::1"},
		"ula.example": {"fd12::1"}, "linklocal.example": {"fe80::1"}, "zero.example": {"0.0.0.0"}, "multicast.example": {"224.0.0.251"},
		"several.example": {"127.0.0.1,10.0.0.1,::1"}, "public.example": {"127.0.0.1"},
	}
	client := outbound.New(outbound.Options{Hosts: []string{"*"}, PlainHTTP: true, Lookup: names.lookup, Attempts: 1})
	exact := outbound.New(outbound.Options{Hosts: []string{"public.example"}, PlainHTTP: true, Lookup: names.lookup, Attempts: 1})
	for _, c := range forbiddenURLs {
		for which, client := range map[string]*http.Client{"*": client, "one host": exact} {
			res, err := client.Get(c.url)
			if err == nil {
				res.Body.Close()
				t.Errorf("%s: %s was sent by the client for %s", c.name, c.url, which)
				continue
			}
			var refused *outbound.Refused
			var invalid *url.Error
			if !errors.As(err, &refused) && !(errors.As(err, &invalid) && (invalid.Op == "parse" || strings.Contains(err.Error(), "no such host") ||
				strings.Contains(err.Error(), "unsupported protocol scheme") || strings.Contains(err.Error(), "no Host in request URL"))) {
				t.Errorf("%s: %v", c.name, err)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: the error tells the password: %v", c.name, err)
			}
		}
	}
}

// serverFor returns a server on loopback, a client that may reach 127.0.0.1 beside
// public addresses, and the port.
func serverFor(t *testing.T, h http.HandlerFunc, change ...func(*outbound.Options)) (client *http.Client, port string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	names := resolver{"api.example": {"127.0.0.1"}, "other.example": {"127.0.0.1"}, "sub.api.example": {"127.0.0.1"}}
	options := outbound.Options{
		Hosts:     []string{"api.example:" + u.Port(), "other.example:" + u.Port(), "*.api.example:" + u.Port(), "127.0.0.1:" + u.Port()},
		PlainHTTP: true, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Lookup: names.lookup,
	}
	for _, c := range change {
		c(&options)
	}
	client = outbound.New(options)
	t.Cleanup(client.CloseIdleConnections)
	return client, u.Port()
}

// A name that means an allowed address when it is looked up first, and another the
// second time.
func TestRebinding(t *testing.T) {
	var served atomic.Int64
	for name, answers := range map[string][]string{
		"the second time":         {"127.0.0.1", "127.0.0.2"},
		"in one answer, behind":   {"127.0.0.2,127.0.0.3"},
		"mapped, the second time": {"127.0.0.1", "::ffff:127.0.0.2"},
		"6, the second time":      {"127.0.0.1", "::1"},
	} {
		names := resolver{"api.example": answers}
		client, port := serverFor(t, func(w http.ResponseWriter, _ *http.Request) {
			served.Add(1)
			w.Header().Set("Connection", "close")
		}, func(o *outbound.Options) { o.Lookup = names.lookup; o.Attempts = 1 })
		for i := range answers {
			res, err := client.Get("http://api.example:" + port + "/")
			var refused *outbound.Refused
			allowed := answers[i] == "127.0.0.1"
			if allowed != (err == nil) || err != nil && !errors.As(err, &refused) {
				t.Errorf("%s, request %d: %v", name, i, err)
			}
			if err == nil {
				res.Body.Close()
			}
		}
	}
	if n := served.Load(); n != 3 {
		t.Errorf("%d requests arrived", n)
	}
}

// One of several addresses that may be reached is reached.
func TestAddressesThatMayBeReached(t *testing.T) {
	names := resolver{"api.example": {"10.0.0.1,127.0.0.1"}}
	client, port := serverFor(t, func(http.ResponseWriter, *http.Request) {}, func(o *outbound.Options) { o.Lookup = names.lookup })
	res, err := client.Get("http://api.example:" + port + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}

func TestHosts(t *testing.T) {
	handler := func(http.ResponseWriter, *http.Request) {}
	client, port := serverFor(t, handler)
	for host, allowed := range map[string]bool{
		"api.example": true, "API.Example": true, "api.example.": true, "sub.api.example": true, "127.0.0.1": true,
		"notapi.example": false, "api.example.evil.example": false, "evilapi.example": false, "example": false, "[::1]": false, "127.0.0.2": false,
	} {
		res, err := client.Get("http://" + host + ":" + port + "/")
		var refused *outbound.Refused
		if allowed {
			if err != nil && !strings.Contains(err.Error(), "no such host") {
				t.Errorf("%s: %v", host, err)
			}
		} else if !errors.As(err, &refused) {
			t.Errorf("%s: %v", host, err)
		}
		if err == nil {
			res.Body.Close()
		}
	}
	// A Host header of another name is another way to say where to.
	req, _ := http.NewRequest("GET", "http://api.example:"+port+"/", nil)
	req.Host = "internal.example"
	if res, err := client.Do(req); err == nil {
		res.Body.Close()
		t.Error("a request with another Host was sent")
	}
	strict, port := serverFor(t, handler, func(o *outbound.Options) { o.PlainHTTP = false })
	if _, err := strict.Get("http://api.example:" + port + "/"); err == nil {
		t.Error("http was sent")
	}
	for _, hosts := range [][]string{nil, {""}, {"*."}, {"*.com"}, {"http://api.example"}, {"api.example/path"}, {"api.example:0"}, {"api.example:x"}, {"127.1"}, {"bücher.example"}, {"a b"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Hosts %q are taken", hosts)
				}
			}()
			outbound.New(outbound.Options{Hosts: hosts})
		}()
	}
}
