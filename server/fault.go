package server

import (
	"net/http"
	"strconv"
)

// fault is why a request is refused before any handler sees it. The connection is closed after the answer: what follows
// cannot be trusted to be a request.
type fault struct {
	status int
	text   string
}

// Error returns what the client is told.
func (f *fault) Error() string {
	return strconv.Itoa(f.status) + " " + http.StatusText(f.status) + ": " + f.text
}

func bad(text string) *fault { return &fault{http.StatusBadRequest, text} }

// The faults. They are made once: an attacker's request costs no more than a good one.
var (
	faultLineEnd      = bad("a line does not end with CR LF")
	faultRequestLine  = bad("malformed request line")
	faultMethod       = bad("invalid method")
	faultTarget       = bad("invalid request target")
	faultVersion      = bad("malformed HTTP version")
	faultFold         = bad("folded header line")
	faultNoColon      = bad("header line without a colon")
	faultName         = bad("invalid header name")
	faultValue        = bad("invalid header value")
	faultNoHost       = bad("missing required Host header")
	faultTwoHosts     = bad("too many Host headers")
	faultHost         = bad("malformed Host header")
	faultLength       = bad("invalid Content-Length")
	faultLengths      = bad("Content-Lengths that differ")
	faultTwoFramings  = bad("Content-Length and Transfer-Encoding together")
	faultTwoTypes     = bad("too many Content-Type headers")
	faultOldChunks    = bad("Transfer-Encoding in HTTP/1.0")
	faultLastCoding   = bad("chunked is not the last transfer coding")
	faultTrailer      = bad("invalid Trailer header")
	faultIncomplete   = bad("the request ends within its head")
	faultCoding       = &fault{http.StatusNotImplemented, "unsupported transfer encoding"}
	faultMajor        = &fault{http.StatusHTTPVersionNotSupported, "unsupported protocol version"}
	faultHeadTooLarge = &fault{http.StatusRequestHeaderFieldsTooLarge, "the head of the request is too large"}
	faultExpectation  = &fault{http.StatusExpectationFailed, "the only expectation is 100-continue"}
)

// answer is the whole answer to a request that is refused.
func (f *fault) answer() []byte {
	line := strconv.Itoa(f.status) + " " + http.StatusText(f.status)
	body := line + ": " + f.text + "\n"
	return []byte("HTTP/1.1 " + line + "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}
