package auth

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// A token that checks itself is good until it expires, whatever happens to who has
// it. Revocations are the list of exceptions: tokens by their jti, and for a subject
// the time before which tokens are no good any more. The list is short, since an
// exception is forgotten when the token would have expired.

// Revocations are kept in a store, so all nodes know of them. Tokens that are checked
// against them cost one look into the store each.
type Revocations struct {
	kv      store.KV
	options RevocationOptions
}

// RevocationOptions are the settings of NewRevocations.
type RevocationOptions struct {
	// Longest is how long tokens are valid at most; default 24 hours. Tokens that are
	// valid for longer are refused.
	Longest time.Duration

	Prefix string      // of the keys in the store; default "revoked:"
	Clock  ishaa.Clock // default the application's in requests, the system's elsewhere
}

// NewRevocations returns a list of revoked tokens in a store, for the option
// Revocable.
func NewRevocations(kv store.KV, options RevocationOptions) *Revocations {
	setDefault(&options.Longest, 24*time.Hour)
	setDefault(&options.Prefix, "revoked:")
	if kv == nil {
		mistake("NewRevocations: the store is nil")
	}
	if options.Longest < time.Second {
		mistake("NewRevocations: a Longest of %v: give at least a second", options.Longest)
	}
	return &Revocations{kv, options}
}

// Revocable has tokens checked against a list of revoked ones. Encode gives them a
// jti, which tokens must have. While the store is away tokens are answered by 503.
//
//	list := auth.NewRevocations(st, auth.RevocationOptions{})
//	jwt := auth.JWT(keys, auth.Revocable(list))
//	err := list.RevokeAll(ctx, "ann") // her password was changed
func Revocable(list *Revocations) JWTOption {
	return func(t *Tokens) {
		t.revoked = list
		t.demand(list != nil, "Revocable: the list is nil")
	}
}

// Revoke ends one token, by its claims: signing out.
func (l *Revocations) Revoke(ctx context.Context, claims Registered) error {
	if claims.ID == "" || claims.ExpiresAt.IsZero() {
		return errors.New("auth: Revocations.Revoke: the claims have no jti or no exp: embed auth.Registered, and make the token by auth.JWT with Revocable")
	}
	left := claims.ExpiresAt.Sub(timeOf(ctx, l.options.Clock)) + 5*time.Minute // the leeway is no more
	if left <= 0 {
		return nil
	}
	if err := l.kv.Set(ctx, l.idKey(claims.ID), []byte{}, left); err != nil {
		return storeFailed("Revocations.Revoke", err)
	}
	return nil
}

// RevokeAll ends all tokens of a subject that were made until now, by the clocks of
// those who made them: after a change of password, or when an account is closed.
func (l *Revocations) RevokeAll(ctx context.Context, subject string) error {
	until := strconv.FormatInt(timeOf(ctx, l.options.Clock).UnixMicro(), 10)
	if err := l.kv.Set(ctx, l.subjectKey(subject), []byte(until), l.options.Longest+5*time.Minute); err != nil {
		return storeFailed("Revocations.RevokeAll", err)
	}
	return nil
}

// check reports what a token was revoked by.
func (l *Revocations) check(ctx context.Context, c *claimSet) error {
	issued, dated := issuedAt(c)
	if c.id == "" || !dated {
		return errNoID
	}
	if c.expires-c.iat > int64(l.options.Longest/time.Second) {
		return errLongLived
	}
	found, err := l.kv.GetMany(ctx, l.idKey(c.id), l.subjectKey(c.subject))
	if err != nil {
		return storeFailed("Revocations", err)
	}
	if _, ended := found[l.idKey(c.id)]; ended {
		return errRevoked
	}
	text, ended := found[l.subjectKey(c.subject)]
	if !ended {
		return nil
	}
	until, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return fmt.Errorf("auth: Revocations: the record in the store: %w", err)
	}
	if issued < until {
		return errRevoked
	}
	return nil
}

func (l *Revocations) idKey(id string) string { return l.options.Prefix + "id:" + keyText(id) }

func (l *Revocations) subjectKey(subject string) string {
	return l.options.Prefix + "of:" + keyText(subject)
}

// newTokenID is 128 random bits behind the time in microseconds, which iat is too
// coarse for: a person who signs in again in the second in which all tokens were
// revoked is to get in.
func newTokenID(now time.Time) string {
	random := new(big.Int).SetBytes(randomBytes(16))
	return strconv.FormatInt(now.UnixMicro(), 36) + "-" + random.Text(36)
}

// issuedAt returns when a token was made, in microseconds: by its jti if that is one
// of ours and agrees with iat, else by iat, the beginning of a second.
func issuedAt(c *claimSet) (micros int64, ok bool) {
	if c.iat < 0 {
		return 0, false
	}
	if text, _, ours := strings.Cut(c.id, "-"); ours {
		if exact, err := strconv.ParseInt(text, 36, 64); err == nil && exact/1e6 == c.iat {
			return exact, true
		}
	}
	return c.iat * 1e6, true
}

// storeFailed says 503 for a store that cannot be reached: what is asked of it is
// needed for safety.
func storeFailed(what string, err error) error {
	if err = fmt.Errorf("%s: %w", what, err); errors.Is(err, store.ErrUnavailable) {
		return storeAway(err)
	}
	return fmt.Errorf("auth: %w", err)
}
