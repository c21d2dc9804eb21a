package auth

import (
	"errors"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
)

func revocable(t *testing.T) (*Tokens, *Revocations, *ishaatest.Clock) {
	clock := clockAt(start.Add(123456789 * time.Nanosecond))
	list := NewRevocations(store.NewMemory(store.MemoryOptions{Now: clock.Now}), RevocationOptions{Clock: clock, Longest: time.Hour})
	return JWT(HS256(secret), Clock(clock), Revocable(list), Leeway(time.Minute)), list, clock
}

func TestRevokedTokens(t *testing.T) {
	tokens, list, clock := revocable(t)
	token := func(subject string) string { return made(tokens.Encode(Registered{Subject: subject})) }
	ann, bob := token("ann"), token("bob")
	phone := token("ann")
	claims := made(Decode[Registered](tokens, ann))
	if err := list.Revoke(t.Context(), claims); err != nil {
		t.Fatal(err)
	}
	check := func(name, token string, want error) {
		t.Helper()
		if err := decodes(tokens, token); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	check("the revoked one", ann, errRevoked)
	check("another of the same person", phone, nil)
	check("somebody else's", bob, nil)

	clock.Advance(time.Millisecond)
	if err := list.RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	again := token("ann") // in the same second
	check("all of one person", phone, errRevoked)
	check("signed in again", again, nil)
	check("somebody else's", bob, nil)

	clock.Advance(61 * time.Minute) // the leeway begins to count
	check("expired", phone, errExpired)
}

// A revoked token stays revoked for as long as it would be good.
func TestRevocationsLastAsLongAsTokens(t *testing.T) {
	tokens, list, clock := revocable(t)
	one := made(tokens.Encode(Registered{Subject: "ann"}))
	two := made(tokens.Encode(Registered{Subject: "ann"}))
	if err := list.Revoke(t.Context(), made(Decode[Registered](tokens, one))); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		if err := decodes(tokens, one); !errors.Is(err, errRevoked) {
			t.Fatalf("%v: %v", clock.Now(), err)
		}
		clock.Advance(time.Minute)
	}
	if err := decodes(tokens, one); !errors.Is(err, errRevoked) {
		t.Errorf("within the leeway: %v", err)
	}
	if err := decodes(tokens, two); err != nil {
		t.Errorf("another, within the leeway: %v", err)
	}
	clock.Advance(time.Minute)
	if err := list.Revoke(t.Context(), Registered{ID: "x", ExpiresAt: Time{clock.Now().Add(-time.Hour)}}); err != nil {
		t.Errorf("a token that has expired long ago: %v", err)
	}
	if err := list.Revoke(t.Context(), Registered{ID: "x"}); err == nil {
		t.Error("a token without an exp is revoked")
	}
}

func TestTokensThatCannotBeRevokedAreRefused(t *testing.T) {
	clock := clockAt(start)
	list := NewRevocations(store.NewMemory(store.MemoryOptions{Now: clock.Now}), RevocationOptions{Clock: clock, Longest: time.Minute})
	tokens := JWT(HS256(secret), Clock(clock), Revocable(list), Issuer("shop"), Audience("api"))
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"a jti of its own", hs256(plain, good("jti", `"7"`)), nil},
		{"no jti", hs256(plain, good()), errNoID},
		{"an empty jti", hs256(plain, good("jti", `""`)), errNoID},
		{"no iat", hs256(plain, good("jti", `"7"`, "iat", "")), errNoID},
		{"too long a life", hs256(plain, good("jti", `"7"`, "iat", "1")), errLongLived},
	} {
		if err := decodes(tokens, c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	// By its iat, a foreign token counts as made when its second began.
	clock.Advance(time.Millisecond)
	if err := list.RevokeAll(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if err := decodes(tokens, hs256(plain, good("jti", `"7"`))); !errors.Is(err, errRevoked) {
		t.Errorf("a foreign token: %v", err)
	}
	// A jti that claims a later time than iat does is not believed.
	later := newTokenID(start.Add(time.Hour))
	if err := decodes(tokens, hs256(plain, good("jti", `"`+later+`"`))); !errors.Is(err, errRevoked) {
		t.Errorf("a jti from the future: %v", err)
	}
}

func TestRevocationsWithoutTheirStore(t *testing.T) {
	tokens := JWT(HS256(secret), Revocable(NewRevocations(awayKV{}, RevocationOptions{})))
	app := ishaa.New("shop")
	app.Get("/", hello, LoginRequired(tokens))
	ishaatest.New(t, app).Get("/", ishaatest.BearerToken(made(tokens.Encode(struct{}{})))).Problem(503)
}
