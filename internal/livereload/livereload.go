// Package livereload is the browser's half of "ishaa run --reload": a script that loads the page again when another build
// of the program answers. The program serves it while it runs, and the supervisor while the program does not build.
package livereload

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Variable tells a program the number of its build; while it is set, pages get the script in debug mode.
const Variable = "ISHAA_RELOAD"

// Prefix is where the script and its events are.
const Prefix = "/_ishaa/reload"

// Script is the address of the script for a page of a build.
func Script(build string) string { return Prefix + ".js?build=" + url.QueryEscape(build) }

// The events end when the program does. The browser asks again by itself, and whoever answers then says which build it is.
const script = `(() => {
  const build = new URL(document.currentScript.src).searchParams.get("build");
  const events = new EventSource("` + Prefix + `/events");
  events.onmessage = (event) => {
    if (event.data === build) return;
    events.close();
    location.reload();
  };
})();
`

// Handler serves the script, and the events of a build until done is closed.
func Handler(build string, done <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch r.URL.Path {
		case Prefix + ".js":
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			fmt.Fprint(w, script)
		case Prefix + "/events":
			events(w, r, build, done)
		default:
			http.NotFound(w, r)
		}
	})
}

func events(w http.ResponseWriter, r *http.Request, build string, done <-chan struct{}) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // where there is none, the browser comes back after it
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "retry: 100\ndata: %s\n\n", strings.NewReplacer("\n", "", "\r", "").Replace(build))
	if control.Flush() != nil {
		return
	}
	select {
	case <-done:
	case <-r.Context().Done():
	}
}
