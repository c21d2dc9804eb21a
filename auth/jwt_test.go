package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"pgregory.net/rapid"
)

// The claims of RFC 7515 A.1 to A.3 and RFC 7519 §3.1.
const joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

// vectors are the examples of the RFCs.
var vectors = []struct {
	name  string
	key   string // a JWK, or a secret in base64url
	token string
	want  error
}{
	{
		"RFC 7515 A.1 and RFC 7519 §3.1, HS256",
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + joe + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", nil,
	},
	{
		"RFC 7515 A.2, RS256",
		`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
		"eyJhbGciOiJSUzI1NiJ9." + joe + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw", nil,
	},
	{
		"RFC 7515 A.3, ES256",
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"eyJhbGciOiJFUzI1NiJ9." + joe + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", nil,
	},
	{
		"RFC 7515 A.4, ES512, which is not among the algorithms",
		`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn", errAlgorithm,
	},
	{
		"RFC 7515 A.5 and RFC 7519 §6.1, unsecured",
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
		"eyJhbGciOiJub25lIn0." + joe + ".", errAlgorithm,
	},
	{
		"RFC 7515 E, a critical extension",
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
		"eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.", errHeaderField,
	},
	{
		"RFC 8037 A.4, whose payload is no claims",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", errPayload,
	},
}

func keyFrom(t *testing.T, text string) Key {
	if !strings.HasPrefix(text, "{") {
		return HS256(made(base64url.DecodeString(text)))
	}
	var k jwk
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		t.Fatal(err)
	}
	key, ok := k.key()
	if !ok {
		t.Fatalf("%s is no key", text)
	}
	return key
}

func TestVectorsOfTheRFCs(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			clock := clockAt(time.Unix(1300819379, 0))
			tokens := JWT(keyFrom(t, v.key), Issuer("joe"), Clock(clock), Leeway(0))
			type claims struct {
				Registered
				Root bool `json:"http://example.com/is_root"`
			}
			got, err := Decode[claims](tokens, v.token)
			if !errors.Is(err, v.want) {
				t.Fatalf("Decode: %v, want %v", err, v.want)
			}
			if v.want != nil {
				return
			}
			if got.Issuer != "joe" || got.ExpiresAt.Unix() != 1300819380 || !got.Root {
				t.Errorf("the claims are %+v", got)
			}
			clock.Advance(time.Second)
			if _, err := Decode[claims](tokens, v.token); !errors.Is(err, errExpired) {
				t.Errorf("at its exp: %v", err)
			}
		})
	}
}

func TestThumbprintsOfTheRFCs(t *testing.T) {
	for want, key := range map[string]string{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": `{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}`,
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
	} {
		if got := thumbprint(keyFrom(t, key).checks); got != want {
			t.Errorf("the thumbprint is %s, want %s", got, want)
		}
	}
}

// everyKey is a private key or secret for each algorithm.
func everyKey() map[string]Key {
	return map[string]Key{
		"HS256": HS256(secret), "HS384": HS384(secret), "HS512": HS512(secret),
		"RS256": RS256(rsaKey()), "ES256": ES256(ecKey()), "EdDSA": EdDSA(ed25519Key()),
	}
}

func TestEncodeAndDecode(t *testing.T) {
	type claims struct {
		Registered
		Roles []string `json:"roles,omitempty"`
	}
	for alg, key := range everyKey() {
		t.Run(alg, func(t *testing.T) {
			clock := clockAt(start)
			tokens := JWT(key, Issuer("shop"), Audience("api", "web"), TTL(time.Hour), Clock(clock))
			token, err := tokens.Encode(claims{Registered{Subject: "ann"}, []string{"admin"}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode[claims](tokens, token)
			want := claims{Registered{
				Issuer: "shop", Subject: "ann", Audience: Names{"api", "web"},
				IssuedAt: Time{start}, ExpiresAt: Time{start.Add(time.Hour)},
			}, []string{"admin"}}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Decode: %+v, %v", got, err)
			}
			var header map[string]string
			if err := json.Unmarshal(made(base64url.DecodeString(token[:strings.IndexByte(token, '.')])), &header); err != nil {
				t.Fatal(err)
			}
			if header["alg"] != alg || header["typ"] != "JWT" || header["kid"] != key.ID() || len(header) > 3 {
				t.Errorf("the header is %v", header)
			}
			clock.Advance(time.Hour + 4*time.Second)
			if _, err := Decode[claims](tokens, token); err != nil {
				t.Errorf("within the leeway: %v", err)
			}
			clock.Advance(time.Second)
			if _, err := Decode[claims](tokens, token); !errors.Is(err, errExpired) {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

// Tokens are good elsewhere: here by the library's own parser, which knows nothing of
// this package.
func TestTokensAreGoodElsewhere(t *testing.T) {
	for alg, key := range everyKey() {
		token := made(JWT(key, Issuer("shop"), Audience("api")).Encode(map[string]any{"sub": "ann", "n": 7}))
		parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return key.checks, nil },
			jwt.WithValidMethods([]string{alg}), jwt.WithIssuer("shop"), jwt.WithAudience("api"), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		if err != nil || parsed.Claims.(jwt.MapClaims)["n"] != 7.0 {
			t.Errorf("%s: %v, %v", alg, parsed, err)
		}
	}
}

func TestWhatEncodeAdds(t *testing.T) {
	at := fmt.Sprint(start.Unix())
	in := func(d time.Duration) string { return fmt.Sprint(start.Add(d).Unix()) }
	hs := func(options ...JWTOption) *Tokens {
		return JWT(HS256(secret), append([]JWTOption{Clock(clockAt(start))}, options...)...)
	}
	for _, c := range []struct {
		name    string
		tokens  *Tokens
		claims  any
		options []EncodeOption
		want    string
	}{
		{"nothing but dates", hs(), map[string]any{}, nil, `{"exp":` + in(time.Hour) + `,"iat":` + at + `}`},
		{"ExpiresIn", hs(TTL(time.Minute)), map[string]any{"a": 1}, []EncodeOption{ExpiresIn(2 * time.Minute)}, `{"a":1,"exp":` + in(2*time.Minute) + `,"iat":` + at + `}`},
		{"an exp of its own", hs(), Registered{ExpiresAt: Time{start.Add(time.Second)}}, nil, `{"exp":` + in(time.Second) + `,"iat":` + at + `}`},
		{"both", hs(), Registered{ExpiresAt: Time{start.Add(time.Second)}}, []EncodeOption{ExpiresIn(time.Minute)}, `{"exp":` + in(time.Minute) + `,"iat":` + at + `}`},
		{"one audience", hs(Audience("a")), struct{}{}, nil, `{"aud":"a","exp":` + in(time.Hour) + `,"iat":` + at + `}`},
		{"an audience of its own", hs(Audience("a")), Registered{Audience: Names{"a", "b"}}, nil, `{"aud":["a","b"],"exp":` + in(time.Hour) + `,"iat":` + at + `}`},
		{"an issuer", hs(Issuer("i")), json.RawMessage(`{"big":12345678901234567890}`), nil, `{"big":12345678901234567890,"exp":` + in(time.Hour) + `,"iat":` + at + `,"iss":"i"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := c.tokens.Encode(c.claims, c.options...)
			if err != nil {
				t.Fatal(err)
			}
			_, payload, _ := split(token)
			if got := string(made(base64url.DecodeString(payload))); got != c.want {
				t.Errorf("the claims are %s, want %s", got, c.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	hs := JWT(HS256(secret))
	for _, c := range []struct {
		name    string
		tokens  *Tokens
		claims  any
		options []EncodeOption
		says    string
	}{
		{"claims that are no object", hs, []string{"a"}, nil, "[]string"},
		{"nothing", hs, nil, nil, "not a JSON object"},
		{"names in two cases", hs, map[string]any{"role": 1, "Role": 2}, nil, "distinct"},
		{"what JSON cannot have", hs, map[string]any{"f": func() {}}, nil, "func"},
		{"a subject that is no text", hs, map[string]any{"sub": 7}, nil, "iss, sub and jti are text"},
		{"a date with a fraction", hs, map[string]any{"exp": 1.5}, nil, "whole seconds"},
		{"a date that is past all dates", hs, Registered{NotBefore: Time{time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}}, nil, "whole seconds"},
		{"no time at all", hs, struct{}{}, []EncodeOption{ExpiresIn(time.Millisecond)}, "at least a second"},
		{"a negative time", hs, struct{}{}, []EncodeOption{ExpiresIn(-time.Hour)}, "at least a second"},
		{"more than is accepted", hs, map[string]any{"x": strings.Repeat("x", 9000)}, nil, "8192"},
		{"a public key", JWT(RS256(&rsaKey().PublicKey)), struct{}{}, nil, "cannot sign"},
		{"remote keys", JWT(RemoteKeys("https://id.example.com/keys", RemoteKeysOptions{})), struct{}{}, nil, "cannot sign"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token, err := c.tokens.Encode(c.claims, c.options...)
			if err == nil {
				t.Fatalf("the token is %s", token)
			}
			mustContain(t, err.Error(), "auth: Encode: ", c.says)
		})
	}
}

// Whatever is encoded is decoded to the same, and only by the same keys.
func TestEncodeThenDecodeGivesTheSame(t *testing.T) {
	keys := everyKey()
	rapid.Check(t, func(t *rapid.T) {
		alg := rapid.SampledFrom([]string{"HS256", "HS384", "HS512", "ES256", "EdDSA"}).Draw(t, "alg")
		claims := rapid.MapOfN(rapid.StringMatching(`x[a-z_:/.ü€]{0,12}`), rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return strings.ToValidUTF8(s, "?") }),
			rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }),
			rapid.Map(rapid.SliceOf(rapid.StringMatching(`[a-z]*`)), func(list []string) any {
				values := make([]any, len(list))
				for i, text := range list {
					values[i] = text
				}
				return values
			}),
		), 0, 6).Draw(t, "claims")
		tokens := JWT(keys[alg], Clock(clockAt(start)))
		token, err := tokens.Encode(claims)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode[map[string]any](tokens, token)
		if err != nil {
			t.Fatal(err)
		}
		delete(got, "iat")
		delete(got, "exp")
		if !reflect.DeepEqual(got, claims) {
			t.Fatalf("%v became %v", claims, got)
		}
		for other, key := range keys {
			if other == alg {
				continue
			}
			if _, err := Decode[map[string]any](JWT(key, Clock(clockAt(start))), token); err == nil {
				t.Fatalf("%s accepts a token of %s", other, alg)
			}
		}
	})
}

func TestTypesKeepTokensApart(t *testing.T) {
	access, refresh, plain := JWT(HS256(secret), Type("at+jwt")), JWT(HS256(secret), Type("refresh+jwt")), JWT(HS256(secret))
	for _, c := range []struct {
		name     string
		from, to *Tokens
		ok       bool
	}{
		{"access as access", access, access, true}, {"access as refresh", access, refresh, false}, {"refresh as access", refresh, access, false},
		{"plain as access", plain, access, false}, {"access as plain", access, plain, false}, {"as a media type", JWT(HS256(secret), Type("application/AT+JWT")), access, true},
	} {
		_, err := Decode[Registered](c.to, made(c.from.Encode(struct{}{})))
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, errType) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAnAudienceThatNobodyExpects(t *testing.T) {
	token := made(JWT(HS256(secret), Audience("web")).Encode(struct{}{}))
	if _, err := Decode[Registered](JWT(HS256(secret)), token); !errors.Is(err, errAudience) {
		t.Errorf("Decode: %v", err)
	}
}

func TestHeadersThatAreIgnored(t *testing.T) {
	tokens := services()["hs"]
	for _, member := range []string{`"x5t":"AAAA"`, `"x5t#S256":"AAAA"`, `"nonce":"1"`, `"custom":{"a":[1]}`} {
		if _, err := Decode[Registered](tokens, hs256(with(member), good())); err != nil {
			t.Errorf("%s: %v", member, err)
		}
	}
}

func TestRotation(t *testing.T) {
	old, current, next := HS256(secret[:32]).WithID("2029"), HS256(secret[8:48]).WithID("2030"), HS256(secret[16:]).WithID("2031")
	before, now, after := JWT(old), JWT(Rotate(current, old)), JWT(Rotate(next, current))
	for _, c := range []struct {
		name     string
		from, to *Tokens
		want     error
	}{
		{"the previous key's", before, now, nil}, {"the current key's", now, now, nil},
		{"the key before it", before, after, errKeyID}, {"the current key's, after rotation", now, after, nil},
		{"a key that is not known yet", after, now, errKeyID},
	} {
		if _, err := Decode[Registered](c.to, made(c.from.Encode(struct{}{}))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	// Tokens from the time before keys had ids are tried with all of them.
	nameless := made(JWT(HS256(secret[:32])).Encode(struct{}{}))
	if _, err := Decode[Registered](now, nameless); err != nil {
		t.Errorf("a token without a kid: %v", err)
	}
	if _, err := Decode[Registered](after, nameless); !errors.Is(err, errSignature) {
		t.Errorf("a token without a kid, of a key that is gone: %v", err)
	}
	// From one algorithm to another.
	move := JWT(Rotate(ES256(ecKey()), RS256(rsaKey())))
	for _, from := range []*Tokens{JWT(RS256(rsaKey())), JWT(ES256(ecKey()))} {
		if _, err := Decode[Registered](move, made(from.Encode(struct{}{}))); err != nil {
			t.Errorf("%v: %v", from.keys, err)
		}
	}
}

func TestKeyMistakes(t *testing.T) {
	short := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	public := made(x509.MarshalPKIXPublicKey(&rsaKey().PublicKey))
	wide := made(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for _, c := range []struct {
		name string
		keys func() Keys
		says string
	}{
		{"a short secret", func() Keys { return HS256(secret[:31]) }, "31 bytes: give at least 32"},
		{"a short secret for HS384", func() Keys { return HS384(secret[:47]) }, "at least 48"},
		{"a short secret for HS512", func() Keys { return HS512(secret[:63]) }, "at least 64"},
		{"no secret", func() Keys { return HS256(nil) }, "0 bytes"},
		{"a public key as the secret", func() Keys { return HS256(public) }, "public key"},
		{"PEM as the secret", func() Keys { return HS256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})) }, "public key"},
		{"PKCS #1 as the secret", func() Keys { return HS256(x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)) }, "public key"},
		{"a short RSA key", func() Keys { return RS256(short) }, "1024 bits"},
		{"a small exponent", func() Keys { return RS256(&rsa.PublicKey{N: rsaKey().N, E: 3}) }, "exponent 3"},
		{"an even modulus", func() Keys {
			return RS256(&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(0), 2047, 1), E: 65537})
		}, "exponent"},
		{"a nil RSA key", func() Keys { return RS256((*rsa.PrivateKey)(nil)) }, "nil"},
		{"P-384", func() Keys { return ES256(&wide.PublicKey) }, "P-384"},
		{"a point off the curve", func() Keys {
			//lint:ignore SA1019 there is no other way to make a key that is none
			return ES256(&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)})
		}, "not a point"},
		{"a nil ECDSA key", func() Keys { return ES256((*ecdsa.PublicKey)(nil)) }, "nil"},
		{"a short Ed25519 key", func() Keys { return EdDSA(ed25519.PublicKey{1, 2, 3}) }, "length"},
		{"an empty key", func() Keys { return Key{} }, "empty"},
		{"an empty id", func() Keys { return HS256(secret).WithID("") }, "key id"},
		{"one id twice", func() Keys { return Rotate(HS256(secret).WithID("a"), HS256(secret[1:]).WithID("a")) }, `the id "a"`},
		{"secrets beside public keys", func() Keys { return Rotate(RS256(rsaKey()), HS256(secret)) }, "keep them apart"},
		{"no keys", func() Keys { return nil }, "nil"},
		{"a plain address", func() Keys { return RemoteKeys("http://id.example.com/keys", RemoteKeysOptions{}) }, "https"},
		{"a file", func() Keys { return RemoteKeys("file:///etc/passwd", RemoteKeysOptions{}) }, "https"},
		{"a password in the address", func() Keys { return RemoteKeys("https://a:b@id.example.com/keys", RemoteKeysOptions{}) }, "password"},
		{"remote secrets", func() Keys {
			return RemoteKeys("https://id.example.com/keys", RemoteKeysOptions{Algorithms: []string{"HS256"}})
		}, "HS256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := panicText(func() { JWT(c.keys()) })
			mustContain(t, text, "auth/jwt_test.go:", "auth.JWT: ", c.says)
			if strings.Contains(text, string(secret[:20])) {
				t.Errorf("the secret is in %q", text)
			}
		})
	}
	for name, option := range map[string]JWTOption{
		"TTL": TTL(0), "Leeway": Leeway(time.Hour), "Issuer": Issuer(""), "Audience": Audience(), "Type": Type(""), "MaxSize": MaxSize(1),
	} {
		mustContain(t, panicText(func() { JWT(HS256(secret), option) }), "auth.JWT: "+name)
	}
}

func TestKeysDoNotShowTheirSecrets(t *testing.T) {
	key := HS256(secret).WithID("main")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{key, []Key{key}, &key, Rotate(key), JWT(key), *JWT(Rotate(key))} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "0123456789") || strings.Contains(text, "30313233") || strings.Contains(text, "48 49 50") {
				t.Errorf("%s shows %s", verb, text)
			}
		}
	}
}

func TestKeyFromPEM(t *testing.T) {
	block := func(kind string, der []byte, err error) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: made(der, err)})
	}
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return block("PRIVATE KEY", der, err)
	}
	pkix := func(key any) []byte { der, err := x509.MarshalPKIXPublicKey(key); return block("PUBLIC KEY", der, err) }
	sec1, err := x509.MarshalECPrivateKey(ecKey())
	for _, c := range []struct {
		name  string
		pem   []byte
		alg   string
		signs bool
	}{
		{"PKCS #8 RSA", pkcs8(rsaKey()), "RS256", true}, {"PKCS #8 P-256", pkcs8(ecKey()), "ES256", true}, {"PKCS #8 Ed25519", pkcs8(ed25519Key()), "EdDSA", true},
		{"PKCS #1", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()), nil), "RS256", true}, {"SEC 1", block("EC PRIVATE KEY", sec1, err), "ES256", true},
		{"public RSA", pkix(&rsaKey().PublicKey), "RS256", false}, {"public P-256", pkix(&ecKey().PublicKey), "ES256", false}, {"public Ed25519", pkix(ed25519Key().Public()), "EdDSA", false},
		{"PKCS #1 public", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey), nil), "RS256", false},
	} {
		key, err := KeyFromPEM(c.pem)
		if err != nil || key.Algorithm() != c.alg || (key.signing != nil) != c.signs || key.ID() == "" {
			t.Errorf("%s: %v, %v", c.name, key, err)
		}
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "text": []byte("key"), "two keys": append(pkix(&rsaKey().PublicKey), pkix(&ecKey().PublicKey)...),
		"a certificate": block("CERTIFICATE", []byte{1}, nil), "encrypted": block("ENCRYPTED PRIVATE KEY", []byte{1}, nil), "nonsense": block("PRIVATE KEY", []byte{1}, nil),
		"P-384": pkix(&made(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).PublicKey),
	} {
		if key, err := KeyFromPEM(text); err == nil {
			t.Errorf("%s is the key %v", name, key)
		}
	}
}

func TestReturnedTokenErrorsAreChallenges(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	app.Get("/check/<token>", func(r *ishaa.Request) (any, error) { return Decode[Registered](tokens, r.Param("token")) })
	ishaatest.New(t, app).Get("/check/x").Status(401).
		Header("WWW-Authenticate", `Bearer realm="api", error="invalid_token", error_description="`+errParts.Reason+`"`)
}

func BenchmarkDecode(b *testing.B) {
	for alg, key := range everyKey() {
		tokens := JWT(key, Issuer("shop"), Audience("api"))
		token := made(tokens.Encode(map[string]any{"sub": "ann", "roles": []string{"admin"}}))
		b.Run(alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode[Registered](tokens, token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
