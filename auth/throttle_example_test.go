package auth_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// Signing in with a name and a password: throttled, hashed, and a session under a
// new id at the end.
func ExampleThrottle() {
	st := store.NewMemory(store.MemoryOptions{})
	sessions := session.New(st, session.Options{})
	throttle := auth.NewThrottle(st, auth.ThrottleOptions{})
	hasher := auth.NewHasher()
	ann, err := hasher.Hash("correct horse battery")
	if err != nil {
		fmt.Println(err)
		return
	}
	hashes := map[string]string{"ann": ann}
	login := auth.SessionLogin(session.From, auth.LoginOptions{Page: "/login"})

	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.SetClock(ishaatest.NewClock(time.Now())) // for this example: it stands still, so that the wait below is the same on any machine
	app.Use(sessions.Middleware())
	app.Post("/login", func(r *ishaa.Request) (any, error) {
		form, err := r.Form()
		if err != nil {
			return nil, err
		}
		name := strings.ToLower(form.Value("name"))
		attempt, err := throttle.Attempt(r, name)
		if err != nil {
			return nil, err // 429 with Retry-After
		}
		if ok, _, err := hasher.VerifyContext(r.Context(), form.Value("password"), hashes[name]); err != nil || !ok {
			return nil, ishaa.Unauthorized("the name or the password is wrong").Wrap(err)
		}
		attempt.Succeeded()
		if err := login.SignIn(r, name); err != nil {
			return nil, err
		}
		return login.Return(r, "/"), nil
	})
	app.Get("/account", func(r *ishaa.Request) (any, error) {
		return ishaa.Text("hello, " + auth.Who(r).Subject), nil
	}, auth.LoginRequired(login))

	browser := newBrowser(app)
	fmt.Println(browser.post("/login", "name", "ann", "password", "a guess"))
	fmt.Println(browser.post("/login?next=/account", "name", "Ann", "password", "correct horse battery"))
	fmt.Println(browser.get("/account"))
	for range 7 {
		browser.post("/login", "name", "bob", "password", "a guess")
	}
	fmt.Println(browser.post("/login", "name", "bob", "password", "a guess"))
	// Output:
	// 401
	// 303 to /account
	// 200 hello, ann
	// 429, wait 1 s
}

// browser keeps the cookies of an application.
type browser struct {
	app     http.Handler
	cookies map[string]*http.Cookie
}

func newBrowser(app http.Handler) *browser { return &browser{app, map[string]*http.Cookie{}} }

func (b *browser) get(path string) string {
	return b.do(httptest.NewRequestWithContext(context.Background(), "GET", path, nil))
}

func (b *browser) post(path string, pairs ...string) string {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequestWithContext(context.Background(), "POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b *browser) do(r *http.Request) string {
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	b.app.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		b.cookies[cookie.Name] = cookie
	}
	body, _ := io.ReadAll(w.Result().Body)
	text := fmt.Sprint(w.Code)
	switch {
	case w.Header().Get("Location") != "":
		text += " to " + w.Header().Get("Location")
	case w.Header().Get("Retry-After") != "":
		text += ", wait " + w.Header().Get("Retry-After") + " s"
	case w.Code == 200:
		text += " " + string(body)
	}
	return text
}
