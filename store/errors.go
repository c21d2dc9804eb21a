package store

import (
	"errors"
	"strings"
)

// Errors that callers tell apart, by errors.Is.
var (
	ErrNotFound    = errors.New("store: there is no such key")
	ErrClosed      = errors.New("store: it is closed")
	ErrNotCounter  = errors.New("store: the value is not a counter, or would overflow")
	ErrTooLarge    = errors.New("store: the value is larger than the engine takes")
	ErrSlow        = errors.New("store: the subscriber was too far behind and missed messages")
	ErrUnavailable = errors.New("store: the engine cannot be reached")
)

// UnavailableError is the error of an operation that the engine could not be
// asked for, or did not answer in time. It is ErrUnavailable to errors.Is.
type UnavailableError struct {
	Store     string // the engine's address, without credentials
	Operation string // such as "set" or "publish"

	// Uncertain is for a write that had been sent when the connection failed: it may
	// or may not have been carried out. Otherwise nothing was changed.
	Uncertain bool

	Err error // what the connection said
}

// Error names the store and says what to do.
func (e *UnavailableError) Error() string {
	var b strings.Builder
	b.WriteString("store: " + e.Operation + ": " + e.Store + " cannot be reached: " + e.Err.Error())
	if e.Uncertain {
		b.WriteString("; it may or may not have been carried out, so look before repeating it")
	} else if e.Operation != "open" {
		b.WriteString("; nothing was changed")
	}
	b.WriteString("; see that the server runs and that the address is right")
	if e.Operation != "open" {
		b.WriteString(" (the connection is tried again by itself)")
	}
	return b.String()
}

// Unwrap gives ErrUnavailable and the connection's own error.
func (e *UnavailableError) Unwrap() []error { return []error{ErrUnavailable, e.Err} }
