package localonly_test

import (
	"net/http/httptest"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/localonly"
)

func TestGuard(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{TrustedProxies: []string{"127.0.0.1"}})
	app.Get("/", func(*ishaa.Request) (any, error) { return nil, nil }, localonly.Guard())
	for _, c := range []struct {
		name, peer, host, header string
		status                   int
	}{
		{"a client on this machine", "127.0.0.1:1000", "localhost:8000", "", 204},
		{"by address", "127.0.0.1:1000", "127.0.0.1:8000", "", 204},
		{"over IPv6", "[::1]:1000", "[::1]:8000", "", 204},
		{"an IPv4 address in IPv6", "[::ffff:127.0.0.1]:1000", "localhost", "", 204},
		{"another machine", "192.0.2.1:1000", "localhost", "", 403},
		{"a name that points here", "127.0.0.1:1000", "evil.example", "", 403},
		{"through a proxy", "127.0.0.1:1000", "localhost", "X-Forwarded-For", 403},
		{"through a proxy that says Forwarded", "127.0.0.1:1000", "localhost", "Forwarded", 403},
		{"over a unix socket", "@", "localhost", "", 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := httptest.NewRequest("GET", "/", nil)
			raw.RemoteAddr, raw.Host = c.peer, c.host
			if c.header != "" {
				raw.Header.Set(c.header, "127.0.0.1")
			}
			w := httptest.NewRecorder()
			if app.ServeHTTP(w, raw); w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
		})
	}
}
