package outbound

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Options are the settings of New.
type Options struct {
	// Hosts are what may be reached: "api.example.com", "*.partner.example" for all names
	// below one, "hooks.example.com:8443" for another port, an address, or "*" for any
	// host on the public internet. It is required.
	Hosts []string

	// PlainHTTP allows http:// beside https://. A redirect from https to http is refused
	// in any case.
	PlainHTTP bool

	// Networks are addresses that may be reached although they are not public.
	Networks []netip.Prefix

	// Timeout is for one call with its retries, redirects and the reading of the
	// answer; default 30 seconds.
	Timeout time.Duration

	// MaxBytes is the largest body of an answer, after decompression; default 10 MiB.
	// Reading beyond it is ErrTooLarge.
	MaxBytes int64

	// MaxRedirects is how many redirects are followed; default 5, -1 for none: then the
	// redirect itself is the answer.
	MaxRedirects int

	// Attempts is how often a request is tried that may be repeated; default 3, 1 for no
	// retries. These are GET, HEAD, OPTIONS, PUT, DELETE, and
	// any method with a header Idempotency-Key.
	Attempts int

	// MaxWait is the longest wait before a retry, also if the server's Retry-After asks
	// for more: then its answer is returned. Default 5 seconds.
	MaxWait time.Duration

	// Trace, if it is set, is called before each attempt. It may set headers on the
	// request and return a context with a span; what it returns is called with the result.
	Trace func(ctx context.Context, attempt int, req *http.Request) (context.Context, func(*http.Response, error))

	// Lookup finds the addresses of a name; default the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	// TLS is for servers with certificates of their own authority. It is at least 1.2.
	TLS *tls.Config

	// Clock is what waits; default the system's. An ishaa.Clock fits.
	Clock Clock
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// New returns a client that goes nowhere but to the hosts of the options. It is an
// ordinary *http.Client, safe for concurrent use; make one and keep it. Options that
// cannot be right panic, as a mistake in the program.
func New(options Options) *http.Client {
	t := newTransport(&options)
	return &http.Client{Transport: t, CheckRedirect: t.checkRedirect, Timeout: options.Timeout}
}

func newTransport(o *Options) *transport {
	allowed, err := compile(o.Hosts)
	if err != nil {
		panic("outbound.New: " + err.Error())
	}
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.MaxBytes, 10<<20)
	setDefault(&o.MaxRedirects, 5)
	setDefault(&o.Attempts, 3)
	setDefault(&o.MaxWait, 5*time.Second)
	if o.Timeout < 0 || o.MaxBytes < 0 || o.Attempts < 0 || o.MaxWait < 0 {
		panic("outbound.New: limits are positive, or 0 for the default")
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	t := &transport{options: *o, hosts: allowed}
	t.wire = &http.Transport{
		DialContext:            t.dial,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxConnsPerHost:        64,
		MaxIdleConnsPerHost:    8,
		MaxIdleConns:           64,
		IdleConnTimeout:        90 * time.Second,
		ForceAttemptHTTP2:      true,
	}
	return t
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// transport is the http.RoundTripper: checks, retries, limits, over one of net/http.
type transport struct {
	options Options
	hosts   hosts
	wire    *http.Transport
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() { t.wire.CloseIdleConnections() }

// dialTimeout is for one connection, over all addresses of a name.
const dialTimeout = 10 * time.Second

// dial connects to the first address that may be reached and answers.
func (t *transport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second, ControlContext: t.control}
	if t.options.Lookup == nil {
		return dialer.DialContext(ctx, network, address)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	list := []netip.Addr{}
	if literal, err := netip.ParseAddr(host); err == nil {
		list = append(list, literal)
	} else if list, err = t.options.Lookup(ctx, host); err != nil {
		return nil, fmt.Errorf("outbound: looking up %q: %w", host, err)
	}
	err = &Refused{Host: host, Reason: "the name has no address"}
	for _, one := range list {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, network, net.JoinHostPort(one.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// control is called with the address that is about to be connected to: the last
// moment, when nobody can change it any more.
func (t *transport) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refused{Host: address, Reason: "it is not an address"}
	}
	if network != "tcp4" && network != "tcp6" {
		return &Refused{Host: address, Reason: "it is not reached by TCP"}
	}
	if !public(target.Addr()) && !within(target.Addr().Unmap(), t.options.Networks) {
		return &Refused{Host: address, Reason: "the address is not a public one"}
	}
	return nil
}
