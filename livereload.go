package ishaa

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/livereload"
)

// While "ishaa run --reload" runs the program, which it says by ISHAA_RELOAD, and in debug mode only, pages get a script
// that waits for the next build of the program and then loads the page again. The script is a file of the site, so the
// default content security policy allows it; where scripts need a nonce it gets the one of the policy.

// reloading returns the number of this build, or "" if nobody builds the program anew.
func (a *App) reloading() string {
	if !a.config.Debug {
		return ""
	}
	return os.Getenv(livereload.Variable)
}

// liveReload answers what the script asks for, in front of routes, hooks and the log.
func (a *App) liveReload(build string, next http.Handler) http.Handler {
	own := livereload.Handler(build, a.Draining())
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		if strings.HasPrefix(raw.URL.Path, livereload.Prefix) {
			own.ServeHTTP(w, raw)
			return
		}
		if raw.Header.Get("Accept-Encoding") != "" { // so that there is nothing to unpack
			raw = raw.Clone(raw.Context())
			raw.Header.Del("Accept-Encoding")
		}
		next.ServeHTTP(w, raw)
	})
}

var policyNonce = regexp.MustCompile(`'nonce-([A-Za-z0-9+/_=-]+)'`)

// addReloadScript is an After hook, the last of all: it sees the policy that is sent, and its filter is the closest to
// the body.
func addReloadScript(build string) func(r *Request, res *Response) error {
	return func(r *Request, res *Response) error {
		header := res.Header()
		if !strings.HasPrefix(header.Get("Content-Type"), "text/html") || header.Get("Content-Encoding") != "" || !res.Filterable() || r.raw.Method == http.MethodHead {
			return nil
		}
		nonce := ""
		if m := policyNonce.FindStringSubmatch(header.Get("Content-Security-Policy")); m != nil {
			nonce = fmt.Sprintf(" nonce=%q", m[1])
		}
		tag := fmt.Sprintf("<script src=%q defer%s></script>\n", livereload.Script(build), nonce)
		header.Del("Content-Length")
		res.Filter(func(w io.Writer) io.WriteCloser { return &scriptAdder{w: w, tag: tag} })
		return nil
	}
}

// scriptAdder writes a script element behind a document. What is no document, such as a fragment, stays as it is.
type scriptAdder struct {
	w    io.Writer
	tag  string
	seen []byte // of the beginning
}

func (s *scriptAdder) Write(p []byte) (int, error) {
	if room := 64 - len(s.seen); room > 0 {
		s.seen = append(s.seen, p[:min(room, len(p))]...)
	}
	return s.w.Write(p)
}

func (s *scriptAdder) Close() error {
	head := bytes.ToLower(bytes.TrimLeft(s.seen, " \t\r\n\ufeff"))
	if !bytes.HasPrefix(head, []byte("<!doctype html")) && !bytes.HasPrefix(head, []byte("<html")) {
		return nil
	}
	_, err := io.WriteString(s.w, s.tag)
	return err
}
