package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/ishaatest"
)

// What a form is told, by the handler alone. The day is a Tuesday.
func TestReserve(t *testing.T) {
	s := &shelf{
		catalog: newCatalog(shopDB(t)), now: func() time.Time { return morning }, kept: map[string]*reservation{},
		url: func(route string, pairs ...any) (string, error) { return fmt.Sprint(route, pairs[0]), nil },
	}
	for day, want := range map[string]string{
		"2030-01-02": "",
		"2030-01-15": "",
		"2030-01-01": "day must be within two weeks, and not today",
		"2030-01-16": "day must be within two weeks, and not today",
		"2029-12-31": "day must be within two weeks, and not today",
		"2030-01-06": "day must not be a Sunday",
		"2030-02-30": "day must be a day of the calendar",
	} {
		res, err := s.Reserve(t.Context(), &reserve{Album: 48, Name: "Ann", Copies: 1, Day: day})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || (res != nil) != (err == nil) {
			t.Errorf("%s: %v, want %q", day, err, want)
		}
	}
	if len(s.kept) != 2 {
		t.Errorf("%d are kept", len(s.kept))
	}
}

// A form that does not fit comes back with what was entered, escaped, and what is wrong, each beside its field.
func TestFormThatDoesNotFit(t *testing.T) {
	app := testApp(t)
	app.SetClock(ishaatest.NewClock(morning))
	client := ishaatest.New(t, app)
	browser := client.For(t, ishaatest.Header("Accept", "text/html,*/*;q=0.8"))
	fields := []string{"album", "48", "name", `"><b>`, "email", "ann", "copies", "many", "day", "2030-01-02"}

	page := browser.Post("/reservations", ishaatest.Form(fields...)).Status(422).HTML(
		"<h1>The Essential Miles Davis [Disc 1]</h1>",
		`value="&#34;&gt;&lt;b&gt;"`, `value="many"`, `value="2030-01-02"`, `<span class="error" id="email-error">`, `<span class="error" id="copies-error">`,
	).Text()
	if strings.Contains(page, `id="name-error"`) || strings.Contains(page, `id="day-error"`) {
		t.Errorf("what fits is complained about:\n%s", page)
	}
	client.Post("/reservations", ishaatest.Form(fields...)).Status(422).Violation("/form/copies", "type")

	fields[5], fields[7] = "ann@example.com", "2"
	browser.Post("/reservations", ishaatest.Form(fields...)).Status(303).Follow().Status(200).HTML("2 copies", "Wednesday, 2 January 2030", "&#34;&gt;&lt;b&gt;")
	fields[1] = "9999"
	browser.Post("/reservations", ishaatest.Form(fields...)).Status(404).HTML("Not in stock")
	fields[9] = "never"
	browser.Post("/reservations", ishaatest.Form(fields...)).Status(404)
	browser.Get("/reservations/00000000-0000-4000-8000-000000000000").Status(404)
}

// A fragment is what its page has in that place, and nothing around it.
func TestFragments(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	for fragment, page := range map[string]string{"/search/results?q=blue": "/search?q=blue", "/search/results": "/search"} {
		part := client.Get(fragment).Status(200).Header("Content-Type", "text/html; charset=utf-8").Text()
		whole := client.Get(page).Status(200).Text()
		if !strings.Contains(whole, part) || strings.Contains(part, "<html") {
			t.Errorf("%s is no part of %s:\n%s", fragment, page, part)
		}
	}
	client.Get("/search/results?q=miles+b").Header("HX-Replace-Url", "/search?q=miles+b")
	client.Get("/more?page=2").HTML("/albums/13", "/?page=3")
	client.Get("/more?page=2&genre=Jazz").Status(200)
	client.Get("/more?genre=Polka").Problem(404)
	last := client.Get("/more?page=29").Status(200).Text()
	if strings.Contains(last, "More albums") || !strings.Contains(last, "/albums/347") {
		t.Errorf("the last albums:\n%s", last)
	}
	if first := client.Get("/?page=3").Text(); strings.Count(first, `class="album"`) != 36 {
		t.Error("the third page has to begin with the first two")
	}
}

// Pages name files by their content, so that browsers keep them for a year and still get every new one.
func TestStaticFiles(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	names := regexp.MustCompile(`/static/[\w.]+\.[0-9a-f]{16}\.(css|js|svg)`).FindAllString(client.Get("/").Text(), -1)
	if len(names) != 3 {
		t.Fatalf("the page names %q", names)
	}
	for _, name := range names {
		client.Get(name).Status(200).Header("Cache-Control", "public, max-age=31536000, immutable")
	}
}
