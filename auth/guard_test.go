package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/static"
)

type shopClaims struct {
	Registered
	Role  string   `json:"role,omitempty"`
	Roles []string `json:"roles,omitempty"`
}

func hello(r *ishaa.Request) (any, error) {
	me, err := User[shopClaims](r)
	return map[string]string{"hello": me.Subject}, err
}

func TestLoginRequired(t *testing.T) {
	clock := clockAt(start)
	tokens := JWT(HS256(secret), Realm(`the "shop"`), Clock(clock))
	app := ishaa.New("shop")
	app.Get("/me", hello, LoginRequired(tokens))
	client := ishaatest.New(t, app)
	token := made(tokens.Encode(Registered{Subject: "ann"}))

	const bearer = `Bearer realm="the shop"`
	for _, c := range []struct {
		name          string
		authorization []string
		status        int
		challenge     string
	}{
		{"a token", []string{"Bearer " + token}, 200, ""},
		{"the scheme in lower case", []string{"bearer " + token}, 200, ""},
		{"the scheme in upper case", []string{"BEARER " + token}, 200, ""},
		{"more spaces", []string{"Bearer   " + token}, 200, ""},
		{"nothing", nil, 401, bearer},
		{"an empty header", []string{""}, 401, bearer},
		{"another scheme", []string{"Basic YTpi"}, 401, bearer},
		{"a scheme that begins alike", []string{"Bearers " + token}, 401, bearer},
		{"the token alone", []string{token}, 401, bearer},
		{"the scheme alone", []string{"Bearer"}, 401, bearer + `, error="invalid_token", error_description="` + errEmpty.Reason + `"`},
		{"two tokens", []string{"Bearer " + token + " " + token}, 401, bearer + `, error="invalid_token", error_description="` + errParts.Reason + `"`},
		{"a tab after the scheme", []string{"Bearer\t" + token}, 401, bearer},
		{"two headers", []string{"Bearer " + token, "Bearer " + token}, 400, bearer + `, error="invalid_request", error_description="there is more than one Authorization header"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var options []ishaatest.RequestOption
			if c.authorization != nil {
				options = append(options, ishaatest.Header("Authorization", c.authorization...))
			}
			res := client.For(t).Get("/me", options...).Status(c.status)
			if got := strings.Join(res.Headers()["Www-Authenticate"], "; "); got != c.challenge {
				t.Errorf("the challenge is %q, want %q", got, c.challenge)
			}
			if got := res.Headers().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control: %q", got)
			}
		})
	}
	for _, elsewhere := range []string{"/me?access_token=" + token, "/me?token=" + token, "/me?jwt=" + token} {
		client.Get(elsewhere).Status(401)
	}
	client.Get("/me", ishaatest.Cookie("token", token)).Status(401)
}

// Without a Clock of its own a guard goes by the application's.
func TestGuardsGoByTheClockOfTheApplication(t *testing.T) {
	tokens := JWT(HS256(secret), Clock(clockAt(start)))
	token := made(tokens.Encode(Registered{Subject: "ann"}))
	app := ishaa.New("shop")
	clock := clockAt(start)
	app.SetClock(clock)
	app.Get("/me", hello, LoginRequired(JWT(HS256(secret))))
	client := ishaatest.New(t, app, ishaatest.BearerToken(token))
	client.Get("/me").Status(200).JSONAt("/hello", "ann")
	clock.Advance(2 * time.Hour)
	client.Get("/me").Problem(401)
}

func TestRoleRequired(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	subject := func(r *ishaa.Request) (any, error) { return Who(r).Subject, nil }
	app.Get("/edit", subject, LoginRequired(tokens), RoleRequired("editor", "admin"))
	app.Get("/both", subject, LoginRequired(tokens), RoleRequired("editor"), RoleRequired("admin"))
	client := ishaatest.New(t, app)
	for _, c := range []struct {
		name       string
		claims     map[string]any
		edit, both int
	}{
		{"a role", map[string]any{"role": "admin"}, 200, 403},
		{"a list of one", map[string]any{"roles": []string{"editor"}}, 200, 403},
		{"a list", map[string]any{"roles": []string{"x", "editor", "admin"}}, 200, 200},
		{"both claims", map[string]any{"role": "editor", "roles": []string{"admin"}}, 200, 200},
		{"text in roles", map[string]any{"roles": "admin"}, 200, 403},
		{"none", map[string]any{}, 403, 403},
		{"an empty list", map[string]any{"roles": []string{}}, 403, 403},
		{"another", map[string]any{"role": "user"}, 403, 403},
		{"other case", map[string]any{"role": "Admin"}, 403, 403},
		{"a prefix", map[string]any{"role": "admin2"}, 403, 403},
		{"words in one text", map[string]any{"role": "admin editor"}, 403, 403},
		{"a number", map[string]any{"role": 1}, 403, 403},
		{"true", map[string]any{"role": true}, 403, 403},
		{"nested lists", map[string]any{"roles": []any{[]any{"admin"}}}, 403, 403},
		{"a list with something else", map[string]any{"roles": []any{"admin", 1}}, 403, 403},
		{"an object", map[string]any{"roles": map[string]any{"admin": true}}, 403, 403},
		{"a claim of another name", map[string]any{"is_admin": true, "scope": "admin"}, 403, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := client.For(t, ishaatest.BearerToken(made(tokens.Encode(c.claims))))
			res := client.Get("/edit").Status(c.edit)
			client.Get("/both").Status(c.both)
			if c.edit == 403 {
				res.Header("WWW-Authenticate", `Bearer realm="api", error="insufficient_scope", error_description="the token does not have the role that this takes"`)
				res.Header("Cache-Control", "no-store")
			}
		})
	}
	client.Get("/edit").Problem(401)
}

func TestRoleClaims(t *testing.T) {
	tokens := JWT(HS256(secret), RoleClaims("groups"))
	app := ishaa.New("shop")
	app.Get("/", hello, LoginRequired(tokens), RoleRequired("admin"))
	client := ishaatest.New(t, app)
	client.Get("/", ishaatest.BearerToken(made(tokens.Encode(map[string]any{"groups": "admin"})))).Status(200)
	client.Get("/", ishaatest.BearerToken(made(tokens.Encode(map[string]any{"role": "admin"})))).Status(403)
}

func TestMistakesStopTheProgram(t *testing.T) {
	tokens := JWT(HS256(secret))
	for _, c := range []struct {
		name  string
		setUp func(app *ishaa.App)
		says  string
	}{
		{"RoleRequired alone", func(app *ishaa.App) { app.Get("/", hello, RoleRequired("admin")) }, "has no guard before it: put auth.LoginRequired(…) in front of it"},
		{"RoleRequired first", func(app *ishaa.App) { app.Get("/", hello, RoleRequired("admin"), LoginRequired(tokens)) }, "has no guard before it"},
		{"RoleRequired after Optional", func(app *ishaa.App) { app.Get("/", hello, Optional(tokens), RoleRequired("admin")) }, "has no guard before it"},
		{"RoleRequired on a blueprint", func(app *ishaa.App) {
			b := ishaa.NewBlueprint("b", "/b").With(RoleRequired("admin"))
			b.Get("/", hello, LoginRequired(tokens))
			app.Register(b)
		}, "has no guard before it"},
		{"no guards", func(app *ishaa.App) { app.Get("/", hello, LoginRequired()) }, "auth.LoginRequired: give at least one guard"},
		{"a nil guard", func(app *ishaa.App) { app.Get("/", hello, LoginRequired(nil)) }, "auth.LoginRequired: give at least one guard"},
		{"no roles", func(app *ishaa.App) { app.Get("/", hello, LoginRequired(tokens), RoleRequired()) }, "auth.RoleRequired: give at least one role"},
		{"an empty role", func(app *ishaa.App) { app.Get("/", hello, LoginRequired(tokens), RoleRequired("")) }, "auth.RoleRequired: give at least one role"},
		{"no permission", func(app *ishaa.App) { app.Get("/", hello, Require(nil)) }, "auth.Require: the function is nil"},
		{"no sessions", func(*ishaa.App) { SessionLogin[Session](nil, LoginOptions{}) }, "auth.SessionLogin: the function"},
		{"a login page elsewhere", func(*ishaa.App) {
			SessionLogin(func(*ishaa.Request) Session { return nil }, LoginOptions{Page: "//evil.example"})
		}, "not a path of this site"},
		{"no store", func(*ishaa.App) { NewRefresh(nil, RefreshOptions{}) }, "auth.NewRefresh: the store is nil"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mustContain(t, panicText(func() { c.setUp(ishaa.New("shop")) }), "auth/guard_test.go:", c.says)
		})
	}
}

// Guards on a blueprint come before those of its routes, and documents see them all.
func TestGuardsOfBlueprintsAndWhatTheySay(t *testing.T) {
	tokens := JWT(HS256(secret))
	login := SessionLogin(func(*ishaa.Request) Session { return &fakeSession{} }, LoginOptions{Cookie: "sid"})
	app := ishaa.New("shop")
	admin := ishaa.NewBlueprint("admin", "/admin").With(LoginRequired(login, tokens))
	users := admin.Get("/users", hello, RoleRequired("admin"), RoleRequired("staff"))
	plain := admin.Get("/", hello)
	app.Register(admin)
	open := app.Get("/", hello)

	session := ishaa.Security{Name: "session", Type: "apiKey", In: "cookie", Parameter: "sid"}
	bearer := ishaa.Security{Name: "bearer", Type: "http", Scheme: "bearer", Format: "JWT"}
	same := func(a, b ishaa.Security) bool {
		return a.Name == b.Name && a.Type == b.Type && a.In == b.In && a.Parameter == b.Parameter && a.Scheme == b.Scheme && a.Format == b.Format && slices.Equal(a.Scopes, b.Scopes)
	}
	for _, c := range []struct {
		route  *ishaa.Route
		scopes []string
	}{{users, []string{"admin", "staff"}}, {plain, nil}} {
		got, _ := ishaa.SecurityScheme.Of(c.route)
		want := []ishaa.Security{session, bearer}
		for i := range want {
			want[i].Scopes = c.scopes
		}
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("%s says %+v", c.route, got)
		}
	}
	if got, ok := ishaa.SecurityScheme.Of(open); ok {
		t.Errorf("an open route says %+v", got)
	}
	client := ishaatest.New(t, app)
	client.Get("/admin/users").Problem(401)
	client.Get("/admin/users", ishaatest.BearerToken(made(tokens.Encode(map[string]any{"role": "admin"})))).Problem(403)
	client.Get("/admin/users", ishaatest.BearerToken(made(tokens.Encode(map[string]any{"roles": []string{"admin", "staff"}})))).Status(200)
}

// The first guard that finds credentials decides, wrong ones included.
func TestSeveralGuards(t *testing.T) {
	tokens := JWT(HS256(secret))
	signedIn := &fakeSession{user: "bob"}
	login := SessionLogin(func(r *ishaa.Request) *fakeSession {
		if _, ok := r.Cookie("session"); ok {
			return signedIn
		}
		return &fakeSession{}
	}, LoginOptions{Page: "/login"})
	who := func(r *ishaa.Request) (any, error) { return Who(r).Subject, nil }
	app := ishaa.New("shop")
	app.Get("/a", who, LoginRequired(tokens, login))
	app.Get("/b", who, LoginRequired(login, tokens))
	client := ishaatest.New(t, app)
	cookie := ishaatest.Cookie("session", "x")
	token := ishaatest.BearerToken(made(tokens.Encode(Registered{Subject: "ann"})))
	for _, c := range []struct {
		name    string
		options []ishaatest.RequestOption
		a, b    string
	}{
		{"a session", []ishaatest.RequestOption{cookie}, "bob", "bob"},
		{"a token", []ishaatest.RequestOption{token}, "ann", "ann"},
		{"both", []ishaatest.RequestOption{cookie, token}, "ann", "bob"},
		{"a session and a wrong token", []ishaatest.RequestOption{cookie, ishaatest.BearerToken("x")}, "401", "bob"},
		{"neither", nil, "401", "401"},
	} {
		for path, want := range map[string]string{"/a": c.a, "/b": c.b} {
			res := client.Get(path, c.options...)
			if want == "401" {
				res.Status(401)
			} else if res.Text() != want {
				t.Errorf("%s at %s is %s", c.name, path, res.Text())
			}
		}
	}
	if got := client.Get("/a").Headers()["Www-Authenticate"]; !slices.Equal(got, []string{`Bearer realm="api"`, `Cookie realm="sign-in", cookie-name="session", form-action="/login"`}) {
		t.Errorf("the challenges are %q", got)
	}
}

func TestRequire(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	own := Require(func(r *ishaa.Request) error {
		switch r.Param("name") {
		case Who(r).Subject:
			return nil
		case "broken":
			return errors.New("the database is away")
		}
		return ishaa.Forbidden("this is not your page")
	})
	app.Get("/pages/<name>", hello, LoginRequired(tokens), own)
	client := ishaatest.New(t, app, ishaatest.BearerToken(made(tokens.Encode(Registered{Subject: "ann"}))))
	client.Get("/pages/ann").Status(200)
	client.Get("/pages/bob").Problem(403)
	client.Get("/pages/broken").Problem(500)
}

func TestOptional(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	app.Get("/", func(r *ishaa.Request) (any, error) {
		if who := Who(r); who != nil {
			return who.Subject, nil
		}
		return "nobody", nil
	}, Optional(tokens))
	client := ishaatest.New(t, app)
	if text := client.Get("/").Status(200).Header("Cache-Control", "no-store").Text(); text != "nobody" {
		t.Error(text)
	}
	if text := client.Get("/", ishaatest.BearerToken(made(tokens.Encode(Registered{Subject: "ann"})))).Status(200).Text(); text != "ann" {
		t.Error(text)
	}
	client.Get("/", ishaatest.BearerToken("x")).Problem(401)
}

func TestUser(t *testing.T) {
	type account struct{ Name string }
	tokens := JWT(HS256(secret))
	values := guardFunc(func(*ishaa.Request) (*Identity, error) {
		return &Identity{Subject: "7", Value: &account{"Ann"}}, nil
	})
	app := ishaa.New("shop")
	name := func(r *ishaa.Request) (any, error) {
		me, err := User[*account](r)
		if err != nil {
			return nil, err
		}
		return me.Name, nil
	}
	app.Get("/value", name, LoginRequired(values))
	app.Get("/claims-as-value", name, LoginRequired(tokens))
	app.Get("/value-as-claims", hello, LoginRequired(values))
	app.Get("/wrong-claims", func(r *ishaa.Request) (any, error) { return User[[]int](r) }, LoginRequired(tokens))
	app.Get("/nobody", hello)
	ishaa.Get(app, "/typed", func(ctx context.Context, _ *struct{}) (string, error) {
		me, err := UserFrom[*account](ctx)
		if err != nil {
			return "", err
		}
		return me.Name, nil
	}, LoginRequired(values))
	ishaa.Get(app, "/typed-nobody", func(ctx context.Context, _ *struct{}) (string, error) {
		_, err := UserFrom[*account](ctx)
		return "", err
	})
	client := ishaatest.New(t, app, ishaatest.BearerToken(made(tokens.Encode(Registered{Subject: "ann"}))))
	client.Get("/value").Status(200).Contains("Ann")
	client.Get("/typed").Status(200).Contains("Ann")
	client.Get("/claims-as-value").Status(200) // {} as an account: its Name is empty
	client.Get("/value-as-claims").Problem(500)
	client.Get("/wrong-claims").Problem(500)
	client.Get("/nobody").Problem(401)
	client.Get("/typed-nobody").Problem(401)
	if _, err := UserFrom[*account](t.Context()); err == nil {
		t.Error("a context of no request has a user")
	}
}

type guardFunc func(*ishaa.Request) (*Identity, error)

func (f guardFunc) Identify(r *ishaa.Request) (*Identity, error) { return f(r) }
func (guardFunc) Challenge() string                              { return "" }
func (guardFunc) Security() ishaa.Security                       { return ishaa.Security{Name: "test"} }

func TestAnswersAreKeptFromCaches(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	guard := LoginRequired(tokens)
	app.Get("/plain", hello, guard)
	app.Get("/own", func(*ishaa.Request) (any, error) {
		return ishaa.Text("x").WithHeader("Cache-Control", "private, max-age=60"), nil
	}, guard)
	app.Get("/stream", func(*ishaa.Request) (any, error) { return strings.NewReader("x"), nil }, guard)
	app.Get("/panic", func(*ishaa.Request) (any, error) { panic("x") }, guard)
	app.Get("/empty", func(*ishaa.Request) (any, error) { return nil, nil }, guard)
	app.Mount("/mounted/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("x")) }), guard)
	client := ishaatest.New(t, app, ishaatest.BearerToken(made(tokens.Encode(struct{}{}))))
	for path, want := range map[string]string{
		"/plain": "no-store", "/own": "private, max-age=60", "/stream": "no-store", "/panic": "no-store", "/empty": "no-store", "/mounted/x": "no-store",
	} {
		client.Get(path).Header("Cache-Control", want)
	}
}

// What a handler learns of who asks is an identity: no engine gives such an answer to
// anybody else.
func TestWhoAsksIsAnIdentity(t *testing.T) {
	tokens := JWT(HS256(secret))
	reads := func(read func(r *ishaa.Request)) (kinds []ishaa.InputKind) {
		app := ishaa.New("shop")
		app.Get("/", func(r *ishaa.Request) (any, error) {
			r.Trace(func(in ishaa.Input, _ string) { kinds = append(kinds, in.Kind) })
			read(r)
			return "x", nil
		}, LoginRequired(tokens))
		ishaatest.New(t, app, ishaatest.BearerToken(made(tokens.Encode(Registered{Subject: "ann"})))).Get("/").Status(200)
		return kinds
	}
	for name, read := range map[string]func(*ishaa.Request){
		"Who":      func(r *ishaa.Request) { Who(r) },
		"User":     func(r *ishaa.Request) { User[shopClaims](r) },
		"UserFrom": func(r *ishaa.Request) { UserFrom[shopClaims](r.Context()) },
		"Identify": func(r *ishaa.Request) { tokens.Identify(r) },
	} {
		if kinds := reads(read); !slices.Contains(kinds, ishaa.InputIdentity) {
			t.Errorf("%s reads %v", name, kinds)
		}
	}
}

// However the path is written, what is guarded is not served by what is beside it.
func TestOtherSpellingsOfAGuardedPath(t *testing.T) {
	tokens := JWT(HS256(secret))
	app := ishaa.New("shop")
	app.Get("/admin/<path:rest>", hello, LoginRequired(tokens))
	app.Install(static.FS(fstest.MapFS{
		"index.html": {Data: []byte("x")}, "public/a.txt": {Data: []byte("x")}, "admin/secret.txt": {Data: []byte("top secret")},
	}, "/"))
	client := ishaatest.New(t, app)
	client.Get("/public/a.txt").Status(200)
	for _, path := range []string{
		"/admin/secret.txt", "/admin%2Fsecret.txt", "/admin%2fsecret.txt", "/admin%5Csecret.txt", "/public%2F..%2Fadmin%2Fsecret.txt", "/admin%252Fsecret.txt",
		"//admin/secret.txt", "/./admin/secret.txt", "/admin/./secret.txt", "/ADMIN/secret.txt", "/admin//secret.txt", "/public/../admin/secret.txt", "/%61dmin/secret.txt",
		"/admin/secret.txt%00", "/admin/secret.txt%0a", "/admin;/secret.txt", "/admin./secret.txt", "/admin/secret.txt/", "/public/%2e%2e/admin/secret.txt",
	} {
		res := client.Get(path)
		if code := res.Code(); code != 401 && code != 403 && code != 404 || strings.Contains(res.Text(), "top secret") {
			t.Errorf("%s: %d %s", path, code, res.Text())
		}
	}
}
