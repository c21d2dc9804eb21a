package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/template"
)

// Options are the settings of a Mailer.
type Options struct {
	// From is who sends messages that do not say so.
	From string

	// Templates are what Message.Template renders.
	Templates *template.Engine

	// DKIM signs every message, if it is set.
	DKIM *DKIM

	// Timeout is how long sending one message may take; default 30 seconds.
	Timeout time.Duration

	// MaxConns is how many messages are sent at once; default 4. More wait.
	MaxConns int

	// Sent remembers for a week which IdempotencyKeys were sent. Without it, the key
	// only makes the message's id.
	Sent store.KV

	// TLS is for servers with a certificate of their own authority. MinVersion is at
	// least 1.2, and the name that is checked is the URL's.
	TLS *tls.Config

	// Hello is the name that this machine gives itself; default the domain of From.
	Hello string

	Clock ishaa.Clock // default that of the application, or the system's
}

// Mailer sends messages. It is safe for concurrent use.
type Mailer struct {
	options Options
	from    Address
	signing *dkim.SignOptions
	server  *server // nil: an outbox
	slots   chan struct{}
	outbox  outbox
}

// SMTP returns a mailer that sends by a server: "smtp://user:password@host" with
// STARTTLS on port 587, or "smtps://user:password@host" with TLS on port 465, unless
// the URL names another port. The password is escaped as in any URL. "?tls=off" is
// for a server on this machine. A URL or an option that cannot be right panics, as a
// mistake in the program.
func SMTP(address string, options ...Options) *Mailer {
	m := newMailer(options)
	u, err := url.Parse(address)
	if err != nil {
		panic("mail.SMTP: the address is not a URL such as smtp://user:password@mail.example.com") // not err: it repeats the password
	}
	if m.server, err = newServer(u, m.options); err != nil {
		panic("mail.SMTP: " + err.Error())
	}
	return m
}

func newMailer(options []Options) *Mailer {
	if len(options) > 1 {
		panic("mail: give one Options")
	}
	m := &Mailer{}
	if len(options) == 1 {
		m.options = options[0]
	}
	o := &m.options
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxConns == 0 {
		o.MaxConns = 4
	}
	if o.Timeout < 0 || o.MaxConns < 0 {
		panic("mail: Timeout and MaxConns are positive, or 0 for the default")
	}
	var err error
	if o.From != "" {
		if m.from, err = ParseAddress(o.From); err != nil {
			panic("mail: Options.From: " + err.Error())
		}
	}
	if o.DKIM != nil {
		if m.signing, err = o.DKIM.options(); err != nil {
			panic("mail: Options.DKIM: " + err.Error())
		}
	}
	if o.Hello == "" {
		o.Hello = "localhost"
		if m.from.Address != "" {
			o.Hello = domainOf(m.from.Address)
		}
	}
	if !hostName(o.Hello) {
		panic("mail: Options.Hello: " + o.Hello + " is not a host name")
	}
	m.slots = make(chan struct{}, o.MaxConns)
	return m
}

// Install implements ishaa.Plugin. An outbox gets its page, in debug mode.
func (m *Mailer) Install(app *ishaa.App) error {
	if m.options.Clock == nil {
		m.options.Clock = app.Clock()
	}
	if m.server == nil && app.Config().Debug {
		m.mount(app)
	}
	return nil
}

func (m *Mailer) now() time.Time {
	if m.options.Clock != nil {
		return m.options.Clock.Now()
	}
	return time.Now()
}

// Error says at what point a message failed to be sent.
type Error struct {
	Stage     string // "connect", "tls", "sign in", "sender", "recipient", "content"
	Code      int    // the server's, such as 550, or 0
	Temporary bool   // trying again later may help
	Err       error
}

// Error gives the stage and the reason.
func (e *Error) Error() string { return "mail: " + e.Stage + ": " + e.Err.Error() }

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.Err }

// IsTemporary reports whether trying again later may help.
func IsTemporary(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Temporary
}

// ErrUnderWay is what Send gives while a message with the same IdempotencyKey is
// being sent, or was when the program ended.
var ErrUnderWay = errors.New("mail: a message with this idempotency key is being sent")

// Send renders the message and hands it to the server. When it returns without an
// error the server has taken it over for all recipients; with one, for none, unless
// the connection was lost at the very end. What is wrong with the message itself is
// a plain error, what is wrong with the way an *Error.
func (m *Mailer) Send(ctx context.Context, message *Message) error {
	built, err := m.build(ctx, message)
	if err != nil {
		return err
	}
	if effect.Intend(ctx, effect.Intent{Kind: "mail", Target: built.target(), Detail: built.detail}) {
		return nil
	}
	if message.key != "" && m.options.Sent != nil {
		return m.sendOnce(ctx, message.key, built)
	}
	return m.deliver(ctx, built)
}

func (m *Mailer) deliver(ctx context.Context, b *built) error {
	if m.server == nil {
		m.outbox.add(b)
		return nil
	}
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.Timeout)
	defer cancel()
	return m.server.deliver(ctx, b)
}

// How long a key is remembered once its message was sent, and while it is being sent.
const (
	sentFor    = 7 * 24 * time.Hour
	sendingFor = 10 * time.Minute
)

// sendOnce sends unless the key says that it was done. A key is taken before the
// message goes out and given back if it surely did not; where that is not known it
// stays taken for a while.
func (m *Mailer) sendOnce(ctx context.Context, key string, b *built) error {
	name := "mail:sent:" + digest(key)
	taken, err := m.options.Sent.CompareAndSwap(ctx, name, nil, []byte("sending"), sendingFor)
	if err != nil {
		return fmt.Errorf("mail: looking up the idempotency key: %w", err)
	}
	if !taken {
		state, err := m.options.Sent.Get(ctx, name)
		switch {
		case err == nil && string(state) == "sent":
			return nil
		case err == nil || errors.Is(err, store.ErrNotFound):
			return &Error{Stage: "connect", Temporary: true, Err: ErrUnderWay}
		}
		return fmt.Errorf("mail: looking up the idempotency key: %w", err)
	}
	sendErr := m.deliver(ctx, b)
	// Whatever became of the caller, what became of the message has to be noted.
	noteCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.options.Timeout)
	defer cancel()
	var failed *Error
	switch {
	case sendErr == nil:
		err = m.options.Sent.Set(noteCtx, name, []byte("sent"), sentFor)
	case errors.As(sendErr, &failed) && failed.Stage == "content" && failed.Code == 0: // the end is not known
	default:
		err = m.options.Sent.Delete(noteCtx, name)
	}
	if sendErr != nil {
		return sendErr
	}
	if err != nil {
		return fmt.Errorf("mail: the message was sent, but its idempotency key could not be noted: %w", err)
	}
	return nil
}
