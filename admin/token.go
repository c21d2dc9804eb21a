package admin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/session"
)

// Whoever makes a browser of somebody who is signed in send a form is refused twice: by the framework's default, which goes by
// what browsers say of where a request comes from, and by a token that only pages of the same session have. The token is the
// session's secret under a mask that is new on each page, so that compression of pages does not give it away.

const (
	tokenSize  = 32
	tokenKey   = "admin.token"
	tokenField = "_token"
)

// token is the token for the forms of a page.
func (p *Panel) token(r *ishaa.Request) (string, error) {
	s := p.sessions.From(r)
	text, err := session.Value[string](s, tokenKey)
	if err != nil {
		return "", err
	}
	secret, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(secret) != tokenSize {
		secret = make([]byte, tokenSize)
		rand.Read(secret) // never fails
		if err := s.Set(tokenKey, base64.RawURLEncoding.EncodeToString(secret)); err != nil {
			return "", err
		}
	}
	masked := make([]byte, 2*tokenSize)
	rand.Read(masked[:tokenSize])
	subtle.XORBytes(masked[tokenSize:], masked[:tokenSize], secret)
	return base64.RawURLEncoding.EncodeToString(masked), nil
}

// checkToken refuses a request without the session's token in its form or its header X-CSRF-Token.
func (p *Panel) checkToken(r *ishaa.Request) error {
	sent := r.Header("X-CSRF-Token")
	if sent == "" {
		form, err := r.Form()
		if err != nil {
			return err
		}
		sent = form.Value(tokenField)
	}
	text, err := session.Value[string](p.sessions.From(r), tokenKey)
	if err != nil {
		return err
	}
	secret, err := base64.RawURLEncoding.DecodeString(text)
	masked, err2 := base64.RawURLEncoding.DecodeString(sent)
	if err != nil || err2 != nil || len(secret) != tokenSize || len(masked) != 2*tokenSize {
		return p.refusedToken(r)
	}
	subtle.XORBytes(masked[tokenSize:], masked[:tokenSize], masked[tokenSize:])
	if subtle.ConstantTimeCompare(masked[tokenSize:], secret) != 1 {
		return p.refusedToken(r)
	}
	return nil
}

func (p *Panel) refusedToken(r *ishaa.Request) error {
	return ishaa.Forbidden("%s", p.said(r, "The form does not belong to this session. Load the page again."))
}

// theme keeps whether somebody wants light or dark pages, or what the system says.
func (p *Panel) theme(v *visit) (any, error) {
	form, err := v.r.Form()
	if err != nil {
		return nil, err
	}
	res := ishaa.RedirectLocal(form.Value("next"), p.at())
	switch want := form.Value("theme"); want {
	case "dark", "light":
		res.SetCookie(&http.Cookie{Name: "admin-theme", Value: want, Path: p.options.Prefix, MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode})
	default:
		res.SetCookie(&http.Cookie{Name: "admin-theme", Value: "", Path: p.options.Prefix, MaxAge: -1})
	}
	return res, nil
}
