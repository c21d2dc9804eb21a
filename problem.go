package ishaa

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// Problem is an error that tells the client what went wrong, in the form of
// RFC 9457 (application/problem+json). A handler returns one as its error:
//
//	return nil, ishaa.NotFound("there is no user %d", id)
//
// Everything in a Problem but what it wraps is sent to the client.
type Problem struct {
	Type       string         // a URI that names the kind of problem; "" is about:blank, "the status says it all"
	Title      string         // short and the same for all problems of the type; "" is the status text
	Status     int            // the HTTP status; 0 is 500
	Detail     string         // what happened this time
	Instance   string         // a URI of this occurrence; "" leaves it out
	Extensions map[string]any // further members; the names above are not replaced
	Header     http.Header    // headers of the answer, such as Retry-After

	cause error
}

// Error returns the status, its text and the detail.
func (p *Problem) Error() string {
	text := strconv.Itoa(p.HTTPStatus()) + " " + p.title()
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	return text
}

// HTTPStatus returns the status that the problem is answered with.
func (p *Problem) HTTPStatus() int {
	if p.Status == 0 {
		return http.StatusInternalServerError
	}
	return p.Status
}

// Unwrap returns the error that Wrap was given.
func (p *Problem) Unwrap() error { return p.cause }

// Wrap keeps the error that led to the problem for the log and for errors.Is
// and errors.As. The client never sees it. Wrap returns the problem.
func (p *Problem) Wrap(err error) *Problem {
	p.cause = err
	return p
}

// With adds a member to the problem's JSON and returns the problem.
func (p *Problem) With(name string, value any) *Problem {
	if p.Extensions == nil {
		p.Extensions = map[string]any{}
	}
	p.Extensions[name] = value
	return p
}

// WithHeader adds a header to the problem's answer and returns the problem.
func (p *Problem) WithHeader(name, value string) *Problem {
	if p.Header == nil {
		p.Header = http.Header{}
	}
	p.Header.Add(name, value)
	return p
}

func (p *Problem) title() string {
	if p.Title != "" {
		return p.Title
	}
	if text := http.StatusText(p.HTTPStatus()); text != "" {
		return text
	}
	return "Status " + strconv.Itoa(p.HTTPStatus())
}

// MarshalJSON writes the members of RFC 9457 §3.1 in their usual order, then the
// extensions by name.
func (p *Problem) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	member := func(name string, value any) error {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("problem member %q: %w", name, err)
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		quoted, _ := json.Marshal(name)
		out = append(append(out, quoted...), ':')
		out = append(out, text...)
		return nil
	}
	standard := []struct {
		name  string
		value any
		keep  bool
	}{
		{"type", p.Type, p.Type != ""},
		{"title", p.title(), true},
		{"status", p.HTTPStatus(), true},
		{"detail", p.Detail, p.Detail != ""},
		{"instance", p.Instance, p.Instance != ""},
	}
	for _, m := range standard {
		if m.keep {
			if err := member(m.name, m.value); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Extensions)) {
		switch name {
		case "type", "title", "status", "detail", "instance":
			continue
		}
		if err := member(name, p.Extensions[name]); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// StatusError makes a problem of any status. The detail is formatted as by
// fmt.Sprintf; a %w verb keeps its error, as Wrap does.
func StatusError(status int, format string, args ...any) *Problem {
	p := &Problem{Status: status}
	if len(args) == 0 {
		p.Detail = format
		return p
	}
	err := fmt.Errorf(format, args...)
	p.Detail = err.Error()
	p.cause = errors.Unwrap(err)
	return p
}

// BadRequest makes a 400 problem: the request cannot be understood.
func BadRequest(format string, args ...any) *Problem { return StatusError(400, format, args...) }

// Unauthorized makes a 401 problem: the client has to say who it is. Add a
// WWW-Authenticate header by WithHeader where a scheme applies.
func Unauthorized(format string, args ...any) *Problem { return StatusError(401, format, args...) }

// Forbidden makes a 403 problem: the client may not do this.
func Forbidden(format string, args ...any) *Problem { return StatusError(403, format, args...) }

// NotFound makes a 404 problem.
func NotFound(format string, args ...any) *Problem { return StatusError(404, format, args...) }

// Conflict makes a 409 problem: the request does not fit the resource's state.
func Conflict(format string, args ...any) *Problem { return StatusError(409, format, args...) }

// Gone makes a 410 problem: what was here is gone for good.
func Gone(format string, args ...any) *Problem { return StatusError(410, format, args...) }

// PreconditionFailed makes a 412 problem: an If-Match or the like did not hold.
func PreconditionFailed(format string, args ...any) *Problem {
	return StatusError(412, format, args...)
}

// UnsupportedMediaType makes a 415 problem: the body is of the wrong type.
func UnsupportedMediaType(format string, args ...any) *Problem {
	return StatusError(415, format, args...)
}

// Unprocessable makes a 422 problem: well-formed, but against a rule.
func Unprocessable(format string, args ...any) *Problem { return StatusError(422, format, args...) }

// TooManyRequests makes a 429 problem. Say when to come back with
// WithHeader("Retry-After", seconds).
func TooManyRequests(format string, args ...any) *Problem { return StatusError(429, format, args...) }

// Unavailable makes a 503 problem: come back later.
func Unavailable(format string, args ...any) *Problem { return StatusError(503, format, args...) }

func bodyTooLarge(limit int64) *Problem {
	return StatusError(http.StatusRequestEntityTooLarge, "the body is larger than the limit of %d bytes", limit)
}

// bodyError maps what reading a body can end with.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return bodyTooLarge(tooLarge.Limit).Wrap(err)
	}
	var p *Problem
	if errors.As(err, &p) {
		return err
	}
	return BadRequest("the body could not be read to its end").Wrap(err)
}

// problemOf maps any error to the problem that a client sees. Errors that do
// not say otherwise are a 500 whose text stays in the log.
func problemOf(err error) *Problem {
	var thrown *PanicError
	if errors.As(err, &thrown) {
		return &Problem{Status: http.StatusInternalServerError, cause: err}
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var status interface{ HTTPStatus() int }
	if errors.As(err, &status) {
		if code := status.HTTPStatus(); code >= 400 && code < 600 {
			p := &Problem{Status: code, cause: err}
			if code < 500 {
				p.Detail = err.Error()
			}
			return p
		}
	}
	if errors.Is(err, fs.ErrNotExist) && isFileError(err) {
		return NotFound("there is no such file").Wrap(err)
	}
	return &Problem{Status: http.StatusInternalServerError, cause: err}
}

// isFileError tells errors of our own file answers, where a missing file is a
// 404, from a handler's failure to open a file that it needs, which is a 500.
func isFileError(err error) bool {
	var missing *fileError
	return errors.As(err, &missing)
}
