package threats_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// A session that was signed out is dead for everybody who has its cookie, also in requests that began before.
func TestReplayAfterSignOut(t *testing.T) {
	s := newSite(t)
	for range 10 {
		ann, id := s.signIn(t, "ann")
		thief := s.browser(t)
		thief.Get("/account", ishaatest.Cookie("session", id)).Status(200)

		// While she signs out, others use the session; whatever they are told, they do not bring it back.
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				client := s.browser(t)
				for range 5 {
					client.Get("/account", ishaatest.Cookie("session", id))
					client.ClearCookies()
				}
			})
		}
		ann.Post("/logout").Redirect("/")
		wg.Wait()
		thief.ClearCookies()
		thief.Get("/account", ishaatest.Cookie("session", id)).Status(303)
		thief.ClearCookies()
		thief.Post("/note", ishaatest.Cookie("session", id)).Status(303)
		if next, _ := thief.Cookie("session"); next == id {
			t.Fatal("the id lives on")
		}
		thief.Get("/account").Status(303)
	}
}

// An id that an attacker has planted in the victim's browser does not become theirs, whatever it looks like.
func TestPlantedSession(t *testing.T) {
	s := newSite(t)
	attacker := s.browser(t)
	attacker.Post("/note").Status(303)
	planted, ok := attacker.Cookie("session")
	if !ok {
		t.Fatal("a visitor gets no session")
	}
	for _, id := range []string{planted, strings.Repeat("A", 43), "x", "", strings.Repeat("a", 4000), "../ann", "ann", "session:ann", `"` + planted + `"`} {
		victim := s.browser(t)
		res := victim.Post("/login", ishaatest.Form("name", "ann", "password", password), ishaatest.Header("Cookie", "session="+id)).Redirect("/account")
		if now := res.Cookie("session").Value; now == id || len(now) != 43 {
			t.Errorf("planted %q, got %q", id, now)
		}
		attacker.ClearCookies()
		attacker.Get("/account", ishaatest.Header("Cookie", "session="+id)).Status(303)
	}
}

// Cookies that claim to be large, many or something else are passed over: sessions and messages are kept on the server.
func TestCookiesThatClaimMuch(t *testing.T) {
	s := newSite(t)
	client := s.browser(t)
	for _, value := range []string{
		"\xdd\xff\xff\xff\xff", "dd ff ff ff 7f", "3f////8=", `[2147483648]`, strings.Repeat("[", 3000), strings.Repeat("9", 3000), "gAAAAABm",
		"eyJhbGciOiJub25lIn0.e30.", "flashes=2147483647", "%00%00%00%80", strings.Repeat("A", 43),
	} {
		for _, name := range []string{"session", "flash", "flashes", "messages", "fiber_flash", "__Host-session", "device"} {
			before := allocated()
			client.Get("/flashes", ishaatest.Header("Cookie", name+"="+value)).Status(200).JSONEqual(map[string]int{"waiting": 0})
			if n := allocated() - before; n > 1<<20 {
				t.Errorf("%s=%.20q takes %d bytes", name, value, n)
			}
			client.ClearCookies()
		}
	}
}

func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.TotalAlloc
}

// Nobody is signed in to somebody else's account by a form on another site, nor signed out, nor sent elsewhere by Host.
func TestSignInFromAnotherSite(t *testing.T) {
	s := newSite(t)
	client, _ := s.signIn(t, "ann")
	form := ishaatest.Form("name", "bob", "password", password)
	for _, from := range [][]ishaatest.RequestOption{
		{ishaatest.Header("Sec-Fetch-Site", "cross-site"), ishaatest.Header("Origin", "https://evil.example")},
		{ishaatest.Header("Sec-Fetch-Site", "same-site"), ishaatest.Header("Origin", "http://forum.shop.example")},
		{ishaatest.Header("Origin", "https://evil.example")},
		{ishaatest.Header("Origin", "null")},
		{ishaatest.Header("Origin", "http://shop.example.evil.example")},
	} {
		client.Post("/login", append(from, form)...).Status(403)
		client.Post("/logout", from...).Status(403)
	}
	client.Get("/account").Contains("You are ann")
	for _, host := range []string{"evil.example", "shop.example:80@evil.example", "evil.example/x"} {
		other := s.browser(t)
		res := other.Post("/login", form, ishaatest.Host(host), ishaatest.Header("X-Forwarded-Host", "evil.example"))
		if location := res.Headers().Get("Location"); strings.Contains(location, "evil") {
			t.Errorf("Host %s: %d to %s", host, res.Code(), location)
		}
	}
}

// What one person is shown of a page that is cached is not what another one is shown, nor what a cache in between may keep.
func TestPagesOfPeopleAreNotShared(t *testing.T) {
	s := newSite(t)
	ann, _ := s.signIn(t, "ann")
	bob, _ := s.signIn(t, "bob")
	for range 30 {
		for name, client := range map[string]*ishaatest.Client{"ann": ann, "bob": bob, "": s.browser(t)} {
			res := client.Get("/greeting").Status(200).HTML("<p>Hello, " + name + "</p>")
			control, vary := res.Headers().Get("Cache-Control"), strings.Join(res.Headers().Values("Vary"), ",")
			if !strings.Contains(control, "no-store") || !strings.Contains(vary, "Cookie") {
				t.Errorf("%q: Cache-Control %q, Vary %q", name, control, vary)
			}
		}
	}
	for _, path := range []string{"/account", "/admin"} {
		ann.Get(path).Status(200).Header("Cache-Control", "no-store")
	}
	bob.Get("/admin").Status(403)
}

// Neither a log at its most talkative nor an answer has a password, a session's id, a token or a key in it.
func TestSecretsStayOutOfLogsAndAnswers(t *testing.T) {
	s := newSite(t)
	book := ishaatest.Logs(t, s.app)
	token, err := s.tokens.Encode(auth.Registered{Subject: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := s.refresh.Issue(t.Context(), "ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	const guess = "a guess that is nearly right"
	secrets := map[string]string{
		"the password": password, "a wrong password": guess, "the application's secret": appKey, "a token": token, "a token's signature": token[strings.LastIndexByte(token, '.')+1:],
		"a refresh token": refresh, "an API key": s.apiKey,
	}
	client := s.browser(t)
	var shown []string
	see := func(res *ishaatest.Result) {
		h := res.Headers().Clone()
		h.Del("Set-Cookie") // which is where ids belong
		shown = append(shown, fmt.Sprint(h, res.Text()))
	}
	see(client.Post("/login", ishaatest.Form("name", "ann", "password", guess)))
	see(client.Post("/login", ishaatest.Form("name", "ann", "password", password)))
	secrets["the session's id"], _ = client.Cookie("session")
	secrets["the known browser"], _ = client.Cookie("device")
	see(client.Get("/account"))
	see(client.Get("/api", ishaatest.BearerToken(token)))
	see(client.Get("/api", ishaatest.BearerToken(token+"x")))
	see(client.Get("/api?access_token="+token, ishaatest.Header("X-API-Key", s.apiKey+"x")))
	see(client.Get("/api", ishaatest.Header("X-API-Key", s.apiKey)))
	see(client.Get("/nothing?password=" + strings.ReplaceAll(password, " ", "+") + "&token=" + token))
	see(client.Post("/broken", ishaatest.Form("name", "ann", "password", password)))
	see(client.Post("/login", ishaatest.Body("application/x-www-form-urlencoded", "name=ann&password="+strings.ReplaceAll(password, " ", "+")+"&%zz=")))
	see(client.Post("/login", ishaatest.Body("application/json", `{"password": "`+password+`"`)))
	if _, _, err := s.refresh.Exchange(t.Context(), refresh+"x"); err == nil || strings.Contains(err.Error(), refresh) {
		t.Errorf("the error is %v", err)
	}
	for range 12 {
		see(client.Post("/login", ishaatest.Form("name", "bob", "password", guess)))
	}
	logged := everything(book)
	if len(book.Records()) < 20 {
		t.Fatalf("only %d records", len(book.Records()))
	}
	for what, secret := range secrets {
		if secret == "" {
			t.Errorf("there is no %s", what)
			continue
		}
		for _, form := range []string{secret, strings.ReplaceAll(secret, " ", "+"), strings.ReplaceAll(secret, " ", "%20")} {
			if strings.Contains(logged, form) {
				t.Errorf("the log has %s:\n%s", what, logged)
			}
			for _, text := range shown {
				if strings.Contains(text, form) {
					t.Errorf("an answer has %s: %s", what, text)
				}
			}
		}
	}
	for key, err := range s.kv.Scan(t.Context(), "") { // whoever reads the store cannot act as anybody
		if err != nil {
			t.Fatal(err)
		}
		value, err := s.kv.Get(t.Context(), key)
		if err != nil {
			continue
		}
		for what, secret := range secrets {
			if secret != "" && strings.Contains(key+string(value), secret) {
				t.Errorf("the store has %s at %q", what, key)
			}
		}
	}
}

// All cookies of the site, over TLS and without.
func TestCookiesOfTheSite(t *testing.T) {
	for name, options := range map[string][]ishaatest.Option{"http": nil, "https": {ishaatest.TLS()}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			res := s.browser(t, options...).Post("/login", ishaatest.Form("name", "ann", "password", password)).Status(303)
			header := http.Header{"Set-Cookie": res.Headers()["Set-Cookie"]}
			cookies := (&http.Response{Header: header}).Cookies()
			if len(cookies) != 2 {
				t.Fatalf("%d cookies: %v", len(cookies), header)
			}
			for _, c := range cookies {
				secure := name == "https"
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure || c.Path != "/" || c.Domain != "" {
					t.Errorf("%s", c.Raw)
				}
			}
			if secure := res.Headers().Get("Strict-Transport-Security"); (secure != "") != (name == "https") {
				t.Errorf("Strict-Transport-Security is %q", secure)
			}
		})
	}
}
