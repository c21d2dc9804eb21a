package ishaa

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/clientip"
	"github.com/ishaa-framework/ishaa/internal/dotenv"
	"github.com/ishaa-framework/ishaa/internal/textlog"
)

// Config is what may differ between a developer's machine and a server. Each
// field is taken from the first place that has it: the flags of Run, the
// environment, the file .env in the working directory, the Config given to New,
// the default. The name of the variable stands beside each field; the flag is the
// same without ISHAA_, in lower case and with dashes. A variable that is empty, and
// a field of the given Config that is zero, count as not set. A negative timeout is
// none, but for DrainTimeout.
type Config struct {
	Addr        string // ISHAA_ADDR: "host:port", or "unix:/path" for a socket; default "127.0.0.1:8000"
	Debug       bool   // ISHAA_DEBUG: error pages with code for clients on this machine
	Secret      string // ISHAA_SECRET: what the application signs with; at least 32 bytes
	DatabaseURL string // ISHAA_DATABASE_URL
	StoreURL    string // ISHAA_STORE_URL

	// TrustedProxies are addresses and networks ("10.0.0.0/8") whose word on the
	// client's address, scheme and host is taken. ISHAA_TRUSTED_PROXIES, separated
	// by commas; default none.
	TrustedProxies []string
	// ProxyHeader is the header that those proxies maintain: "X-Forwarded-For"
	// (default) or "Forwarded". ISHAA_PROXY_HEADER.
	ProxyHeader string

	TLSCert string // ISHAA_TLS_CERT: a file with the certificate chain in PEM
	TLSKey  string // ISHAA_TLS_KEY: a file with its key

	BodyLimit int64 // ISHAA_BODY_LIMIT: bytes of body a route takes unless it says otherwise; default 1 MiB

	ReadHeaderTimeout time.Duration // ISHAA_READ_HEADER_TIMEOUT: for a request's head; default 5s
	ReadTimeout       time.Duration // ISHAA_READ_TIMEOUT: for a whole request; default 30s
	WriteTimeout      time.Duration // ISHAA_WRITE_TIMEOUT: from the head to the last byte; streams have their own rule; default 60s
	IdleTimeout       time.Duration // ISHAA_IDLE_TIMEOUT: between requests of a connection; default 120s
	DrainTimeout      time.Duration // ISHAA_DRAIN_TIMEOUT: for requests under way at shutdown; default 20s
	MaxHeaderBytes    int           // ISHAA_MAX_HEADER_BYTES: of a request's head; default 64 KiB

	Server string // ISHAA_SERVER: what speaks HTTP/1.1, "nethttp" (default) or "ishaa" (package server); HTTP/2 is net/http's either way

	LogLevel slog.Level   // ISHAA_LOG_LEVEL: debug, info (default), warn, error
	LogJSON  bool         // ISHAA_LOG_JSON: records as JSON instead of text
	LogTo    io.Writer    // where records are written; default standard error
	Logger   *slog.Logger // in place of one made from the fields above
}

func defaultConfig() Config {
	return Config{
		Addr:              "127.0.0.1:8000",
		ProxyHeader:       clientip.XForwardedFor,
		BodyLimit:         1 << 20,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		DrainTimeout:      20 * time.Second,
		MaxHeaderBytes:    64 << 10,
		Server:            serverStd,
	}
}

// setting is one field as text.
type setting struct {
	name, usage string // the name as a flag; the variable is derived from it
	isBool      bool
	secret      bool                        // the text stands in no message
	set         func(*Config, string) error // the error says what is expected
	check       func(*Config) error         // likewise, for a value that did not come as text; may be nil
	show        func(*Config) string
}

func (s setting) variable() string {
	return "ISHAA_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// field makes a setting of a field and a function that reads its text.
func field[T any](name, usage, expected string, of func(*Config) *T, parse func(string) (T, error)) setting {
	_, isBool := any(new(T)).(*bool)
	return setting{
		name: name, usage: usage, isBool: isBool,
		set: func(c *Config, text string) error {
			value, err := parse(text)
			if err != nil {
				return errors.New("give " + expected)
			}
			*of(c) = value
			return nil
		},
		show: func(c *Config) string { return fmt.Sprint(*of(c)) },
	}
}

func textField(name, usage string, of func(*Config) *string) setting {
	return field(name, usage, "", of, func(text string) (string, error) { return text, nil })
}

func boolField(name, usage string, of func(*Config) *bool) setting {
	return field(name, usage, "true or false", of, strconv.ParseBool)
}

func durationField(name, usage string, of func(*Config) *time.Duration) setting {
	return field(name, usage, "a duration such as 30s or 2m", of, time.ParseDuration)
}

func (s setting) checked(check func(*Config) error) setting {
	s.check = check
	return s
}

func (s setting) kept() setting {
	s.secret = true
	return s
}

var settings = []setting{
	textField("addr", "address to listen on: host:port or unix:/path", func(c *Config) *string { return &c.Addr }).checked(checkAddr),
	boolField("debug", "error pages with code, for clients on this machine", func(c *Config) *bool { return &c.Debug }),
	textField("secret", "what the application signs with, at least 32 bytes; better as a variable, since flags show in ps",
		func(c *Config) *string { return &c.Secret }).kept().checked(checkSecret),
	textField("database-url", "the database", func(c *Config) *string { return &c.DatabaseURL }).kept(),
	textField("store-url", "the shared store", func(c *Config) *string { return &c.StoreURL }).kept(),
	field("trusted-proxies", "addresses and networks whose word is taken, separated by commas", "",
		func(c *Config) *[]string { return &c.TrustedProxies }, splitList).checked(checkProxies),
	textField("proxy-header", "header that trusted proxies maintain", func(c *Config) *string { return &c.ProxyHeader }).checked(checkProxyHeader),
	textField("tls-cert", "file with the certificate chain in PEM", func(c *Config) *string { return &c.TLSCert }),
	textField("tls-key", "file with the certificate's key in PEM", func(c *Config) *string { return &c.TLSKey }),
	field("body-limit", "largest body in bytes", "a number of bytes, such as 1048576", func(c *Config) *int64 { return &c.BodyLimit },
		func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }).checked(checkPositive(func(c *Config) int64 { return c.BodyLimit })),
	durationField("read-header-timeout", "time for a request's head", func(c *Config) *time.Duration { return &c.ReadHeaderTimeout }),
	durationField("read-timeout", "time for a whole request", func(c *Config) *time.Duration { return &c.ReadTimeout }),
	durationField("write-timeout", "time for an answer", func(c *Config) *time.Duration { return &c.WriteTimeout }),
	durationField("idle-timeout", "time between requests of a connection", func(c *Config) *time.Duration { return &c.IdleTimeout }),
	durationField("drain-timeout", "time for requests under way at shutdown", func(c *Config) *time.Duration { return &c.DrainTimeout }).checked(checkDrain),
	field("max-header-bytes", "largest request head in bytes", "a number of bytes, such as 65536", func(c *Config) *int { return &c.MaxHeaderBytes },
		strconv.Atoi).checked(checkPositive(func(c *Config) int64 { return int64(c.MaxHeaderBytes) })),
	textField("server", "what speaks HTTP/1.1: nethttp or ishaa", func(c *Config) *string { return &c.Server }).checked(checkServer),
	field("log-level", "debug, info, warn or error", "debug, info, warn or error", func(c *Config) *slog.Level { return &c.LogLevel },
		func(text string) (level slog.Level, err error) { return level, level.UnmarshalText([]byte(text)) }),
	boolField("log-json", "log records as JSON", func(c *Config) *bool { return &c.LogJSON }),
}

func splitList(text string) (list []string, _ error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

func checkAddr(c *Config) error {
	if strings.HasPrefix(c.Addr, "unix:") {
		return nil
	}
	if c.Addr == "" {
		return errors.New("it is empty; give host:port or unix:/path")
	}
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		return errors.New("give host:port, such as 127.0.0.1:8000 or :8000, or unix:/path")
	}
	return nil
}

func checkSecret(c *Config) error {
	if c.Secret != "" && len(c.Secret) < 32 {
		return errors.New("it has fewer than 32 bytes; make one with: openssl rand -hex 32")
	}
	return nil
}

func checkProxies(c *Config) error {
	for _, text := range c.TrustedProxies {
		_, errPrefix := netip.ParsePrefix(text)
		_, errAddr := netip.ParseAddr(text)
		if errPrefix != nil && errAddr != nil {
			return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", text)
		}
	}
	_, err := clientip.Parse(c.TrustedProxies)
	return err
}

func checkProxyHeader(c *Config) error {
	if (&clientip.Proxies{Header: c.ProxyHeader}).Validate() != nil {
		return fmt.Errorf("give %s or %s", clientip.XForwardedFor, clientip.Forwarded)
	}
	return nil
}

func checkPositive(of func(*Config) int64) func(*Config) error {
	return func(c *Config) error {
		if of(c) <= 0 {
			return errors.New("give a positive number of bytes")
		}
		return nil
	}
}

// The servers to choose from.
const (
	serverOwn = "ishaa"
	serverStd = "nethttp"
)

func checkServer(c *Config) error {
	if c.Server != serverOwn && c.Server != serverStd {
		return fmt.Errorf("give %s or %s", serverOwn, serverStd)
	}
	return nil
}

func checkDrain(c *Config) error {
	if c.DrainTimeout < 0 {
		return errors.New("give a duration that is not negative")
	}
	return nil
}

// loadConfig reads the environment and .env over what New was given.
func loadConfig(given ...Config) (Config, error) {
	cfg := defaultConfig()
	if len(given) > 1 {
		return cfg, fmt.Errorf("give one Config, not %d", len(given))
	}
	if len(given) == 1 {
		cfg = given[0].withDefaults(cfg)
	}
	for _, s := range settings {
		if err := s.valid(&cfg, "Config: "+s.name); err != nil {
			return cfg, err
		}
	}
	file, err := dotenv.Read(".env")
	if err != nil {
		return cfg, err
	}
	for _, s := range settings {
		name := s.variable()
		text, where := os.Getenv(name), name+" in the environment"
		if text == "" {
			text, where = file[name].Text, fmt.Sprintf("%s in .env:%d", name, file[name].Line)
		}
		if text == "" {
			continue
		}
		if err := s.apply(&cfg, text, where); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// apply sets a field from text that came from where. The text of a secret is not
// repeated in the message.
func (s setting) apply(cfg *Config, text, where string) error {
	if !s.secret {
		where = fmt.Sprintf("%s: %q", where, text)
	}
	if err := s.set(cfg, text); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return s.valid(cfg, where)
}

func (s setting) valid(cfg *Config, where string) error {
	if s.check == nil {
		return nil
	}
	if err := s.check(cfg); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// withDefaults fills in the fields that are zero.
func (c Config) withDefaults(d Config) Config {
	fill(&c.Addr, d.Addr)
	fill(&c.ProxyHeader, d.ProxyHeader)
	fill(&c.BodyLimit, d.BodyLimit)
	fill(&c.ReadHeaderTimeout, d.ReadHeaderTimeout)
	fill(&c.ReadTimeout, d.ReadTimeout)
	fill(&c.WriteTimeout, d.WriteTimeout)
	fill(&c.IdleTimeout, d.IdleTimeout)
	fill(&c.DrainTimeout, d.DrainTimeout)
	fill(&c.MaxHeaderBytes, d.MaxHeaderBytes)
	fill(&c.Server, d.Server)
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// configure puts a configuration into force whose fields are valid one by one.
func (a *App) configure(cfg Config) error {
	if (cfg.TLSCert == "") != (cfg.TLSKey == "") {
		return errors.New("tls-cert and tls-key: give both or neither")
	}
	proxies, err := clientip.Parse(cfg.TrustedProxies)
	if err != nil {
		return err
	}
	if proxies != nil {
		proxies.Header = cfg.ProxyHeader
	}
	a.config, a.proxies = cfg, proxies
	a.logger = cfg.Logger
	if a.logger == nil {
		a.logger = newLogger(cfg)
	}
	fill[Codec](&a.codec, standardCodec{})
	fill[Clock](&a.clock, systemClock{})
	return nil
}

func newLogger(cfg Config) *slog.Logger {
	out := cfg.LogTo
	if out == nil {
		out = os.Stderr
	}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: cfg.LogLevel}))
	}
	return slog.New(textlog.New(out, cfg.LogLevel))
}
