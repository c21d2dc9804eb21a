package mail

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/localonly"
)

// Outbox returns a mailer that sends nothing: it keeps the last 200 messages for
// Messages, and once it is installed in an application that runs in debug mode shows
// them at /_ishaa/outbox, to clients on this machine.
func Outbox(options ...Options) *Mailer { return newMailer(options) }

// Sent is a message that an outbox has kept.
type Sent struct {
	ID         string // the Message-ID, without its brackets
	When       time.Time
	From       Address
	Recipients []string
	Subject    string
	Text       string // as it was sent, also where it was made of the HTML
	HTML       string
	Files      []string // the names of attachments and inline images
	Raw        []byte   // the whole message, as it would have gone out
}

const outboxSize = 200

type outbox struct {
	mu   sync.Mutex
	list []Sent // the latest last
}

func (o *outbox) add(b *built) {
	sent := Sent{
		ID: b.id, When: b.when, From: b.from, Recipients: b.recipients, Subject: b.subject, Text: b.text, HTML: b.html, Raw: b.raw,
	}
	for _, f := range b.files {
		sent.Files = append(sent.Files, f.name)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) == outboxSize {
		o.list = append(o.list[:0], o.list[1:]...)
	}
	o.list = append(o.list, sent)
}

// Messages returns what an outbox has kept, the oldest first. It is empty for a
// mailer that sends.
func (m *Mailer) Messages() []Sent {
	m.outbox.mu.Lock()
	defer m.outbox.mu.Unlock()
	return append([]Sent(nil), m.outbox.list...)
}

// Forget empties an outbox.
func (m *Mailer) Forget() {
	m.outbox.mu.Lock()
	defer m.outbox.mu.Unlock()
	m.outbox.list = nil
}

// The policies of the pages: the list needs nothing but its own style, and a message's
// HTML runs nothing and loads nothing, as it is somebody's data.
const (
	listPolicy    = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	messagePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)

func (m *Mailer) mount(app *ishaa.App) {
	guard := localonly.Guard()
	app.Get("/_ishaa/outbox", m.page, guard)
	app.Get("/_ishaa/outbox/<id>/<part>", m.part, guard)
}

func (m *Mailer) page(*ishaa.Request) (any, error) {
	var out strings.Builder
	out.WriteString(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Outbox</title><style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
article{border:1px solid #ccc;border-radius:6px;padding:1rem;margin:1rem 0}
h2{margin:0;font-size:1.1rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}iframe{width:100%;height:24rem;border:1px solid #ccc}
</style><h1>Outbox</h1>`)
	list := m.Messages()
	if len(list) == 0 {
		out.WriteString("<p>No message yet. Reload the page when one was sent.</p>")
	}
	for i := len(list) - 1; i >= 0; i-- {
		s := list[i]
		id := html.EscapeString(s.ID)
		fmt.Fprintf(&out, `<article><h2>%s</h2><p>%s<br>From %s<br>To %s</p><details><summary>Text</summary><pre>%s</pre></details>`,
			html.EscapeString(s.Subject), html.EscapeString(s.When.Format(time.RFC1123)), html.EscapeString(s.From.String()),
			html.EscapeString(strings.Join(s.Recipients, ", ")), html.EscapeString(s.Text))
		if s.HTML != "" {
			fmt.Fprintf(&out, `<details><summary>HTML</summary><iframe sandbox src="/_ishaa/outbox/%s/html"></iframe></details>`, id)
		}
		if len(s.Files) > 0 {
			fmt.Fprintf(&out, "<p>Files: %s</p>", html.EscapeString(strings.Join(s.Files, ", ")))
		}
		fmt.Fprintf(&out, `<p><a href="/_ishaa/outbox/%s/raw">Source</a></p></article>`, id)
	}
	return ishaa.HTML(out.String()).WithHeader("Content-Security-Policy", listPolicy).WithHeader("Cache-Control", "no-store"), nil
}

func (m *Mailer) part(r *ishaa.Request) (any, error) {
	for _, s := range m.Messages() {
		if s.ID != r.Param("id") {
			continue
		}
		switch r.Param("part") {
		case "html":
			return ishaa.HTML(s.HTML).WithHeader("Content-Security-Policy", messagePolicy).WithHeader("Cache-Control", "no-store"), nil
		case "raw":
			return ishaa.Text(string(s.Raw)).WithHeader("Cache-Control", "no-store"), nil
		}
	}
	return nil, ishaa.NotFound("the outbox has no such message")
}
