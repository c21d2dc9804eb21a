package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func credentials(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func basicApp(t *testing.T, guard *Basic) *ishaa.App {
	t.Helper()
	app := ishaa.New("shop")
	app.SetClock(clockAt(start))
	app.Get("/", func(r *ishaa.Request) (any, error) {
		name, err := User[string](r)
		return ishaa.Text(name), err
	}, LoginRequired(guard))
	return app
}

func TestBasic(t *testing.T) {
	hasher := NewHasher(quick())
	guard := NewBasic("shop", PasswordsOf(hasher, map[string]string{
		"ann": made(hasher.Hash("correct horse: battery")), "jürgen": made(hasher.Hash("пароль и соль")),
	}), BasicOptions{Throttle: NewThrottle(memoryKV(clockAt(start)), ThrottleOptions{Free: 1000, AddressFree: 1000, AccountFree: 1000})})
	app := basicApp(t, guard)
	client := ishaatest.New(t, app)
	with := func(header string) ishaatest.Setting { return ishaatest.Header("Authorization", header) }

	client.Get("/", with("Basic "+credentials("ann:correct horse: battery"))).Status(200).Contains("ann")
	client.Get("/", with("bAsIc  "+credentials("ann:correct horse: battery"))).Status(200)
	client.Get("/", with("Basic "+credentials("jürgen:пароль и соль"))).Status(200).Contains("jürgen")
	res := client.Get("/")
	res.Problem(401)
	if got := res.Headers().Get("WWW-Authenticate"); got != `Basic realm="shop", charset="UTF-8"` {
		t.Errorf("the challenge is %q", got)
	}
	if got := res.Headers().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control is %q", got)
	}
	for name, header := range map[string]string{
		"wrong password":       "Basic " + credentials("ann:wrong"),
		"unknown":              "Basic " + credentials("eve:correct horse: battery"),
		"no name":              "Basic " + credentials(":correct horse: battery"),
		"no colon":             "Basic " + credentials("ann"),
		"empty":                "Basic ",
		"scheme alone":         "Basic",
		"no base 64":           "Basic ann:correct",
		"base 64 for URLs":     "Basic " + base64.URLEncoding.EncodeToString([]byte("ann:\xfb\xff\xfe")),
		"without padding":      "Basic " + strings.TrimRight(credentials("ann:correct horse: battery"), "="),
		"not UTF-8":            "Basic " + credentials("ann:\xff"),
		"a control character":  "Basic " + credentials("ann\x00:correct horse: battery"),
		"a line break":         "Basic " + credentials("ann:correct horse: battery\n"),
		"huge":                 "Basic " + credentials("ann:"+strings.Repeat("x", 20_000)),
		"a comma and another":  "Basic " + credentials("ann:wrong") + ", Basic " + credentials("ann:correct horse: battery"),
		"padding in the midst": "Basic YW5u==" + credentials("ann:correct horse: battery"),
	} {
		t.Run(name, func(t *testing.T) {
			res := client.For(t).Get("/", with(header))
			problem := res.Problem(401).ProblemDocument()
			if res.Headers().Get("WWW-Authenticate") != `Basic realm="shop", charset="UTF-8"` || strings.Contains(problem.Detail, "ann") {
				t.Errorf("%q, %q", problem.Detail, res.Headers())
			}
		})
	}
	client.Get("/", ishaatest.Header("Authorization", "Basic "+credentials("ann:wrong"), "Basic "+credentials("ann:correct horse: battery"))).Problem(400)
	client.Get("/", with("Bearer x")).Problem(401)
	if s := guard.Security(); s.Type != "http" || s.Scheme != "basic" {
		t.Errorf("the scheme is %+v", s)
	}
}

// The work for an account that there is none of is that of one that there is.
func TestBasicUnknownAccounts(t *testing.T) {
	hasher := NewHasher(quick())
	verify := PasswordsOf(hasher, map[string]string{"ann": made(hasher.Hash("correct horse battery"))})
	cost := func(name string) uint64 {
		before := hasher.spent.Load()
		if who, err := verify(context.Background(), name, "wrong"); who != nil || err != nil {
			t.Errorf("%s: %v, %v", name, who, err)
		}
		return hasher.spent.Load() - before
	}
	if known, unknown := cost("ann"), cost("eve"); known != unknown || known == 0 {
		t.Errorf("known accounts cost %d, others %d", known, unknown)
	}
}

func TestBasicIsThrottled(t *testing.T) {
	tried := 0
	verify := func(_ context.Context, name, password string) (*Identity, error) {
		tried++
		if password == "away" {
			return nil, errors.New("the table is away")
		}
		if password != "right" {
			return nil, nil
		}
		return &Identity{Subject: name, Value: name}, nil
	}
	clock := clockAt(start)
	app := basicApp(t, NewBasic("", verify))
	app.SetClock(clock)
	client := ishaatest.New(t, app)
	get := func(text string) *ishaatest.Result {
		return client.Get("/", ishaatest.Header("Authorization", "Basic "+credentials(text)))
	}
	for range 20 { // what was not a wrong password is no failure
		get("ann:right").Status(200)
		get("ann:away").Status(500)
	}
	if _, ok := client.Cookie("device"); ok {
		t.Error("a program gets a cookie")
	}
	for range 6 {
		get("ann:wrong").Problem(401)
	}
	tried = 0
	res := get("ann:right")
	res.Problem(429)
	if res.Headers().Get("Retry-After") != "1" || tried != 0 {
		t.Errorf("Retry-After %q, %d passwords looked at", res.Headers().Get("Retry-After"), tried)
	}
	get("bob:right").Status(200)
	clock.Advance(time.Second)
	get("ann:right").Status(200)
	get("ann:wrong").Problem(401)
	get("ann:right").Status(200)
}

func TestBasicNeedsTLS(t *testing.T) {
	verify := func(_ context.Context, name, _ string) (*Identity, error) { return &Identity{Value: name}, nil }
	for name, c := range map[string]struct {
		plain  bool
		remote string
		status int
	}{
		"over the network":          {false, "203.0.113.9:1", 403},
		"on this machine":           {false, "127.0.0.1:1", 200},
		"on this machine, IPv6":     {false, "[::1]:1", 200},
		"over the network, allowed": {true, "203.0.113.9:1", 200},
	} {
		t.Run(name, func(t *testing.T) {
			app := basicApp(t, NewBasic("", verify, BasicOptions{PlainHTTP: c.plain}))
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = c.remote
			r.Header.Set("Authorization", "Basic "+credentials("ann:x"))
			w := httptest.NewRecorder()
			app.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
		})
	}
	ishaatest.New(t, basicApp(t, NewBasic("", verify)), ishaatest.TLS()).
		Get("/", ishaatest.Header("Authorization", "Basic "+credentials("ann:x"))).Status(200)
	mustContain(t, panicText(func() { NewBasic("a\nb", verify) }), "realm")
	mustContain(t, panicText(func() { NewBasic("a", nil) }), "PasswordsOf")
	if got := NewBasic(`a"b\`, verify).Challenge(); strings.Count(got, `"`) != 4 && !strings.Contains(got, `\"`) {
		t.Errorf("the challenge is %s", got)
	}
}

func FuzzBasic(f *testing.F) {
	f.Add(credentials("ann:secret"))
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		name, password, err := parseBasic(text)
		if err != nil {
			if strings.Contains(err.Error(), text) && len(text) > 8 {
				t.Errorf("the error shows %q", text)
			}
			return
		}
		if strings.Contains(name, ":") || name == "" || !utf8.ValidString(name+password) || credentials(name+":"+password) != strings.Trim(text, " ") {
			t.Errorf("%q gives %q and %q", text, name, password)
		}
	})
}
