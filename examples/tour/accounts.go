package main

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/schema"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/template"

	_ "github.com/ishaa-framework/ishaa/store/nats" // each of the engines is one import; "memory://" is always there
	_ "github.com/ishaa-framework/ishaa/store/postgres"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// Member is somebody who has an account. There is no row before the address was confirmed.
type Member struct {
	ID     int64
	Email  string `db:"size:254,unique"` // in lower case
	Name   string `db:"size:80"`
	Hash   string `db:"size:255"` // of the password: see auth.Hasher
	Joined time.Time
}

// accounts is who may come in: members of the shop, and among them those who work here.
type accounts struct {
	db       *orm.DB
	members  orm.Repository[Member]
	kv       store.Store
	sessions *session.Sessions
	login    *auth.Login
	hasher   *auth.Hasher
	throttle *auth.Throttle
	mailer   *mail.Mailer
	debug    bool         // the outbox is shown
	address  atomic.Value // of the shop, for links in mail: what a request says of its host may be anybody's word
}

// staff is the role of members whose address is that of an employee. They have confirmed that it is theirs.
const staff = "staff"

// addAccounts adds registration, sign-in, and pages for members and for staff. Sessions, throttles and what waits for its
// confirmation are in the store that ISHAA_STORE_URL names, which several programs can share; without it, in memory.
func addAccounts(app *ishaa.App, db *orm.DB) *accounts {
	at := app.Config().StoreURL
	if at == "" {
		at = "memory://"
	}
	kv, err := store.Open(at)
	must(err)
	app.OnStop(func(context.Context) error { return kv.Close() })

	a := &accounts{
		db: db, members: orm.Of[Member](db), kv: kv, debug: app.Config().Debug,
		sessions: session.New(kv, session.Options{MaxAge: 7 * 24 * time.Hour, Idle: 24 * time.Hour}),
		hasher:   auth.NewHasher(auth.HasherOptions{Policy: auth.Policy{Words: []string{"record shop"}}}),
		throttle: auth.NewThrottle(kv, auth.ThrottleOptions{}),
		mailer:   mail.Outbox(mail.Options{From: "Record shop <shop@shop.example>", Sent: kv}), // mail.SMTP would send it
	}
	a.login = auth.SessionLogin(session.From, auth.LoginOptions{Page: "/sign-in", Load: a.identity})
	app.Install(a.mailer) // with ISHAA_DEBUG=1 it shows what it was given at /_ishaa/outbox
	app.OnListen(func(url string) { a.address.Store(url) })

	b := ishaa.NewBlueprint("accounts", "", a.sessions.Middleware()) // the shop's other pages go without
	limits := []ishaa.RouteOption{ishaa.BodyLimit(8 << 10), middleware.RateLimit(middleware.RateLimitOptions{Max: 30, Name: "accounts", Store: kv})}
	b.Get("/register", a.form("account-register.html"), ishaa.Name("register"))
	ishaa.Post(b, "/register", a.Register, limits...)
	b.Get("/register/sent", a.sent, ishaa.Name("sent"))
	b.Get("/confirm/<token>", a.confirmPage, ishaa.Name("confirm"))
	ishaa.Post(b, "/confirm/<token>", a.Confirm, limits...)
	b.Get("/sign-in", a.signInPage, ishaa.Name("signin"))
	ishaa.Post(b, "/sign-in", a.SignIn, limits...)
	b.Post("/sign-out", a.signOut, ishaa.Name("signout"))
	b.OnStatus(401, a.showForm)
	b.OnStatus(422, a.showForm)
	b.OnStatus(429, a.showForm)

	// Who is not signed in is sent to the sign-in page, and from there back to where they wanted to go.
	members := ishaa.NewBlueprint("members", "", a.sessions.Middleware()).With(auth.LoginRequired(a.login))
	members.Get("/account", a.account, ishaa.Name("account"))
	members.Post("/account/sessions", a.endSessions, ishaa.Name("sessions"))
	members.Get("/staff", a.staffPage, ishaa.Name("staff"), auth.RoleRequired(staff))
	members.OnStatus(403, a.refused)
	app.Register(b)
	app.Register(members)
	return a
}

// identity finds who a session's user is, for each request: a role that is taken away counts at once.
func (a *accounts) identity(ctx context.Context, id string) (*auth.Identity, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, err
	}
	m, err := a.members.Get(ctx, number)
	if errors.Is(err, orm.ErrNotFound) {
		return nil, nil // there is no such member any more
	} else if err != nil {
		return nil, err
	}
	who := &auth.Identity{Value: &m}
	employed, err := orm.Of[Employee](a.db).Filter("email", m.Email).Exists(ctx)
	if employed {
		who.Roles = []string{staff}
	}
	return who, err
}

// byEmail finds a member. There may be none, which is no error: then the row is empty.
func (a *accounts) byEmail(ctx context.Context, email string) (Member, error) {
	m, err := a.members.Filter("email", email).First(ctx)
	if errors.Is(err, orm.ErrNotFound) {
		return Member{}, nil
	}
	return m, err
}

// form is a handler that shows a form as it is in the beginning.
func (a *accounts) form(page string) ishaa.Handler {
	return func(*ishaa.Request) (any, error) {
		return template.Page(page, map[string]any{"form": emptyForm()}), nil
	}
}

// misfit is what the tags of a form would have said, had they known.
func misfit(field, rule, message string) error {
	return ishaa.Unprocessable("%s %s", field, message).
		With("errors", []schema.Violation{{Pointer: "/" + field, In: "form", Rule: rule, Message: message}})
}

// showForm answers a form that was refused by its page: what is wrong stands beside the fields, and what cannot be put beside
// one stands above. Passwords do not come back.
func (a *accounts) showForm(r *ishaa.Request, err error) (any, error) {
	problem, ok := err.(*ishaa.Problem)
	if !ok || r.Method() != "POST" || r.Accepts("application/json", "text/html") != "text/html" {
		return nil, err
	}
	sent, formErr := r.Form()
	if formErr != nil {
		return nil, err
	}
	f := &form{Values: map[string]string{}, Errors: map[string]string{}}
	for _, name := range []string{"name", "email", "next"} {
		f.Values[name] = sent.Value(name)
	}
	violations, _ := problem.Extensions["errors"].([]schema.Violation)
	for _, v := range violations {
		f.Errors[strings.TrimPrefix(v.Pointer, "/")] = v.Message
	}
	data := map[string]any{"form": f, "next": f.Values["next"]}
	maps.Copy(r.Response().Header(), problem.Header) // Retry-After and WWW-Authenticate belong to the page too
	if len(violations) == 0 {
		data["alert"] = problem.Detail
	}
	switch {
	case strings.HasPrefix(r.Path(), "/confirm/"):
		return template.Page("account-confirm.html", data), nil
	case r.Path() == "/register":
		return template.Page("account-register.html", data), nil
	}
	return template.Page("account-signin.html", data), nil
}
