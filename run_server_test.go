package ishaa_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// ISHAA_SERVER chooses what speaks HTTP/1.1. The two are told apart by what they think of a request with two framings.
func TestRunArgsOnEitherServer(t *testing.T) {
	for name, want := range map[string]string{"ishaa": "HTTP/1.1 400 ", "nethttp": "HTTP/1.1 200 "} {
		t.Run(name, func(t *testing.T) {
			noLeaks(t)
			t.Setenv("ISHAA_SERVER", name)
			app, log := loggedApp(t)
			app.Post("/", text("here"))
			url, _ := run(t, app, log)
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(answer), want) {
				t.Errorf("%q (%v), want %q", answer, err, want)
			}
		})
	}
}
