package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/template"
)

func (a *accounts) signInPage(r *ishaa.Request) (any, error) {
	user, err := session.From(r).User()
	if err != nil {
		return nil, err
	}
	if user != "" {
		return a.login.Return(r, "/account"), nil
	}
	flashes, err := session.Flashes(r)
	return template.Page("account-signin.html", map[string]any{"form": emptyForm(), "next": r.Query("next"), "flashes": flashes}), err
}

type credentials struct {
	Email    string         `form:"email" required:"true" maxLength:"254"`
	Password string         `form:"password" required:"true"`
	Request  *ishaa.Request // for the throttle, the session and where to go next
}

// SignIn says no more than that the two do not belong together, and takes as long for an address without an account.
func (a *accounts) SignIn(ctx context.Context, in *credentials) (*ishaa.Response, error) {
	email := strings.ToLower(in.Email)
	m, err := a.byEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	rehash, err := a.verified(in.Request, email, in.Password, m.Hash)
	if err != nil {
		return nil, err
	}
	if rehash {
		if m.Hash, err = a.hasher.Rehash(ctx, in.Password); err != nil {
			return nil, err
		}
		if err := a.members.Save(ctx, &m, orm.Only("hash")); err != nil {
			return nil, err
		}
	}
	return a.login.Return(in.Request, "/account"), a.login.SignIn(in.Request, strconv.FormatInt(m.ID, 10))
}

// verified is an error unless the password is right: 401, or 429 where there were too many guesses. The hash of nobody is "".
func (a *accounts) verified(r *ishaa.Request, email, password, hash string) (rehash bool, err error) {
	attempt, err := a.throttle.Attempt(r, email)
	if err != nil {
		return false, err
	}
	ok, rehash, err := a.hasher.VerifyContext(r.Context(), password, hash)
	if err != nil {
		return false, err
	}
	if !ok {
		return false, ishaa.Unauthorized("the address or the password is wrong").WithHeader("WWW-Authenticate", a.login.Challenge())
	}
	attempt.Succeeded()
	return rehash, nil
}

func (a *accounts) signOut(r *ishaa.Request) (any, error) {
	if err := a.login.SignOut(r); err != nil {
		return nil, err
	}
	return ishaa.Redirect("/sign-in"), session.From(r).Flash("success", "You are signed out.") // in a session that begins anew
}

// account shows a member's own page: who they are, and where they are signed in.
func (a *accounts) account(r *ishaa.Request) (any, error) {
	m, err := auth.User[*Member](r)
	if err != nil {
		return nil, err
	}
	list, err := a.sessions.List(r.Context(), auth.Who(r).Subject)
	if err != nil {
		return nil, err
	}
	flashes, err := session.Flashes(r)
	return template.Page("account.html", map[string]any{
		"member": m, "sessions": list, "flashes": flashes, "staff": auth.Who(r).HasRole(staff),
	}), err
}

// endSessions ends one of the member's sessions, or all but this one.
func (a *accounts) endSessions(r *ishaa.Request) (any, error) {
	form, err := r.Form()
	if err != nil {
		return nil, err
	}
	mine, err := session.From(r).Handle()
	if err != nil {
		return nil, err
	}
	user := auth.Who(r).Subject
	said := "That session has ended."
	if handle := form.Value("session"); handle != "" {
		err = a.sessions.End(r.Context(), user, handle)
	} else {
		err = a.sessions.EndAll(r.Context(), user, mine)
		said = "All other sessions have ended."
	}
	if err != nil && !errors.Is(err, session.ErrNotFound) { // it has ended meanwhile
		return nil, err
	}
	return ishaa.Redirect("/account"), session.From(r).Flash("success", said)
}

// customer is what the page for staff shows of one.
type customer struct {
	FirstName, LastName, Country, Email string
}

// staffPage shows employees whom they look after.
func (a *accounts) staffPage(r *ishaa.Request) (any, error) {
	m, err := auth.User[*Member](r)
	if err != nil {
		return nil, err
	}
	e, err := orm.Of[Employee](a.db).With("ReportsTo").Filter("email", m.Email).First(r.Context())
	if err != nil {
		return nil, err
	}
	var customers []customer
	err = orm.Of[Customer](a.db).Filter("support_rep__id", e.ID).OrderBy("last_name", "first_name").
		Values(r.Context(), &customers, "first_name", "last_name", "country", "email")
	return template.Page("account-staff.html", map[string]any{"employee": e, "boss": e.ReportsTo.Get(), "customers": customers}), err
}

// refused is the page for members who are not staff.
func (a *accounts) refused(r *ishaa.Request, err error) (any, error) {
	if r.Accepts("application/json", "text/html") != "text/html" {
		return nil, err
	}
	return template.Page("account-refused.html", nil), nil
}
