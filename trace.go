package ishaa

import (
	"net/url"
	"strings"
	"sync"
)

// An answer is a function of what its handler read. Because a handler reads
// its request only through Request's methods, the framework can say exactly
// which inputs those were, in order and with their values. Engines use that
// to key remembered answers; a test can use it to pin down what a handler
// looks at.

// InputKind says where an input came from.
type InputKind uint8

// The kinds of inputs a handler can read.
const (
	InputMethod   InputKind = iota + 1 // the request method
	InputPath                          // the whole path
	InputURL                           // the whole URL
	InputHost                          // the host
	InputScheme                        // http or https
	InputParam                         // one path parameter
	InputQuery                         // the first value of one query parameter
	InputQueryAll                      // the whole query
	InputHeader                        // one header
	InputBody                          // the body, in any form
	InputValue                         // a Key that is declared Traced
	InputIdentity                      // who asks: client address, cookie, Authorization, a Key that is not Traced
	InputRaw                           // the raw *http.Request: nothing is known about what was read
	InputContext                       // a value of the request's context that was not there; one that is counts as an identity
	InputAct                           // no input: the handler set a Key, or promised work by OnSent, which its answer does not tell
)

var inputKindNames = [...]string{
	InputMethod: "method", InputPath: "path", InputURL: "url", InputHost: "host", InputScheme: "scheme",
	InputParam: "param", InputQuery: "query", InputQueryAll: "query-all", InputHeader: "header",
	InputBody: "body", InputValue: "value", InputIdentity: "identity", InputRaw: "raw",
	InputContext: "context", InputAct: "act",
}

// String returns the kind's name in lower case.
func (k InputKind) String() string {
	if int(k) < len(inputKindNames) && inputKindNames[k] != "" {
		return inputKindNames[k]
	}
	return "unknown"
}

// Input names one thing that a handler can read of a request, such as the
// header "Accept-Language" or the path parameter "id". It is comparable.
type Input struct {
	Kind InputKind
	Name string // of the parameter, header or key; empty where the kind says all
	key  inputKey
}

// inputKey is a *Key[T], able to read itself from a request, or a contextInput.
type inputKey interface{ inputText(*Request) string }

// contextInput is the key of a value of the context. Its text is that of a value
// that is not there.
type contextInput struct{ key any }

func (contextInput) inputText(*Request) string { return "" }

// String gives the input as "header Accept-Language".
func (in Input) String() string {
	if in.Name == "" {
		return in.Kind.String()
	}
	return in.Kind.String() + " " + in.Name
}

// A Recorder is told each input that is read, with its value. Values tell
// absent from empty: an absent query parameter or header is "", a present one
// starts with "=", and a query parameter that is repeated with "*". It is called
// once at a time; for values of the context, which other goroutines of the handler
// may read, on the goroutine that reads.
type Recorder func(in Input, value string)

// Trace has every input read from here on reported to the recorder, in order,
// including repeated reads, until the handler returns. A nil recorder ends the
// trace. A trace that is already running is suspended and told what the new
// one is told.
func (r *Request) Trace(recorder Recorder) {
	outer := r.recorder
	if recorder == nil {
		r.recorder = nil
		return
	}
	var one sync.Mutex
	r.recorder = func(in Input, value string) {
		if outer != nil {
			outer(in, value)
		}
		one.Lock()
		defer one.Unlock()
		recorder(in, value)
	}
}

// Plumbing declares values of contexts that code carries on but does not answer by,
// such as the span of a tracer: is tells them, and reading one is no input. Without
// it, a handler whose database looks for a span would seem to depend on who asks.
func (a *App) Plumbing(is func(value any) bool) {
	mustHave("Plumbing", is != nil)
	a.plumbing.add(is)
}

func (a *App) isPlumbing(value any) bool {
	for _, is := range a.plumbing.load() {
		if is(value) {
			return true
		}
	}
	return false
}

func (r *Request) record(in Input, value string) {
	if r.recorder != nil {
		r.recorder(in, value)
	}
}

// Input returns the value that reading the input would give, in the form that
// a Recorder gets, without recording it. It reports false for inputs that
// cannot be compared between requests: identities, context values that are there,
// bodies and the raw request.
func (r *Request) Input(in Input) (string, bool) {
	switch in.Kind {
	case InputMethod:
		return r.raw.Method, true
	case InputPath:
		return r.raw.URL.Path, true
	case InputURL:
		return r.raw.URL.String(), true
	case InputHost:
		return r.host(), true
	case InputScheme:
		return r.scheme(), true
	case InputParam:
		return present(r.param(in.Name))
	case InputQuery:
		value, count := r.queryCount(in.Name)
		return r.queryText(in.Name, value, count), true
	case InputQueryAll:
		return r.raw.URL.RawQuery, true
	case InputHeader:
		return headerText(r.raw.Header.Values(in.Name)), true
	case InputValue:
		if in.key != nil {
			return in.key.inputText(r), true
		}
	case InputContext:
		if c, ok := in.key.(contextInput); ok {
			return "", r.context().Value(c.key) == nil
		}
	}
	return "", false
}

// AppendInput appends to dst what Input gives. Unlike Input it makes no text, for
// those who look a value up and keep it only if they did not find it.
func (r *Request) AppendInput(dst []byte, in Input) ([]byte, bool) {
	var value string
	given := false
	switch in.Kind {
	case InputParam:
		value, given = r.param(in.Name)
	case InputQuery:
		count := 0
		if value, count = r.queryCount(in.Name); count > 1 {
			return append(dst, r.queryText(in.Name, value, count)...), true
		}
		given = count == 1
	default:
		value, comparable := r.Input(in)
		return append(dst, value...), comparable
	}
	if given {
		dst = append(append(dst, '='), value...)
	}
	return dst, true
}

// present marks a value as given, so that "absent" and "empty" differ.
func present(value string, ok bool) (string, bool) {
	if !ok {
		return "", true
	}
	return "=" + value, true
}

func headerText(values []string) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return "=" + values[0]
	}
	return "=" + strings.Join(values, "\x00")
}

func cloneURL(u *url.URL) *url.URL {
	copied := *u
	if u.User != nil {
		user := *u.User
		copied.User = &user
	}
	return &copied
}
