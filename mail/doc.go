// Package mail sends messages by SMTP: text and HTML from templates, attachments,
// DKIM signatures, and in development a page that shows them in place of sending.
//
//	package main
//
//	import (
//		"os"
//
//		"github.com/ishaa-framework/ishaa"
//		"github.com/ishaa-framework/ishaa/mail"
//		"github.com/ishaa-framework/ishaa/template"
//	)
//
//	func main() {
//		app := ishaa.New("shop")
//		engine := template.New(os.DirFS("templates"))
//		options := mail.Options{From: "Shop <shop@example.com>", Templates: engine}
//		mailer := mail.SMTP("smtp://user:password@mail.example.com", options)
//		if app.Config().Debug {
//			mailer = mail.Outbox(options) // shows them at /_ishaa/outbox
//		}
//		app.Install(engine, mailer)
//		app.Post("/welcome", func(r *ishaa.Request) (any, error) {
//			message := mail.To(r.Query("to")).Subject("Welcome").
//				Template("welcome.html", map[string]any{"name": "Ann"}).
//				IdempotencyKey("welcome " + r.Query("to"))
//			return nil, mailer.Send(r.Context(), message)
//		})
//		app.Run()
//	}
//
// # What is refused
//
// A message whose addresses, names, subject or headers hold a line break, a NUL or
// another character that does not belong there is refused as a whole, with an error
// that says which; nothing is taken out silently. So is an address that is not a
// plain one (see ParseAddress).
//
// # Transport
//
// smtp:// needs STARTTLS, smtps:// speaks TLS from the start; both check the
// server's certificate. Only to this machine may be spoken without, by
// smtp://127.0.0.1:1025?tls=off. A message goes to all recipients or, if the server
// refuses one, to none.
//
// Under effect.WithShadow a message is checked and rendered, reported and not sent.
package mail
