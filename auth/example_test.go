package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// key stands for 32 random bytes from the configuration.
var key = []byte("an example's key of 32 bytes....")

type Claims struct {
	auth.Registered
	Role string `json:"role"`
}

func newApp() *ishaa.App {
	app := ishaa.New("shop")
	app.SetLogger(slog.New(slog.DiscardHandler))
	return app
}

// get asks an application, with a bearer token unless it is empty.
func get(app *ishaa.App, path, token string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("GET", path, nil)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, request)
	return answer
}

func Example() {
	app := newApp()
	jwt := auth.JWT(auth.HS256(key), auth.Issuer("shop"), auth.Audience("api"), auth.TTL(time.Hour))
	app.Get("/admin", func(r *ishaa.Request) (any, error) {
		me, err := auth.User[Claims](r)
		return ishaa.Text("hello, " + me.Subject), err
	}, auth.LoginRequired(jwt), auth.RoleRequired("admin"))

	ann, _ := jwt.Encode(Claims{auth.Registered{Subject: "ann"}, "admin"})
	bob, _ := jwt.Encode(Claims{auth.Registered{Subject: "bob"}, "user"})
	for _, token := range []string{ann, bob, "", ann + "x"} {
		answer := get(app, "/admin", token)
		fmt.Println(strings.TrimSpace(fmt.Sprintln(answer.Code, answer.Header().Get("WWW-Authenticate"))))
	}
	// Output:
	// 200
	// 403 Bearer realm="api", error="insufficient_scope", error_description="the token does not have the role that this takes"
	// 401 Bearer realm="api"
	// 401 Bearer realm="api", error="invalid_token", error_description="the signature of the token is wrong"
}

func ExampleHasher() {
	hasher := auth.NewHasher()
	hash, err := hasher.Hash("correct horse battery staple")
	fmt.Println(strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), err)

	fmt.Println(hasher.Verify("correct horse battery staple", hash))
	fmt.Println(hasher.Verify("correct horse battery stable", hash))
	fmt.Println(hasher.Verify("whatever", "")) // no such account: it takes as long
	// Django's, which is to be made anew at the next sign-in:
	fmt.Println(hasher.Verify("lètmein", "pbkdf2_sha256$20000$seasalt2$Flpve/uAcyo6+IFI6YAhjeABGPVbRQjzHDxRhqxewgw="))

	_, err = hasher.Hash("trustno1")
	fmt.Println(err)
	// Output:
	// true <nil>
	// true false
	// false false
	// false false
	// true true
	// the password is one of the most common: choose another
}

func ExampleDecode() {
	jwt := auth.JWT(auth.HS256(key), auth.Issuer("shop"))
	token, _ := jwt.Encode(Claims{auth.Registered{Subject: "ann"}, "admin"}, auth.ExpiresIn(10*time.Minute))

	claims, err := auth.Decode[Claims](jwt, token)
	fmt.Println(claims.Subject, claims.Role, claims.ExpiresAt.Sub(claims.IssuedAt.Time), err)

	_, err = auth.Decode[Claims](auth.JWT(auth.HS256(key), auth.Issuer("bank")), token)
	fmt.Println(err)
	// Output:
	// ann admin 10m0s <nil>
	// auth: the token is from another issuer
}

func ExampleRotate() {
	lastYear, thisYear := auth.HS256(key).WithID("2029"), auth.HS256([]byte("another key of 32 random bytes..")).WithID("2030")
	old, _ := auth.JWT(lastYear).Encode(Claims{})

	jwt := auth.JWT(auth.Rotate(thisYear, lastYear))
	_, err := auth.Decode[Claims](jwt, old)
	fmt.Println(err)
	_, err = auth.Decode[Claims](auth.JWT(thisYear), old)
	fmt.Println(err)
	// Output:
	// <nil>
	// auth: the kid of the token names no key here
}

// A permission of the program's own.
func ExampleRequire() {
	app := newApp()
	jwt := auth.JWT(auth.HS256(key))
	ownPage := auth.Require(func(r *ishaa.Request) error {
		if auth.Who(r).Subject != r.Param("name") {
			return ishaa.Forbidden("this is somebody else's page")
		}
		return nil
	})
	app.Get("/pages/<name>", func(*ishaa.Request) (any, error) { return "a page", nil }, auth.LoginRequired(jwt), ownPage)

	ann, _ := jwt.Encode(auth.Registered{Subject: "ann"})
	fmt.Println(get(app, "/pages/ann", ann).Code, get(app, "/pages/bob", ann).Code)
	// Output: 200 403
}

func ExampleSessionLogin() {
	app := newApp()
	sessions := session.New(store.NewMemory(store.MemoryOptions{}), session.Options{})
	app.Use(sessions.Middleware())
	login := auth.SessionLogin(session.From, auth.LoginOptions{Page: "/login"})

	app.Post("/login", func(r *ishaa.Request) (any, error) {
		// … once the password was found right:
		return login.Return(r, "/"), login.SignIn(r, "ann")
	})
	app.Post("/logout", func(r *ishaa.Request) (any, error) { return ishaa.Redirect("/"), login.SignOut(r) })
	app.Get("/account", func(r *ishaa.Request) (any, error) {
		return ishaa.HTMLf("<p>Hello, %s</p>", auth.Who(r).Subject), nil
	}, auth.LoginRequired(login))

	request := httptest.NewRequest("GET", "/account?tab=orders", nil)
	request.Header.Set("Accept", "text/html")
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output: 303 /login?next=%2Faccount%3Ftab%3Dorders
}

func ExampleRefresh() {
	ctx := context.Background()
	refresh := auth.NewRefresh(store.NewMemory(store.MemoryOptions{}), auth.RefreshOptions{
		Reused: func(_ context.Context, subject string) { fmt.Println("warn", subject) },
	})
	first, _ := refresh.Issue(ctx, "ann", nil) // at sign-in, beside an access token

	second, grant, _ := refresh.Exchange(ctx, first) // when that has expired
	fmt.Println(grant.Subject)

	_, _, err := refresh.Exchange(ctx, first) // a thief, or ann after one
	fmt.Println(errors.Is(err, auth.ErrReused))
	_, _, err = refresh.Exchange(ctx, second)
	fmt.Println(err)
	// Output:
	// ann
	// warn ann
	// true
	// auth: the refresh token is not valid any more
}

func ExampleRevocable() {
	ctx := context.Background()
	list := auth.NewRevocations(store.NewMemory(store.MemoryOptions{}), auth.RevocationOptions{})
	jwt := auth.JWT(auth.HS256(key), auth.Revocable(list))
	token, _ := jwt.Encode(auth.Registered{Subject: "ann"})

	claims, err := auth.Decode[auth.Registered](jwt, token)
	fmt.Println(err)
	_ = list.Revoke(ctx, claims) // she signs out
	_, err = auth.Decode[auth.Registered](jwt, token)
	fmt.Println(err)
	// Output:
	// <nil>
	// auth: the token was revoked: sign in again
}
