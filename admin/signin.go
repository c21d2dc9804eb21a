package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
)

// Account is somebody who signs in to a panel that has accounts of its own.
type Account struct {
	ID       int64
	Name     string `db:"size:80,unique"` // in lower case
	Hash     string `db:"size:255"`
	Roles    string `db:"size:200"` // with blanks between
	Disabled bool
	Created  time.Time `db:"auto_now_add"`
}

// TableName implements orm.Tabler.
func (Account) TableName() string { return "admin_accounts" }

// TableAside implements orm.Aside: the panel makes the table when it starts.
func (Account) TableAside() {}

// AdminName is what the log and the pages call an identity whose Value has it; otherwise that is its Subject.
func (a *Account) AdminName() string { return a.Name }

// accounts sign people in who have an account of the panel's own.
type accounts struct {
	panel    *Panel
	hasher   *auth.Hasher
	throttle *auth.Throttle
	origin   *secure.CrossOrigin
}

func (p *Panel) ownAccounts(app *ishaa.App) error {
	kv := p.options.Store
	if kv == nil {
		memory := store.NewMemory(store.MemoryOptions{})
		app.OnStop(func(context.Context) error { return memory.Close() })
		kv = memory
	}
	a := &accounts{panel: p, hasher: p.options.Hasher, throttle: auth.NewThrottle(kv, auth.ThrottleOptions{})}
	if a.hasher == nil {
		a.hasher = auth.NewHasher()
	}
	var err error
	if a.origin, err = secure.NewCrossOrigin(secure.CrossOriginOptions{}); err != nil {
		return err
	}
	p.accounts = a
	p.sessions = session.New(kv, session.Options{Cookie: "admin", Prefix: "admin-session", MaxAge: 12 * time.Hour, Idle: time.Hour})
	p.login = auth.SessionLogin(p.sessions.From, auth.LoginOptions{Page: p.at("-", "sign-in"), Load: a.identity, Cookie: "admin"})
	app.Command(ishaa.Command{
		Name: "admin", Usage: "make an account for the admin panel, or give it a new password: admin NAME ROLE …",
		Run: func(ctx context.Context, _ *ishaa.App, args []string, out io.Writer) error {
			return a.command(ctx, args, out)
		},
	})
	return nil
}

// command makes an account with a password that it prints.
func (a *accounts) command(ctx context.Context, args []string, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("give a name and at least one role: admin ann admin")
	}
	password := rand.Text() // 128 bits
	if err := a.panel.SetAccount(ctx, args[0], password, args[1:]...); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s can sign in at %s with the password\n%s\n", strings.ToLower(args[0]), a.panel.at(), password)
	return nil
}

// SetAccount makes an account for a panel that has accounts of its own, or changes the password and the roles of one. The
// account's other sessions end as their password changes.
func (p *Panel) SetAccount(ctx context.Context, name, password string, roles ...string) error {
	if p.accounts == nil {
		return errors.New("admin: this panel has no accounts of its own: it is not installed yet, or Options.Login signs people in")
	}
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || len(name) > 80 {
		return errors.New("admin: an account's name has 1 to 80 letters")
	}
	for _, role := range roles {
		if _, ok := p.options.Roles[role]; !ok {
			return fmt.Errorf("admin: there is no role %q: see Options.Roles", role)
		}
	}
	hash, err := p.accounts.hasher.HashContext(ctx, password)
	if err != nil {
		return err
	}
	if err := makeTable[Account](ctx, p.db); err != nil {
		return err
	}
	slices.Sort(roles)
	account, err := orm.Of[Account](p.db).Upsert(ctx, Account{Name: name, Hash: hash, Roles: strings.Join(slices.Compact(roles), " ")}, "name")
	if err != nil {
		return err
	}
	return p.sessions.EndAll(ctx, strconv.FormatInt(account.ID, 10))
}

// identity finds the account of a session, for each request: a role that was taken away counts at once.
func (a *accounts) identity(ctx context.Context, id string) (*auth.Identity, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, err
	}
	account, err := orm.Of[Account](a.panel.db).Get(ctx, number)
	if errors.Is(err, orm.ErrNotFound) || err == nil && account.Disabled {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &auth.Identity{Subject: id, Roles: strings.Fields(account.Roles), Value: &account}, nil
}

func (a *accounts) page(r *ishaa.Request) (any, error) {
	user, err := a.panel.sessions.From(r).User()
	if err != nil {
		return nil, err
	}
	if user != "" {
		return a.login().Return(r, a.panel.at()), nil
	}
	return a.show(r, r.Query("next"), "", "")
}

func (a *accounts) login() *auth.Login { return a.panel.login }

func (a *accounts) show(r *ishaa.Request, next, name, alert string) (any, error) {
	return a.panel.render(r, "sign-in.html", "", map[string]any{"next": next, "name": name, "alert": alert, "here": r.Path()})
}

// fromHere refuses a sign-in that a page elsewhere has a browser send, to have somebody work in a foreign account without
// noticing it. Before there is a session there is no token that such a page could not have got for itself, so what counts is
// what browsers say of where a request comes from. One that does not say it is refused, whatever the program allows elsewhere.
func (a *accounts) fromHere(r *ishaa.Request) error {
	said := http.Header{"Origin": r.HeaderValues("Origin"), "Sec-Fetch-Site": r.HeaderValues("Sec-Fetch-Site")}
	asked := &http.Request{Method: "POST", URL: r.URL(), Host: r.Host(), Header: said}
	if len(said["Origin"])+len(said["Sec-Fetch-Site"]) == 0 || a.origin.Check(asked, r.Scheme() == "https") != nil {
		return ishaa.Forbidden("%s", a.panel.said(r, "The form does not come from this site. Load the page again; a program sends the header Origin."))
	}
	return nil
}

// signIn says no more than that name and password do not belong together, and takes as long for a name that nobody has.
func (a *accounts) signIn(r *ishaa.Request) (any, error) {
	if err := a.fromHere(r); err != nil {
		return nil, err
	}
	form, err := r.Form()
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSpace(form.Value("name")))
	attempt, err := a.throttle.Attempt(r, name)
	if err != nil {
		return nil, err
	}
	account, err := orm.Of[Account](a.panel.db).Filter("name", name).First(r.Context())
	if err != nil && !errors.Is(err, orm.ErrNotFound) {
		return nil, err
	}
	ok, rehash, err := a.hasher.VerifyContext(r.Context(), form.Value("password"), account.Hash) // the hash of nobody is ""
	if err != nil {
		return nil, err
	}
	if !ok || account.Disabled {
		return nil, ishaa.Unauthorized("the name or the password is wrong").WithHeader("WWW-Authenticate", a.login().Challenge())
	}
	attempt.Succeeded()
	if rehash {
		if account.Hash, err = a.hasher.Rehash(r.Context(), form.Value("password")); err != nil {
			return nil, err
		}
		if err := orm.Of[Account](a.panel.db).Save(r.Context(), &account, orm.Only("hash")); err != nil {
			return nil, err
		}
	}
	return a.login().Return(r, a.panel.at()), a.login().SignIn(r, strconv.FormatInt(account.ID, 10))
}

// again shows the page once more, with what was wrong.
func (a *accounts) again(r *ishaa.Request, err error) (any, error) {
	var problem *ishaa.Problem
	if !errors.As(err, &problem) || r.Method() != "POST" {
		return nil, err
	}
	form, formErr := r.Form()
	if formErr != nil {
		return nil, err
	}
	for name, values := range problem.Header { // Retry-After and WWW-Authenticate belong to the page too
		r.Response().Header()[name] = values
	}
	text := "The name or the password is wrong."
	if problem.Status == 429 {
		text = "Too many tries. Wait a while, and try again."
	}
	return a.show(r, form.Value("next"), form.Value("name"), a.panel.said(r, text))
}

func (a *accounts) passwordPage(v *visit) (any, error) { return a.showPassword(v, "", 0) }

func (a *accounts) showPassword(v *visit, alert string, status int) (any, error) {
	res, err := v.show("password.html", map[string]any{"alert": alert})
	if err == nil && status != 0 {
		return res.(*ishaa.Response).WithStatus(status), nil
	}
	return res, err
}

// changePassword wants the present one too: a browser that was left alone is not enough.
func (a *accounts) changePassword(v *visit) (any, error) {
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	account, err := auth.User[*Account](v.r)
	if err != nil {
		return nil, err
	}
	attempt, err := a.throttle.Attempt(v.r, account.Name)
	if err != nil {
		return nil, err
	}
	ok, _, err := a.hasher.VerifyContext(v.ctx, form.Value("password"), account.Hash)
	if err != nil {
		return nil, err
	}
	if !ok {
		return a.showPassword(v, v.say("The present password is wrong."), 422)
	}
	attempt.Succeeded()
	hash, err := a.hasher.HashContext(v.ctx, form.Value("new"))
	if err != nil {
		return a.showPassword(v, v.say("The new password will not do: %s.", v.say(err.Error())), 422)
	}
	account.Hash = hash
	if err := orm.Of[Account](a.panel.db).Save(v.ctx, account, orm.Only("hash")); err != nil {
		return nil, err
	}
	mine, err := a.panel.sessions.From(v.r).Handle()
	if err != nil {
		return nil, err
	}
	if err := a.panel.sessions.EndAll(v.ctx, v.who.Subject, mine); err != nil {
		return nil, err
	}
	return v.done("success", v.say("The password was changed. Your other sessions have ended."), a.panel.at())
}
