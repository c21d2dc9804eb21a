package middleware

import (
	"net/http"
	"net/netip"
	"strconv"

	"github.com/ishaa-framework/ishaa"
)

// This file is where middleware changes what a Request says about itself. Each
// is used as soon as the Request offers it.

// setID names the request.
func setID(r *ishaa.Request, id string) {
	if named, ok := any(r).(interface{ SetID(id string) }); ok {
		named.SetID(id)
	}
	idKey.Set(r, id)
}

var idKey = ishaa.NewKey[string]("request id")

func requestID(r *ishaa.Request) string {
	if id := r.ID(); id != "" {
		return id
	}
	return idKey.Get(r)
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
func limitBody(r *ishaa.Request, limit int64) {
	if limited, ok := any(r).(interface{ SetBodyLimit(int64) }); ok {
		limited.SetBodyLimit(limit)
		return
	}
	if raw := r.HTTP(); raw.Body != nil && raw.Body != http.NoBody {
		raw.Body = http.MaxBytesReader(nil, raw.Body, limit)
	}
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
