package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

// heard waits for a line of a kind, over those of other kinds.
func heard(socket *websockettest.Conn, kind string) line {
	for {
		var l line
		if socket.JSON(&l); l.Kind == kind {
			return l
		}
	}
}

func TestChat(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	ann := websockettest.Dial(t, client, "/chat/socket", websockettest.Header("Cookie", "guest=1001"))
	if you := heard(ann, "you"); you.By != "Guest 1001" {
		t.Errorf("the name is %q", you.By)
	}
	heard(ann, "here")
	bob := websockettest.Dial(t, client, "/chat/socket", websockettest.Header("Cookie", "guest=1002"))
	if here := heard(bob, "here").Here; !slices.Equal(here, []string{"Guest 1001", "Guest 1002"}) {
		t.Errorf("bob finds %q", here)
	}
	if here := heard(ann, "here").Here; !slices.Equal(here, []string{"Guest 1001", "Guest 1002"}) {
		t.Errorf("ann sees %q", here)
	}
	ann.Send(utterance{"Is there <b>Miles</b>?"})
	for _, socket := range []*websockettest.Conn{ann, bob} {
		if got := heard(socket, "said"); got.By != "Guest 1001" || got.Text != "Is there <b>Miles</b>?" || got.At.IsZero() {
			t.Errorf("heard: %+v", got)
		}
	}
	bob.Close(websocket.StatusNormal, "")
	if here := heard(ann, "here").Here; !slices.Equal(here, []string{"Guest 1001"}) {
		t.Errorf("ann sees %q", here)
	}
	late := websockettest.Dial(t, client, "/chat/socket", websockettest.Header("Cookie", "guest=<script>"))
	if you := heard(late, "you"); !strings.HasPrefix(you.By, "Guest ") || strings.Contains(you.By, "<") {
		t.Errorf("the name is %q", you.By)
	}
	if got := heard(late, "said"); got.By != "Guest 1001" {
		t.Errorf("what was said before: %+v", got)
	}
	late.Send(utterance{""})
	late.Closed(websocket.StatusInvalidData, "text")
	ann.Send(utterance{strings.Repeat("x", 501)})
	ann.Closed(websocket.StatusInvalidData, "500")
	websockettest.Refused(t, client, "/chat/socket", websockettest.Header("Origin", "https://evil.example")).Problem(403)
}

// The page gives a guest a name, and leaves one that is there.
func TestChatNames(t *testing.T) {
	client := ishaatest.New(t, testApp(t))
	client.Get("/chat").Status(200).HTML(`data-socket="/chat/socket"`)
	number, _ := client.Cookie("guest")
	if !guestNumber.MatchString(number) {
		t.Fatalf("the cookie is %q", number)
	}
	client.Get("/chat").Status(200)
	if again, _ := client.Cookie("guest"); again != number {
		t.Errorf("%s has become %s", number, again)
	}
}
