package ishaa

import (
	"net/http"
	"slices"

	"github.com/ishaa-framework/ishaa/internal/memory"
)

// Rendered is an answer as bytes: what was, or would be, sent. It never changes
// and may be kept, compared, and returned as an answer any number of times, by
// any number of goroutines.
type Rendered struct {
	status int
	header http.Header
	made   madeType // if the header is only the type of one of these
	data   []byte
}

// Status returns the HTTP status.
func (d *Rendered) Status() int { return d.status }

// Header returns a copy of the headers.
func (d *Rendered) Header() http.Header { return d.header.Clone() }

// Bytes returns the body, which is not to be changed.
func (d *Rendered) Bytes() []byte { return d.data }

// Respond makes res the same answer.
func (d *Rendered) Respond(_ *Request, res *Response) error {
	res.status = statusOf(d.status)
	if d.made != madeNone {
		res.adoptType(d.made, d.made.value())
	} else {
		res.merge(d.header)
	}
	res.body = inMemory(d.data)
	return nil
}

// rendered copies an answer whose body is in memory, as it is to be sent.
func (res *Response) rendered() (*Rendered, error) {
	if err := res.filter(); err != nil {
		return nil, err
	}
	d := &Rendered{status: res.finalStatus(), header: res.headers().Clone()}
	if len(d.header) == 1 {
		d.made = madeTypeOf(d.header["Content-Type"])
	}
	switch res.body.kind {
	case bodyNone:
	case bodyBytes:
		d.data = slices.Clone(memory.Bytes(res.body.data))
	case bodyText:
		d.data = []byte(res.body.data)
	default:
		return nil, ErrStreamed
	}
	return d, nil
}
