// Package auth finds out who asks, and decides what they may do: passwords, tokens,
// guards on routes.
//
//	package main
//
//	import (
//		"os"
//		"time"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/auth"
//	)
//
//	type Claims struct {
//		auth.Registered
//		Role string `json:"role"`
//	}
//
//	func main() {
//		app := ishaa.New("shop")
//		jwt := auth.JWT(auth.HS256([]byte(os.Getenv("SHOP_KEY"))), auth.Issuer("shop"), auth.Audience("api"), auth.TTL(time.Hour))
//		hasher := auth.NewHasher()
//		hash, err := hasher.Hash("correct horse battery staple") // as the database has it
//		if err != nil {
//			panic(err)
//		}
//		app.Post("/login", func(r *ishaa.Request) (any, error) {
//			var in struct{ Name, Password string }
//			if err := r.DecodeJSON(&in); err != nil {
//				return nil, err
//			}
//			stored := map[string]string{"ann": hash}[in.Name] // "" for an account that does not exist
//			if ok, _, err := hasher.VerifyContext(r.Context(), in.Password, stored); err != nil || !ok {
//				return nil, ishaa.Unauthorized("the name or the password is wrong").Wrap(err)
//			}
//			token, err := jwt.Encode(Claims{auth.Registered{Subject: in.Name}, "admin"})
//			return map[string]string{"access_token": token}, err
//		})
//		app.Get("/admin", func(r *ishaa.Request) (any, error) {
//			me, err := auth.User[Claims](r)
//			return ishaa.Text("hello, " + me.Subject), err
//		}, auth.LoginRequired(jwt), auth.RoleRequired("admin"))
//		app.Run()
//	}
//
// # Passwords
//
// A Hasher makes Argon2id hashes, verifies those of other programs too, and does the
// same work for an account that does not exist. Its Policy refuses short and common
// passwords and cuts off none. Slow down guessing with a Throttle, and add a second
// factor with TOTP.
//
// # Tokens
//
// JWT makes and checks JSON Web Tokens. Each key belongs to one algorithm, so no token
// can choose how it is checked; a token brings no keys, needs an exp, and has one
// spelling. Rotate changes keys, JWKS publishes and RemoteKeys fetches public ones.
// Such tokens are good until they expire: keep their TTL short and hand out a Refresh
// token beside them, which is good for one use, or check them against Revocations.
//
// # Guards
//
// LoginRequired is a route option that takes guards: Tokens, a Login by sessions,
// APIKeys, Basic, or any Guard. RoleRequired and Require come after it and decide
// what those who are known may do. A guard on a blueprint guards all its routes. What
// they demand stands on the route as ishaa.SecurityScheme, for documents.
//
// The identity that a guard found is given by Who and User. It counts as an identity
// for engines too: an answer that depends on it is nobody else's. Answers of guarded
// routes are Cache-Control: no-store unless the handler says otherwise.
package auth
