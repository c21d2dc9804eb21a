package auth

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// The attacks. Each is made of a token that would be accepted but for the one thing
// that is wrong with it, where it can be.

type attack struct {
	name  string
	by    string // the key of the service: "hs", "rs", "es", "ed", "kid" for a secret with an id
	token string
	want  *TokenError
}

// good is the claims of a token that is accepted, as the members of an object, with
// some put in the place of others.
func good(change ...string) string {
	names := []string{"sub", "role", "iss", "aud", "iat", "exp"}
	claims := map[string]string{
		"sub": `"ann"`, "role": `"user"`, "iss": `"shop"`, "aud": `"api"`,
		"iat": fmt.Sprint(start.Unix()), "exp": fmt.Sprint(start.Unix() + 60),
	}
	for i := 0; i < len(change); i += 2 {
		if _, known := claims[change[i]]; !known {
			names = append(names, change[i])
		}
		claims[change[i]] = change[i+1]
	}
	var parts []string
	for _, name := range names {
		if claims[name] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, claims[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

const plain = `{"alg":"HS256","typ":"JWT"}`

// with is the header of HS256 with a member more.
func with(member string) string { return `{"alg":"HS256","typ":"JWT",` + member + `}` }

// split gives the parts of a good token.
func split(token string) (header, payload, signature string) {
	parts := strings.Split(token, ".")
	return parts[0], parts[1], parts[2]
}

func attacks() []attack {
	var list []attack
	for _, group := range [][]attack{
		algorithmAttacks(), confusionAttacks(), keyAttacks(), headerAttacks(), signatureAttacks(),
		formAttacks(), encodingAttacks(), sizeAttacks(), dateAttacks(), claimAttacks(),
	} {
		list = append(list, group...)
	}
	return list
}

func algorithmAttacks() (list []attack) {
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "noNe", "none ", " none", "none\\u0000", "\\u006eone", "nοne", "", "null", "undefined", "HS", "HS1", "MD5"} {
		header := `{"alg":"` + alg + `","typ":"JWT"}`
		unsigned := b64(header) + "." + b64(good())
		list = append(list,
			attack{"alg " + alg + " without a signature", "hs", unsigned + ".", errAlgorithm},
			attack{"alg " + alg + " with the signature of HS256", "hs", hs256(header, good()), errAlgorithm},
			attack{"alg " + alg + " for a public key", "rs", unsigned + ".", errAlgorithm},
		)
	}
	for _, alg := range []string{"hs256", "Hs256", "HS256 ", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "HS256K", "HMAC", "dir", "A128KW", "RSA-OAEP"} {
		list = append(list, attack{"alg " + alg, "hs", hs256(`{"alg":"`+alg+`"}`, good()), errAlgorithm})
	}
	for _, alg := range []string{"null", "0", "true", `["HS256"]`, `{"alg":"HS256"}`} {
		list = append(list, attack{"alg as " + alg, "hs", hs256(`{"alg":`+alg+`}`, good()), errHeaderType})
	}
	return append(list,
		attack{"no alg", "hs", hs256(`{"typ":"JWT"}`, good()), errHeaderType},
		attack{"ALG in place of alg", "hs", hs256(`{"ALG":"HS256"}`, good()), errHeaderType},
		attack{"the signature left out", "hs", b64(plain) + "." + b64(good()) + ".", errSignature},
	)
}

// Public keys as secrets of HMAC, in every form in which a library might hand them on.
func confusionAttacks() (list []attack) {
	for by, public := range map[string]any{"rs": &rsaKey().PublicKey, "es": &ecKey().PublicKey, "ed": ed25519Key().Public()} {
		pkix := made(x509.MarshalPKIXPublicKey(public))
		encoded := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
		forms := map[string][]byte{
			"PEM": encoded, "PEM without its line break": bytes.TrimSpace(encoded), "PEM with CRLF": bytes.ReplaceAll(encoded, []byte("\n"), []byte("\r\n")),
			"DER": pkix, "base64 of DER": []byte(base64.StdEncoding.EncodeToString(pkix)),
			"JWK": made(json.Marshal(publicJWK(public))), "no bytes": {},
		}
		if key, ok := public.(*rsa.PublicKey); ok {
			forms["PKCS #1"] = x509.MarshalPKCS1PublicKey(key)
			forms["the modulus"] = key.N.Bytes()
		}
		for form, key := range forms {
			for _, method := range []*jwt.SigningMethodHMAC{jwt.SigningMethodHS256, jwt.SigningMethodHS512} {
				token := sign(method, key, `{"alg":"`+method.Name+`","typ":"JWT"}`, good())
				list = append(list, attack{method.Name + " with the public key of " + by + " as " + form, by, token, errAlgorithm})
			}
		}
		// The same with the header of the algorithm that the service has.
		alg := map[string]string{"rs": "RS256", "es": "ES256", "ed": "EdDSA"}[by]
		list = append(list, attack{alg + " with an HMAC by the public key", by, sign(jwt.SigningMethodHS256, encoded, `{"alg":"`+alg+`"}`, good()), errSignature})
	}
	other := made(rsa.GenerateKey(rand.Reader, 2048))
	return append(list,
		attack{"another RSA key", "rs", sign(jwt.SigningMethodRS256, other, `{"alg":"RS256"}`, good()), errSignature},
		attack{"RS384 with the right key", "rs", sign(jwt.SigningMethodRS384, rsaKey(), `{"alg":"RS384"}`, good()), errAlgorithm},
		attack{"RS512 that says RS256", "rs", sign(jwt.SigningMethodRS512, rsaKey(), `{"alg":"RS256"}`, good()), errSignature},
		attack{"PS256 with the right key", "rs", sign(jwt.SigningMethodPS256, rsaKey(), `{"alg":"PS256"}`, good()), errAlgorithm},
		attack{"PS256 that says RS256", "rs", sign(jwt.SigningMethodPS256, rsaKey(), `{"alg":"RS256"}`, good()), errSignature},
		attack{"RS256 for an ECDSA key", "es", sign(jwt.SigningMethodRS256, rsaKey(), `{"alg":"RS256"}`, good()), errAlgorithm},
		attack{"EdDSA for an ECDSA key", "es", sign(jwt.SigningMethodEdDSA, ed25519Key(), `{"alg":"EdDSA"}`, good()), errAlgorithm},
		attack{"ES256 for an Ed25519 key", "ed", sign(jwt.SigningMethodES256, ecKey(), `{"alg":"ES256"}`, good()), errAlgorithm},
		attack{"Ed448 for an Ed25519 key", "ed", sign(jwt.SigningMethodEdDSA, ed25519Key(), `{"alg":"Ed448"}`, good()), errAlgorithm},
	)
}

// What the kid of a header can be made to point at, and keys that it brings along.
func keyAttacks() (list []attack) {
	for _, kid := range []string{
		"../../../../dev/null", "/dev/null", "../public/css/style.css", "..\\\\..\\\\windows\\\\win.ini", "/proc/self/environ",
		"x' UNION SELECT 'secret'-- ", "1; DROP TABLE keys", "' OR '1'='1", "|id", "$(id)", "`id`", "key.pem;cat /etc/passwd",
		"http://evil.example/key", "file:///etc/passwd", "//evil.example/key", "${jndi:ldap://evil.example}", "{{7*7}}",
		"\\u0000", "main\\u0000", "main ", "MAIN", "ma\\u200bin", "mаin", "1", "*", ".*",
	} {
		// Signed with nothing, as the file or the query would give, and with the right secret.
		header := with(`"kid":"` + kid + `"`)
		list = append(list,
			attack{"kid " + kid + ", an empty key", "kid", sign(jwt.SigningMethodHS256, []byte{}, header, good()), errKeyID},
			attack{"kid " + kid, "kid", hs256(header, good()), errKeyID},
			attack{"kid " + kid + " where keys have none", "hs", hs256(header, good()), errKeyID},
		)
	}
	for _, kid := range []string{"null", "0", "true", `["main"]`, `{"id":"main"}`, `""`, `"` + strings.Repeat("a", maxKeyID+1) + `"`} {
		list = append(list, attack{"kid as " + shortened(kid), "kid", hs256(with(`"kid":`+kid), good()), errHeaderType})
	}
	evil := made(rsa.GenerateKey(rand.Reader, 2048))
	public := string(made(json.Marshal(publicJWK(&evil.PublicKey))))
	certificate := base64.StdEncoding.EncodeToString(made(x509.MarshalPKIXPublicKey(&evil.PublicKey)))
	for _, member := range []string{
		`"jwk":` + public, `"jwk":null`, `"jku":"https://evil.example/jwks.json"`, `"jku":"https://shop.example@evil.example/jwks.json"`,
		`"x5u":"https://evil.example/cert.pem"`, `"x5c":["` + certificate + `"]`,
	} {
		token := sign(jwt.SigningMethodRS256, evil, `{"alg":"RS256",`+member+`}`, good())
		list = append(list, attack{"a key of its own, " + shortened(member), "rs", token, errHeaderField})
		right := sign(jwt.SigningMethodRS256, rsaKey(), `{"alg":"RS256",`+member+`}`, good())
		list = append(list, attack{"a signature that is right, and " + shortened(member), "rs", right, errHeaderField})
	}
	return list
}

func shortened(text string) string { return text[:min(len(text), 32)] }

// Members of the header that change how a token is to be understood.
func headerAttacks() (list []attack) {
	for _, member := range []string{
		`"crit":["exp"]`, `"crit":["b64"],"b64":false`, `"crit":[]`, `"crit":null`, `"crit":["http://example.com/UNDEFINED"],"http://example.com/UNDEFINED":true`,
		`"b64":false`, `"b64":true`, `"zip":"DEF"`, `"zip":"GZIP"`, `"cty":"JWT"`, `"enc":"A256GCM"`, `"p2c":1000000000`, `"epk":{}`, `"iv":"AAAA"`, `"tag":"AAAA"`,
	} {
		list = append(list, attack{"header with " + member, "hs", hs256(with(member), good()), errHeaderField})
	}
	for _, header := range []string{
		"", "null", "[]", `"HS256"`, "1", "{}x", `{"alg":"HS256"`, `{"alg":"HS256",}`, `{alg:"HS256"}`, `{'alg':'HS256'}`, `{"alg":"HS256"}{}`,
		`{"alg":"none","alg":"HS256"}`, `{"alg":"HS256","alg":"none"}`, `{"alg":"HS256","\u0061lg":"none"}`, `{"alg":"HS256","Alg":"none"}`, `{"alg":"HS256","ALG":"HS256"}`,
		"\xef\xbb\xbf" + plain, "\xff\xfe", `{"alg":"HS256","x":"` + "\xff" + `"}`, `{"alg":"HS256","x":"\ud800"}`, `{"alg":"HS256"}` + "\x00", "// comment\n" + plain,
		`{"alg":"HS256","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, `{"alg":"HS256","x":NaN}`, `{"alg":"HS256","x":01}`,
	} {
		list = append(list, attack{fmt.Sprintf("header %q", shortened(header)), "hs", hs256(header, good()), errHeader})
	}
	for _, typ := range []string{`"at+jwt"`, `"refresh+jwt"`, `"logout+jwt"`, `"dpop+jwt"`, `"application/logout+jwt"`, `"JWE"`, `"jwt "`, `"JWT+JWT"`, `"text/html"`} {
		list = append(list, attack{"typ " + typ, "hs", hs256(`{"alg":"HS256","typ":`+typ+`}`, good()), errType})
	}
	for _, typ := range []string{"null", "0", `["JWT"]`} {
		list = append(list, attack{"typ as " + typ, "hs", hs256(`{"alg":"HS256","typ":`+typ+`}`, good()), errHeaderType})
	}
	return list
}

func signatureAttacks() (list []attack) {
	es := sign(jwt.SigningMethodES256, ecKey(), `{"alg":"ES256"}`, good())
	header, payload, signature := split(es)
	raw := made(base64url.DecodeString(signature))
	n := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	pair := func(r, s *big.Int, size int) []byte {
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	zero, one := big.NewInt(0), big.NewInt(1)
	for name, forged := range map[string][]byte{
		"r and s zero, the psychic signature": make([]byte, 64), "r and s zero, short": make([]byte, 2), "nothing": nil,
		"r zero": pair(zero, s, 32), "s zero": pair(r, zero, 32), "r and s one": pair(one, one, 32), "s one": pair(r, one, 32),
		"r and s the order": pair(n, n, 32), "r and s the order less one": pair(new(big.Int).Sub(n, one), new(big.Int).Sub(n, one), 32),
		"s and the order": pair(r, new(big.Int).Add(s, n), 33), "r and the order": pair(new(big.Int).Add(r, n), s, 33),
		"s and r": pair(s, r, 32), "r twice": pair(r, r, 32), "as ASN.1": made(asn1.Marshal(struct{ R, S *big.Int }{r, s})),
		"with zeros ahead": pair(r, s, 33), "with a byte more": append(bytes.Clone(raw), 0), "with a byte less": raw[:63], "twice": append(bytes.Clone(raw), raw...),
		"only r": raw[:32], "-s": pair(r, new(big.Int).Mod(new(big.Int).Add(s, one), n), 32),
	} {
		list = append(list, attack{"ES256 signature " + name, "es", header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(forged), errSignature})
	}
	wide := made(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	list = append(list,
		attack{"ES384 on another curve", "es", sign(jwt.SigningMethodES384, wide, `{"alg":"ES384"}`, good()), errAlgorithm},
		attack{"P-384 that says ES256", "es", sign(jwt.SigningMethodES384, wide, `{"alg":"ES256"}`, good()), errSignature},
		attack{"another key on P-256", "es", sign(jwt.SigningMethodES256, made(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), `{"alg":"ES256"}`, good()), errSignature},
	)
	// Ed25519: S + L is the same signature to a careless check (RFC 8032 §8.4).
	header, payload, signature = split(sign(jwt.SigningMethodEdDSA, ed25519Key(), `{"alg":"EdDSA"}`, good()))
	raw = made(base64url.DecodeString(signature))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	scalar := bytes.Clone(raw[32:])
	reverse(scalar)
	plus := new(big.Int).Add(new(big.Int).SetBytes(scalar), order).FillBytes(make([]byte, 32))
	reverse(plus)
	for name, forged := range map[string][]byte{
		"of zeros": make([]byte, 64), "S plus the order": append(bytes.Clone(raw[:32]), plus...), "one byte short": raw[:63], "one byte long": append(bytes.Clone(raw), 0),
		"with the neutral element": append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...),
	} {
		list = append(list, attack{"EdDSA signature " + name, "ed", header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(forged), errSignature})
	}
	return append(list, rsaSignatureAttacks()...)
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

func rsaSignatureAttacks() (list []attack) {
	header, payload, signature := split(sign(jwt.SigningMethodRS256, rsaKey(), `{"alg":"RS256"}`, good()))
	raw := made(base64url.DecodeString(signature))
	sum := sha256.Sum256([]byte(header + "." + payload))
	// Padding that is right as far as a careless check looks (CVE-2006-4339).
	loose := new(big.Int).SetBytes(append([]byte{0, 1, 0xff, 0xff, 0}, sum[:]...))
	for name, forged := range map[string][]byte{
		"of zeros": make([]byte, 256), "one": append(make([]byte, 255), 1), "the modulus": rsaKey().N.Bytes(), "nothing": nil,
		"plus the modulus":  new(big.Int).Add(new(big.Int).SetBytes(raw), rsaKey().N).FillBytes(make([]byte, 257)),
		"with a zero ahead": append([]byte{0}, raw...), "without its last byte": raw[:255], "of loose padding": loose.FillBytes(make([]byte, 256)),
	} {
		list = append(list, attack{"RS256 signature " + name, "rs", header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(forged), errSignature})
	}
	hsHeader, hsPayload, hsSignature := split(hs256(plain, good()))
	mac := made(base64url.DecodeString(hsSignature))
	admin := b64(strings.Replace(good(), `"user"`, `"admin"`, 1))
	for name, token := range map[string]string{
		"the claims changed":           hsHeader + "." + admin + "." + hsSignature,
		"the header changed":           b64(`{"typ":"JWT","alg":"HS256"}`) + "." + hsPayload + "." + hsSignature,
		"half of the signature":        hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString(mac[:16]),
		"one byte of it":               hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString(mac[:1]),
		"the signature in hexadecimal": hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString([]byte(hex.EncodeToString(mac))),
		"another secret":               sign(jwt.SigningMethodHS256, []byte("secret"), plain, good()),
		"an empty secret":              sign(jwt.SigningMethodHS256, []byte{}, plain, good()),
		"the secret without its end":   sign(jwt.SigningMethodHS256, secret[:63], plain, good()),
		"HS512 cut to HS256":           hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString(made(jwt.SigningMethodHS512.Sign(hsHeader+"."+hsPayload, secret))[:32]),
		"the payload alone signed":     hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString(macOf(hsPayload)),
		"what is decoded signed":       hsHeader + "." + hsPayload + "." + base64.RawURLEncoding.EncodeToString(macOf(plain+"."+good())),
	} {
		list = append(list, attack{name, "hs", token, errSignature})
	}
	return list
}

func macOf(text string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Tokens that do not have three parts.
func formAttacks() (list []attack) {
	header, payload, signature := split(hs256(plain, good()))
	for i, token := range []string{
		"x", "Bearer", header, header + "." + payload, header + "." + payload + "." + signature + ".", header + "." + payload + "." + signature + "." + signature,
		"." + header + "." + payload + "." + signature, header + "." + payload + ".." + signature, strings.Repeat(".", 4), strings.Repeat(".", 8000),
		header + ".a.b.c.d", `{"payload":"` + payload + `"}`, header + "%2e" + payload + "%2e" + signature,
	} {
		list = append(list, attack{fmt.Sprintf("form %d, %q", i, shortened(token)), "hs", token, errParts})
	}
	return append(list,
		attack{"nothing", "hs", "", errEmpty},
		attack{"two dots", "hs", "..", errHeader},
		attack{"only a header", "hs", header + "..", errSignature},
		attack{"only claims", "hs", "." + payload + ".", errHeader},
		attack{"only a signature", "hs", ".." + signature, errHeader},
		attack{"parts in another order", "hs", payload + "." + header + "." + signature, errHeaderType},
		attack{"a token of five parts, encrypted", "hs", header + ".AAAA.AAAA.AAAA.AAAA", errParts},
	)
}

// One token must have one spelling.
func encodingAttacks() (list []attack) {
	token := hs256(plain, good())
	header, payload, signature := split(token)
	last := func(s string) string { // another last letter whose spare bits differ
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		i := strings.IndexByte(letters, s[len(s)-1])
		return s[:len(s)-1] + letters[i|1:][:1]
	}
	for name, spelled := range map[string]string{
		"padding behind the signature": token + "=", "padding behind the header": header + "=." + payload + "." + signature,
		"spare bits set in the signature": header + "." + payload + "." + last(signature),
		"the alphabet of base64":          header + "." + payload + "." + signature[:20] + "+/" + signature[22:],
		"a space in the middle":           header + "." + payload + "." + signature[:5] + " " + signature[5:],
		"a space behind":                  token + " ", "a tab behind": token + "\t", "a line break behind": token + "\n", "CRLF in the header": header[:4] + "\r\n" + header[4:] + "." + payload + "." + signature,
		"a line break in the signature": header + "." + payload + "." + signature[:10] + "\n" + signature[10:],
		"a NUL behind":                  token + "\x00", "a zero-width space behind": token + "\u200b", "a letter of another alphabet": strings.Replace(token, "e", "е", 1),
		"percent-encoded": strings.Replace(token, "e", "%65", 1), "quotes around": `"` + token + `"`, "a comma and another token": header + "." + payload + "." + signature + "," + signature,
		"an invalid byte": header + "." + payload + "." + signature + "\xff", "a byte order mark ahead": "\ufeff" + token,
		"a single letter for a part": "e." + payload + "." + signature, "full-width letters": "ｅ" + token[1:],
	} {
		list = append(list, attack{name, "hs", spelled, errBase64})
	}
	return list
}

func sizeAttacks() (list []attack) {
	var deflated bytes.Buffer
	w := made(flate.NewWriter(&deflated, flate.BestCompression))
	w.Write(bytes.Repeat([]byte(" "), 1<<20))
	w.Write([]byte(good()))
	w.Close()
	many := make([]string, 0, maxList+1)
	for range maxList + 1 {
		many = append(many, `"api"`)
	}
	return []attack{
		{"10,000 dots", "hs", strings.Repeat(".", 10_000), errTooLarge},
		{"10,000 parts", "hs", strings.Repeat("e30.", 10_000), errTooLarge},
		{"a header of 1 MiB", "hs", hs256(with(`"x":"`+strings.Repeat("a", 1<<20)+`"`), good()), errTooLarge},
		{"a header of 20 KiB", "hs", hs256(with(`"x":"`+strings.Repeat("a", 20<<10)+`"`), good()), errTooLarge},
		{"claims of 1 MiB", "hs", hs256(plain, good("x", `"`+strings.Repeat("a", 1<<20)+`"`)), errTooLarge},
		{"a signature of 1 MiB", "hs", b64(plain) + "." + b64(good()) + "." + strings.Repeat("A", 1<<20), errTooLarge},
		{"one byte too many", "hs", strings.Repeat("A", 8<<10+1), errTooLarge},
		{"compressed claims", "hs", hs256(with(`"zip":"DEF"`), deflated.String()), errHeaderField},
		{"compressed claims without a word", "hs", hs256(plain, deflated.String()), errPayload},
		{"claims nested 20 deep", "hs", hs256(plain, good("x", strings.Repeat("[", 20)+strings.Repeat("]", 20))), errPayload},
		{"claims nested 1,000 deep", "hs", hs256(plain, good("x", strings.Repeat("[", 1000)+strings.Repeat("]", 1000))), errPayload},
		{"257 audiences", "hs", hs256(plain, good("aud", "["+strings.Join(many, ",")+"]")), errAudience},
	}
}

func dateAttacks() (list []attack) {
	at := func(seconds int64) string { return fmt.Sprint(start.Unix() + seconds) }
	for _, exp := range []string{
		`"` + at(60) + `"`, `"never"`, `""`, "null", "true", "[]", "{}", "[" + at(60) + "]", at(60) + ".0", at(60) + ".5", "2e9", "2E9", "1.9e9", "1e308", "1e400", "-1", "-0", "-" + at(60),
		"9223372036854775807", "9223372036854775808", "18446744073709551615", "99999999999999999999999999", fmt.Sprint(int64(latestDate) + 1), fmt.Sprint(start.UnixMilli()),
	} {
		for _, name := range []string{"exp", "nbf", "iat"} {
			list = append(list, attack{name + " as " + exp, "hs", hs256(plain, good(name, exp)), errDate})
		}
	}
	return append(list,
		attack{"no exp", "hs", hs256(plain, good("exp", "")), errNoExpiry},
		attack{"EXP in place of exp", "hs", hs256(plain, good("exp", "", "EXP", at(60))), errNoExpiry},
		attack{"exp with a space", "hs", hs256(plain, good("exp", "", "exp ", at(60))), errNoExpiry},
		attack{"expired as long ago as the leeway", "hs", hs256(plain, good("exp", at(-5))), errExpired},
		attack{"expired in 1970", "hs", hs256(plain, good("exp", "0")), errExpired},
		attack{"valid beyond the leeway from now", "hs", hs256(plain, good("nbf", at(6))), errEarly},
		attack{"valid next year", "hs", hs256(plain, good("nbf", at(3e7))), errEarly},
		attack{"issued beyond the leeway from now", "hs", hs256(plain, good("iat", at(6))), errFuture},
	)
}

func claimAttacks() (list []attack) {
	for i, claims := range []string{
		"", "null", "[]", `"x"`, "1", "[" + good() + "]", good() + good(), good() + "x", strings.TrimSuffix(good(), "}"), strings.Replace(good(), ",", ",,", 1), "{}" + "\x00",
		strings.Replace(good(), "{", `{"role":"admin",`, 1), strings.Replace(good(), "}", `,"exp":99999999999}`, 1), strings.Replace(good(), "}", `,"\u0065xp":99999999999}`, 1),
		strings.Replace(good(), "}", `,"Exp":99999999999}`, 1), strings.Replace(good(), "}", `,"ROLE":"admin"}`, 1), strings.Replace(good(), "}", `,"ſub":"root"}`, 1),
		strings.Replace(good(), "}", `,"x":{"a":1,"a":2}}`, 1), "\xef\xbb\xbf" + good(), good("sub", "\"\xff\""), good("sub", `"\ud800"`), good("sub", "\"\n\""),
	} {
		list = append(list, attack{fmt.Sprintf("claims %d, %q", i, shortened(claims)), "hs", hs256(plain, claims), errPayload})
	}
	for _, aud := range []string{`["web"]`, `"web"`, `[]`, `null`, `true`, `{}`, `{"0":"api"}`, `[["api"]]`, `["api",["x"]]`, `["api",null]`, `["api",1]`, `"API"`, `"api "`, `" api"`, `"api\u0000"`, `"a\u200bpi"`, `"*"`, `""`, `"api,web"`, `"api web"`, `["ap","i"]`, ""} {
		list = append(list, attack{"aud " + aud, "hs", hs256(plain, good("aud", aud)), errAudience})
	}
	for _, iss := range []string{`"other"`, `"Shop"`, `"shop "`, `"shop/"`, `"shop\u0000"`, `""`, ""} {
		list = append(list, attack{"iss " + iss, "hs", hs256(plain, good("iss", iss)), errIssuer})
	}
	for _, name := range []string{"iss", "sub", "jti"} {
		for _, value := range []string{"null", "1", `["shop"]`, `{"$ne":""}`, "true"} {
			list = append(list, attack{name + " as " + value, "hs", hs256(plain, good(name, value)), errText})
		}
	}
	return list
}

// services are one for each algorithm, with everything checked that can be.
func services() map[string]*Tokens {
	clock := clockAt(start)
	service := func(keys Keys) *Tokens { return JWT(keys, Issuer("shop"), Audience("api"), Clock(clock)) }
	return map[string]*Tokens{
		"hs": service(HS256(secret)), "kid": service(HS256(secret).WithID("main")),
		"rs": service(RS256(&rsaKey().PublicKey)), "es": service(ES256(&ecKey().PublicKey)),
		"ed": service(EdDSA(ed25519Key().Public().(ed25519.PublicKey))),
	}
}

func TestAttacksAreRefused(t *testing.T) {
	services := services()
	app := ishaa.New("shop")
	for by, tokens := range services {
		app.Get("/"+by, func(r *ishaa.Request) (any, error) { return Who(r).Subject, nil }, LoginRequired(tokens))
	}
	client := ishaatest.New(t, app)

	// What the attacks are made of is accepted.
	for by, token := range map[string]string{
		"hs": hs256(plain, good()), "kid": hs256(with(`"kid":"main"`), good()),
		"rs": sign(jwt.SigningMethodRS256, rsaKey(), `{"alg":"RS256"}`, good()),
		"es": sign(jwt.SigningMethodES256, ecKey(), `{"alg":"ES256"}`, good()),
		"ed": sign(jwt.SigningMethodEdDSA, ed25519Key(), `{"alg":"EdDSA"}`, good()),
	} {
		if text := client.Get("/"+by, ishaatest.BearerToken(token)).Status(200).Text(); text != "ann" {
			t.Fatalf("the good token of %s gives %q", by, text)
		}
	}

	list := attacks()
	t.Logf("%d attacks", len(list))
	seen := map[string]bool{}
	for _, a := range list {
		if seen[a.by+a.name] {
			t.Errorf("two attacks are named %q", a.name)
		}
		seen[a.by+a.name] = true
		if claims, err := Decode[map[string]any](services[a.by], a.token); !errors.Is(err, a.want) {
			t.Errorf("%s (%s): %v, %v, want %v", a.name, a.by, claims, err, a.want)
		}
		if strings.ContainsAny(a.token, "\r\n\x00") || strings.TrimRight(a.token, " \t") != a.token {
			continue // no header has that
		}
		res := client.Get("/"+a.by, ishaatest.BearerToken(a.token))
		if len(a.token) > 1<<20 {
			res.Status(431) // the server takes no header of that size
			continue
		}
		want := `Bearer realm="api", error="invalid_token", error_description="` + a.want.Reason + `"`
		if got := res.Headers().Get("WWW-Authenticate"); res.Code() != 401 || got != want {
			t.Errorf("%s (%s): status %d, challenge %q", a.name, a.by, res.Code(), got)
		}
		if res.Headers().Get("Cache-Control") != "no-store" || strings.Contains(res.Text(), string(secret[:8])) {
			t.Errorf("%s: %v %s", a.name, res.Headers(), res.Text())
		}
	}
}

// A token of 8 KiB of dots, or one that is as large as a header may be, costs less
// than it takes to check a signature.
func TestHugeTokensAreCheap(t *testing.T) {
	tokens := services()["hs"]
	for _, token := range []string{strings.Repeat(".", 10_000), strings.Repeat(".", 1<<20), strings.Repeat("A", 1<<20)} {
		if allocated := testing.AllocsPerRun(100, func() { Decode[struct{}](tokens, token) }); allocated > 2 {
			t.Errorf("%.10s… of %d bytes: %.0f allocations", token, len(token), allocated)
		}
	}
}

// ECDSA has two signatures for one message, s and the order less s; JWS allows both.
// So nothing here may go by the bytes of a token: its claims are the same.
func TestTheOtherECDSASignatureIsTheSameToken(t *testing.T) {
	tokens := services()["es"]
	header, payload, signature := split(sign(jwt.SigningMethodES256, ecKey(), `{"alg":"ES256"}`, good("jti", `"7"`)))
	raw := made(base64url.DecodeString(signature))
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(raw[32:]))
	other := header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(append(raw[:32:32], s.FillBytes(make([]byte, 32))...))
	claims, err := Decode[Registered](tokens, other)
	if err != nil || claims.ID != "7" || claims.Subject != "ann" {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestReasonsFitIntoTheChallenge(t *testing.T) {
	for _, err := range []*TokenError{errEmpty, errTooLarge, errParts, errBase64, errHeader, errHeaderType, errHeaderField, errAlgorithm, errKeyID, errSignature, errType, errPayload, errDate, errText, errNoExpiry, errExpired, errEarly, errFuture, errIssuer, errAudience, errNoID, errLongLived, errRevoked, errClaims, ErrRefresh, ErrReused} {
		if quotable(err.Reason) != err.Reason {
			t.Errorf("%q has characters that error_description cannot have", err.Reason)
		}
	}
}

func FuzzDecode(f *testing.F) {
	services := services()
	for _, a := range attacks() {
		if len(a.token) < 2048 {
			f.Add(a.token)
		}
	}
	f.Add(hs256(plain, good()))
	f.Fuzz(func(t *testing.T, token string) {
		for by, tokens := range services {
			claims, err := Decode[map[string]any](tokens, token)
			var refused *TokenError
			if err != nil && !errors.As(err, &refused) {
				t.Fatalf("%s: %q: %v is no TokenError", by, token, err)
			}
			if err == nil && (claims["sub"] != "ann" || claims["role"] != "user") {
				t.Fatalf("%s: %q is accepted as %v", by, token, claims)
			}
		}
	})
}
