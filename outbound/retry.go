package outbound

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
)

// RoundTrip implements http.RoundTripper: one request, checked, with its retries.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.hosts.check(req.URL, t.options.PlainHTTP); err != nil {
		closeBody(req)
		return nil, err
	}
	if req.Host != "" && req.Host != req.URL.Host {
		closeBody(req)
		return nil, &Refused{Host: req.Host, Reason: "the request names another host than its URL"}
	}
	if effect.Shadow(req.Context()) && !safe(req.Method) {
		return t.intend(req)
	}
	attempts := 1
	if repeatable(req) {
		attempts = t.options.Attempts
	}
	for attempt := 1; ; attempt++ {
		res, err := t.attempt(req, attempt)
		if attempt >= attempts || req.Context().Err() != nil || !worthRepeating(res, err) {
			return res, err
		}
		wait, ok := t.pause(attempt, res)
		if !ok {
			return res, err
		}
		if res != nil {
			// A short body is read, so that the connection can be used again.
			_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
			res.Body.Close()
		}
		select {
		case <-t.options.Clock.After(wait):
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
		if req, err = again(req); err != nil {
			return nil, err
		}
	}
}

// attempt sends the request once.
func (t *transport) attempt(req *http.Request, number int) (*http.Response, error) {
	var done func(*http.Response, error)
	if t.options.Trace != nil {
		req = req.Clone(req.Context()) // a RoundTripper does not change the caller's request
		ctx, end := t.options.Trace(req.Context(), number, req)
		if ctx != nil {
			req = req.WithContext(ctx)
		}
		done = end
	}
	res, err := t.wire.RoundTrip(req)
	if err == nil && res.ContentLength > t.options.MaxBytes {
		res.Body.Close()
		res, err = nil, fmt.Errorf("%w: %q announces %d bytes, more than %d", ErrTooLarge, req.URL.Host, res.ContentLength, t.options.MaxBytes)
	}
	if err == nil && res.StatusCode != http.StatusSwitchingProtocols {
		res.Body = &limitedBody{res.Body, t.options.MaxBytes}
	}
	if done != nil {
		done(res, err)
	}
	return res, err
}

// ErrTooLarge is what reading an answer beyond Options.MaxBytes gives.
var ErrTooLarge = errors.New("outbound: the answer is larger than Options.MaxBytes")

// limitedBody ends with ErrTooLarge, not with EOF: a part must not pass for the whole.
type limitedBody struct {
	io.ReadCloser
	left int64
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		return n, ErrTooLarge
	}
	b.left -= int64(n)
	return n, err
}

func safe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// repeatable reports requests that do the same whether they arrive once or twice
// (RFC 9110 §9.2.2), and can be sent again.
func repeatable(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	return safe(req.Method) || req.Method == http.MethodPut || req.Method == http.MethodDelete || req.Header.Get("Idempotency-Key") != ""
}

// worthRepeating reports results that may be another next time.
func worthRepeating(res *http.Response, err error) bool {
	var refused *Refused
	if err != nil {
		return !errors.As(err, &refused) && !errors.Is(err, ErrTooLarge)
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// firstWait is the most that is waited before the first retry; it doubles.
const firstWait = 200 * time.Millisecond

// pause is how long to wait before the next attempt: what the server says, or else a
// random part of a time that doubles, so that clients that failed together do not come
// back together. It is not ok if the server asks for more than is waited.
func (t *transport) pause(attempt int, res *http.Response) (time.Duration, bool) {
	if res != nil {
		if after, ok := retryAfter(res.Header.Get("Retry-After"), t.options.Clock.Now()); ok {
			return after, after <= t.options.MaxWait
		}
	}
	most := min(firstWait<<min(attempt-1, 20), t.options.MaxWait)
	return time.Duration(rand.Int64N(int64(most) + 1)), true
}

// retryAfter reads the header's seconds or date (RFC 9110 §10.2.3).
func retryAfter(text string, now time.Time) (time.Duration, bool) {
	if text == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now)), true
	}
	return 0, false
}

// again is the request with its body from the beginning.
func again(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("outbound: reading the request's body again: %w", err)
	}
	copied := *req
	copied.Body = body
	return &copied, nil
}

// intend reports what a shadow would have sent, and answers for the server.
func (t *transport) intend(req *http.Request) (*http.Response, error) {
	detail := req.Method
	if req.Body != nil {
		h := sha256.New()
		n, err := io.Copy(h, req.Body)
		closeBody(req)
		if err != nil {
			return nil, err
		}
		detail += " " + strconv.FormatInt(n, 10) + " bytes " + hex.EncodeToString(h.Sum(nil)[:8])
	}
	target := *req.URL
	query := target.RawQuery
	target.RawQuery, target.Fragment = "", ""
	if query != "" { // it may hold a secret
		sum := sha256.Sum256([]byte(query))
		detail += " query " + hex.EncodeToString(sum[:8])
	}
	effect.Intend(req.Context(), effect.Intent{Kind: "http", Target: target.String(), Detail: detail})
	return &http.Response{
		Status: "202 Accepted", StatusCode: http.StatusAccepted, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
