package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/template"
)

// registration is the form. Whether the password will do is for the hasher's policy to say.
type registration struct {
	Name     string `form:"name" required:"true" minLength:"2" maxLength:"80"`
	Email    string `form:"email" required:"true" format:"email" maxLength:"254"`
	Password string `form:"password" required:"true"`
}

// pending is a registration that waits for its confirmation, in the store, for whoever has the token that was mailed.
type pending struct {
	Name, Email, Hash string
}

// confirmWithin is how long a link is good for.
const confirmWithin = time.Hour

// Register sends a mail to whoever owns the address: a link, or the news that there is an account already. The answer is
// the same, so that nobody finds out here who is a member.
func (a *accounts) Register(ctx context.Context, in *registration) (*ishaa.Response, error) {
	email := strings.ToLower(in.Email)
	if _, err := mail.ParseAddress(email); err != nil {
		return nil, misfit("email", "format", "must be an e-mail address that mail can be sent to")
	}
	account, _, _ := strings.Cut(email, "@")
	if err := a.hasher.Check(in.Password, in.Name, account); err != nil {
		var refused *auth.PolicyError
		if errors.As(err, &refused) {
			return nil, misfit("password", "policy", refused.Reason)
		}
		return nil, err
	}
	hash, err := a.hasher.HashContext(ctx, in.Password) // also where it will not be needed: that takes as long
	if err != nil {
		return nil, err
	}
	known, err := a.byEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	message := mail.To(email)
	if known.ID != 0 {
		message.Subject("You have an account already").
			Text("Somebody has tried to register at the record shop with this address, which has an account.\nIf it was you, sign in:\n\n" + a.link("/sign-in") + "\n")
	} else {
		token := rand.Text()
		value, err := json.Marshal(pending{in.Name, email, hash})
		if err != nil {
			return nil, err
		}
		if err := a.kv.Set(ctx, pendingKey(token), value, confirmWithin); err != nil {
			return nil, err
		}
		message.Subject("Confirm your address").
			Text("Hello, " + in.Name + ",\nto finish your registration at the record shop, follow this link within an hour:\n\n" +
				a.link("/confirm/"+token) + "\n\nIf you have not registered, there is nothing to do.\n")
	}
	if err := a.mailer.Send(ctx, message); err != nil {
		return nil, err
	}
	return ishaa.Redirect("/register/sent"), nil
}

// pendingKey has a hash of the token: who reads the store can confirm nothing by it.
func pendingKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "tour:pending:" + hex.EncodeToString(sum[:])
}

func (a *accounts) link(path string) string {
	shop, _ := a.address.Load().(string)
	return shop + path
}

func (a *accounts) sent(*ishaa.Request) (any, error) {
	return template.Page("account-sent.html", map[string]any{"debug": a.debug}), nil
}

func (a *accounts) confirmPage(r *ishaa.Request) (any, error) {
	if _, err := a.waiting(r.Context(), r.Param("token")); err != nil {
		return nil, err
	}
	return template.Page("account-confirm.html", map[string]any{"form": emptyForm()}), nil
}

// waiting finds a registration by its token.
func (a *accounts) waiting(ctx context.Context, token string) (p pending, err error) {
	if len(token) != 26 {
		return p, &missing{"registration", token}
	}
	value, err := a.kv.Get(ctx, pendingKey(token))
	if errors.Is(err, store.ErrNotFound) {
		return p, &missing{"registration", token}
	} else if err != nil {
		return p, err
	}
	return p, json.Unmarshal(value, &p)
}

type confirmation struct {
	Token    string `path:"token"`
	Password string `form:"password" required:"true"`
	Request  *ishaa.Request
}

// Confirm makes the account. It asks for the password once more: who has registered with the address of somebody else knows the
// password but has no mail, and who gets such mail unasked has no password.
func (a *accounts) Confirm(ctx context.Context, in *confirmation) (*ishaa.Response, error) {
	p, err := a.waiting(ctx, in.Token)
	if err != nil {
		return nil, err
	}
	if _, err := a.verified(in.Request, p.Email, in.Password, p.Hash); err != nil {
		return nil, err
	}
	m, err := a.members.Create(ctx, Member{Email: p.Email, Name: p.Name, Hash: p.Hash, Joined: in.Request.Time()})
	if errors.Is(err, orm.ErrUnique) {
		return nil, ishaa.Conflict("this address has an account already")
	} else if err != nil {
		return nil, err
	}
	if err := a.kv.Delete(ctx, pendingKey(in.Token)); err != nil {
		return nil, err
	}
	if err := a.login.SignIn(in.Request, strconv.FormatInt(m.ID, 10)); err != nil {
		return nil, err
	}
	return ishaa.Redirect("/account"), session.From(in.Request).Flash("success", "Welcome to the shop, "+m.Name+".")
}
