package ishaa

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
	"github.com/ishaa-framework/ishaa/internal/strictjson"
	"github.com/ishaa-framework/ishaa/internal/tree"
)

// Request is what a handler may ask about the request it answers. Its inputs
// are read through methods, so that engines know what an answer depends on.
//
// A Request belongs to one request and is never reused: keeping it after the
// handler returned is safe, and its strings never change. Like an
// *http.Request it is not for use by several goroutines at once.
type Request struct {
	app    *App
	route  *Route // the route that answers; the app's miss route where none matched
	raw    *http.Request
	writer http.ResponseWriter

	ctx    context.Context // what Context returns: a requestContext, or a context derived from it
	parent context.Context // that the server gave
	params tree.Params

	res      *Response // the answer being built
	own      Response  // what res points to, except inside Capture
	values   []keyValue
	recorder Recorder
	rare     *rarelyUsed

	requestID [1]string // as a header holds it
	bodyLimit int64
	guarded   bool // the raw body is wrapped by the limit
	taken     bool // the connection was hijacked, or the answer written by someone else
	shadow    bool // no client waits for this answer: see Snapshot
	cached    bool
}

// rarelyUsed is what most requests do not need. It is kept apart so that a Request
// stays below the size from which the garbage collector's work per object grows.
type rarelyUsed struct {
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

// requestContext is the root of the contexts that a request hands out: the Request
// itself, so that it costs no allocation. It answers for the request and leaves the
// rest to the context that the server gave.
type requestContext Request

func (c *requestContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.parent.Done() }
func (c *requestContext) Err() error                  { return c.parent.Err() }

func (c *requestContext) Value(key any) any {
	if key == (requestKey{}) {
		return (*Request)(c)
	}
	return c.parent.Value(key)
}

// begin sets the context that the server gave.
func (r *Request) begin(parent context.Context) {
	r.parent = parent
	r.ctx = (*requestContext)(r)
}

type requestKey struct{}

// FromContext returns the request that a context belongs to, or nil. Typed
// handlers and the code they call find their request this way.
func FromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// tracedContext reports reads of context values to the recorder.
type tracedContext struct {
	context.Context
	r        *Request
	recorder Recorder // not r's of later: contexts are read by other goroutines
}

func (c tracedContext) Value(key any) any {
	if key == (requestKey{}) {
		return c.r
	}
	value := c.Context.Value(key)
	switch {
	case isPlumbing(key, value):
	case value == nil: // other requests may have one
		c.recorder(Input{Kind: InputContext, Name: fmt.Sprintf("%T", key), key: contextInput{key}}, "")
	default:
		c.recorder(Input{Kind: InputIdentity, Name: "context value"}, "")
	}
	return value
}

// isPlumbing recognises how package context finds the parent of a context that
// can be cancelled: by a key of its own, a *int, whose value is a context. A
// handler that sets itself a deadline has not looked at anything, nor has one
// whose database tells an engine what it reads.
func isPlumbing(key, value any) bool {
	if effect.IsMark(key) {
		return true
	}
	if _, internal := key.(*int); !internal {
		return false
	}
	_, ok := value.(context.Context)
	return ok
}

// Context returns the request's context. It ends when the client goes away,
// when a deadline set by middleware passes, and when the answer was sent.
func (r *Request) Context() context.Context {
	if r.recorder != nil {
		return tracedContext{r.ctx, r, r.recorder}
	}
	return r.ctx
}

// SetContext replaces the request's context for everything that runs later.
// The new context must be derived from what Context returned.
func (r *Request) SetContext(ctx context.Context) {
	if traced, ok := ctx.(tracedContext); ok {
		ctx = traced.Context
	}
	r.ctx = ctx
}

// App returns the application that the request came to.
func (r *Request) App() *App { return r.app }

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
	if proxies := r.app.proxies; proxies != nil {
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
	if proxies := r.app.proxies; proxies != nil {
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
	return r.app.proxies.Client(r.peer(), r.raw.Header)
}

// SetClient has Client return another address from here on. It is for middleware
// that knows better than the connection, such as one for a proxy's own header.
func (r *Request) SetClient(client netip.AddrPort) { r.more().client = client }

// SetID names the request, in place of the id that the secure default gives.
func (r *Request) SetID(id string) { r.requestID[0] = id }

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

// Param returns the decoded text of a path parameter, or "" when the route has
// none of that name.
func (r *Request) Param(name string) string {
	value, ok := r.param(name)
	if r.recorder != nil {
		text, _ := present(value, ok)
		r.record(Input{Kind: InputParam, Name: name}, text)
	}
	return value
}

func (r *Request) param(name string) (string, bool) {
	if i := r.route.paramIndex(name); i >= 0 && i < r.params.Len() {
		return r.params.Text(i), true
	}
	if r.route.host != "" {
		return hostParamValue(r.route.host, r.host(), name)
	}
	return "", false
}

// ParamInt returns an int parameter, as the router converted it. It is 0 when
// the route has no int parameter of that name.
func (r *Request) ParamInt(name string) int64 {
	if i := r.typedParam(name, "int"); i >= 0 {
		return r.params.Int(i)
	}
	return 0
}

// ParamFloat returns a float or int parameter as a number, or 0 when the route
// has none of that name.
func (r *Request) ParamFloat(name string) float64 {
	if i := r.typedParam(name, "float"); i >= 0 {
		return r.params.Float(i)
	}
	return float64(r.ParamInt(name))
}

// ParamUUID returns a uuid parameter as its 16 bytes, or all zeros when the
// route has no uuid parameter of that name.
func (r *Request) ParamUUID(name string) [16]byte {
	var id [16]byte
	if i := r.typedParam(name, "uuid"); i >= 0 {
		id, _ = parseUUID(r.params.Text(i))
	}
	return id
}

func (r *Request) typedParam(name, converter string) int {
	if r.recorder != nil {
		text, _ := present(r.param(name))
		r.record(Input{Kind: InputParam, Name: name}, text)
	}
	i := r.route.paramIndex(name)
	if i < 0 || i >= r.params.Len() || r.route.params[i].Converter != converter {
		return -1
	}
	return i
}

// Query returns the first value of a query parameter, or "".
func (r *Request) Query(name string) string {
	value, count := r.queryCount(name)
	if r.recorder != nil {
		r.recordQuery(name, value, count)
	}
	return value
}

func (r *Request) recordQuery(name, value string, count int) {
	r.record(Input{Kind: InputQuery, Name: name}, r.queryText(name, value, count))
}

// queryText is a parameter as a Recorder gets it. One that is repeated is all its
// values, since how often it is given may matter too.
func (r *Request) queryText(name, value string, count int) string {
	if count > 1 {
		return "*" + url.Values{name: r.parsedQuery()[name]}.Encode()
	}
	text, _ := present(value, count > 0)
	return text
}

// queryCount finds the first value of a parameter and how many there are, without
// parsing the others. A query is parsed as a whole only when something in it is
// escaped.
func (r *Request) queryCount(name string) (value string, count int) {
	raw := r.raw.URL.RawQuery
	if isEscaped(raw) {
		values := r.parsedQuery()[name]
		if len(values) == 0 {
			return "", 0
		}
		return values[0], len(values)
	}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if key, text, _ := strings.Cut(pair, "="); key == name && pair != "" {
			if count == 0 {
				value = text
			}
			count++
		}
	}
	return value, count
}

// isEscaped reports whether a query has to be decoded to be read.
func isEscaped(query string) bool {
	for i := range len(query) {
		switch query[i] {
		case '%', '+', ';':
			return true
		}
	}
	return false
}

func (r *Request) parsedQuery() url.Values {
	rare := r.more()
	if rare.query == nil {
		// Malformed pairs are left out, as net/url does; the number of pairs
		// was limited when the request came in.
		rare.query, _ = url.ParseQuery(r.raw.URL.RawQuery)
	}
	return rare.query
}

// QueryValues returns all query parameters. The map is the caller's.
func (r *Request) QueryValues() url.Values {
	r.record(Input{Kind: InputQueryAll}, r.raw.URL.RawQuery)
	values := make(url.Values)
	for name, list := range r.parsedQuery() {
		values[name] = append([]string(nil), list...)
	}
	return values
}

// Header returns the first value of a header, or "". The name is not case
// sensitive. Authorization and Cookie count as identities.
func (r *Request) Header(name string) string {
	value := r.raw.Header.Get(name)
	if r.recorder != nil {
		r.recordHeader(http.CanonicalHeaderKey(name))
	}
	return value
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
	r.res.Header().Add("Vary", "Accept")
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
	return r.requestID[0]
}

// Logger returns the application's logger with the request's id and route.
func (r *Request) Logger() *slog.Logger {
	logger := r.app.Logger()
	if id := r.requestID[0]; id != "" {
		logger = logger.With("request_id", id)
	}
	if r.route.pattern != nil {
		logger = logger.With("route", r.route.String())
	}
	return logger
}

// Time returns the time by the application's clock. Handlers that depend on
// the time ask it instead of time.Now, so that tests can set it.
func (r *Request) Time() time.Time { return r.app.Clock().Now() }

// Bytes reads the whole body, within the route's body limit (see BodyLimit).
// It may be called again and gives the same bytes. The error of a body that is
// too large is a 413 problem, of one that could not be read a 400.
func (r *Request) Bytes() ([]byte, error) {
	r.record(Input{Kind: InputBody}, "")
	return r.bytes()
}

func (r *Request) bytes() ([]byte, error) {
	rare := r.more()
	if rare.bodyRead {
		return rare.body, rare.bodyErr
	}
	if rare.form != nil || rare.formErr != nil {
		return nil, errors.New("the body was already read as a form; use Form, or call Bytes before it")
	}
	rare.bodyRead = true
	if r.raw.Body == nil || r.raw.Body == http.NoBody || r.raw.ContentLength == 0 {
		return nil, nil
	}
	if r.raw.ContentLength > r.bodyLimit {
		rare.bodyErr = bodyTooLarge(r.bodyLimit)
		return nil, rare.bodyErr
	}
	rare.body, rare.bodyErr = readLimited(r.limitedBody(), r.raw.ContentLength)
	return rare.body, rare.bodyErr
}

// readLimited reads a body whose size is known (or -1) and maps its errors.
func readLimited(body io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		data, err := io.ReadAll(body)
		if err != nil {
			return nil, bodyError(err)
		}
		return data, nil
	}
	// A client that announces much gets memory for it only as it sends it.
	data := make([]byte, min(size, bodyChunk))
	for filled := 0; ; {
		n, err := io.ReadFull(body, data[filled:])
		if err != nil {
			return nil, bodyError(err)
		}
		if filled += n; int64(filled) == size {
			return data, nil
		}
		grown := make([]byte, min(size, 2*int64(filled)))
		copy(grown, data)
		data = grown
	}
}

// bodyChunk is how much memory is set aside for a body before any of it came.
const bodyChunk = 1 << 20

// limitedBody wraps the raw body by the route's limit, once.
func (r *Request) limitedBody() io.ReadCloser {
	if !r.guarded && r.raw.Body != nil {
		r.guarded = true
		r.raw.Body = http.MaxBytesReader(r.writer, r.raw.Body, r.bodyLimit)
	}
	return r.raw.Body
}

// Text reads the whole body as UTF-8 text. Other bytes are a 400 problem.
func (r *Request) Text() (string, error) {
	data, err := r.Bytes()
	if err != nil {
		return "", err
	}
	if !utf8.Valid(data) {
		return "", BadRequest("the body is not valid UTF-8 text")
	}
	return string(data), nil
}

// MaxJSONDepth is how deep arrays and objects of a JSON body may nest.
const MaxJSONDepth = 64

// DecodeJSON reads a JSON body into v, as encoding/json does, but strictly: a
// body that is not JSON by RFC 8259, has data after its value, names a member
// twice, is not UTF-8 or nests deeper than MaxJSONDepth is a 400 problem; one of
// another content type a 415; one that does not fit v a 422. Only into a
// *json.RawMessage, which nobody has read yet, are repeated names let through.
func (r *Request) DecodeJSON(v any) error {
	data, err := r.jsonBytes()
	if err != nil {
		return err
	}
	check := strictjson.Check
	if _, raw := v.(*json.RawMessage); raw {
		check = strictjson.CheckSyntax
	}
	if err := check(data, MaxJSONDepth); err != nil {
		return BadRequest("the body is not valid JSON: %v", err).Wrap(err)
	}
	return decodeJSON(r.app, data, v)
}

// jsonBytes reads the body of a request that says it is JSON.
func (r *Request) jsonBytes() ([]byte, error) {
	if r.recorder != nil {
		r.recordHeader("Content-Type")
	}
	if media := r.contentType(); !isJSON(media) {
		if media == "" {
			media = "none"
		}
		return nil, UnsupportedMediaType("expected Content-Type application/json, got %s", media)
	}
	data, err := r.Bytes()
	if err == nil && len(data) == 0 {
		err = BadRequest("the body is empty; expected JSON")
	}
	return data, err
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}

// Response returns the answer being built: its status, headers and cookies may
// be set at any time before the answer is sent.
func (r *Request) Response() *Response { return r.res }

// HTTP returns the raw request, for code written for net/http. Its body is
// within the route's limit and its context is the Request's own. Engines cannot
// see what is read from it, so they treat the answer as depending on anything.
func (r *Request) HTTP() *http.Request {
	r.record(Input{Kind: InputRaw}, "")
	return r.http()
}

func (r *Request) http() *http.Request {
	if rare := r.rare; rare != nil && rare.bodyRead && rare.bodyErr == nil {
		r.raw.Body = io.NopCloser(bytes.NewReader(rare.body))
	} else {
		r.limitedBody()
	}
	if r.raw.Body == nil {
		r.raw.Body = http.NoBody // a request that did not come from a server may have none
	}
	if r.raw.Context() != r.ctx {
		r.raw = r.raw.WithContext(r.ctx)
	}
	return r.raw
}

// OnSent has fn called after the last byte of the answer was written, or the
// attempt to write it has ended. Functions run in the order they were added.
func (r *Request) OnSent(fn func()) {
	rare := r.more()
	rare.onSent = append(rare.onSent, fn)
}

// parseUUID reads the 8-4-4-4-12 form.
func parseUUID(text string) (id [16]byte, ok bool) {
	if len(text) != 36 {
		return id, false
	}
	n := 0
	for i := 0; i < len(text); {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if text[i] != '-' {
				return id, false
			}
			i++
			continue
		}
		hi, lo := fromHex(text[i]), fromHex(text[i+1])
		if hi < 0 || lo < 0 {
			return id, false
		}
		id[n] = byte(hi<<4 | lo)
		n++
		i += 2
	}
	return id, true
}

func fromHex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c - 'a' + 10)
	case 'A' <= c && c <= 'F':
		return int(c - 'A' + 10)
	}
	return -1
}
