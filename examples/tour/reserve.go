package main

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/middleware"
	"github.com/ishaa-framework/ishaa/schema"
	"github.com/ishaa-framework/ishaa/template"
)

// shelf keeps what visitors have put by.
type shelf struct {
	*catalog
	now func() time.Time
	url func(route string, pairs ...any) (string, error)

	mu   sync.Mutex
	kept map[string]*reservation // in memory, for as long as the program runs
}

// addShelf adds a form. Its handler is typed like those of the API, so what does not fit is the same list of violations:
// a program gets it as a problem document, a browser as the page of the form, with what was entered and what is wrong.
func addShelf(app *ishaa.App, c *catalog) {
	s := &shelf{
		catalog: c, url: app.URL, kept: map[string]*reservation{},
		now: func() time.Time { return app.Clock().Now() },
	}
	b := ishaa.NewBlueprint("shelf", "/reservations")
	ishaa.Post(b, "", s.Reserve, ishaa.Name("reserve"), ishaa.BodyLimit(8<<10),
		middleware.RateLimit(middleware.RateLimitOptions{Max: ordersAMinute}))
	b.Get("/<uuid:id>", s.show, ishaa.Name("reservation"))
	b.OnStatus(422, s.showForm)
	app.Register(b)
}

// reserve is the form. Tags say what fits; the rest is up to Reserve.
type reserve struct {
	Album  int64  `form:"album" required:"true"`
	Name   string `form:"name" required:"true" minLength:"2" maxLength:"80"`
	Email  string `form:"email" required:"true" format:"email"`
	Copies int    `form:"copies" minimum:"1" maximum:"5" default:"1"`
	Day    string `form:"day" required:"true" format:"date"`
}

type reservation struct {
	Album  int64     `json:"album"`
	Name   string    `json:"name"`
	Copies int       `json:"copies"`
	Day    time.Time `json:"day"`
}

// Reserve puts copies of an album by.
func (s *shelf) Reserve(ctx context.Context, in *reserve) (*ishaa.Response, error) {
	if err := s.hasAlbum(ctx, in.Album); err != nil {
		return nil, err
	}
	day, err := time.Parse(time.DateOnly, in.Day)
	today := s.now().UTC().Truncate(24 * time.Hour)
	switch {
	case err != nil:
		return nil, unfit("day", "must be a day of the calendar")
	case !day.After(today) || day.After(today.AddDate(0, 0, 14)):
		return nil, unfit("day", "must be within two weeks, and not today")
	case day.Weekday() == time.Sunday:
		return nil, unfit("day", "must not be a Sunday")
	}
	id := randomUUID()
	s.mu.Lock()
	s.kept[id] = &reservation{in.Album, in.Name, in.Copies, day}
	s.mu.Unlock()
	page, err := s.url("shelf.reservation", "id", id)
	return ishaa.Redirect(page), err // a reload of the page does not send the form again
}

// unfit is what the tags would have said, had they known.
func unfit(field, message string) error {
	return ishaa.Unprocessable("%s %s", field, message).
		With("errors", []schema.Violation{{Pointer: "/" + field, In: "form", Rule: "day", Message: message}})
}

func (s *shelf) show(r *ishaa.Request) (any, error) {
	s.mu.Lock()
	kept := s.kept[strings.ToLower(r.Param("id"))]
	s.mu.Unlock()
	if kept == nil {
		return nil, &missing{"reservation", r.Param("id")}
	}
	a, err := s.album(r.Context(), kept.Album)
	return template.Page("reservation.html", map[string]any{"reservation": kept, "album": a}), err
}

// form is a form as its page shows it, by the names of its fields.
type form struct {
	Values map[string]string
	Errors map[string]string
}

func emptyForm() *form {
	return &form{Values: map[string]string{"copies": "1"}, Errors: map[string]string{}}
}

// showForm answers a form that does not fit, as the status of the error says, by the page that it stands on.
func (s *shelf) showForm(r *ishaa.Request, err error) (any, error) {
	problem, ok := err.(*ishaa.Problem)
	if !ok || r.Accepts("application/json", "text/html") != "text/html" {
		return nil, err
	}
	violations, _ := problem.Extensions["errors"].([]schema.Violation)
	sent, formErr := r.Form() // read already; here it is again
	if formErr != nil || len(violations) == 0 {
		return nil, err
	}
	f := emptyForm()
	for name := range sent.Values() {
		f.Values[name] = sent.Value(name)
	}
	for _, v := range violations {
		f.Errors[strings.TrimPrefix(v.Pointer, "/")] = v.Message
	}
	number, _ := strconv.ParseInt(sent.Value("album"), 10, 64)
	a, albumErr := s.album(r.Context(), number)
	if albumErr != nil {
		return nil, albumErr
	}
	return albumPage(a, f), nil
}
