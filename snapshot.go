package ishaa

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
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
	values    []keyValue
	requestID string
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
		app: r.app, route: r.route, raw: r.raw.Clone(context.Background()), body: body,
		params: r.params, values: slices.Clone(r.values), requestID: r.requestID,
	}, nil
}

// Run answers the copied request by a handler and returns what would have been
// sent; errors are answered as they always are. The error it returns is
// ErrStreamed for an answer that is not in memory. Panics are answers too.
func (s *Snapshot) Run(ctx context.Context, h Handler) (*Rendered, error) {
	raw := s.raw.Clone(ctx)
	raw.Body = io.NopCloser(bytes.NewReader(s.body))
	r := &Request{
		app: s.app, route: s.route, raw: raw, writer: nowhere{}, params: s.params,
		values: slices.Clone(s.values), requestID: s.requestID, bodyLimit: int64(len(s.body)) + 1, shadow: true,
	}
	r.res = &r.own
	r.own.header = http.Header{}
	r.base = baseContext{ctx, r}
	r.ctx = &r.base
	defer r.finish()
	res := r.answer(guard(h)(r))
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

// nowhere is the writer of a request that no client waits for.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
