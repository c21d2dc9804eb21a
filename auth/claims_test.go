package auth

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRegisteredAsJSON(t *testing.T) {
	for _, c := range []struct {
		claims Registered
		text   string
	}{
		{Registered{}, `{}`},
		{Registered{Audience: Names{"a"}}, `{"aud":"a"}`},
		{Registered{Audience: Names{"a", "b"}}, `{"aud":["a","b"]}`},
		{Registered{Issuer: "i", Subject: "s", ID: "j"}, `{"iss":"i","sub":"s","jti":"j"}`},
		{Registered{ExpiresAt: Time{start}, NotBefore: Time{start.Add(-time.Second)}, IssuedAt: Time{time.Unix(1, 0).UTC()}}, `{"exp":1893456000,"nbf":1893455999,"iat":1}`},
	} {
		data, err := json.Marshal(c.claims)
		if err != nil || string(data) != c.text {
			t.Errorf("%+v is %s, %v; want %s", c.claims, data, err, c.text)
		}
		var back Registered
		if err := json.Unmarshal(data, &back); err != nil || !reflect.DeepEqual(back, c.claims) {
			t.Errorf("%s is %+v, %v", data, back, err)
		}
	}
	for _, text := range []string{`{"aud":1}`, `{"aud":[1]}`, `{"aud":["a",["b"]]}`, `{"exp":"1"}`, `{"exp":1.5}`, `{"exp":-1}`, `{"exp":253402300800}`} {
		var claims Registered
		if err := json.Unmarshal([]byte(text), &claims); err == nil {
			t.Errorf("%s is %+v", text, claims)
		}
	}
	for _, at := range []time.Time{time.Unix(-1, 0), time.Unix(latestDate+1, 0)} {
		if data, err := json.Marshal(Time{at}); err == nil {
			t.Errorf("%v is %s", at, data)
		}
	}
}

// Claims are what the token has, and a type that does not fit them is refused.
func TestClaimsOfAnotherType(t *testing.T) {
	tokens := JWT(HS256(secret))
	token := made(tokens.Encode(map[string]any{"sub": "ann", "n": "text"}))
	_, err := Decode[struct{ N int }](tokens, token)
	mustContain(t, err.Error(), errClaims.Reason)
	if _, err := Decode[[]string](tokens, token); err == nil {
		t.Error("the claims are a list")
	}
}

// A long address is not carried through the login page.
func TestLongAddressesAreForgotten(t *testing.T) {
	client, _ := site(t)
	client.Get("/account?x="+strings.Repeat("x", 2100)).Status(303).Header("Location", "/login")
}

func TestRefreshOverADamagedRecord(t *testing.T) {
	refresh, _, kv := newRefresh(RefreshOptions{})
	token := made(refresh.Issue(t.Context(), "ann", nil))
	if err := kv.Set(t.Context(), "refresh:"+token[:22], []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := refresh.Exchange(t.Context(), token); err == nil || status(err) == 401 {
		t.Errorf("Exchange: %v", err)
	}
	if err := refresh.Revoke(t.Context(), token); err == nil {
		t.Error("Revoke says that it is done")
	}
}
