package middleware

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/fieldline"
	"github.com/ishaa-framework/ishaa/internal/inside"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// NameCORS is the name of CORS.
const NameCORS = "cors"

// CORSOptions says which other origins may read answers, and how they may ask.
// The zero value allows none.
type CORSOptions struct {
	// Origins are exact origins ("https://shop.example.com"), patterns for
	// subdomains ("https://*.example.com", not the domain itself) and for ports
	// ("http://localhost:*"), or "*" alone for everybody, which excludes
	// Credentials. "null" is refused: every sandboxed page has it.
	Origins []string

	// AllowOrigin is asked about origins that are not in Origins. Its answer must
	// depend on nothing but the request. It gets "null" too; think of who can send that.
	AllowOrigin func(r *ishaa.Request, origin string) bool

	// Credentials lets scripts send and use cookies, client certificates and the
	// Authorization that the browser keeps.
	Credentials bool

	// Methods are what scripts may use beside GET, HEAD and POST; default PUT,
	// PATCH and DELETE. "*" is any, without Credentials.
	Methods []string

	// Headers are the request headers that scripts may set beside the safelisted
	// ones; default Authorization and Content-Type. "*" is any but Authorization,
	// without Credentials.
	Headers []string

	// Expose are the answer's headers that scripts may read beside the safelisted
	// ones. "*" is any, without Credentials.
	Expose []string

	// MaxAge is how long a browser may remember the answer to a preflight, in whole
	// seconds; default 10 minutes, negative for not at all. Browsers cap it (Chromium
	// at 2 hours).
	MaxAge time.Duration
}

// CORS answers cross-origin requests by the rules of the Fetch standard. It
// answers preflights itself, by 204, also on paths without a handler for OPTIONS: on
// an application for all paths, on a blueprint for the paths of its routes. On a
// single route it sees the preflights only if the route answers OPTIONS too (see
// ishaa.Methods), as the automatic answer belongs to no route. Errors carry its
// headers like any answer; add it before middleware that may refuse a request.
//
// What an origin may do is in the options alone: nothing of a preflight is
// reflected and its header list is not even parsed, so no request can make that
// expensive. Access-Control-Allow-Private-Network is never sent.
//
// CORS says who may read. Whether another origin may write is the business of the
// secure default "csrf", or of CSRF in its place. Both let the origins pass that
// CORS around the route names: with Credentials for everything, without for requests
// that carry none. "*" names nobody, so it lets nobody write.
func CORS(options CORSOptions) ishaa.Middleware {
	c := newCORS(options)
	return ishaa.Middleware{Name: NameCORS, Before: c.before, After: c.after, Trusts: c.trusts}
}

type cors struct {
	anyone      bool // "*"
	exact       map[string][]string
	few         []namedOrigin               // what is in exact, where it is quicker to look through
	lines       map[string]*fieldline.Lines // what an answer gets for an origin in exact, and for "" without one that may read
	patterns    []originPattern
	allow       func(*ishaa.Request, string) bool
	credentials bool

	// Header values, nil where the header is not sent. They are shared by all
	// answers and have no room to be appended to.
	methods, headers, expose, maxAge []string
}

// namedOrigin is an origin as a header has it, and what an answer to it gets.
type namedOrigin struct {
	value []string
	lines *fieldline.Lines
}

// The values that are always the same.
var (
	corsAnyone = []string{"*"}
	corsTrue   = []string{"true"}
)

const (
	headerOrigin         = "Origin"
	headerAllowOrigin    = "Access-Control-Allow-Origin"
	headerAllowCreds     = "Access-Control-Allow-Credentials"
	headerRequestMethod  = "Access-Control-Request-Method"
	headerAllowMethods   = "Access-Control-Allow-Methods"
	headerAllowHeaders   = "Access-Control-Allow-Headers"
	headerExposeHeaders  = "Access-Control-Expose-Headers"
	headerPreflightCache = "Access-Control-Max-Age"
)

func newCORS(o CORSOptions) *cors {
	c := &cors{exact: map[string][]string{}, allow: o.AllowOrigin, credentials: o.Credentials}
	c.addOrigins(o.Origins)
	if c.anyone && o.AllowOrigin != nil {
		mistake("CORS: Origins has \"*\" and AllowOrigin would never be asked: leave one of them out")
	}
	if c.anyone && o.Credentials {
		mistake("CORS: \"*\" together with Credentials would let every site act and read in the name of every visitor, and browsers refuse it: list the origins")
	}
	if o.Methods == nil {
		o.Methods = []string{"PUT", "PATCH", "DELETE"}
	}
	for _, method := range o.Methods {
		checkCORSMethod(method)
	}
	if !slices.Contains(o.Methods, "*") {
		o.Methods = append([]string{"GET", "HEAD", "POST"}, o.Methods...)
	}
	if o.Headers == nil {
		o.Headers = []string{"Authorization", "Content-Type"}
	}
	c.methods = corsList("Methods", o.Methods, o.Credentials)
	c.headers = corsList("Headers", o.Headers, o.Credentials)
	c.expose = corsList("Expose", o.Expose, o.Credentials)
	c.maxAge = corsMaxAge(o.MaxAge)
	c.prepare()
	return c
}

// prepare makes ready what answers get for the origins that are known.
func (c *cors) prepare() {
	c.lines = map[string]*fieldline.Lines{"": fieldline.New(fieldline.Field{Name: "Vary", Values: varyOrigin})}
	for origin, value := range c.exact {
		fields := []fieldline.Field{{Name: "Vary", Values: varyOrigin}, {Name: headerAllowOrigin, Values: value}}
		if c.credentials {
			fields = append(fields, fieldline.Field{Name: headerAllowCreds, Values: corsTrue})
		}
		if c.expose != nil {
			fields = append(fields, fieldline.Field{Name: headerExposeHeaders, Values: c.expose})
		}
		c.lines[origin] = fieldline.New(fields...)
	}
	for i := range c.few {
		c.few[i].lines = c.lines[c.few[i].value[0]]
	}
}

// linesFor returns what the answer gets, or nil where that is still to be found out.
func (c *cors) linesFor(r *ishaa.Request) *fieldline.Lines {
	if c.anyone {
		return nil
	}
	origin := r.Header(headerOrigin)
	if len(c.exact) <= mostFew {
		for i := range c.few {
			if c.few[i].value[0] == origin {
				return c.few[i].lines
			}
		}
	}
	return c.lines[origin]
}

func (c *cors) addOrigins(origins []string) {
	for _, text := range origins {
		switch text {
		case "*":
			if len(origins) > 1 {
				mistake("CORS: Origins has \"*\" among others: give it alone, or list the origins")
			}
			c.anyone = true
			continue
		case "null":
			mistake("CORS: the origin \"null\" is that of every sandboxed or local page, so it says nothing about who asks: leave it out")
		}
		pattern, exact, err := parseOrigin(text)
		switch {
		case err != nil:
			mistake("CORS: %v", err)
		case exact:
			if c.exact[text] == nil {
				c.exact[text] = []string{text}
				c.few = append(c.few, namedOrigin{value: c.exact[text]})
			}
		default:
			c.patterns = append(c.patterns, pattern)
		}
	}
}

func checkCORSMethod(method string) {
	switch {
	case method == "*":
	case !secure.ValidHeaderName(method):
		mistake("CORS: %q is not a method", method)
	case method != strings.ToUpper(method):
		mistake("CORS: method %q: methods are told apart by case: write %q", method, strings.ToUpper(method))
	case method == "CONNECT" || method == "TRACE" || method == "TRACK":
		mistake("CORS: browsers never send %s for a script: leave it out", method)
	}
}

// corsList joins names once, for all answers.
func corsList(field string, names []string, credentials bool) []string {
	for _, name := range names {
		if name == "*" && credentials {
			mistake("CORS: %s: with Credentials browsers take \"*\" for a name and not for everything: list the names", field)
		}
		if !secure.ValidHeaderName(name) {
			mistake("CORS: %s: %q is not a name", field, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{strings.Join(names, ", ")}
}

func corsMaxAge(age time.Duration) []string {
	switch {
	case age == 0:
		age = 10 * time.Minute
	case age < 0:
		age = 0
	}
	return []string{strconv.FormatInt(int64(age/time.Second), 10)}
}

// isPreflight reports whether the request is a CORS-preflight request (Fetch
// §4.8): OPTIONS with Origin and Access-Control-Request-Method.
func isPreflight(r *ishaa.Request) bool {
	return r.Method() == http.MethodOptions && r.Header(headerOrigin) != "" && r.Header(headerRequestMethod) != ""
}

// before answers preflights.
func (c *cors) before(r *ishaa.Request) (any, error) {
	if !isPreflight(r) {
		return nil, nil
	}
	header := r.Response().Header()
	if !c.anyone {
		addVary(header, varyOrigin)
	}
	addVary(header, varyMethod)
	if !c.permit(r, header) {
		return ishaa.NoContent, nil
	}
	setShared(header, headerAllowMethods, c.methods)
	setShared(header, headerAllowHeaders, c.headers)
	setShared(header, headerPreflightCache, c.maxAge)
	return ishaa.NoContent, nil
}

// after puts the headers on every answer that has none yet, from before or from
// CORS closer to the handler.
func (c *cors) after(r *ishaa.Request, res *ishaa.Response) error {
	if inside.AddLines(res, inside.CORS, c.linesFor(r)) {
		return nil
	}
	header, maybe := inside.Header(res, inside.CORS)
	switch {
	case maybe && header[headerAllowOrigin] != nil:
		return nil
	case c.anyone:
	case maybe:
		addVary(header, varyOrigin)
	default:
		header["Vary"] = varyOrigin
	}
	if c.permit(r, header) {
		setShared(header, headerExposeHeaders, c.expose)
	}
	return nil
}

// permit allows the request's origin to read the answer, if it may.
func (c *cors) permit(r *ishaa.Request, header http.Header) bool {
	origin := r.Header(headerOrigin)
	if origin == "" {
		return false
	}
	value := c.allowed(r, origin)
	if value == nil {
		return false
	}
	header[headerAllowOrigin] = value
	if c.credentials {
		header[headerAllowCreds] = corsTrue
	}
	return true
}

// allowed returns the value of Access-Control-Allow-Origin, or nil.
func (c *cors) allowed(r *ishaa.Request, origin string) []string {
	if c.anyone {
		return corsAnyone
	}
	if value := c.named(origin); value != nil {
		return value
	}
	if len(origin) > maxOrigin || !secure.ValidHeaderValue(origin) {
		return nil
	}
	for i := range c.patterns {
		if c.patterns[i].matches(origin) {
			return []string{origin}
		}
	}
	if c.allow != nil && c.allow(r, origin) {
		return []string{origin}
	}
	return nil
}

// mostFew is up to how many origins are compared one by one.
const mostFew = 4

// named returns the header's value for an origin that the options name, or nil.
func (c *cors) named(origin string) []string {
	if len(c.exact) > mostFew {
		return c.exact[origin]
	}
	for i := range c.few {
		if c.few[i].value[0] == origin {
			return c.few[i].value
		}
	}
	return nil
}

func setShared(header http.Header, name string, value []string) {
	if value != nil {
		header[name] = value
	}
}

// The values of Vary that answers share; they have no room to be appended to.
var (
	varyOrigin   = []string{headerOrigin}
	varyMethod   = []string{headerRequestMethod}
	varyEncoding = []string{"Accept-Encoding"}
)

// addVary adds a name to Vary unless it is there.
func addVary(header http.Header, name []string) {
	lines := header["Vary"]
	if lines == nil {
		header["Vary"] = name
		return
	}
	for _, line := range lines {
		for listed := range strings.SplitSeq(line, ",") {
			if listed = strings.TrimSpace(listed); listed == "*" || strings.EqualFold(listed, name[0]) {
				return
			}
		}
	}
	header["Vary"] = append(slices.Clip(lines), name[0])
}

// trusts reports whether the request's origin is named as one that may use this
// site: credentials and all if the request carries some.
func (c *cors) trusts(r *ishaa.Request) bool {
	origin := r.Header(headerOrigin)
	if origin == "" || origin == "null" || c.anyone || c.allowed(r, origin) == nil {
		return false // "*" is no trust in anybody
	}
	return c.credentials || !hasCredentials(r)
}

// hasCredentials reports whether a request carries what a browser adds by itself:
// cookies, and an Authorization of the schemes that browsers ask their users for.
func hasCredentials(r *ishaa.Request) bool {
	if r.Header("Cookie") != "" {
		return true
	}
	scheme, _, _ := strings.Cut(r.Header("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic", "digest", "negotiate", "ntlm":
		return true
	}
	return false
}
