package ishaa_test

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// cleanEnv runs a test in an empty folder without ISHAA_ variables, and writes a
// .env file there if it has a text.
func cleanEnv(t *testing.T, dotEnv string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "ISHAA_") {
			t.Setenv(name, "")
		}
	}
	if dotEnv != "" {
		if err := os.WriteFile(".env", []byte(dotEnv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	cleanEnv(t, "")
	want := ishaa.Config{
		Addr: "127.0.0.1:8000", ProxyHeader: "X-Forwarded-For", BodyLimit: 1 << 20,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		DrainTimeout: 20 * time.Second, MaxHeaderBytes: 64 << 10, Server: "nethttp",
	}
	if got := ishaa.New("test").Config(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// Each field comes from the first place that has it: flags, environment, .env, the
// program, the defaults.
func TestConfigPrecedence(t *testing.T) {
	cleanEnv(t, "ISHAA_ADDR=127.0.0.1:3\nISHAA_STORE_URL=from-file\nISHAA_DATABASE_URL=from-file\nISHAA_READ_TIMEOUT=3s\n")
	t.Setenv("ISHAA_ADDR", "127.0.0.1:2")
	t.Setenv("ISHAA_STORE_URL", "from-environment")
	t.Setenv("ISHAA_DATABASE_URL", "") // empty is not set
	app := ishaa.New("test", ishaa.Config{
		Addr: "127.0.0.1:4", StoreURL: "from-program", DatabaseURL: "from-program", ReadTimeout: 4 * time.Second, IdleTimeout: 4 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err := app.RunArgs(t.Context(), []string{"-addr", "127.0.0.1:1", "nothing"}); err == nil {
		t.Fatal("there is no command nothing")
	}
	got := app.Config()
	for what, pair := range map[string][2]any{
		"flag before environment":     {got.Addr, "127.0.0.1:1"},
		"environment before file":     {got.StoreURL, "from-environment"},
		"file before program":         {got.DatabaseURL, "from-file"},
		"file before program, parsed": {got.ReadTimeout, 3 * time.Second},
		"program before default":      {got.IdleTimeout, 4 * time.Second},
		"default":                     {got.WriteTimeout, time.Minute},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

// Every field can be set by a variable and by a flag.
func TestConfigVariablesAndFlags(t *testing.T) {
	values := map[string]string{
		"addr": "127.0.0.1:1", "debug": "true", "secret": strings.Repeat("s", 32), "database-url": "d", "store-url": "s",
		"trusted-proxies": "10.0.0.0/8, 192.0.2.1,,", "proxy-header": "Forwarded", "tls-cert": "c", "tls-key": "k", "body-limit": "7",
		"read-header-timeout": "1s", "read-timeout": "2s", "write-timeout": "3s", "idle-timeout": "4s", "drain-timeout": "5s",
		"max-header-bytes": "8192", "server": "nethttp", "log-level": "warn", "log-json": "1",
	}
	want := ishaa.Config{
		Addr: "127.0.0.1:1", Debug: true, Secret: strings.Repeat("s", 32), DatabaseURL: "d", StoreURL: "s",
		TrustedProxies: []string{"10.0.0.0/8", "192.0.2.1"}, ProxyHeader: "Forwarded", TLSCert: "c", TLSKey: "k", BodyLimit: 7,
		ReadHeaderTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Second, IdleTimeout: 4 * time.Second,
		DrainTimeout: 5 * time.Second, MaxHeaderBytes: 8192, Server: "nethttp", LogLevel: slog.LevelWarn, LogJSON: true,
	}
	t.Run("flags", func(t *testing.T) {
		cleanEnv(t, "")
		app := ishaa.New("test")
		var args []string
		for name, value := range values {
			args = append(args, "-"+name+"="+value)
		}
		if err := quietly(t, func() error { return app.RunArgs(t.Context(), append(args, "version")) }); err != nil {
			t.Fatal(err)
		}
		if got := app.Config(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	})
	t.Run("variables", func(t *testing.T) {
		cleanEnv(t, "")
		for name, value := range values {
			t.Setenv("ISHAA_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")), value)
		}
		if got := ishaa.New("test").Config(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v", got, want)
		}
	})
}

func TestDotEnv(t *testing.T) {
	for line, want := range map[string]string{
		"ISHAA_STORE_URL=plain":                             "plain",
		"  export ISHAA_STORE_URL = spaced  ":               "spaced",
		"ISHAA_STORE_URL=a b # comment":                     "a b",
		"ISHAA_STORE_URL=a#b":                               "a#b",
		"ISHAA_STORE_URL= # nothing":                        "",
		"ISHAA_STORE_URL='single # \\n' # c":                "single # \\n",
		`ISHAA_STORE_URL="double \"x\"\n" # c`:              "double \"x\"\n",
		"ISHAA_STORE_URL=a=b":                               "a=b",
		"# ISHAA_STORE_URL=commented":                       "",
		"\n\r\nISHAA_STORE_URL=windows\r\nOTHER=x":          "windows",
		"ISHAA_STORE_URL=first\nISHAA_STORE_URL=second":     "second",
		"ISHAA_STORE_URL=${NOT_EXPANDED}":                   "${NOT_EXPANDED}",
		"ISHAA_STORE_URL=\"é\"":                             "é",
		"export OTHER=1\nexport ISHAA_STORE_URL=\"after\"":  "after",
		"ISHAA_STORE_URL=''":                                "",
		"ISHAA_STORE_URL=redis://user:pa#ss@127.0.0.1:6379": "redis://user:pa#ss@127.0.0.1:6379",
	} {
		t.Run(line, func(t *testing.T) {
			cleanEnv(t, line)
			if got := ishaa.New("test").Config().StoreURL; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// A configuration that is wrong stops the program, with the place and the fix, and
// without repeating what may be a secret.
func TestConfigErrors(t *testing.T) {
	cases := map[string]struct {
		env    map[string]string
		dotEnv string
		config []ishaa.Config
		says   string
	}{
		"a short secret":      {env: map[string]string{"ISHAA_SECRET": "hunter2"}, says: "fewer than 32 bytes"},
		"a short secret, set": {config: []ishaa.Config{{Secret: "hunter2"}}, says: "openssl rand -hex 32"},
		"a certificate alone": {config: []ishaa.Config{{TLSCert: "c"}}, says: "give both or neither"},
		"no proxy":            {env: map[string]string{"ISHAA_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, says: `"proxy"`},
		"no header":           {config: []ishaa.Config{{TrustedProxies: []string{"::1"}, ProxyHeader: "X-Real"}}, says: "X-Forwarded-For"},
		"no number":           {env: map[string]string{"ISHAA_BODY_LIMIT": "1MB"}, says: `ISHAA_BODY_LIMIT in the environment: "1MB"`},
		"a negative number":   {config: []ishaa.Config{{BodyLimit: -1}}, says: "positive"},
		"no duration":         {dotEnv: "ISHAA_READ_TIMEOUT=30", says: "ISHAA_READ_TIMEOUT"},
		"no truth":            {env: map[string]string{"ISHAA_DEBUG": "perhaps"}, says: "ISHAA_DEBUG"},
		"no level":            {env: map[string]string{"ISHAA_LOG_LEVEL": "loud"}, says: "debug, info, warn or error"},
		"a line that is none": {dotEnv: "A=1\nISHAA_SECRET hunter2", says: ".env:2: expected NAME=value"},
		"an open quote":       {dotEnv: `ISHAA_SECRET="hunter2`, says: "the value of ISHAA_SECRET has no closing quote"},
		"an open quote '":     {dotEnv: `ISHAA_SECRET='hunter2`, says: "the value of ISHAA_SECRET has no closing quote"},
		"text after a quote":  {dotEnv: `ISHAA_SECRET='hunter2'hunter2`, says: "follows the closing quote of the value of ISHAA_SECRET"},
		"two configurations":  {config: []ishaa.Config{{}, {}}, says: "give one Config"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			cleanEnv(t, c.dotEnv)
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			message := recovered(t, func() { ishaa.New("test", c.config...) })
			if !strings.Contains(message, "config_test.go:") || !strings.Contains(message, c.says) {
				t.Errorf("the message does not say %q:\n%s", c.says, message)
			}
			if strings.Contains(message, "hunter2") {
				t.Errorf("the message has the secret:\n%s", message)
			}
		})
	}
}

func TestFlagErrors(t *testing.T) {
	cleanEnv(t, "")
	for args, says := range map[string]string{
		"-addr=":              "give host:port",
		"-body-limit=0":       "positive number of bytes",
		"-secret=hunter2":     "fewer than 32 bytes",
		"-read-timeout=x":     "read-timeout",
		"-trusted-proxies=x":  "trusted-proxies",
		"-nobody":             "not defined",
		"-tls-cert=c":         "give both or neither",
		"-log-level=loud":     "log-level",
		"-max-header-bytes=x": "max-header-bytes",
	} {
		err := quietly(t, func() error { return ishaa.New("test").RunArgs(t.Context(), strings.Fields(args)) })
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want an error with %q", args, err, says)
		}
	}
	if err := quietly(t, func() error { return ishaa.New("test").RunArgs(t.Context(), []string{"-h"}) }); err != flag.ErrHelp {
		t.Errorf("-h: %v", err)
	}
}

// quietly runs what prints to the standard outputs.
func quietly(t *testing.T, run func() error) error {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = null, null
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	return run()
}

// Flags do not take away what the program set, but for what they are about.
func TestFlagsKeepTheLogger(t *testing.T) {
	cleanEnv(t, "")
	app := ishaa.New("test")
	mine := slog.New(slog.NewJSONHandler(io.Discard, nil))
	app.SetLogger(mine)
	app.Without(ishaa.DefaultBodyLimit)
	limit := app.Config().BodyLimit
	if err := quietly(t, func() error { return app.RunArgs(t.Context(), []string{"-debug", "version"}) }); err != nil {
		t.Fatal(err)
	}
	if app.Logger() != mine || app.Config().BodyLimit != limit {
		t.Errorf("the logger is %v, the limit %d", app.Logger(), app.Config().BodyLimit)
	}
}
