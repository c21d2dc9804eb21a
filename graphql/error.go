package graphql

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ishaa-framework/ishaa"
)

// Codes of errors, in extensions.code.
const (
	CodeParseFailed      = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	CodeTooComplex       = "TOO_COMPLEX" // over one of the limits of Options
	CodeBadRequest       = "BAD_REQUEST"
	CodeBadUserInput     = "BAD_USER_INPUT"
	CodeUnauthenticated  = "UNAUTHENTICATED"
	CodeForbidden        = "FORBIDDEN"
	CodeNotFound         = "NOT_FOUND"
	CodeConflict         = "CONFLICT"
	CodeTooManyRequests  = "TOO_MANY_REQUESTS"
	CodeInternal         = "INTERNAL_SERVER_ERROR"
	CodeNotPersisted     = "PERSISTED_QUERY_NOT_FOUND"
	CodeNotAllowed       = "OPERATION_NOT_ALLOWED" // not on the allow-list
	CodeNoIntrospection  = "INTROSPECTION_DISABLED"
)

// Error is an error of the answer. Resolvers return one to say something to the client; Path and Locations are filled in.
type Error struct {
	Message    string         `json:"message"`
	Locations  []Location     `json:"locations,omitempty"`
	Path       []any          `json:"path,omitempty"` // names of fields, as answered, and indexes of lists
	Extensions map[string]any `json:"extensions,omitempty"`
}

// Location is a place in the document; both count from 1.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Code returns extensions.code, or "".
func (e *Error) Code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// Errorf returns an error that the client sees, with a code of the program's choice.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Extensions: map[string]any{"code": code}}
}

// Forbidden returns an error with CodeForbidden.
func Forbidden(format string, args ...any) *Error { return Errorf(CodeForbidden, format, args...) }

// Unauthenticated returns an error with CodeUnauthenticated.
func Unauthenticated(format string, args ...any) *Error {
	return Errorf(CodeUnauthenticated, format, args...)
}

// BatchError is the error of a [Batch] resolver some of whose objects failed: one entry for each object, nil where it did
// not.
type BatchError []error

// Error returns the text of the first.
func (e BatchError) Error() string {
	for _, err := range e {
		if err != nil {
			return err.Error()
		}
	}
	return "no error"
}

var statusCodes = map[int]string{
	http.StatusBadRequest: CodeBadUserInput, http.StatusUnprocessableEntity: CodeBadUserInput,
	http.StatusUnauthorized: CodeUnauthenticated, http.StatusForbidden: CodeForbidden, http.StatusNotFound: CodeNotFound,
	http.StatusConflict: CodeConflict, http.StatusTooManyRequests: CodeTooManyRequests,
}

// panicked is what a resolver panicked with.
type panicked struct {
	cause any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.cause) }

// present turns an error into what the client may see of it, and logs the rest.
func present(ctx context.Context, logger *slog.Logger, where string, err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		shown := *own
		if shown.Code() == "" {
			extensions := map[string]any{"code": CodeBadUserInput}
			for name, value := range own.Extensions {
				extensions[name] = value
			}
			shown.Extensions = extensions
		}
		return &shown
	}
	var problem *ishaa.Problem
	if errors.As(err, &problem) && problem.Status < 500 {
		message := problem.Detail
		if message == "" {
			message = problem.Title
		}
		code := statusCodes[problem.Status]
		if code == "" {
			code = CodeBadUserInput
		}
		return Errorf(code, "%s", message)
	}
	// Errors of other packages, such as those of orm, say what they would be in HTTP.
	var status interface{ HTTPStatus() int }
	if errors.As(err, &status) {
		if code := statusCodes[status.HTTPStatus()]; code != "" {
			return Errorf(code, "%s", err)
		}
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return Errorf(CodeInternal, "the operation was given up")
	}
	attrs := []any{"field", where, "error", err}
	var p *panicked
	if errors.As(err, &p) {
		attrs = append(attrs, "stack", string(p.stack))
	}
	if logger != nil {
		logger.ErrorContext(ctx, "graphql resolver failed", attrs...)
	}
	return Errorf(CodeInternal, "internal error")
}

// recovered makes an error of a panic.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = &panicked{cause, debug.Stack()}
	}
}

// fromParser turns the parser's and validator's errors into ours.
func fromParser(code string, list gqlerror.List, most int) []*Error {
	out := make([]*Error, 0, min(len(list), most))
	for _, e := range list {
		if len(out) == most {
			break
		}
		shown := Errorf(code, "%s", cut(e.Message))
		for _, l := range e.Locations {
			shown.Locations = append(shown.Locations, Location{l.Line, l.Column})
		}
		out = append(out, shown)
	}
	return out
}

// longestMessage is for messages that repeat what the client wrote.
const longestMessage = 400

func cut(message string) string {
	if len(message) <= longestMessage {
		return message
	}
	return strings.ToValidUTF8(message[:longestMessage], "") + "…"
}
