package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/session"
	"github.com/ishaa-framework/ishaa/template"
)

func TestFlashes(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/flash/one")
	s.visit("/flash/two", id)
	s.want(t, "/flashes", id, "[{info one} {info two}]")
	s.want(t, "/flashes", id, "[]")
	s.visit("/flash/three", id)
	s.want(t, "/flashes", id, "[{info three}]")

	t.Run("in the same request", func(t *testing.T) {
		s.app = newApp()
		s.app.Use(s.sessions.Middleware())
		s.app.Get("/", func(r *ishaa.Request) (any, error) {
			ss := session.From(r)
			first, err := ss.Flashes()
			err = errors.Join(err, ss.Flash("a", "x"))
			second, err2 := ss.Flashes()
			third, err3 := ss.Flashes()
			return ishaa.Text(fmt.Sprint(first, second, third)), errors.Join(err, err2, err3)
		})
		s.want(t, "/", "", "[] [{a x}] []")
	})
	t.Run("no more than twenty wait", func(t *testing.T) {
		s := newSite(t, session.Options{})
		id := s.begin(t, "/flash/f0")
		for i := range 30 {
			s.visit(fmt.Sprint("/flash/f", i+1), id)
		}
		body := s.visit("/flashes", id).Body.String()
		if strings.Count(body, "info") != 20 || !strings.Contains(body, "f30") || strings.Contains(body, "f10}") {
			t.Errorf("there wait %s", body)
		}
	})
}

// One that comes while a page takes those before it is still there for the next.
func TestFlashWhileOthersAreTaken(t *testing.T) {
	s := newSite(t, session.Options{})
	id := s.begin(t, "/flash/one")
	raced := false
	s.store.before = func(operation, key string) {
		if operation == "swap" && !raced {
			raced = true
			s.visit("/flash/two", id)
			s.visit("/flashes", id) // somebody else shows both
			s.visit("/flash/three", id)
		}
	}
	s.want(t, "/flashes", id, "[{info one}]")
	s.want(t, "/flashes", id, "[{info three}]")
}

func TestFlashesInTemplates(t *testing.T) {
	s := newSite(t, session.Options{})
	files := fstest.MapFS{"page.html": {Data: []byte(`{% for f in flashes(request) %}<p class="{{ f.kind }}">{{ f.text }}</p>{% endfor %}`)}}
	s.app.Install(template.New(files, template.Options{Globals: map[string]any{"flashes": session.Flashes}}))
	s.app.Get("/page", func(r *ishaa.Request) (any, error) { return template.Page("page.html", nil), nil })
	s.app.Post("/leave", func(r *ishaa.Request) (any, error) {
		return ishaa.Redirect("/page"), session.From(r).Flash("error", "<b>1 < 2</b>")
	})
	client := ishaatest.New(t, s.app)
	client.Post("/leave").Redirect("/page").Follow().Status(200).
		Contains(`<p class="error">&lt;b&gt;1 &lt; 2&lt;/b&gt;</p>`)
	if body := string(client.Get("/page").Status(200).Bytes()); body != "" {
		t.Errorf("the second time: %s", body)
	}
	s.store.down.Store(true)
	client.Get("/page").Status(503)
}
