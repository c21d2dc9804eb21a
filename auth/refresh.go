package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/store"
)

// A refresh token is good for one use: it is exchanged for an access token and its
// own successor. All successors of one sign-in are a family. When a token is used a
// second time, two parties have it, and nobody can tell which of them is the thief:
// the whole family ends, and both have to sign in (RFC 9700 §4.14.2).
//
// A token is the name of its family and a secret, 16 and 32 random bytes. The store
// has the secret's hash only, so a copy of the store signs nobody in.

// Refresh issues and exchanges refresh tokens over a store. It may be used by any
// number of goroutines and nodes.
type Refresh struct {
	kv      store.KV
	options RefreshOptions
}

// RefreshOptions are the settings of NewRefresh.
type RefreshOptions struct {
	TTL      time.Duration // how long a token waits to be used; default 14 days
	Lifetime time.Duration // from sign-in to the next one, whatever is used; default 90 days

	// Reused is told when a token was used twice, after its family has ended: the
	// moment to warn a person.
	Reused func(ctx context.Context, subject string)

	Prefix string      // of the keys in the store; default "refresh:"
	Clock  ishaa.Clock // default the application's in requests, the system's elsewhere
}

// Grant is what a refresh token stands for.
type Grant struct {
	Subject string            // who signed in
	Data    map[string]string // what Issue was given
	Since   time.Time         // when they signed in
}

// Errors of Refresh, which callers tell apart by errors.Is. Both are answered by
// 401: the person has to sign in.
var (
	ErrRefresh = refusal("the refresh token is not valid any more")
	ErrReused  = refusal("the refresh token was used before: sign in again")
)

// NewRefresh returns refresh tokens that are kept in a store. A store in memory
// forgets them when the program ends.
func NewRefresh(kv store.KV, options RefreshOptions) *Refresh {
	setDefault(&options.TTL, 14*24*time.Hour)
	setDefault(&options.Lifetime, 90*24*time.Hour)
	setDefault(&options.Prefix, "refresh:")
	if kv == nil {
		mistake("NewRefresh: the store is nil")
	}
	if options.TTL < time.Second || options.Lifetime < options.TTL {
		mistake("NewRefresh: TTL is at least a second, and Lifetime at least TTL")
	}
	return &Refresh{kv, options}
}

// family is what the store has of one.
type family struct {
	Subject string            `json:"subject"`
	Data    map[string]string `json:"data,omitempty"`
	Since   int64             `json:"since"` // in milliseconds
	Current []byte            `json:"current,omitempty"`
	Ended   bool              `json:"ended,omitempty"`
}

// Issue starts a family for somebody who has just signed in, and returns its first
// token.
func (f *Refresh) Issue(ctx context.Context, subject string, data map[string]string) (string, error) {
	if subject == "" {
		return "", errors.New("auth: Refresh.Issue: the subject is empty")
	}
	name, secret := randomBytes(16), randomBytes(32)
	record := family{Subject: subject, Data: data, Since: timeOf(ctx, f.options.Clock).UnixMilli(), Current: hashOf(secret)}
	stored, err := json.Marshal(record)
	if err != nil {
		return "", err
	}
	id := base64.RawURLEncoding.EncodeToString(name)
	// The index first: a family that is not in it could not be ended by RevokeAll.
	if err := f.kv.Set(ctx, f.indexPrefix(subject)+id, []byte{}, f.options.Lifetime); err != nil {
		return "", storeFailed("Refresh.Issue", err)
	}
	if err := f.kv.Set(ctx, f.options.Prefix+id, stored, f.options.TTL); err != nil {
		return "", storeFailed("Refresh.Issue", err)
	}
	return id + "." + base64.RawURLEncoding.EncodeToString(secret), nil
}

// Exchange takes a token and returns its successor with what it stands for. The
// token is used up. Of several that exchange one token at the same time at most one
// succeeds, and the family ends.
func (f *Refresh) Exchange(ctx context.Context, token string) (successor string, grant Grant, err error) {
	id, secret, ok := splitRefresh(token)
	if !ok {
		return "", Grant{}, ErrRefresh
	}
	key := f.options.Prefix + id
	old, record, err := f.load(ctx, key)
	if err != nil {
		return "", Grant{}, err
	}
	since := time.UnixMilli(record.Since)
	left := f.options.Lifetime - timeOf(ctx, f.options.Clock).Sub(since)
	if record.Ended || left <= 0 {
		return "", Grant{}, ErrRefresh
	}
	if subtle.ConstantTimeCompare(hashOf(secret), record.Current) != 1 {
		return "", Grant{}, f.reused(ctx, key)
	}
	next := randomBytes(32)
	record.Current = hashOf(next)
	stored, err := json.Marshal(record)
	if err != nil {
		return "", Grant{}, err
	}
	swapped, err := f.kv.CompareAndSwap(ctx, key, old, stored, min(f.options.TTL, left))
	if err != nil {
		return "", Grant{}, storeFailed("Refresh.Exchange", err)
	}
	if !swapped { // somebody else was faster, with the same token
		return "", Grant{}, f.reused(ctx, key)
	}
	return id + "." + base64.RawURLEncoding.EncodeToString(next), Grant{record.Subject, record.Data, since}, nil
}

// Revoke ends the family of a token: signing out. A token that is not valid is no
// error.
func (f *Refresh) Revoke(ctx context.Context, token string) error {
	id, secret, ok := splitRefresh(token)
	if !ok {
		return nil
	}
	key := f.options.Prefix + id
	_, record, err := f.load(ctx, key)
	if errors.Is(err, ErrRefresh) {
		return nil
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(hashOf(secret), record.Current) != 1 {
		_, err := f.end(ctx, key)
		return err
	}
	return f.forget(ctx, record.Subject, id)
}

// RevokeAll ends all families of a subject: signing out everywhere, also after a
// change of password.
func (f *Refresh) RevokeAll(ctx context.Context, subject string) error {
	prefix := f.indexPrefix(subject)
	for key, err := range f.kv.Scan(ctx, prefix) {
		if err != nil {
			return storeFailed("Refresh.RevokeAll", err)
		}
		if err := f.forget(ctx, subject, key[len(prefix):]); err != nil {
			return err
		}
	}
	return nil
}

func (f *Refresh) forget(ctx context.Context, subject, id string) error {
	if err := f.kv.Delete(ctx, f.options.Prefix+id); err != nil {
		return storeFailed("Refresh", err)
	}
	if err := f.kv.Delete(ctx, f.indexPrefix(subject)+id); err != nil {
		return storeFailed("Refresh", err)
	}
	return nil
}

// reused ends the family of a token that was used before.
func (f *Refresh) reused(ctx context.Context, key string) error {
	subject, err := f.end(ctx, key)
	if err != nil {
		return err
	}
	if subject != "" && f.options.Reused != nil {
		f.options.Reused(ctx, subject)
	}
	return ErrReused
}

// end marks a family as ended and returns its subject, or "" if it had ended
// already. The mark stays as long as a token could, so that a successor that is being
// made at this moment cannot bring the family back.
func (f *Refresh) end(ctx context.Context, key string) (subject string, err error) {
	for range 64 {
		old, record, err := f.load(ctx, key)
		if errors.Is(err, ErrRefresh) || err == nil && record.Ended {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		subject = record.Subject
		record.Ended, record.Current = true, nil
		stored, err := json.Marshal(record)
		if err != nil {
			return "", err
		}
		swapped, err := f.kv.CompareAndSwap(ctx, key, old, stored, f.options.TTL)
		if err != nil {
			return "", storeFailed("Refresh", err)
		}
		if swapped {
			return subject, nil
		}
	}
	return "", errors.New("auth: Refresh: a token is exchanged too often at the same time to be ended")
}

func (f *Refresh) load(ctx context.Context, key string) (stored []byte, record family, err error) {
	stored, err = f.kv.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, record, ErrRefresh
	}
	if err != nil {
		return nil, record, storeFailed("Refresh", err)
	}
	if err := json.Unmarshal(stored, &record); err != nil {
		return nil, record, fmt.Errorf("auth: Refresh: the record in the store: %w", err)
	}
	return stored, record, nil
}

// indexPrefix is where a subject's families are listed.
func (f *Refresh) indexPrefix(subject string) string {
	return f.options.Prefix + "of:" + keyText(subject) + ":"
}

// keyText makes a part of a key of any text: no text is another one's beginning, and
// none is too long.
func keyText(text string) string {
	return base64.RawURLEncoding.EncodeToString(hashOf([]byte(text)))
}

func splitRefresh(token string) (id string, secret []byte, ok bool) {
	if len(token) != 22+1+43 || token[22] != '.' {
		return "", nil, false
	}
	if _, err := decodePart(token[:22]); err != nil {
		return "", nil, false
	}
	secret, err := decodePart(token[23:])
	return token[:22], secret, err == nil
}

func hashOf(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	return sum[:]
}
