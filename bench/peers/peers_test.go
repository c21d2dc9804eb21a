package peers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/bench/peers"
)

// A comparison means something only if every peer does the work: so each is asked over a real socket, by its own server.
func TestEveryPeerDoesItsWorks(t *testing.T) {
	for _, p := range peers.All() {
		for _, w := range peers.Works() {
			if !p.Does(w) {
				continue
			}
			t.Run(p.Name+"/"+string(w), func(t *testing.T) {
				base := start(t, p, w)
				answer, body := send(t, w.Method(), base+w.Target(), w.Body(), w.Headers())
				if answer.StatusCode != http.StatusOK {
					t.Fatalf("status %d: %s", answer.StatusCode, body)
				}
				check := map[peers.Work]func(*testing.T, *http.Response, string){
					peers.Plain: text("Hello, World!"), peers.Param: text("Hello, octocat"),
					peers.Typed: albums, peers.Five: secured,
					peers.JSON:  sameJSON(`{"message":"Hello, World!"}`),
					peers.Order: sameJSON(`{"customer":"Ada Lovelace","items":42}`),
					peers.Row:   sameJSON(`{"id":7,"name":"Artist no. 7"}`),
					peers.Page:  usersPage, peers.Static: styleSheet,
				}[w]
				check(t, answer, body)
				switch w {
				case peers.Typed:
					refusals(t, base)
				case peers.Order:
					refusedOrders(t, base)
				case peers.Row:
					missingRows(t, base)
				}
			})
		}
	}
}

func text(want string) func(*testing.T, *http.Response, string) {
	return func(t *testing.T, answer *http.Response, body string) {
		if body != want || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%q as %s, want %q as text/plain", body, answer.Header.Get("Content-Type"), want)
		}
	}
}

func albums(t *testing.T, answer *http.Response, body string) {
	want := peers.Albums{Artist: 1, Limit: 2, Sort: "year",
		Titles: []string{"For Those About To Rock We Salute You", "Let There Be Rock"}}
	var got peers.Albums
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s (%v), want %+v", body, err, want)
	}
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Errorf("Content-Type %s", answer.Header.Get("Content-Type"))
	}
}

// missingRows checks that a peer looks for the row that it is asked for.
func missingRows(t *testing.T, base string) {
	for target, want := range map[string]int{"/artists/1000": http.StatusOK, "/artists/1001": http.StatusNotFound, "/artists/x": http.StatusNotFound} {
		if answer, body := send(t, http.MethodGet, base+target, "", nil); answer.StatusCode != want {
			t.Errorf("%s: status %d, want %d: %s", target, answer.StatusCode, want, body)
		}
	}
}

// refusals checks the rules of Typed's inputs: a peer that is fast because it checks nothing is no peer.
func refusals(t *testing.T, base string) {
	for target, wantOK := range map[string]bool{
		"/artists/1/albums":                      true,
		"/artists/1/albums?limit=100":            true,
		"/artists/1/albums?limit=1&sort=title":   true,
		"/artists/0/albums":                      false,
		"/artists/x/albums":                      false,
		"/artists/1/albums?limit=0":              false,
		"/artists/1/albums?limit=101":            false,
		"/artists/1/albums?limit=x":              false,
		"/artists/1/albums?sort=length":          false,
		"/artists/1/albums?limit=5&sort=length":  false,
		"/artists/1/albums?limit=500&sort=title": false,
	} {
		answer, body := get(t, base+target, nil)
		if ok := answer.StatusCode == http.StatusOK; ok != wantOK || answer.StatusCode >= 500 {
			t.Errorf("%s: %d %s, want success: %v", target, answer.StatusCode, body, wantOK)
		}
	}
	answer, body := get(t, base+"/artists/1/albums", nil)
	var got peers.Albums
	if json.Unmarshal([]byte(body), &got); got.Limit != 20 || got.Sort != "title" {
		t.Errorf("defaults: %d %s, want limit 20 and sort title", answer.StatusCode, body)
	}
}

func secured(t *testing.T, answer *http.Response, body string) {
	text("Hello, World!")(t, answer, body)
	for name, want := range peers.Secured() {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := answer.Header.Get("Access-Control-Allow-Origin"); got != "https://shop.example" {
		t.Errorf("Access-Control-Allow-Origin: %q, want the request's origin", got)
	}
}

func usersPage(t *testing.T, answer *http.Response, body string) {
	if got := answer.Header.Get("Content-Type"); !strings.EqualFold(got, "text/html; charset=utf-8") {
		t.Errorf("Content-Type %s", got)
	}
	var want strings.Builder
	want.WriteString("<html><title>Users &amp; co</title><table>")
	for i := range 20 {
		fmt.Fprintf(&want, `<tr id="u%d"><td><a href="/users/%d">User &lt;%d&gt;</a></td><td>u%d@example.com`, i, i, i, i)
		if i%3 == 0 {
			want.WriteString(" (admin)")
		}
		want.WriteString("</td></tr>")
	}
	want.WriteString("</table></html>")
	if body != want.String() {
		t.Errorf("the page is\n%s\nwant\n%s", body, &want)
	}
}

func styleSheet(t *testing.T, answer *http.Response, body string) {
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/css") || body != peers.StyleSheet() {
		t.Errorf("%d bytes as %s, want %d as text/css", len(body), got, len(peers.StyleSheet()))
	}
}

// start serves a peer's work on loopback until the test ends.
func start(t *testing.T, p peers.Peer, w peers.Work) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Serve(w, l) }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func sameJSON(want string) func(*testing.T, *http.Response, string) {
	return func(t *testing.T, answer *http.Response, body string) {
		if strings.TrimSpace(body) != want || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%q as %s, want %q as application/json", body, answer.Header.Get("Content-Type"), want)
		}
	}
}

// refusedOrders checks the rules of Order.
func refusedOrders(t *testing.T, base string) {
	for _, change := range [][2]string{
		{"Ada Lovelace", ""}, {"Ada Lovelace", strings.Repeat("a", 101)}, {"engine-1", ""}, {`:2`, `:0`}, {`:40`, `:1001`}, {`:2`, `:"2"`},
		{`[{"sku":"engine-1","quantity":2},{"sku":"card-7","quantity":40}]`, "[]"}, {"}]}", ""},
	} {
		answer, body := send(t, http.MethodPost, base+"/orders", strings.Replace(peers.Order.Body(), change[0], change[1], 1), peers.Order.Headers())
		if answer.StatusCode < 400 || answer.StatusCode >= 500 {
			t.Errorf("%q for %q: %d %s, want a refusal", change[1], change[0], answer.StatusCode, body)
		}
	}
}

func get(t *testing.T, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	return send(t, http.MethodGet, url, "", header)
}

func send(t *testing.T, method, url, content string, header http.Header) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func Example() {
	for _, p := range peers.All() {
		if p.Does(peers.Typed) {
			fmt.Print(p.Name, " ")
		}
	}
	// Output: nethttp ishaa gin echo huma fuego fiber server ishaa-nethttp
}
