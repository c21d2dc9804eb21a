package auth

import (
	"context"
	"errors"
	"net/url"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Session is what sign-in needs of a session: *session.Session has it.
type Session interface {
	// User returns who is signed in, or "".
	User() (string, error)
	// SignIn makes the session that of a user, under a new id.
	SignIn(user string) error
	// Destroy ends the session at once.
	Destroy() error
}

// LoginOptions are the settings of SessionLogin.
type LoginOptions struct {
	// Page is the path of the login page, such as "/login". Browsers that are not
	// signed in are sent there with the address they wanted in the parameter "next".
	// Without it they get a 401 like everybody else.
	Page string

	// Load returns the identity of a user, with roles and a value for User. It is
	// called for each request, so a role that is taken away, or an account that is
	// closed, counts at once. Nil says that there is no such account, or that it is
	// disabled. By default the identity is the user's id alone.
	Load func(ctx context.Context, user string) (*Identity, error)

	// Cookie is the session's, as documents name it; default "session".
	Cookie string
}

// Login is sign-in by sessions, a Guard with a login page.
type Login struct {
	from    func(*ishaa.Request) Session
	options LoginOptions
}

// SessionLogin returns sign-in by the sessions that a function finds:
//
//	login := auth.SessionLogin(session.From, auth.LoginOptions{Page: "/login", Load: accounts.Identity})
//	app.Get("/account", account, auth.LoginRequired(login))
func SessionLogin[S Session](from func(*ishaa.Request) S, options LoginOptions) *Login {
	if from == nil {
		mistake("SessionLogin: the function that finds sessions is nil; give session.From")
	}
	if options.Page != "" && !secure.LocalRedirect(options.Page) {
		mistake("SessionLogin: the Page %q is not a path of this site, such as /login", options.Page)
	}
	setDefault(&options.Cookie, "session")
	return &Login{func(r *ishaa.Request) Session { return from(r) }, options}
}

// SignIn signs a user in, once the credentials were found right: the session gets a
// new id, and what the rest of the request asks for is the new identity.
func (l *Login) SignIn(r *ishaa.Request, user string) error {
	if user == "" {
		return errors.New("auth: SignIn: the user is empty")
	}
	who, err := l.Load(r.Context(), user)
	if err != nil {
		return err
	}
	if who == nil {
		return ishaa.Forbidden("this account cannot sign in")
	}
	if err := l.from(r).SignIn(user); err != nil {
		return err
	}
	who.guard = l
	identity.Set(r, who)
	return nil
}

// SignOut ends the session, on all nodes at once.
func (l *Login) SignOut(r *ishaa.Request) error {
	if err := l.from(r).Destroy(); err != nil {
		return err
	}
	identity.Set(r, nil)
	return nil
}

// Return sends the browser to where it wanted to go before it had to sign in, the
// parameter "next" of the query or the form. That is a path of this site; anything
// else, and nothing, leads to the fallback.
func (l *Login) Return(r *ishaa.Request, fallback string) *ishaa.Response {
	next := r.Query("next")
	if next == "" && r.Method() == "POST" {
		if form, err := r.Form(); err == nil {
			next = form.Value("next")
		}
	}
	return ishaa.RedirectLocal(next, fallback)
}

// Identify returns the identity of the session's user.
func (l *Login) Identify(r *ishaa.Request) (*Identity, error) {
	user, err := l.from(r).User()
	if err != nil || user == "" {
		return nil, err
	}
	return l.Load(r.Context(), user)
}

// Load returns the identity of a user as it is now, for what is done in their name
// outside of a request, such as a job. Nil says that there is no such account, or that
// it is disabled.
func (l *Login) Load(ctx context.Context, user string) (*Identity, error) {
	if l.options.Load == nil {
		return &Identity{Subject: user}, nil
	}
	found, err := l.options.Load(ctx, user)
	if err != nil || found == nil {
		return nil, err
	}
	who := *found // which may be shared
	if who.Subject == "" {
		who.Subject = user
	}
	return &who, nil
}

// Login sends a browser to the login page, if there is one.
func (l *Login) Login(r *ishaa.Request) (any, error) {
	if l.options.Page == "" {
		return nil, nil
	}
	page, err := url.Parse(l.options.Page)
	if err != nil {
		return nil, err
	}
	if next := nextTarget(r); next != "" {
		query := page.Query()
		query.Set("next", next)
		page.RawQuery = query.Encode()
	}
	return ishaa.Redirect(page.String()), nil
}

// Challenge names the cookie and the page, as draft-broyer-http-cookie-auth does:
// every 401 has a challenge (RFC 9110 §15.5.2), and none that is registered stands for
// a session.
func (l *Login) Challenge() string {
	challenge := `Cookie realm="sign-in", cookie-name="` + quotable(l.options.Cookie) + `"`
	if l.options.Page != "" {
		challenge += `, form-action="` + quotable(l.options.Page) + `"`
	}
	return challenge
}

// Security describes the session's cookie.
func (l *Login) Security() ishaa.Security {
	return ishaa.Security{Name: "session", Type: "apiKey", In: "cookie", Parameter: l.options.Cookie}
}

var _ LoginPage = (*Login)(nil)
