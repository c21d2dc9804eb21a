package mail_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/template"
)

func Example() {
	templates := template.New(fstest.MapFS{
		"welcome.html": {Data: []byte("<h1>Hello, {{ name }}</h1><p>Glad to have you.</p>")},
	})
	mailer := mail.Outbox(mail.Options{From: "Shop <shop@example.com>", Templates: templates}) // or mail.SMTP(url, …)

	message := mail.To("ann@example.com").Subject("Welcome").Template("welcome.html", map[string]any{"name": "Ann"})
	if err := mailer.Send(context.Background(), message); err != nil {
		fmt.Println(err)
	}
	for _, sent := range mailer.Messages() {
		fmt.Println(sent.Subject, "to", sent.Recipients)
		fmt.Println(sent.Text)
	}

	err := mailer.Send(context.Background(), mail.To("ann@example.com\r\nBcc: eve@example.com"))
	fmt.Println(err)
	// Output:
	// Welcome to [ann@example.com]
	// Hello, Ann
	//
	// Glad to have you.
	//
	// mail: the address "ann@example.com\r\nBcc: eve@example.com" has the character U+000D, which has no place there
}
