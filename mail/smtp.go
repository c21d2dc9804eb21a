package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// server is where messages are handed in.
type server struct {
	host, port     string
	user, password string
	implicit       bool // TLS from the first byte
	plain          bool // no TLS at all
	tls            *tls.Config
	hello          string
	timeout        time.Duration
}

func newServer(u *url.URL, o Options) (*server, error) {
	s := &server{host: u.Hostname(), port: u.Port(), hello: o.Hello, timeout: o.Timeout}
	switch u.Scheme {
	case "smtp":
		s.defaultPort("587")
	case "smtps":
		s.implicit = true
		s.defaultPort("465")
	default:
		return nil, fmt.Errorf("the scheme %q is neither smtp nor smtps", u.Scheme)
	}
	if s.host == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" || u.Opaque != "" {
		return nil, errors.New("the address has to be like smtp://user:password@mail.example.com:587")
	}
	if u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	for name, values := range u.Query() {
		switch {
		case name == "tls" && len(values) == 1 && values[0] == "off":
			if s.implicit || !thisMachine(s.host) {
				return nil, errors.New("?tls=off is for smtp:// to this machine only")
			}
			s.plain = true
		default:
			return nil, fmt.Errorf("the option %q is not known; there is ?tls=off", name)
		}
	}
	s.tls = &tls.Config{}
	if o.TLS != nil {
		s.tls = o.TLS.Clone()
	}
	s.tls.ServerName = s.host
	s.tls.MinVersion = max(s.tls.MinVersion, tls.VersionTLS12)
	return s, nil
}

func (s *server) defaultPort(port string) {
	if s.port == "" {
		s.port = port
	}
}

func thisMachine(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// deliver hands a message in, on a connection of its own.
func (s *server) deliver(ctx context.Context, b *built) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return s.fail(ctx, "connect", err)
	}
	// The end of the context ends whatever is being waited for.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	defer conn.Close()
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return s.fail(ctx, "connect", err)
	}
	if err := client.Hello(s.hello); err != nil {
		return s.fail(ctx, "connect", err)
	}
	if stage, err := s.secureAndSignIn(client); err != nil {
		return s.fail(ctx, stage, err)
	}
	stage, err := transmit(client, b)
	if err != nil {
		return s.fail(ctx, stage, err)
	}
	_ = client.Quit() // the message is the server's already
	return nil
}

func (s *server) connect(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return nil, err
	}
	if !s.implicit {
		return conn, nil
	}
	secured := tls.Client(conn, s.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// secureAndSignIn does STARTTLS and AUTH. Nothing secret is said before TLS.
func (s *server) secureAndSignIn(client *smtp.Client) (stage string, err error) {
	if !s.implicit && !s.plain {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return "tls", errors.New("the server does not offer STARTTLS; messages are not sent without encryption")
		}
		if err := client.StartTLS(s.tls); err != nil {
			return "tls", err
		}
	}
	if s.user == "" {
		return "", nil
	}
	offered, mechanisms := client.Extension("AUTH")
	if !offered {
		return "sign in", errors.New("the server does not offer to sign in")
	}
	list := strings.Fields(strings.ToUpper(mechanisms))
	has := func(name string) bool {
		for _, m := range list {
			if m == name {
				return true
			}
		}
		return false
	}
	switch {
	case has("SCRAM-SHA-256"):
		err = client.Auth(smtp.ScramSHA256Auth(s.user, s.password))
	case has("PLAIN"):
		err = client.Auth(smtp.PlainAuth("", s.user, s.password, s.host, s.plain))
	case has("LOGIN"):
		err = client.Auth(smtp.LoginAuth(s.user, s.password, s.host, s.plain))
	default:
		err = fmt.Errorf("the server offers %s; SCRAM-SHA-256, PLAIN and LOGIN are known", mechanisms)
	}
	return "sign in", err
}

// transmit gives envelope and content. A recipient that is refused ends it before
// the content, so that nobody gets it.
func transmit(client *smtp.Client, b *built) (stage string, err error) {
	if err := client.Mail(b.from.Address); err != nil {
		return "sender", err
	}
	for _, recipient := range b.recipients {
		if err := client.Rcpt(recipient); err != nil {
			return "recipient", fmt.Errorf("%s: %w", recipient, err)
		}
	}
	w, err := client.Data()
	if err != nil {
		return "content", err
	}
	if _, err := w.Write(b.raw); err != nil {
		return "content", err
	}
	return "content", w.Close()
}

// fail classifies what went wrong. The server's 4xx and what happens to connections
// pass; its 5xx, certificates and what this package refuses do not.
func (s *server) fail(ctx context.Context, stage string, err error) error {
	failed := &Error{Stage: stage, Err: err}
	var answer *textproto.Error
	var network net.Error
	switch {
	case errors.As(err, &answer):
		failed.Code, failed.Temporary = answer.Code, answer.Code/100 == 4
	case ctx.Err() != nil:
		failed.Temporary, failed.Err = true, fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case errors.As(err, &network):
		failed.Temporary = true
	default:
		failed.Temporary = isConnectionEnd(err)
	}
	return failed
}

// isConnectionEnd reports what becomes of a connection whose other end goes away.
func isConnectionEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
