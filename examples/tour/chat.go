package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/template"
	"github.com/ishaa-framework/ishaa/websocket"
)

// line is what the page gets by the WebSocket, one kind of thing at a time.
type line struct {
	Kind string    `json:"kind"`           // "you", "said", "here" or "missed"
	By   string    `json:"by,omitempty"`   // who said it, or who you are
	Text string    `json:"text,omitempty"` // what was said
	At   time.Time `json:"at,omitzero"`
	Here []string  `json:"here,omitempty"` // who is in the room
}

// utterance is what the page sends. The tags are checked for messages as they are for requests: what does not fit closes
// the connection with 1007 and the reason.
type utterance struct {
	Text string `json:"text" required:"true" minLength:"1" maxLength:"500"`
}

const (
	remembered = 50                     // lines that who comes late is shown
	breath     = 100 * time.Millisecond // between two lines of one visitor
)

// addChat adds a room for everybody in the shop. It is one room over all programs that share a store.
func addChat(app *ishaa.App, a *accounts, st store.PubSub) {
	room := websocket.NewRoom[line]("shop", websocket.Over(st), websocket.Remember(remembered),
		websocket.OnPresence(func(here []websocket.Member) any {
			l := line{Kind: "here"}
			for _, m := range here {
				l.Here = append(l.Here, m.Name)
			}
			return l
		}),
		websocket.OnGap(func(websocket.Gap) any { return line{Kind: "missed"} }))

	// Members are known by their session, others by a cookie with a name that they were given.
	b := ishaa.NewBlueprint("chat", "/chat", a.sessions.Middleware(), auth.Optional(a.login))
	b.Get("", func(r *ishaa.Request) (any, error) {
		name, err := nameOf(r)
		if err != nil {
			return nil, err
		}
		if auth.Who(r) == nil {
			r.Response().SetCookie(&http.Cookie{Name: guestCookie, Value: strings.TrimPrefix(name, guest), MaxAge: 24 * 60 * 60})
		}
		return template.Page("chat.html", nil), nil
	}, ishaa.Name("room"))

	// Pages of other sites cannot connect: the handshake's Origin is checked. While the program stops, visitors are
	// told so (1001), and their pages come back when it does.
	b.Get("/socket", websocket.Handler(func(c *websocket.Conn) error {
		name, err := nameOf(c.Request())
		if err != nil {
			return err
		}
		if err := c.Send(c.Context(), line{Kind: "you", By: name}); err != nil {
			return err
		}
		defer room.Join(c, websocket.As(name), websocket.Replay(remembered))()
		for said, err := range websocket.Messages[utterance](c) {
			if err != nil {
				return err
			}
			l := line{Kind: "said", By: name, Text: said.Text, At: app.Clock().Now().UTC()}
			if err := room.Broadcast(c.Context(), l); err != nil {
				return err
			}
			if err := pauseFor(c.Context(), app.Clock(), breath); err != nil { // what is not read yet, the visitor cannot send
				return err
			}
		}
		return nil
	}, websocket.Limit(4<<10)), ishaa.Name("socket"))
	app.Register(b)
}

const guestCookie, guest = "guest", "Guest "

var guestNumber = regexp.MustCompile(`^[1-9][0-9]{3}$`)

// nameOf is the name that others see. A guest may claim another one's number, and can say nothing that counts.
func nameOf(r *ishaa.Request) (string, error) {
	if auth.Who(r) != nil {
		m, err := auth.User[*Member](r)
		if err != nil {
			return "", err
		}
		return m.Name, nil
	}
	number, _ := r.Cookie(guestCookie)
	if !guestNumber.MatchString(number) {
		number = fmt.Sprint(1000 + rand.N(9000))
	}
	return guest + number, nil
}

// pauseFor waits, unless the context ends before.
func pauseFor(ctx context.Context, clock ishaa.Clock, d time.Duration) error {
	select {
	case <-clock.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
