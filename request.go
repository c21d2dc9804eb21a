package ishaa

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
	"github.com/ishaa-framework/ishaa/internal/tree"
)

// Request is what a handler may ask about the request it answers. Its inputs
// are read through methods, so that engines know what an answer depends on.
//
// A Request belongs to one request and is never reused: keeping it after the
// handler returned is safe, and its strings never change. Like an
// *http.Request it is not for use by several goroutines at once.
type Request struct {
	route  *Route        // the route that answers; the app's miss route where none matched
	raw    *http.Request // what the handler sees of it: see http
	given  *http.Request // by the server; its context is the parent of the request's
	writer http.ResponseWriter
	params tree.Params

	res      *Response // the answer being built
	own      Response  // what res points to, except inside Capture
	values   *keyValue
	recorder Recorder
	rare     *rarelyUsed

	requestID *[1]string // as a header holds it
	bodyLimit int64
	guarded   bool // the raw body is wrapped by the limit
	taken     bool // the connection was hijacked, or the answer written by someone else
	shadow    bool // no client waits for this answer: see Snapshot
	cached    bool
}

// rarelyUsed is what most requests do not need. It is kept apart so that a Request
// stays below the size from which the garbage collector's work per object grows.
type rarelyUsed struct {
	ctx      context.Context // that SetContext gave
	query    url.Values
	body     []byte
	bodyErr  error
	bodyRead bool
	form     *Form
	formErr  error
	onSent   []func()
	closers  []func(error) error
	made     []madeDependency
	cut      *sending // how far an answer got that a panic ended
	sent     sending  // for what runs after the answer
	failure  error    // what the answer tells of
	client   netip.AddrPort
}

// more returns the rarely used part, made when it is first asked for.
func (r *Request) more() *rarelyUsed {
	if r.rare == nil {
		r.rare = &rarelyUsed{}
	}
	return r.rare
}

// App returns the application that the request came to.
func (r *Request) App() *App { return r.route.app }

// Route returns the route that answers the request. For a request that no
// route matches it is a route without a pattern.
func (r *Request) Route() *Route { return r.route }

// Method returns the request method, such as "GET".
func (r *Request) Method() string {
	r.record(Input{Kind: InputMethod}, r.raw.Method)
	return r.raw.Method
}

// Path returns the path with its percent-escapes decoded.
func (r *Request) Path() string {
	r.record(Input{Kind: InputPath}, r.raw.URL.Path)
	return r.raw.URL.Path
}

// URL returns a copy of the request's URL.
func (r *Request) URL() *url.URL {
	if r.recorder != nil {
		r.record(Input{Kind: InputURL}, r.raw.URL.String())
	}
	return cloneURL(r.raw.URL)
}

// Host returns the host that the client asked for, with its port when it gave
// one; from a trusted proxy, the host that the proxy was asked for.
func (r *Request) Host() string {
	host := r.host()
	r.record(Input{Kind: InputHost}, host)
	return host
}

func (r *Request) host() string {
	if proxies := r.route.app.proxies; proxies != nil {
		if host, ok := proxies.Host(r.peer(), r.raw.Header); ok {
			return host
		}
	}
	return r.raw.Host
}

// Scheme returns "https" or "http": what the client speaks, as far as the
// connection or a trusted proxy says.
func (r *Request) Scheme() string {
	scheme := r.scheme()
	r.record(Input{Kind: InputScheme}, scheme)
	return scheme
}

func (r *Request) scheme() string {
	if r.raw.TLS != nil {
		return "https"
	}
	if proxies := r.route.app.proxies; proxies != nil {
		if scheme, ok := proxies.Scheme(r.peer(), r.raw.Header); ok {
			return scheme
		}
	}
	return "http"
}

// Client returns the client's address and port: the peer of the connection,
// or the address that a trusted proxy vouches for (see Config.TrustedProxies).
func (r *Request) Client() netip.AddrPort {
	r.record(Input{Kind: InputIdentity, Name: "client"}, "")
	return r.client()
}

func (r *Request) client() netip.AddrPort {
	if r.rare != nil && r.rare.client.IsValid() {
		return r.rare.client
	}
	return r.route.app.proxies.Client(r.peer(), r.raw.Header)
}

// Peer returns the address and port of the other end of the connection, whatever
// proxies say.
func (r *Request) Peer() netip.AddrPort {
	r.record(Input{Kind: InputIdentity, Name: "client"}, "")
	return r.peer()
}

// SetClient has Client return another address from here on. It is for middleware
// that knows better than the connection, such as one for a proxy's own header.
func (r *Request) SetClient(client netip.AddrPort) { r.more().client = client }

// SetID names the request, in place of the id that the secure default gives.
func (r *Request) SetID(id string) { r.requestID = &[1]string{id} }

func init() {
	inside.SetID = func(request any, id *[1]string) { request.(*Request).requestID = id }
	inside.LogTime = func(request any, now time.Time) time.Time {
		return request.(*Request).route.app.logTime(now)
	}
	inside.RequestHeader = func(request any) http.Header { return request.(*Request).raw.Header }
	inside.ClientText = func(request any) string { return request.(*Request).clientText() }
}

// id is the request's id, or "".
func (r *Request) id() string {
	if r.requestID == nil {
		return ""
	}
	return r.requestID[0]
}

// SetBodyLimit sets how many bytes of body the request may have. It has no effect
// once the body is being read.
func (r *Request) SetBodyLimit(bytes int64) {
	if !r.guarded && (r.rare == nil || !r.rare.bodyRead) {
		r.bodyLimit = bytes
	}
}

// Failure is the error that the answer being built, or the one that was sent, tells
// the client of: one that was returned or, as a *PanicError, a panic. It is nil when
// there is none.
func (r *Request) Failure() error {
	if r.rare == nil {
		return nil
	}
	return r.rare.failure
}

// Outcome is what became of the request, but for the duration. It is complete for
// functions given to OnSent; before, it is zero.
func (r *Request) Outcome() Outcome {
	outcome := Outcome{Request: r, Variant: r.route.variantName, Cached: r.cached}
	if r.rare != nil {
		outcome.Status, outcome.Bytes, outcome.Aborted = r.rare.sent.status, r.rare.sent.bytes, r.rare.sent.failed
	}
	return outcome
}

func (r *Request) peer() netip.AddrPort {
	peer, err := netip.ParseAddrPort(r.raw.RemoteAddr)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
}

// Header returns the first value of a header, or "". The name is not case
// sensitive. Authorization and Cookie count as identities.
func (r *Request) Header(name string) string {
	if r.recorder != nil {
		r.recordHeader(http.CanonicalHeaderKey(name))
	}
	switch name {
	case "Origin", "X-Request-Id", "Cookie", "Authorization", "Accept", "Content-Type", "Accept-Encoding", "User-Agent":
		// What middleware asks of every request is spelled as the map has it.
		if values := r.raw.Header[name]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	return r.raw.Header.Get(name)
}

// HeaderValues returns all values of a header, in the order they came.
func (r *Request) HeaderValues(name string) []string {
	if r.recorder != nil {
		r.recordHeader(http.CanonicalHeaderKey(name))
	}
	return append([]string(nil), r.raw.Header.Values(name)...)
}

func (r *Request) recordHeader(name string) {
	switch name {
	case "Authorization", "Cookie", "Proxy-Authorization":
		r.record(Input{Kind: InputIdentity, Name: name}, "")
	default:
		r.record(Input{Kind: InputHeader, Name: name}, headerText(r.raw.Header.Values(name)))
	}
}

// Cookie returns the value of a cookie and whether the client sent it. Of
// several with one name the first counts, as the more specific path comes first
// (RFC 6265 §5.4).
func (r *Request) Cookie(name string) (string, bool) {
	r.record(Input{Kind: InputIdentity, Name: "Cookie"}, "")
	cookie, err := r.raw.Cookie(name)
	if err != nil {
		return "", false
	}
	return cookie.Value, true
}

// Accepts returns which of the media types, in the program's own order of
// preference, the client likes best, or "" if it takes none of them (RFC 9110
// §12.5.1). It adds Accept to the answer's Vary header.
func (r *Request) Accepts(types ...string) string {
	if r.recorder != nil {
		r.recordHeader("Accept")
	}
	r.res.vary("Accept")
	return negotiate.Best(r.raw.Header.Get("Accept"), types...)
}

// ContentType returns the media type of the body in lower case, without its
// parameters, or "".
func (r *Request) ContentType() string {
	if r.recorder != nil {
		r.recordHeader("Content-Type")
	}
	return r.contentType()
}

func (r *Request) contentType() string {
	full := r.raw.Header.Get("Content-Type")
	media, _, _ := strings.Cut(full, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// ID returns the request's id, as sent in X-Request-Id and written to the log.
// It is "" when the application runs without request ids. An answer that holds
// it belongs to this request alone, so it counts as an identity.
func (r *Request) ID() string {
	r.record(Input{Kind: InputIdentity, Name: "request id"}, "")
	return r.id()
}

// Logger returns the application's logger with the request's id and route.
func (r *Request) Logger() *slog.Logger {
	logger := r.route.app.Logger()
	if id := r.id(); id != "" {
		logger = logger.With("request_id", id)
	}
	if r.route.pattern != nil {
		logger = logger.With("route", r.route.String())
	}
	return logger
}

// Time returns the time by the application's clock. Handlers that depend on
// the time ask it instead of time.Now, so that tests can set it.
func (r *Request) Time() time.Time { return r.route.app.Clock().Now() }

// Response returns the answer being built: its status, headers and cookies may
// be set at any time before the answer is sent.
func (r *Request) Response() *Response { return r.res }

// OnSent has fn called after the last byte of the answer was written, or the
// attempt to write it has ended. Functions run in the order they were added.
func (r *Request) OnSent(fn func()) {
	r.record(Input{Kind: InputAct, Name: "on sent"}, "")
	rare := r.more()
	rare.onSent = append(rare.onSent, fn)
}
