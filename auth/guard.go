package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Identity is who asks, as a guard found out.
type Identity struct {
	Subject string   // who it is: an account's id
	Roles   []string // what RoleRequired goes by
	Value   any      // what User gives, when it is of the type that is asked for

	// Claims is a JSON object that User decodes when Value is of another type.
	Claims json.RawMessage

	guard Guard
}

// HasRole reports whether the identity has one of the roles.
func (i *Identity) HasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(i.Roles, role) })
}

// Guard finds out who asks, by one kind of credentials.
type Guard interface {
	// Identify returns who asks: nil when the request has no credentials of this
	// kind, an error when it has some that are not accepted. It does not change the
	// answer.
	Identify(r *ishaa.Request) (*Identity, error)

	// Challenge is the WWW-Authenticate header for a request that has none, or "".
	Challenge() string

	// Security describes the guard for documents.
	Security() ishaa.Security
}

// LoginPage is a Guard that people sign in to on a page: LoginRequired sends them
// there.
type LoginPage interface {
	Guard
	// Login answers a request of a browser that has no credentials. A nil answer
	// leaves it to the next guard, or a 401.
	Login(r *ishaa.Request) (any, error)
}

// identity is who asks, for the rest of the request. It is not traced, so an answer
// that depends on it is never given to anybody else.
var identity = ishaa.NewKey[*Identity]("identity")

// guarded marks routes that LoginRequired is on.
var guarded = ishaa.NewAnnotation[bool]("login required")

// LoginRequired lets only those through who are signed in, by any one of the
// guards; they are asked in order. Others get a 401 problem with the guards'
// challenges, or are sent to the login page if a guard has one and they want HTML.
// Credentials that are there but wrong are refused, whatever the other guards would
// say. Answers are Cache-Control: no-store unless the handler says otherwise.
//
//	app.Get("/account", account, auth.LoginRequired(jwt))
//	admin := ishaa.NewBlueprint("admin", "/admin").With(auth.LoginRequired(login, jwt), auth.RoleRequired("admin"))
func LoginRequired(guards ...Guard) ishaa.RouteOption {
	if len(guards) == 0 || slices.Contains(guards, nil) {
		mistake("LoginRequired: give at least one guard, such as the result of auth.JWT, and none that is nil")
	}
	return ishaa.Options(
		ishaa.OptionFunc(func(route *ishaa.Route) error {
			schemes := make([]ishaa.Security, len(guards))
			for i, guard := range guards {
				schemes[i] = guard.Security()
			}
			if err := route.Annotate(ishaa.SecurityScheme, schemes); err != nil {
				return err
			}
			return route.Annotate(guarded, true)
		}),
		ishaa.Middleware{
			Name:   "login-required",
			Before: func(r *ishaa.Request) (any, error) { return admit(r, guards) },
			After:  keepPrivate,
		},
	)
}

// admit identifies who asks, or answers.
func admit(r *ishaa.Request, guards []Guard) (any, error) {
	for _, guard := range guards {
		found, err := guard.Identify(r)
		if err != nil {
			return nil, err
		}
		if found != nil {
			who := *found
			who.guard = guard
			identity.Set(r, &who)
			return nil, nil
		}
	}
	for _, guard := range guards {
		if page, ok := guard.(LoginPage); ok && wantsPage(r) {
			if answer, err := page.Login(r); answer != nil || err != nil {
				return answer, err
			}
		}
	}
	return nil, unauthorized(guards)
}

func unauthorized(guards []Guard) error {
	problem := ishaa.Unauthorized("sign in first")
	for _, guard := range guards {
		if challenge := guard.Challenge(); challenge != "" {
			problem.WithHeader("WWW-Authenticate", challenge)
		}
	}
	return problem
}

// wantsPage reports whether a person in a browser asks.
func wantsPage(r *ishaa.Request) bool {
	return r.Header("Accept") != "" && r.Accepts("application/problem+json", "application/json", "text/html") == "text/html"
}

// RoleRequired lets only those through who have one of the roles; others get a 403.
// It comes after LoginRequired, also after one that a blueprint has for all its
// routes: without it the program stops when it starts.
func RoleRequired(roles ...string) ishaa.RouteOption {
	if len(roles) == 0 || slices.Contains(roles, "") {
		mistake("RoleRequired: give at least one role, and none that is empty")
	}
	return ishaa.Options(
		ishaa.OptionFunc(func(route *ishaa.Route) error { return restrict(route, roles) }),
		ishaa.Middleware{Name: "role-required", Before: func(r *ishaa.Request) (any, error) {
			who := identity.Get(r)
			if who == nil {
				return nil, fmt.Errorf("auth: RoleRequired(%q): nobody was identified before", roles)
			}
			if who.HasRole(roles...) {
				return nil, nil
			}
			return nil, insufficient(who, roles)
		}},
	)
}

// restrict notes the roles with the ways to sign in.
func restrict(route *ishaa.Route, roles []string) error {
	if on, _ := guarded.Of(route); !on {
		return fmt.Errorf("auth.RoleRequired(%q) has no guard before it: put auth.LoginRequired(…) in front of it", roles)
	}
	schemes, _ := ishaa.SecurityScheme.Of(route)
	schemes = slices.Clone(schemes)
	for i := range schemes {
		schemes[i].Scopes = slices.Concat(schemes[i].Scopes, roles)
	}
	return route.Annotate(ishaa.SecurityScheme, schemes)
}

// insufficient is the answer to somebody who is known and may not do this.
func insufficient(who *Identity, roles []string) error {
	problem := ishaa.Forbidden("your account does not have the role that this takes")
	if tokens, ok := who.guard.(*Tokens); ok {
		problem.WithHeader("WWW-Authenticate", bearerChallenge(tokens.realm, "insufficient_scope", "the token does not have the role that this takes"))
	}
	return problem
}

// Require has a function of the program's own decide, after the guards before it:
// its error answers the request, usually ishaa.Forbidden. It may read the identity,
// the parameters and the database, and is to change nothing.
//
//	app.Delete("/posts/<int:id>", remove, auth.LoginRequired(jwt), auth.Require(ownsPost))
func Require(allowed func(r *ishaa.Request) error) ishaa.RouteOption {
	if allowed == nil {
		mistake("Require: the function is nil")
	}
	return ishaa.Middleware{Name: "permission", Before: func(r *ishaa.Request) (any, error) { return nil, allowed(r) }}
}

// Optional finds out who asks without requiring it: for pages that greet those who
// are signed in. Wrong credentials are refused. Answers are kept from caches as
// those of LoginRequired are.
func Optional(guards ...Guard) ishaa.Middleware {
	return ishaa.Middleware{
		Name: "login-optional",
		Before: func(r *ishaa.Request) (any, error) {
			for _, guard := range guards {
				found, err := guard.Identify(r)
				if err != nil || found != nil {
					identity.Set(r, found)
					return nil, err
				}
			}
			return nil, nil
		},
		After: keepPrivate,
	}
}

func keepPrivate(_ *ishaa.Request, res *ishaa.Response) error {
	if header := res.Header(); header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-store")
	}
	return nil
}

// Who returns the identity of who asks, or nil when nobody is signed in. It is not
// to be changed.
func Who(r *ishaa.Request) *Identity { return identity.Get(r) }

// User returns who asks as a type of the program's own: the identity's Value if it
// is a T, else its claims decoded into a T. When nobody is signed in the error is
// answered by 401, when the identity cannot be read as a T by 500.
//
//	me, err := auth.User[Claims](r)
func User[T any](r *ishaa.Request) (T, error) { return userOf[T](identity.Get(r)) }

// UserFrom is User for code that has only the context, such as typed handlers.
func UserFrom[T any](ctx context.Context) (T, error) {
	who, _ := identity.From(ctx)
	return userOf[T](who)
}

func userOf[T any](who *Identity) (user T, err error) {
	if who == nil {
		return user, ishaa.Unauthorized("sign in first")
	}
	if value, ok := who.Value.(T); ok {
		return value, nil
	}
	if who.Claims == nil {
		return user, fmt.Errorf("auth: User: the identity is a %T and has no claims; ask for that type", who.Value)
	}
	if err := json.Unmarshal(who.Claims, &user); err != nil {
		return user, fmt.Errorf("auth: User: the claims are not a %T: %w", user, err)
	}
	return user, nil
}

// Identify makes Tokens a Guard: it takes the token of an Authorization header with
// the scheme Bearer (RFC 6750 §2.1). Tokens in forms and queries end up in logs and
// are not looked for.
func (t *Tokens) Identify(r *ishaa.Request) (*Identity, error) {
	values := r.HeaderValues("Authorization")
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, ishaa.BadRequest("there is more than one Authorization header").
			WithHeader("WWW-Authenticate", bearerChallenge(t.realm, "invalid_request", "there is more than one Authorization header"))
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, nil
	}
	ctx := r.Context()
	checked, err := t.accept(ctx, strings.TrimLeft(token, " "), timeOf(ctx, t.clock))
	if refused, ok := err.(*TokenError); ok {
		return nil, refused.problem(t.realm).Wrap(refused)
	}
	if err != nil {
		return nil, err
	}
	return &Identity{Subject: checked.subject, Roles: checked.roles, Claims: checked.payload}, nil
}

// Challenge is "Bearer" with the realm.
func (t *Tokens) Challenge() string { return bearerChallenge(t.realm, "", "") }

// Security describes bearer tokens.
func (t *Tokens) Security() ishaa.Security {
	return ishaa.Security{Name: "bearer", Type: "http", Scheme: "bearer", Format: "JWT"}
}

// nextTarget is the address that a login page sends back to: that of the request,
// if it is one to go back to.
func nextTarget(r *ishaa.Request) string {
	if method := r.Method(); method != "GET" && method != "HEAD" {
		return ""
	}
	target := r.URL().RequestURI()
	if len(target) > 2048 || !secure.LocalRedirect(target) {
		return ""
	}
	return target
}
