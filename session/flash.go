package session

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/ishaa-framework/ishaa"
)

// Flash is a message for the next page that the visitor sees.
type Flash struct {
	Kind string // such as "success" or "error"
	Text string
}

// maxFlashes is how many wait at most; the oldest give way.
const maxFlashes = 20

// Flash leaves a message for the next page, also across a redirect. The text is
// plain: templates escape it.
func (s *Session) Flash(kind, text string) error {
	digest := sha256.Sum256([]byte(text))
	return s.do(func(c *record) {
		c.Flashed++
		c.Flashes = append(c.Flashes, flash{c.Flashed, kind, text})
		c.Flashes = c.Flashes[max(0, len(c.Flashes)-maxFlashes):]
	}, "flash "+kind+" "+hex.EncodeToString(digest[:8]))
}

// Flashes returns the messages that wait, oldest first, and takes them away: each
// is shown once.
func (s *Session) Flashes() ([]Flash, error) {
	if err := s.load(); err != nil || len(s.view.Flashes) == 0 {
		return nil, err
	}
	list := make([]Flash, len(s.view.Flashes))
	for i, f := range s.view.Flashes {
		list[i] = Flash{f.Kind, f.Text}
	}
	last := s.view.Flashes[len(list)-1].Number
	return list, s.do(func(c *record) {
		c.Flashes = slices.DeleteFunc(c.Flashes, func(f flash) bool { return f.Number <= last })
	}, "take flashes")
}

// Flashes is Session.Flashes of a request. Given to an engine of package template
// it serves all pages:
//
//	template.New(files, template.Options{Globals: map[string]any{"flashes": session.Flashes}})
//
//	{% for f in flashes(request) %}<p class="{{ f.kind }}">{{ f.text }}</p>{% endfor %}
func Flashes(r *ishaa.Request) ([]Flash, error) { return From(r).Flashes() }
