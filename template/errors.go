package template

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// Kind says what sort of mistake an [Error] reports.
type Kind uint8

const (
	KindSyntax    Kind = iota + 1 // the template's text is wrong; found when it is compiled
	KindUndefined                 // something that does not exist was used
	KindRuntime                   // a value did not fit, or a method or function returned an error
	KindLimit                     // a limit of Options was reached
)

// Error is a mistake in a template: its text reads like a compiler's message.
//
//	page.html:3:9: "usre" is undefined, did you mean "user"?
//	    <p>{{ usre.name }}</p>
//	          ^
type Error struct {
	Kind    Kind
	Name    string // the template's name
	Line    int    // from 1
	Column  int    // in characters, from 1
	Message string
	Source  string // the line itself
	Err     error  // the cause, if a Go function or method returned one
}

// Error gives position, message, line and caret.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Name)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
	}
	b.WriteString(": ")
	b.WriteString(e.Message)
	if e.Source != "" {
		pad := strings.Map(func(r rune) rune {
			if r == '\t' {
				return r
			}
			return ' '
		}, firstRunes(e.Source, e.Column-1))
		b.WriteString("\n    " + e.Source + "\n    " + pad + "^")
	}
	return b.String()
}

// Unwrap gives the error that a Go function or method returned.
func (e *Error) Unwrap() error { return e.Err }

func firstRunes(s string, n int) string {
	for i := range s {
		if n <= 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// source is a template's name and text, for messages.
type source struct {
	name, text string
}

// position is a place in a template. Closures hold a pointer to one, so that noting where a render is costs one store.
type position struct {
	src       *source
	line, col int32
}

func (p *position) fault(kind Kind, format string, args ...any) *Error {
	e := &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Err = err
		}
	}
	p.place(e)
	return e
}

// place fills in where the error is, unless it is known already.
func (p *position) place(e *Error) {
	if p == nil || e.Line != 0 {
		return
	}
	e.Name, e.Line, e.Column = p.src.name, int(p.line), int(p.col)
	rest := p.src.text
	for range e.Line - 1 {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	e.Source, _, _ = strings.Cut(rest, "\n")
	if len(e.Source) > 240 {
		e.Source = ""
	}
}

// raise stops the render; Render recovers it and adds the place.
func raise(kind Kind, format string, args ...any) {
	e := &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Err = err
		}
	}
	panic(e)
}

// caught turns the panic of raise, seen by a deferred function, into an error, and lets others go on.
func caught(recovered any, err *error, at *position) {
	if recovered == nil {
		return
	}
	e, ok := recovered.(*Error)
	if !ok {
		panic(recovered)
	}
	at.place(e)
	*err = e
}

func suggest(name string, known iter.Seq[string]) string {
	if near := typo.Nearest(name, known); near != "" {
		return ", did you mean " + strconv.Quote(near) + "?"
	}
	return ""
}

// IsLimit reports whether an error is that a limit of Options was reached.
func IsLimit(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == KindLimit
}
