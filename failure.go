package ishaa

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"

	"github.com/ishaa-framework/ishaa/internal/negotiate"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/internal/textlog"
)

// This file is where an error becomes an answer: the application's own error
// handlers first, the nearest blueprint's before its parents', then a problem
// document or a plain page by what the client accepts.

// errorHandler is a handler of errors by status or by type.
type errorHandler struct {
	status  int // 0: by matches
	matches func(error) bool
	handle  func(*Request, error) (any, error)
}

// OnStatus has errors that map to a status answered by a function of the
// program's own. Its value becomes the answer, with the error's status unless it
// sets another. An error from it is answered as a problem.
func (g *group) OnStatus(status int, handle func(r *Request, err error) (any, error)) {
	g.mustBeOpen("OnStatus")
	mustHave("OnStatus", handle != nil)
	g.errors = append(g.errors, errorHandler{status: status, handle: handle})
}

// OnError has errors of a type, found as by errors.As, answered by a function of
// the program's own. It goes before handlers by status; of several that fit, the
// one registered last wins.
//
//	ishaa.OnError(app, func(r *ishaa.Request, err *shop.OutOfStock) (any, error) { … })
func OnError[E error](router Router, handle func(r *Request, err E) (any, error)) {
	g := router.router()
	g.mustBeOpen("OnError")
	mustHave("OnError", handle != nil)
	g.errors = append(g.errors, errorHandler{
		matches: func(err error) bool { var e E; return errors.As(err, &e) },
		handle: func(r *Request, err error) (any, error) {
			var e E
			errors.As(err, &e)
			return handle(r, e)
		},
	})
}

// errorHandlerFor finds the nearest handler, types before statuses in each group,
// and says whether it goes by type.
func (g *group) errorHandlerFor(err error, status int) (handle func(*Request, error) (any, error), byType bool) {
	for ; g != nil; g = g.parent {
		for _, h := range slices.Backward(g.errors) {
			if h.matches != nil && h.matches(err) {
				return h.handle, true
			}
		}
		if handle := g.ownStatusHandler(status); handle != nil {
			return handle, false
		}
	}
	return nil, false
}

// statusHandlerFor finds the nearest handler by status alone.
func (g *group) statusHandlerFor(status int) func(*Request, error) (any, error) {
	for ; g != nil; g = g.parent {
		if handle := g.ownStatusHandler(status); handle != nil {
			return handle
		}
	}
	return nil
}

func (g *group) ownStatusHandler(status int) func(*Request, error) (any, error) {
	for _, h := range slices.Backward(g.errors) {
		if h.matches == nil && h.status == status {
			return h.handle
		}
	}
	return nil
}

// answerError makes an error the answer being built. It never fails: what goes
// wrong here ends in the plainest problem.
func (r *Request) answerError(res *Response, err error) {
	r.res = res
	if isNilPointer(err) {
		err = fmt.Errorf("%s (%s) returned a nil %T as its error; return nil itself for none", r.route, r.route.Source(), err)
	}
	err = r.causeOf(err)
	r.more().failure = err
	problem := problemOf(err)
	res.clearBody()
	handle, byType := r.route.group.errorHandlerFor(err, problem.HTTPStatus())
	for handle != nil {
		value, handleErr := r.callErrorHandler(handle, err)
		if handleErr == nil {
			res.status = statusOf(problem.HTTPStatus())
			handleErr = r.fill(res, value)
		}
		if handleErr == nil {
			if res.status >= 500 {
				r.logFailure(err)
			}
			header := res.Header()
			for name, values := range problem.Header { // Retry-After, WWW-Authenticate, Allow: a page does not know of them
				if name = http.CanonicalHeaderKey(name); header[name] == nil {
					header[name] = slices.Clone(values)
				}
			}
			res.built = true
			return
		}
		// To return another error is how a handler maps one to a problem.
		problem = problemOf(handleErr)
		if problem.HTTPStatus() >= 500 && !errors.Is(handleErr, err) {
			handleErr = fmt.Errorf("the error handler for %q failed: %w", err, handleErr)
		}
		err = handleErr
		res.clearBody()
		if handle = nil; byType {
			// What a type was mapped to may have a page of its own.
			handle, byType = r.route.group.statusHandlerFor(problem.HTTPStatus()), false
		}
	}
	if problem.HTTPStatus() >= 500 {
		r.logFailure(err)
	}
	if fillErr := r.fillProblem(res, problem, err); fillErr != nil {
		r.logFailure(fillErr)
		res.clearBody()
		res.status = http.StatusInternalServerError
	}
	res.built = true
}

// causeOf adds to an error that says no more than that the request's context has
// ended the problem for which it was ended, such as a timeout or the end of the
// server: middleware ends a context by context.WithCancelCause and its like.
func (r *Request) causeOf(err error) error {
	var cause *Problem
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &cause) || !errors.As(context.Cause(r.context()), &cause) {
		return err
	}
	return fmt.Errorf("%w: %w", cause, err)
}

func (r *Request) callErrorHandler(handle func(*Request, error) (any, error), err error) (value any, failure error) {
	defer func() {
		if cause := recover(); cause != nil {
			failure = panicked(cause)
		}
	}()
	return handle(r, err)
}

// fillProblem writes a problem as JSON or as a page.
func (r *Request) fillProblem(res *Response, p *Problem, err error) error {
	res.status = statusOf(p.HTTPStatus())
	header := res.Header()
	for name, values := range p.Header {
		header[name] = append(header[name][:len(header[name]):len(header[name])], values...)
	}
	header["Cache-Control"] = noStore
	if wantsPage(r.raw.Header.Get("Accept")) {
		res.vary("Accept")
		if r.route.app.config.Debug && r.debugAllowed() {
			return r.fillDebugPage(res, p, err)
		}
		return fillTemplate(res, problemPage, p)
	}
	data, encodeErr := p.MarshalJSON()
	if encodeErr != nil {
		return encodeErr
	}
	header["Content-Type"] = typeProblem
	res.body = inMemory(data)
	return nil
}

var noStore = []string{"no-store"}

// wantsPage reports whether a person reads the answer: HTML is asked for before
// any form of JSON.
func wantsPage(accept string) bool {
	return accept != "" && negotiate.Best(accept, "application/problem+json", "application/json", "text/html") == "text/html"
}

func fillTemplate(res *Response, page *template.Template, data any) error {
	buf := newBuffer()
	if err := page.Execute(buf, data); err != nil {
		buf.free()
		return err
	}
	res.Header()["Content-Type"] = typeHTML
	res.body = inBuffer(buf)
	return nil
}

// HeadingText is the problem's title, as the page shows it.
func (p *Problem) HeadingText() string { return p.title() }

var problemPage = template.Must(template.New("problem").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.HTTPStatus}} {{.HeadingText}}</title></head>
<body>
<h1>{{.HTTPStatus}} {{.HeadingText}}</h1>
{{with .Detail}}<p>{{.}}</p>{{end}}
</body>
</html>
`))

// logFailure records an error that the client does not get to see. Its text may
// quote what the client sent. The failure of a copy that was run for comparison is
// nobody's but the engine's that runs it.
func (r *Request) logFailure(err error) {
	attrs := []slog.Attr{slog.String("error", secure.LogText(err.Error()))}
	var thrown *PanicError
	if errors.As(err, &thrown) {
		attrs = append(attrs, slog.String("stack", string(thrown.Stack)))
	}
	level := slog.LevelError
	if r.shadow {
		level = slog.LevelDebug
	}
	r.logRequest(textlog.Request{Level: level, Message: "request failed", More: attrs})
}
