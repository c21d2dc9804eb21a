package ishaa

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/clientip"
)

// Config is what may differ between a developer's machine and a server. Each
// field is taken from the first place that has it: the flags of Run, the
// environment, the file .env in the working directory, the Config given to New,
// the default. The name of the variable stands beside each field. A variable that
// is empty counts as not set.
type Config struct {
	Addr        string // ISHAA_ADDR: "host:port", or "unix:/path" for a socket; default "127.0.0.1:8000"
	Debug       bool   // ISHAA_DEBUG: error pages with code for clients on this machine; readable logs
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

	LogLevel slog.Level   // ISHAA_LOG_LEVEL: debug, info (default), warn, error
	LogJSON  bool         // ISHAA_LOG_JSON: records as JSON instead of text
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
	}
}

// setting is one field as text.
type setting struct {
	name, usage string // the name as a flag; the variable is derived from it
	set         func(*Config, string) error
	isBool      bool
}

func (s setting) variable() string {
	return "ISHAA_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

var settings = []setting{
	textSetting("addr", "address to listen on: host:port or unix:/path", func(c *Config) *string { return &c.Addr }),
	boolSetting("debug", "error pages with code, for clients on this machine", func(c *Config) *bool { return &c.Debug }),
	textSetting("secret", "what the application signs with, at least 32 bytes", func(c *Config) *string { return &c.Secret }),
	textSetting("database-url", "the database", func(c *Config) *string { return &c.DatabaseURL }),
	textSetting("store-url", "the shared store", func(c *Config) *string { return &c.StoreURL }),
	{name: "trusted-proxies", usage: "addresses and networks whose word is taken, separated by commas", set: func(c *Config, text string) error {
		c.TrustedProxies = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				c.TrustedProxies = append(c.TrustedProxies, part)
			}
		}
		return nil
	}},
	textSetting("proxy-header", "header that trusted proxies maintain", func(c *Config) *string { return &c.ProxyHeader }),
	textSetting("tls-cert", "file with the certificate chain", func(c *Config) *string { return &c.TLSCert }),
	textSetting("tls-key", "file with the certificate's key", func(c *Config) *string { return &c.TLSKey }),
	{name: "body-limit", usage: "largest body in bytes", set: func(c *Config, text string) (err error) {
		c.BodyLimit, err = strconv.ParseInt(text, 10, 64)
		return err
	}},
	durationSetting("read-header-timeout", "time for a request's head", func(c *Config) *time.Duration { return &c.ReadHeaderTimeout }),
	durationSetting("read-timeout", "time for a whole request", func(c *Config) *time.Duration { return &c.ReadTimeout }),
	durationSetting("write-timeout", "time for an answer", func(c *Config) *time.Duration { return &c.WriteTimeout }),
	durationSetting("idle-timeout", "time between requests of a connection", func(c *Config) *time.Duration { return &c.IdleTimeout }),
	durationSetting("drain-timeout", "time for requests under way at shutdown", func(c *Config) *time.Duration { return &c.DrainTimeout }),
	{name: "max-header-bytes", usage: "largest request head in bytes", set: func(c *Config, text string) (err error) {
		c.MaxHeaderBytes, err = strconv.Atoi(text)
		return err
	}},
	{name: "log-level", usage: "debug, info, warn or error", set: func(c *Config, text string) error {
		return c.LogLevel.UnmarshalText([]byte(text))
	}},
	boolSetting("log-json", "log records as JSON", func(c *Config) *bool { return &c.LogJSON }),
}

func textSetting(name, usage string, field func(*Config) *string) setting {
	return setting{name: name, usage: usage, set: func(c *Config, text string) error { *field(c) = text; return nil }}
}

func boolSetting(name, usage string, field func(*Config) *bool) setting {
	return setting{name: name, usage: usage, isBool: true, set: func(c *Config, text string) (err error) {
		*field(c), err = strconv.ParseBool(text)
		return err
	}}
}

func durationSetting(name, usage string, field func(*Config) *time.Duration) setting {
	return setting{name: name, usage: usage, set: func(c *Config, text string) (err error) {
		*field(c), err = time.ParseDuration(text)
		return err
	}}
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
	file, err := readDotEnv(".env")
	if err != nil {
		return cfg, err
	}
	for _, s := range settings {
		where := "the environment"
		text := os.Getenv(s.variable())
		if text == "" {
			text, where = file[s.variable()], ".env"
		}
		if text == "" {
			continue
		}
		if err := s.apply(&cfg, text, s.variable()+" in "+where); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// apply sets a field. A secret is never repeated in the message.
func (s setting) apply(cfg *Config, text, where string) error {
	if err := s.set(cfg, text); err != nil {
		var number *strconv.NumError
		if errors.As(err, &number) {
			err = number.Err
		}
		return fmt.Errorf("%s: %q is not right for %s (%s): %w", where, text, s.name, s.usage, err)
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
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// configure checks a configuration and builds what follows from it.
func (a *App) configure(cfg Config) error {
	proxies, err := proxiesOf(cfg)
	if err != nil {
		return err
	}
	switch {
	case cfg.Addr == "":
		return errors.New("addr: it is empty; write host:port, or unix:/path")
	case cfg.BodyLimit <= 0:
		return fmt.Errorf("body-limit: %d is not a positive number of bytes", cfg.BodyLimit)
	case cfg.Secret != "" && len(cfg.Secret) < 32:
		return errors.New("secret: it has fewer than 32 bytes; make one with: openssl rand -hex 32")
	case (cfg.TLSCert == "") != (cfg.TLSKey == ""):
		return errors.New("tls-cert and tls-key: give both or neither")
	}
	a.config, a.proxies = cfg, proxies
	a.logger = cfg.Logger
	if a.logger == nil {
		a.logger = newLogger(os.Stderr, cfg)
	}
	fill[Codec](&a.codec, standardCodec{})
	fill[Clock](&a.clock, systemClock{})
	return nil
}

func newLogger(out io.Writer, cfg Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

func proxiesOf(cfg Config) (*clientip.Proxies, error) {
	for _, text := range cfg.TrustedProxies {
		if _, err := netip.ParsePrefix(text); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(text); err != nil {
			return nil, fmt.Errorf("trusted-proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)
		}
	}
	if len(cfg.TrustedProxies) == 0 {
		return nil, nil
	}
	proxies, err := clientip.Parse(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	proxies.Header = cfg.ProxyHeader
	return proxies, proxies.Validate()
}

// readDotEnv reads NAME=value lines. Values may be quoted; # begins a comment at
// the start of a line or after a space. A missing file is empty.
func readDotEnv(name string) (map[string]string, error) {
	file, err := os.Open(name)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, nil
		}
		return nil, err
	}
	defer file.Close()
	values := map[string]string{}
	scanner := bufio.NewScanner(file)
	for line := 1; scanner.Scan(); line++ {
		key, value, ok, err := parseEnvLine(scanner.Text())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if ok {
			values[key] = value
		}
	}
	return values, scanner.Err()
}

func parseEnvLine(line string) (key, value string, ok bool, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", false, nil
	}
	key, value, ok = strings.Cut(strings.TrimPrefix(line, "export "), "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" || strings.ContainsAny(key, " \t") {
		return "", "", false, errors.New("expected NAME=value")
	}
	quoted, after := strings.TrimSpace(value), ""
	switch {
	case strings.HasPrefix(quoted, "'"):
		if value, after, ok = strings.Cut(quoted[1:], "'"); !ok {
			return "", "", false, fmt.Errorf("the value of %s has no closing quote", key)
		}
	case strings.HasPrefix(quoted, `"`):
		literal, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return "", "", false, fmt.Errorf("the value of %s has no closing quote, or an escape that is none", key)
		}
		after = quoted[len(literal):]
		if value, err = strconv.Unquote(literal); err != nil {
			return "", "", false, fmt.Errorf("the value of %s is not a quoted string", key)
		}
	default:
		value, _, _ = strings.Cut(value, " #")
		value = strings.TrimSpace(value)
	}
	if after = strings.TrimSpace(after); after != "" && after[0] != '#' {
		return "", "", false, fmt.Errorf("something follows the closing quote of the value of %s", key)
	}
	return key, value, true, nil
}
