// Package inside holds what packages of this module may do to a request and programs may not. The root package, which is
// public and has no names for it, provides it:
//
//	inside.SetID(r, value) // r is an *ishaa.Request
//
// All of it is set before main begins and never changes.
package inside

import (
	"net/http"
	"time"

	"github.com/ishaa-framework/ishaa/internal/fieldline"
)

// Part names who sets headers of an answer without looking whether they are there.
type Part uint8

// The parts. Anyone is code that got hold of all headers and may have set any.
const (
	Anyone Part = 1 << iota
	CORS
	SecurityHeaders
)

// Header returns the headers of an *ishaa.Response for one of the parts, which sets only its own, and whether some of
// these may be there already: whether the part, or anyone, has had the headers before.
var Header func(response any, part Part) (header http.Header, maybe bool)

// AddLines adds fields of a part to an *ishaa.Response without making a map of its headers, and reports whether it could. If
// not, Header is the way.
var AddLines func(response any, part Part, lines *fieldline.Lines) bool

// AddValue is AddLines for a field whose value is this answer's own.
var AddValue func(response any, name string, value *[1]string) bool

// RequestHeader are the headers of an *ishaa.Request, to be looked at without being seen to read them.
var RequestHeader func(request any) http.Header

// ClientText is the client's address as a log has it, or "".
var ClientText func(request any) string

// LogTime is the time that a record in the log gets, given what the application's clock said just now: to ask the system
// again is for clocks of tests.
var LogTime func(request any, now time.Time) time.Time

// SetID names a request by an id that a header may share. It is not to be changed.
var SetID func(request any, id *[1]string)
