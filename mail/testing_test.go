package mail_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/ishaa-framework/ishaa/mail"
	"github.com/ishaa-framework/ishaa/template"
)

// letter is a message as the server took it.
type letter struct {
	from string
	to   []string
	data []byte
}

// postOffice is an SMTP server on loopback.
type postOffice struct {
	*smtp.Server
	port string
	tls  *tls.Config // for clients

	mu      sync.Mutex
	letters []letter
	signed  int // sessions that signed in

	user, password string
	refuse         func(stage, argument string) error
}

type officeOptions struct {
	noTLS, implicit bool
	user, password  string
	refuse          func(stage, argument string) error
}

func newPostOffice(t testing.TB, o officeOptions) *postOffice {
	server, client := certificate(t)
	p := &postOffice{tls: client, user: o.user, password: o.password, refuse: o.refuse}
	p.Server = smtp.NewServer(p)
	p.Domain = "post.example"
	p.AllowInsecureAuth = true
	p.ErrorLog = log.New(io.Discard, "", 0)
	p.MaxMessageBytes = 30 << 20
	if !o.noTLS && !o.implicit {
		p.TLSConfig = server
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.implicit {
		l = tls.NewListener(l, server)
	}
	_, p.port, _ = net.SplitHostPort(l.Addr().String())
	done := make(chan struct{})
	go func() { defer close(done); p.Serve(l) }()
	t.Cleanup(func() { p.Close(); <-done })
	return p
}

// certificate makes one for localhost, and what trusts it.
func certificate(t testing.TB) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{office: p}, nil }

func (p *postOffice) got() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.letters...)
}

type session struct {
	office *postOffice
	letter letter
	known  bool
}

func (s *session) AuthMechanisms() []string {
	if s.office.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.office.user || password != s.office.password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		s.office.mu.Lock()
		s.office.signed++
		s.office.mu.Unlock()
		return nil
	}), nil
}

func (s *session) at(stage, argument string) error {
	if s.office.refuse != nil {
		return s.office.refuse(stage, argument)
	}
	return nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.office.user != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.letter = letter{from: from}
	return s.at("sender", from)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.to = append(s.letter.to, to)
	return s.at("recipient", to)
}

func (s *session) Data(r io.Reader) error {
	var err error
	if s.letter.data, err = io.ReadAll(r); err != nil {
		return err
	}
	if err := s.at("content", ""); err != nil {
		return err
	}
	s.office.mu.Lock()
	defer s.office.mu.Unlock()
	s.office.letters = append(s.office.letters, s.letter)
	return nil
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

var templates = template.New(fstest.MapFS{
	"welcome.html": {Data: []byte("<html><head><title>x</title></head><body><h1>Hello, {{ name }}</h1><p>See <a href=\"https://shop.example/?a=1&amp;b=2\">our shop</a>.</p></body></html>")},
	"welcome.txt":  {Data: []byte("Hello, {{ name }}!\n")},
})

func shopOptions(change ...func(*mail.Options)) mail.Options {
	o := mail.Options{From: "The Shop <shop@shop.example>", Templates: templates, Timeout: 10 * time.Second}
	for _, c := range change {
		c(&o)
	}
	return o
}

func smtpError(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

func lines(data []byte) []string {
	var list []string
	for line := range bytes.Lines(data) {
		list = append(list, string(bytes.TrimRight(line, "\r\n")))
	}
	return list
}
