package main

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

// The application as its clients see it, in memory: no port, no sleeping, each test with a shop of its own.

const orders = "/api/v1/orders"

var oneTrack = map[string]any{"items": []any{map[string]any{"track": 1}}}

var link = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

// Every link of every page leads somewhere.
func TestLinks(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	seen := map[string]bool{}
	queue := []string{"/", "/search?q=blue", "/albums/347"}
	for len(queue) > 0 {
		target := queue[0]
		queue = queue[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		res := client.Get(target).Status(200)
		if !strings.HasPrefix(res.Headers().Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(res.Text(), -1) {
			if target := html.UnescapeString(m[1]); !strings.HasPrefix(target, "#") { // else it stays on the page
				queue = append(queue, target)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

// Following "next" lists everything once, filters included.
func TestNext(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	for first, total := range map[string]int{
		"/api/v1/albums?size=100":                          347,
		"/api/v1/albums?size=5&genre=Jazz&sort=-title":     13,
		"/api/v1/albums?size=1&genre=Alternative+%26+Punk": 23,
		"/api/v1/artists?size=70&sort=name":                204,
		"/api/v1/tracks?size=9&genre=Blues&longest=3m":     12,
	} {
		listed := map[int]bool{}
		for target := first; target != ""; {
			var got page[struct{ ID int }]
			client.Get(target).Status(200).JSON(&got)
			for _, item := range got.Items {
				if listed[item.ID] {
					t.Errorf("%s: %d is listed twice", target, item.ID)
				}
				listed[item.ID] = true
			}
			target = got.Next
		}
		if len(listed) != total {
			t.Errorf("%s leads to %d, want %d", first, len(listed), total)
		}
	}
}

// What does not fit is answered by 422, with a JSON pointer and the rule for each value.
func TestInputThatDoesNotFit(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	for _, c := range []struct{ name, path, pointer, rule string }{
		{"page of nothing", "/api/v1/albums?page=0", "/query/page", "minimum"},
		{"page is too far", "/api/v1/albums?page=1001", "/query/page", "maximum"},
		{"size is no number", "/api/v1/albums?size=ten", "/query/size", "type"},
		{"size twice", "/api/v1/albums?size=1&size=2", "/query/size", "single"},
		{"unknown genre", "/api/v1/albums?genre=Polka", "/query/genre", "enum"},
		{"genre in another case", "/api/v1/albums?genre=jazz", "/query/genre", "enum"},
		{"unknown order", "/api/v1/albums?sort=price", "/query/sort", "enum"},
		{"no such number", "/api/v1/albums/0", "/path/id", "minimum"},
		{"length is no duration", "/api/v1/tracks?longest=150", "/query/longest", "format"},
		{"search for nothing", "/api/v1/search", "/query/q", "required"},
		{"search for a letter", "/api/v1/search?q=x", "/query/q", "minLength"},
		{"radio of nothing", "/now-playing?count=0", "/query/count", "minimum"},
		{"tracks of an unknown genre", "/tracks?genre=Polka", "/query/genre", "enum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client.For(t).Get(c.path).Status(422).Violation(c.pointer, c.rule)
		})
	}
}

func TestOrdersThatDoNotFit(t *testing.T) {
	for _, c := range []struct{ name, body, pointer, rule string }{
		{"no items", `{}`, "/body/items", "required"},
		{"empty", `{"items": []}`, "/body/items", "minItems"},
		{"too many", `{"items": [` + strings.Repeat(`{"track": 1},`, 50) + `{"track": 1}]}`, "/body/items", "maxItems"},
		{"of a wrong type", `{"items": 1}`, "/body/items", "type"},
		{"none of it", `{"items": [{"track": 1, "quantity": 0}]}`, "/body/items/0/quantity", "minimum"},
		{"all of it", `{"items": [{"track": 1}, {"track": 2, "quantity": 101}]}`, "/body/items/1/quantity", "maximum"},
		{"no track", `{"items": [{"quantity": 1}]}`, "/body/items/0/track", "required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := ishaatest.New(t, testApp(t))
			client.Post(orders, ishaatest.Body("application/json", c.body)).Status(422).Violation(c.pointer, c.rule)
		})
	}
}

func TestRefusals(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	text := func(body string) ishaatest.RequestOption { return ishaatest.Body("application/json", body) }
	for _, c := range []struct {
		name, method, path string
		option             ishaatest.RequestOption
		status             int
		detail             string
	}{
		{"id is no number", "GET", "/api/v1/albums/first", nil, 404, "there is nothing at this address"},
		{"unknown album", "GET", "/api/v1/albums/348", nil, 404, "there is no album 348"},
		{"unknown order", "GET", orders + "/00000000-0000-4000-8000-000000000000", nil, 404, "there is no order 00000000"},
		{"unknown host", "GET", "/", ishaatest.Host("polka.shop.example"), 404, "there is no genre polka"},
		{"order of an unknown track", "POST", orders, text(`{"items": [{"track": 9999}]}`), 422, "there is no track 9999"},
		{"order with a comma too many", "POST", orders, text(`{"items": [{"track": 1,}]}`), 400, "line 1, column 24"},
		{"order with a name twice", "POST", orders, text(`{"items": [], "items": []}`), 400, `duplicate key "items"`},
		{"order as text", "POST", orders, ishaatest.Body("text/plain", `{}`), 415, "expected Content-Type application/json"},
		{"order too long", "POST", orders, text(`"` + strings.Repeat("x", 17<<10) + `"`), 413, ""},
		{"unknown favourite", "POST", "/favourite", ishaatest.Form("genre", "Polka"), 422, `there is no genre "Polka"`},
		{"cover that is no image", "POST", "/albums/1/cover", ishaatest.File("cover", "a.png", "<script>"), 422, "neither PNG nor JPEG"},
		{"cover of no album", "POST", "/albums/999/cover", ishaatest.File("cover", "a.png", "x"), 404, "there is no album 999"},
		{"no cover", "POST", "/albums/1/cover", ishaatest.Form("title", "x"), 422, "1 value does not fit"},
		{"file outside the folder", "GET", "/static/%2e%2e/home.html", nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var options []ishaatest.RequestOption
			if c.option != nil {
				options = append(options, c.option)
			}
			client.For(t).Do(c.method, c.path, options...).Problem(c.status, c.detail)
		})
	}
}

// People get the shop's own page, whatever is missing; programs get the problem.
func TestNotInStock(t *testing.T) {
	browser := ishaatest.New(t, testApp(t), ishaatest.Header("Accept", "text/html,application/xml;q=0.9,*/*;q=0.8"))
	for _, path := range []string{"/nowhere", "/albums/999", "/api/v1/albums/999"} {
		browser.Get(path).Status(404).HTML("Not in stock", path).Header("Vary", "Accept")
	}
	browser.Get("/%3Cscript%3E").Status(404).HTML("&lt;script&gt;")
}

func TestOrderIsFoundAtItsLocation(t *testing.T) {
	app := testApp(t)
	app.SetClock(ishaatest.NewClock(morning))
	client := ishaatest.New(t, app)

	var placed order
	created := client.Post(orders, ishaatest.JSON(map[string]any{
		"items": []any{map[string]any{"track": 1}, map[string]any{"track": 2820, "quantity": 2}},
	})).Status(201).JSONAt("/total_cents", 497).JSONAt("/items/0/quantity", 1).JSONAt("/created", "2030-01-01T08:00:00Z").JSON(&placed)

	location := created.Headers().Get("Location")
	if location != orders+"/"+placed.ID {
		t.Errorf("the order %s is at %s", placed.ID, location)
	}
	client.Get(location).Status(200).JSONEqual(placed)
	client.Get(strings.ToUpper(location[len(orders):])).Problem(404) // the path is lower case …
	client.Get(orders + strings.ToUpper(location[len(orders):])).Status(200).JSONEqual(placed)
}

// The visitor is a dependency: first as a browser and a program make it, then put in its place by the test.
func TestVisitor(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	client.Get("/").HTML("<h1>Record shop</h1>").Header("Vary", "Cookie, Favourite-Genre")
	client.Post("/favourite", ishaatest.Form("genre", "Blues", "next", "/")).Redirect("/").Follow().HTML("<h1>Blues</h1>")
	if cookie, _ := client.Cookie("favourite"); cookie != "Blues" {
		t.Errorf("the cookie is %q", cookie)
	}
	client.Get("/api/v1/tips?count=1").JSONAt("/genre", "Blues").JSONAt("/albums/0/title", "Unplugged")
	client.Get("/api/v1/tips", ishaatest.Header("Favourite-Genre", "Opera")).JSONAt("/genre", "Opera")
	client.Get("/api/v1/tips", ishaatest.Header("Favourite-Genre", "Polka")).Violation("/header/Favourite-Genre", "enum")
	client.Get("/", ishaatest.Cookie("favourite", "Polka")).HTML("<h1>Record shop</h1>")
	client.Post("/favourite", ishaatest.Form("genre", "Pop", "next", "//evil.example")).Redirect("/")
}

func TestAnotherVisitor(t *testing.T) {
	client := ishaatest.New(t, testApp(t), ishaatest.Override(visitor{Genre: "Jazz"}))
	client.Get("/").HTML("<h1>Jazz</h1>", "13 albums")
	client.Get("/api/v1/tips").JSONAt("/genre", "Jazz")
}

// The radio plays a track a second, by the application's clock.
func TestRadio(t *testing.T) {
	app, clock := testApp(t), ishaatest.NewClock(morning)
	app.SetClock(clock)
	client := ishaatest.New(t, app)

	stream := client.Stream("/now-playing", ishaatest.Header("Last-Event-ID", "596")).Status(200).Header("Content-Type", "text/event-stream")
	for i, name := range []string{"Now's The Time", "Jeru", "Compulsion"} {
		event := stream.Event()
		if want := fmt.Sprint(597 + i); event.ID != want || event.Name != "track" || event.Data != name+" by Miles Davis" {
			t.Errorf("event %d is %+v", i, event)
		}
		clock.BlockUntil(t, 2) // it waits, beside the stream's own keep-alive …
		clock.Advance(time.Second)
	}
	stream.Close()
	stream.Wait() // … and has noticed that nobody listens any more
}

// A radio without an end does not keep the program from stopping.
func TestRadioStopsWithTheProgram(t *testing.T) {
	app := testApp(t)
	ishaatest.Logs(t, app)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- app.Serve(ctx, listener) }()

	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+"/now-playing", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil { // the radio plays
		t.Fatal(err)
	}
	stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Errorf("the stream was cut: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the program ended with %v", err)
	}
}

// A client may send so many orders a minute, wrong ones included; then it waits.
func TestRateLimit(t *testing.T) {
	app, clock := testApp(t), ishaatest.NewClock(morning)
	app.SetClock(clock)
	client := ishaatest.New(t, app)
	for left := ordersAMinute - 1; left >= 0; left-- {
		client.Post(orders, ishaatest.JSON(oneTrack)).Status(201).Header("RateLimit-Remaining", fmt.Sprint(left))
	}
	client.Post(orders, ishaatest.JSON(oneTrack)).Problem(429).Header("Retry-After", "3")
	client.Get("/api/v1/albums").Status(200) // only orders are limited
	clock.Advance(3 * time.Second)
	client.Post(orders, ishaatest.JSON(oneTrack)).Status(201)
	client.Post(orders, ishaatest.JSON(oneTrack)).Problem(429)
}

// Pages of other sites may read the API, and nothing else. No other site may write.
func TestOtherSites(t *testing.T) {
	fans := ishaatest.New(t, testApp(t), ishaatest.Header("Origin", "https://fans.example"), ishaatest.Header("Sec-Fetch-Site", "cross-site"))
	fans.Get("/api/v1/albums/1").Status(200).Header("Access-Control-Allow-Origin", "*")
	fans.Get("/api/v1/albums/999").Problem(404).Header("Access-Control-Allow-Origin", "*")
	fans.Get("/").Status(200).Header("Access-Control-Allow-Origin", "")
	fans.Options("/api/v1/albums/1", ishaatest.Header("Access-Control-Request-Method", "GET"), ishaatest.Header("Access-Control-Request-Headers", "authorization")).
		Status(204).Header("Access-Control-Allow-Origin", "*").Header("Access-Control-Allow-Headers", "Authorization, Content-Type")
	fans.Post(orders, ishaatest.JSON(oneTrack)).Problem(403)
}

func TestCompression(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	plain := client.Get("/api/v1/albums/48").Header("Content-Encoding", "")
	packed := client.Get("/api/v1/albums/48", ishaatest.Header("Accept-Encoding", "gzip")).Header("Content-Encoding", "gzip")
	if len(packed.Bytes()) > len(plain.Bytes())/2 {
		t.Errorf("%d octets became %d", len(plain.Bytes()), len(packed.Bytes()))
	}
	client.Get("/albums/48/cover", ishaatest.Header("Accept-Encoding", "gzip")).Header("Content-Encoding", "")
}

// Handlers have a time limit, wherever they are.
func TestTimeLimit(t *testing.T) {
	app := testApp(t)
	app.Get("/time-left", func(r *ishaa.Request) (any, error) {
		deadline, ok := r.Context().Deadline()
		return ok && time.Until(deadline) <= 10*time.Second, nil
	})
	ishaatest.New(t, app).Get("/time-left").JSONEqual(true)
}

func TestHealth(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	client.Get("/-/live").Status(200)
	client.Get("/-/ready").Status(200)
}

// Many visitors at once: what they share is locked, and a cover that was uploaded is the one that is shown.
func TestVisitorsAtOnce(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	drawn := client.Get("/albums/2/cover").Bytes()
	var visitors sync.WaitGroup
	for range 8 {
		visitors.Go(func() {
			for id := 3; id < 10; id++ {
				path := fmt.Sprintf("/albums/%d/cover", id)
				client.Post(path, ishaatest.File("cover", "../cover.png", drawn)).Redirect(fmt.Sprintf("/albums/%d", id))
				if res := client.Get(path).Header("Content-Type", "image/png"); !bytes.Equal(res.Bytes(), drawn) {
					t.Errorf("%s is not what was uploaded", path)
				}
			}
			for range 2 {
				client.Post(orders, ishaatest.JSON(oneTrack)).Status(201)
			}
		})
	}
	visitors.Wait()
}
