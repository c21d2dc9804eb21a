package middleware

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/ishaa-framework/ishaa"
)

// This file is where middleware changes or asks what a Request or a Response does
// not offer on every version of the root package: each way is taken when it is
// there, and something safe is done when it is not.

// setID names the request.
func setID(r *ishaa.Request, id string) {
	if named, ok := any(r).(interface{ SetID(id string) }); ok {
		named.SetID(id)
	}
}

// requestID is the request's name, at the latest from the header that tells it.
func requestID(r *ishaa.Request) string {
	if id := r.ID(); id != "" {
		return id
	}
	return r.Response().Header().Get("X-Request-Id")
}

// setClient says who sent the request.
func setClient(r *ishaa.Request, client netip.AddrPort) {
	if known, ok := any(r).(interface{ SetClient(netip.AddrPort) }); ok {
		known.SetClient(client)
	}
	clientKeyValue.Set(r, client)
}

var clientKeyValue = ishaa.NewKey[netip.AddrPort]("client address")

// limitBody has reading the body end by a 413 problem after limit bytes.
func limitBody(r *ishaa.Request, limit int64) error {
	if limited, ok := any(r).(interface{ SetBodyLimit(int64) }); ok {
		limited.SetBodyLimit(limit)
		return nil
	}
	raw := r.HTTP()
	if raw.ContentLength > limit {
		return ishaa.StatusError(http.StatusRequestEntityTooLarge, "the body is larger than the limit of %d bytes", limit)
	}
	if raw.Body != nil && raw.Body != http.NoBody {
		raw.Body = http.MaxBytesReader(nil, raw.Body, limit)
	}
	return nil
}

// outcome is what was sent, once it was: the status, the bytes of the body, and
// whether the answer was cut short.
func outcome(r *ishaa.Request) (status int, bytes int64, aborted bool) {
	if done, ok := any(r).(interface{ Outcome() ishaa.Outcome }); ok {
		o := done.Outcome()
		return o.Status, o.Bytes, o.Aborted
	}
	res := r.Response()
	if status = res.Status(); status == 0 {
		status = http.StatusOK
	}
	if r.Method() != http.MethodHead {
		bytes, _ = strconv.ParseInt(res.Header().Get("Content-Length"), 10, 64)
	}
	return status, bytes, false
}

// filtersReach reports whether Response.Filter has an effect on a streamed body: it
// has none on what a net/http handler writes. Where the Response does not say, only
// server-sent events are known to be the framework's own stream.
func filtersReach(res *ishaa.Response) bool {
	if known, ok := any(res).(interface{ Filterable() bool }); ok {
		return known.Filterable()
	}
	header := res.Header()
	return header.Get("Content-Type") == "text/event-stream" && header.Get("X-Accel-Buffering") == "no"
}
