package auth

import (
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// TokenError is why a token was not accepted. Its reason is one of a fixed set of
// texts and quotes nothing of the token, so it can be shown to whoever sent it.
// Unhandled, it is answered by 401 with a WWW-Authenticate header (RFC 6750 §3).
type TokenError struct{ Reason string }

// Error returns the reason.
func (e *TokenError) Error() string { return "auth: " + e.Reason }

// HTTPStatus returns 401.
func (e *TokenError) HTTPStatus() int { return 401 }

// As makes the error a *ishaa.Problem with its challenge, for errors.As.
func (e *TokenError) As(target any) bool {
	if p, ok := target.(**ishaa.Problem); ok {
		*p = e.problem("api")
		return true
	}
	return false
}

func (e *TokenError) problem(realm string) *ishaa.Problem {
	return ishaa.Unauthorized("%s", e.Reason).WithHeader("WWW-Authenticate", bearerChallenge(realm, "invalid_token", e.Reason))
}

func refusal(reason string) *TokenError { return &TokenError{reason} }

// The reasons.
var (
	errEmpty       = refusal("the token is empty")
	errTooLarge    = refusal("the token is too large")
	errParts       = refusal("the token does not have three parts separated by dots")
	errBase64      = refusal("a part of the token is not canonical base64url without padding")
	errHeader      = refusal("the header of the token is not a JSON object with distinct members")
	errHeaderType  = refusal("alg, kid and typ in the header of the token are text")
	errHeaderField = refusal("the header of the token brings a key, a link, an extension or an encoding, which are not accepted")
	errAlgorithm   = refusal("the algorithm of the token is not the one of a key here")
	errKeyID       = refusal("the kid of the token names no key here")
	errSignature   = refusal("the signature of the token is wrong")
	errType        = refusal("the token is of another type than is accepted here")
	errPayload     = refusal("the claims of the token are not a JSON object with distinct names")
	errDate        = refusal("exp, nbf and iat are whole seconds since 1970, as JSON numbers")
	errText        = refusal("iss, sub and jti are text")
	errNoExpiry    = refusal("the token has no exp")
	errExpired     = refusal("the token has expired")
	errEarly       = refusal("the token is not valid yet")
	errFuture      = refusal("the token was issued in the future")
	errIssuer      = refusal("the token is from another issuer")
	errAudience    = refusal("the token is for another audience")
	errNoID        = refusal("the token has no jti or no iat")
	errLongLived   = refusal("the token is valid for longer than is accepted here")
	errRevoked     = refusal("the token was revoked: sign in again")
	errClaims      = refusal("the claims of the token are not of the form that is expected here")
)

// bearerChallenge writes a challenge of RFC 6750. Reasons are texts of this
// package; a realm may be anything.
func bearerChallenge(realm, code, description string) string {
	text := `Bearer realm="` + quotable(realm) + `"`
	if code != "" {
		text += `, error="` + code + `"`
	}
	if description != "" {
		text += `, error_description="` + quotable(description) + `"`
	}
	return text
}

// quotable leaves what may stand in error_description (RFC 6750 §3): ASCII without
// quotes and backslashes.
func quotable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return -1
		}
		return c
	}, text)
}
