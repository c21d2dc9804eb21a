package httpcache

import (
	"net/http"
	"testing"
	"time"
)

// Nothing that an answer says makes it last longer than the route's own time.
func FuzzFreshness(f *testing.F) {
	f.Add(`max-age=30, s-maxage="4"`, "Accept, *", "Thu, 01 Jan 1970 00:00:00 GMT")
	f.Add(`private="a,b`, "", "")
	f.Fuzz(func(t *testing.T, control, vary, expires string) {
		header := http.Header{"Cache-Control": {control}, "Vary": {vary}}
		if expires != "" {
			header["Expires"] = []string{expires}
		}
		if fresh, _ := Freshness(200, header, time.Unix(0, 0), time.Minute); fresh < 0 || fresh > time.Minute {
			t.Errorf("%q gives %v", control, fresh)
		}
		VaryNames(header)
		DemandsOf([]string{control}, nil)
		Unmodified(control, expires, http.Header{"Etag": {`"x"`}})
	})
}
