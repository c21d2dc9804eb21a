package websocket

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	coder "github.com/coder/websocket"

	"github.com/ishaa-framework/ishaa"
)

// Status is a close code (RFC 6455 §7.4).
type Status int

// The close codes that have a meaning of their own. Applications choose from 4000
// to 4999; 3000 to 3999 are registered.
const (
	StatusNormal        Status = 1000
	StatusGoingAway     Status = 1001 // the server stops, or the page was left
	StatusProtocolError Status = 1002
	StatusUnsupported   Status = 1003 // a kind of message that is not taken here
	StatusNone          Status = 1005 // never sent: the close frame had no code
	StatusAbnormal      Status = 1006 // never sent: the connection broke without a close frame
	StatusInvalidData   Status = 1007 // text that is not UTF-8, or a message that is not what it should be
	StatusPolicy        Status = 1008
	StatusTooBig        Status = 1009
	StatusInternal      Status = 1011
	StatusRestart       Status = 1012
	StatusTryAgain      Status = 1013 // too much at the moment, or for this client
)

// sendable reports whether a close frame may hold the code.
func (s Status) sendable() bool {
	return s >= 1000 && s <= 1014 && (s < 1004 || s > 1006) || s >= 3000 && s <= 4999
}

// CloseError is how a connection ended, or, returned by a handler, how it is to end.
//
//	return &websocket.CloseError{Code: 4001, Reason: "the game is over"}
type CloseError struct {
	Code   Status
	Reason string // at most 123 bytes of UTF-8; what is more is cut
	Remote bool   // the client closed
	cause  error
}

// Error says who closed, and why.
func (e *CloseError) Error() string {
	who := "the connection was closed"
	switch {
	case e.Code == StatusAbnormal:
		who = "the connection broke"
	case e.Remote:
		who = "the client closed the connection"
	}
	text := "websocket: " + who + " with " + strconv.Itoa(int(e.Code))
	if e.Reason != "" {
		text += " " + strconv.Quote(e.Reason)
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns what broke the connection, or nil.
func (e *CloseError) Unwrap() error { return e.cause }

// normal reports an end that is nobody's fault.
func (e *CloseError) normal() bool {
	return e.Code == StatusNormal || e.Code == StatusGoingAway || e.Code == StatusNone
}

func protocolError(reason string) *CloseError {
	return &CloseError{Code: StatusProtocolError, Reason: reason}
}

func invalidText() *CloseError {
	return &CloseError{Code: StatusInvalidData, Reason: "text that is not UTF-8"}
}

func tooBig(limit uint64) *CloseError {
	return &CloseError{Code: StatusTooBig, Reason: fmt.Sprintf("a message has more than %d bytes", limit)}
}

// closing is the close frame for what a handler returned, and whether it is to be
// logged: an error that was not meant for the client is told nothing of.
func closing(err error) (end *CloseError, unexpected bool) {
	var own *CloseError
	var wrong *MessageError
	var problem *ishaa.Problem
	switch {
	case err == nil:
		return &CloseError{Code: StatusNormal}, false
	case errors.As(err, &own):
		if own.Code.sendable() {
			return own, false
		}
		return &CloseError{Code: StatusNormal}, false
	case errors.As(err, &wrong):
		return &CloseError{Code: StatusInvalidData, Reason: wrong.Reason}, false
	case errors.As(err, &problem) && problem.HTTPStatus() < 500:
		return &CloseError{Code: StatusPolicy, Reason: problem.Detail}, false
	case errors.As(err, &problem) && problem.HTTPStatus() == 503:
		return &CloseError{Code: StatusTryAgain, Reason: problem.Detail}, true
	case errors.Is(err, context.Canceled):
		return &CloseError{Code: StatusNormal}, false
	}
	return &CloseError{Code: StatusInternal, Reason: "internal error"}, true
}

// closeFrame is the whole frame.
func closeFrame(code Status, reason string) []byte {
	if !code.sendable() {
		return appendHeader(nil, opClose, 0)
	}
	reason = cutText(reason, maxControl-2)
	frame := appendHeader(make([]byte, 0, 4+len(reason)), opClose, 2+len(reason))
	frame = append(frame, byte(code>>8), byte(code))
	return append(frame, reason...)
}

// cutText makes a text UTF-8 of at most so many bytes.
func cutText(text string, size int) string {
	if !utf8.ValidString(text) {
		text = string([]rune(text))
	}
	if len(text) <= size {
		return text
	}
	for !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// endOf makes what ended reading a CloseError.
func endOf(err error) *CloseError {
	var own *CloseError
	var peer coder.CloseError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &peer):
		return &CloseError{Code: Status(peer.Code), Reason: peer.Reason, Remote: true}
	}
	return &CloseError{Code: StatusAbnormal, cause: err}
}
