//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package reload

import (
	"context"
	"errors"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/internal/livereload"
	"github.com/ishaa-framework/ishaa/internal/secure"
	"github.com/ishaa-framework/ishaa/server"
)

// notice answers in the program's place while there is none: what the compiler said, or what the program said last.
type notice struct {
	title, text string
	build       string
	server      *server.Server
	done        chan struct{} // closed when it is about to end
	ended       chan struct{} // closed when nothing is left of it
}

// leaveTime is how long a notice that is about to end has for the connections that it let in.
const leaveTime = 10 * time.Second

// show opens a notice on the socket. Its server is not http.Server, which at its shutdown drops a request that comes over a
// connection it has accepted before: a client that was let in would be turned away.
func show(socket *os.File, title, text, build string) (*notice, error) {
	listener, err := net.FileListener(socket)
	if err != nil {
		return nil, err
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	n := &notice{title: title, text: text, build: build, done: make(chan struct{}), ended: make(chan struct{})}
	live := livereload.Handler(build, n.done)
	n.server = &server.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, livereload.Prefix) {
				live.ServeHTTP(w, r)
				return
			}
			n.answer(w, r)
		}),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() {
		if err := n.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			listener.Close()
		}
		<-n.done
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		if n.server.Shutdown(ctx) != nil {
			n.server.Close()
		}
		close(n.ended)
	}()
	return n, nil
}

// end stops accepting; those who were let in are answered. It does not wait.
func (n *notice) end() {
	close(n.done)
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.server.Shutdown(now) // closes the listener; the goroutine of show waits for the requests
}

// answer is a 500. The compiler's words are for clients on this machine: they name files, and show code.
func (n *notice) answer(w http.ResponseWriter, r *http.Request) {
	text := n.text
	if !local(r) {
		text = "The program is being changed. What is wrong is shown on the machine that it runs on."
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		header.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, n.title+"\n\n"+text+"\n")
		return
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	w.WriteHeader(http.StatusInternalServerError)
	_ = page.Execute(w, map[string]string{"Title": n.title, "Text": text, "Script": livereload.Script(n.build)}) // the client went away
}

// local reports whether the client is on this machine and asked for it by a name of this machine: with a header of a
// proxy it may be anywhere.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"} {
		if len(r.Header[name]) > 0 {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr == "" || r.RemoteAddr == "@" // a unix socket
	}
	return peer.Addr().Unmap().IsLoopback() && secure.LoopbackHost(r.Host)
}

var page = template.Must(template.New("notice").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c1c22;background:#fff}
h1{font-size:1.5rem} pre{background:#fdecec;padding:.75rem;overflow-x:auto;font:13px/1.5 ui-monospace,monospace;border-radius:6px;white-space:pre-wrap}
small{color:#5b5b66}
@media(prefers-color-scheme:dark){body{color:#ececf1;background:#16161a}pre{background:#3a1c1f}small{color:#a5a5b0}}
</style></head>
<body>
<h1>{{.Title}}</h1>
<pre>{{.Text}}</pre>
<p><small>The page loads again when the program has been mended.</small></p>
<script src="{{.Script}}" defer></script>
</body>
</html>
`))
