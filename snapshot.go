package ishaa

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/ishaa-framework/ishaa/internal/tree"
)

// Snapshot is a copy of a request that can be run again, on any goroutine and
// after the request itself has ended. Engines use it to compare what handlers
// answer; nobody receives those answers. It does not mark the work as a shadow:
// wrap the context by effect.WithShadow for that.
type Snapshot struct {
	app       *App
	route     *Route
	raw       *http.Request
	body      []byte
	params    tree.Params
	values    *keyValue
	requestID *[1]string
	bodyLimit int64
}

// Snapshot copies the request as it is now: its inputs, its body up to maxBody
// bytes, and the values of keys. It fails for a larger body and for one that was
// already read as a form.
func (r *Request) Snapshot(maxBody int64) (*Snapshot, error) {
	if r.raw.ContentLength > maxBody {
		return nil, fmt.Errorf("ishaa: Snapshot: the body is larger than %d bytes", maxBody)
	}
	body, err := r.bytes()
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > maxBody {
		return nil, fmt.Errorf("ishaa: Snapshot: the body is larger than %d bytes", maxBody)
	}
	return &Snapshot{
		app: r.route.app, route: r.route, raw: r.raw.Clone(context.Background()), body: body, bodyLimit: r.bodyLimit,
		params: r.params, values: r.values.clone(), requestID: r.requestID,
	}, nil
}

// For returns the snapshot as a request to another variant of its route: that one's
// name, body limit and error handlers count when it is run.
func (s *Snapshot) For(variant *Route) (*Snapshot, error) {
	if variant != s.route && !slices.Contains(s.route.Variants(), variant) {
		return nil, fmt.Errorf("ishaa: Snapshot.For: %s (%s) is not a variant of %s", variant, variant.Source(), s.route)
	}
	other := *s
	other.route, other.bodyLimit = variant, variant.BodyLimit()
	return &other, nil
}

// Run answers the copied request by a handler and returns what would have been
// sent; errors are answered as they always are, and so are panics. The error it
// returns is ErrStreamed for an answer that is not in memory, and
// http.ErrAbortHandler where the handler would have cut the connection.
func (s *Snapshot) Run(ctx context.Context, h Handler) (rendered *Rendered, err error) {
	defer func() {
		// Whatever the application does about panics, this one has no connection to cut
		// and no server above it.
		switch cause := recover(); cause {
		case nil:
		case any(http.ErrAbortHandler):
			rendered, err = nil, http.ErrAbortHandler
		default:
			rendered, err = nil, &PanicError{cause, debug.Stack()}
		}
	}()
	raw := s.raw.Clone(ctx)
	raw.Body = io.NopCloser(bytes.NewReader(s.body))
	r := &Request{
		route: s.route, raw: raw, given: raw, writer: nowhere{}, params: s.params,
		values: s.values.clone(), requestID: s.requestID, bodyLimit: s.bodyLimit, shadow: true,
	}
	r.res = &r.own
	r.own.header = http.Header{}
	defer r.finish()
	res := r.answer(caught(h, r))
	defer res.body.release()
	if res.Streams() {
		err := r.closeDependencies(nil, false)
		if err != nil {
			r.logFailure(err)
		}
		return nil, ErrStreamed
	}
	return res.rendered()
}

// caught answers by a handler whose panic is an error, also in an application
// without recovery.
func caught(h Handler, r *Request) (value any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			value, err = nil, panicked(cause)
		}
	}()
	return h(r)
}

// nowhere is the writer of a request that no client waits for.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
