//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/conformance/launch"
)

// seen is what a command of the tour shows: the status of its answer and texts that stand in its output, headers
// included where the command prints them.
var seen = map[string]struct {
	status string
	texts  []string
}{
	"a page":                         {"200", []string{"<h1>Record shop</h1>", "347 albums", `<a href="/albums/1">For Those About To Rock We Salute You</a> by AC/DC`}},
	"a page with a parameter":        {"200", []string{"<h1>The Essential Miles Davis [Disc 1]</h1>", "<li>Jeru <small>€ 0.99</small></li>"}},
	"the same page for another host": {"200", []string{"<h1>Jazz</h1>", "13 albums"}},
	"a search; what it is given comes back escaped":                  {"200", []string{"0 albums for “miles &lt;b&gt;”"}},
	"a block of that page without the rest, as a script asks for it": {"200", []string{"<p class=\"count\">2 albums for “davis essential”</p>"}},
	"a form with mistakes: its page again, with each beside its field": {"422", []string{
		`name="name" type="text" value="A"`, `<span class="error" id="name-error">Your name must be at least 2 characters long</span>`, `id="day-error"`}},
	"the same mistakes for a program":            {"422", []string{`{"pointer":"/name","in":"form","rule":"minLength"`, `"pointer":"/copies","in":"form","rule":"maximum"`}},
	"a static file, and how long it may be kept": {"200", []string{"Cache-Control: no-cache\r\n", "Etag: \"", "Content-Type: text/css; charset=utf-8\r\n"}},
	"a cookie, and a redirect that stays on this site": {"303", []string{
		"Location: /\r\n", "Set-Cookie: favourite=Blues; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"}},
	"the page as the cookie's owner sees it": {"200", []string{"<h1>Blues</h1>", "<option selected>Blues</option>"}},
	"what a page says about security": {"200", []string{
		"Content-Security-Policy: default-src 'self'", "X-Content-Type-Options: nosniff", "X-Robots-Tag: noindex", "Server-Timing: shop;dur="}},
	"a write from another site is refused":                          {"403", []string{`"title":"Forbidden"`}},
	"the shop's own 404 page, for browsers":                         {"404", []string{"<h1>Not in stock</h1>", "/nowhere", `<a href="/">`}},
	"a page for members: the way to it leads over the sign-in page": {"303", []string{"Location: /sign-in?next=%2Faccount\r\n", "Cache-Control: no-store\r\n"}},
	"a registration that does not fit":                              {"422", []string{`{"pointer":"/password","in":"form","rule":"policy","message":"is one of the most common: choose another"`}},
	"whether it is ready for visitors":                              {"200", []string{"ready\n"}},

	"JSON, a page of a list":                {"200", []string{`{"items":[{"id":267,"title":"Worlds",`, `"total":13`, `"next":"/api/v1/albums?page=2`}},
	"JSON, who has made most albums":        {"200", []string{`{"items":[{"id":90,"name":"Iron Maiden","albums":21},`}},
	"JSON, one album":                       {"200", []string{`"artist":"Miles Davis"`, `{"id":598,"name":"Jeru","album_id":48,`}},
	"JSON, the short tracks":                {"200", []string{`"name":"Fotografia"`, `"total":5}`}},
	"JSON, a search":                        {"200", []string{`[{"id":48,`, `{"id":49,`}},
	"tips for whom the cookie says you are": {"200", []string{`{"genre":"Blues","albums":[{"id":73,"title":"Unplugged",`}},
	"a problem (RFC 9457): no such album":   {"404", []string{`{"title":"Not Found","status":404,"detail":"there is no album 9999"}`}},
	"a wrong method, and which are right":   {"405", []string{"Allow: GET, HEAD, OPTIONS\r\n", "Content-Type: application/problem+json\r\n"}},
	"a path parameter that is out of range": {"422", []string{`{"pointer":"/id","in":"path","rule":"minimum","message":"must be at least 1","value":0}`}},
	"a query that is wrong three times: all of it is said at once": {"422", []string{
		`{"pointer":"/page","in":"query","rule":"minimum"`, `{"pointer":"/size","in":"query","rule":"type"`, `{"pointer":"/genre","in":"query","rule":"enum"`}},

	"an order: 201, where it is, and how many more you may send": {"201", []string{
		"Location: /api/v1/orders/", "Ratelimit-Remaining: 19\r\n", `"items":[{"track":598,"quantity":2}],"total_cents":198`}},
	"an order that does not fit: JSON pointers say where": {"422", []string{
		`{"pointer":"/items/0/quantity","in":"body","rule":"minimum","message":"must be at least 1","value":0}`, `"pointer":"/items/1/quantity"`,
		`{"pointer":"/items/1/track","in":"body","rule":"required"`}},
	"an order that fits, for a track that is not there": {"422", []string{`"detail":"there is no track 9999","track":9999`}},
	"JSON that is malformed, and where":                 {"400", []string{"line 1, column 26"}},
	"JSON that two programs could read differently":     {"400", []string{`duplicate key \"items\"`}},
	"the API as OpenAPI; its pages are at /docs":        {"200", []string{"openapi: \"3.1.0\"\n", "title: \"Record shop\"\n", "/api/v1/orders"}},
	"GraphQL, with a part of a long list; its editor is at /graphql": {"200", []string{
		`{"data":{"albums":{"totalCount":13,"nodes":[{"title":"Warner 25 Anos","artist":{"name":"Antônio Carlos Jobim"}},`, `"endCursor":"`}},
	"GraphQL, an order that only members may place": {"200", []string{`"code":"UNAUTHENTICATED"`}},
	"a subscription by server-sent events":          {"200", []string{`data: {"data":{"nowPlaying":{"name":"Jeru"}}}`, "event: complete\n"}},

	"a sequence as a JSON array":               {"200", []string{`[{"id":3451,`, `"price_cents":99}]`}},
	"the same sequence, one JSON value a line": {"200", []string{`{"id":194,"name":"First Time I Met The Blues"`, "}\n{\"id\":195,"}},
	"a table that is sent as it is made":       {"200", []string{"date,country,track,quantity,price_cents\n2021-01-01,Germany,Balls to the Wall,1,99\n", "2025-12-22,"}},
	"server-sent events: two tracks of the shop's radio": {"200", []string{
		"id: 1\nevent: track\ndata: For Those About To Rock (We Salute You) by AC/DC\n\n", "id: 2\nevent: track\n"}},
	"the radio from where a client left off":                      {"200", []string{"id: 598\nevent: track\ndata: Jeru by Miles Davis\n\n"}},
	"a download with a name":                                      {"200", nil}, // see downloaded
	"an upload: one album's cover for another":                    {"303", []string{"Location: /albums/48\r\n"}},
	"a WebSocket, without its handshake":                          {"426", []string{"Upgrade: websocket\r\n", "Sec-Websocket-Version: 13\r\n"}},
	"a job in the background, and how far it is until it is done": {"200", []string{"event: progress\n", `"status":"completed","done":59,"total":59`}},
	"a handler of net/http":                                       {"200", []string{"347 albums, 3503 tracks\n"}},
}

const downloaded = "The Essential Miles Davis [Disc 1].txt"

// build makes the program.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "tour")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// memory has the program leave nothing on the machine.
const memory = "ISHAA_DATABASE_URL=sqlite://:memory:"

// What the program does besides serving.
func TestCommands(t *testing.T) {
	binary := build(t)
	for _, c := range []struct {
		args  string
		lines []string // expressions, each for a whole line of the output
		fails bool
	}{
		{"routes", []string{
			`METHODS +PATTERN +NAME +SOURCE`,
			`GET +/ +home +tour/pages.go:\d+`,
			`GET +<genre>.shop.example/ +tour/pages.go:\d+`,
			`GET +/api/v1/albums/<int:id> +tour/api.go:\d+`,
			`POST +/api/v1/orders +tour/orders.go:\d+`,
			`GET +/api/v1/orders/<uuid:id> +api.order +tour/orders.go:\d+`,
			`ANY +/old/ +tour/nethttp.go:\d+`,
		}, false},
		{"import", []string{`imported InvoiceLine: 2240 rows`, `applied \d+_import_chinook .+`, `memory.db has 15607 rows in 12 tables`}, false},
		{"migrate status", []string{`\d+ +tables +pending *`, `\d+ +import_chinook +pending *`}, false},
		{"routes --json", []string{`    "name": "api.order",`, `    "blueprint": "api",`}, false},
		{"check", []string{`tour: \d+ routes, ready to serve at 127\.0\.0\.1:8000`}, false},
		{"-addr 127.0.0.1:9 check", []string{`tour: \d+ routes, ready to serve at 127\.0\.0\.1:9`}, false},
		{"version", []string{`tour .+`, `ishaa .+`, `go1\..+ \w+/\w+`}, false},
		{"-h", []string{`  routes .+`, `  -addr +address to listen on.+`}, false},
		{"route", []string{`.*there is no command "route".*routes.*`}, true},
		{"-adr x", []string{`.*adr.*`}, true},
	} {
		t.Run(c.args, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), binary, strings.Fields(c.args)...)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), memory)
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.fails {
				t.Errorf("it ended with %v", err)
			}
			for _, line := range c.lines {
				if !regexp.MustCompile(`(?m)^` + line + `$`).Match(out) {
					t.Errorf("no line is %s:\n%s", line, out)
				}
			}
			if strings.Contains(string(out), "curl") {
				t.Errorf("it prints the tour:\n%s", out)
			}
		})
	}
}

// TestPrintedCommands builds the program, starts it and runs every command that it prints, as a shell would.
func TestPrintedCommands(t *testing.T) {
	shell := launch.NewShell(t)
	binary := build(t)
	address := launch.FreeAddress(t)
	cmd := exec.Command(binary, "-addr", address)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), memory)
	tour := launch.Start(t, cmd, 1)
	if !strings.Contains(tour.Preface, "http://"+address) {
		t.Errorf("it does not say where it listens:\n%s", tour.Preface)
	}

	left := map[string]bool{}
	for title := range seen {
		left[title] = true
	}
	for _, stop := range printed(t, tour.Preface) {
		want, ok := seen[stop.title]
		if !ok {
			t.Errorf("%q is not tested: say in the table what it shows", stop.title)
			continue
		}
		delete(left, stop.title)
		t.Run(stop.title, func(t *testing.T) {
			output, status := shell.Run(t, stop.command)
			if status != want.status {
				t.Errorf("%s\nstatus %s, want %s", stop.command, status, want.status)
			}
			for _, text := range want.texts {
				if !strings.Contains(output, text) {
					t.Errorf("%s\nshows no %q:\n%s", stop.command, text, output)
				}
			}
		})
	}
	for title := range left {
		t.Errorf("%q was not printed", title)
	}
	text, err := os.ReadFile(filepath.Join(shell.Dir, downloaded))
	if err != nil || !strings.Contains(string(text), " 2. Jeru\n") {
		t.Errorf("the download: %v\n%s", err, text)
	}
}

type printedStop struct{ title, command string }

// printed finds the commands in what the program prints, each below its title.
func printed(t *testing.T, text string) []printedStop {
	t.Helper()
	var list []printedStop
	title := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# "); ok {
			title = name
		}
		if strings.HasPrefix(line, "curl ") {
			list = append(list, printedStop{title, line})
			title = ""
		}
	}
	if len(list) != len(stops) {
		t.Errorf("%d commands are printed, %d are meant to be", len(list), len(stops))
	}
	return list
}
