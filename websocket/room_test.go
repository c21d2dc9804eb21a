package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/store"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

type said struct {
	By   string `json:"by"`
	Text string `json:"text"`
}

// chat is an application with one room: what a member sends the others get, and the
// member too if it begins with "all:". "to NAME:…" is for one.
func chat(t testing.TB, room *websocket.Room[said], options ...ishaatest.Option) *ishaatest.Client {
	t.Helper()
	app := ishaa.New("chat")
	app.Get("/ws/<name>", websocket.Handler(func(c *websocket.Conn) error {
		name := c.Request().Param("name")
		member := []websocket.MemberOption{websocket.As(name)}
		if c.Request().Query("replay") != "" {
			member = append(member, websocket.Replay(3))
		}
		defer room.Join(c, member...)()
		if err := c.Send(c.Context(), said{"server", "welcome"}); err != nil {
			return err
		}
		for text, err := range websocket.Messages[string](c) {
			if err != nil {
				return err
			}
			send := []websocket.SendOption{websocket.Except(c)}
			if strings.HasPrefix(text, "all:") {
				send = nil
			}
			if to, _, ok := strings.Cut(text, ":"); ok && strings.HasPrefix(to, "to ") {
				send = []websocket.SendOption{websocket.To(strings.TrimPrefix(to, "to "))}
			}
			if err := room.Broadcast(c.Context(), said{name, text}, send...); err != nil {
				return err
			}
		}
		return nil
	}))
	return ishaatest.New(t, app, options...)
}

// enter connects a member and waits until it is in the room.
func enter(t testing.TB, client *ishaatest.Client, name string) *websockettest.Conn {
	t.Helper()
	socket := websockettest.Dial(t, client, "/ws/"+name)
	socket.Expect(said{"server", "welcome"})
	return socket
}

// nodes are two nodes of one room over a store, or one node twice without.
func nodes(t *testing.T, run func(t *testing.T, here, there *ishaatest.Client, rooms []*websocket.Room[said])) {
	t.Run("one node", func(t *testing.T) {
		room := websocket.NewRoom[said]("r", websocket.Remember(3))
		client := chat(t, room)
		run(t, client, client, []*websocket.Room[said]{room})
	})
	t.Run("two nodes", func(t *testing.T) {
		st := store.NewMemory(store.MemoryOptions{})
		t.Cleanup(func() { st.Close() })
		a := websocket.NewRoom[said]("r", websocket.Over(st), websocket.Remember(3))
		b := websocket.NewRoom[said]("r", websocket.Over(st), websocket.Remember(3))
		run(t, chat(t, a), chat(t, b), []*websocket.Room[said]{a, b})
	})
}

func TestRoom(t *testing.T) {
	nodes(t, func(t *testing.T, here, there *ishaatest.Client, rooms []*websocket.Room[said]) {
		alice, bob, carol := enter(t, here, "alice"), enter(t, there, "bob"), enter(t, there, "carol")
		enter(t, there, "dave") // says nothing, and keeps that node listening
		alice.Send("hi")
		bob.Expect(said{"alice", "hi"})
		carol.Expect(said{"alice", "hi"})
		bob.Send("all:hello")
		for _, member := range []*websockettest.Conn{alice, bob, carol} {
			member.Expect(said{"bob", "all:hello"})
		}
		alice.Send("to carol:psst")
		carol.Expect(said{"alice", "to carol:psst"})
		alice.Send("all:end")
		bob.Expect(said{"alice", "all:end"}) // and nothing of what was not for bob
		alice.Expect(said{"alice", "all:end"})

		for _, room := range rooms {
			eventually(t, "all know all members", func() bool { return names(room) == "alice bob carol dave" })
			if got := fmt.Sprint(room.History(10)); got != "[{alice hi} {bob all:hello} {alice all:end}]" {
				t.Errorf("the history is %s", got)
			}
			if got := fmt.Sprint(room.History(1)); got != "[{alice all:end}]" {
				t.Errorf("the history is %s", got)
			}
		}
		bob.Close(websocket.StatusNormal, "")
		carol.Cut()
		for _, room := range rooms {
			eventually(t, "those who went are gone", func() bool { return names(room) == "alice dave" })
		}
	})
}

func names(room interface{ Members() []websocket.Member }) string {
	var list []string
	for _, m := range room.Members() {
		list = append(list, m.Name)
	}
	return strings.Join(list, " ")
}

// Who comes late gets the last messages first, on a node that has heard none of
// them too.
func TestReplay(t *testing.T) {
	nodes(t, func(t *testing.T, here, there *ishaatest.Client, _ []*websocket.Room[said]) {
		alice := enter(t, here, "alice")
		for i := range 5 {
			alice.Send(fmt.Sprint("all:", i))
			alice.Expect(said{"alice", fmt.Sprint("all:", i)})
		}
		bob := websockettest.Dial(t, there, "/ws/bob?replay=1")
		got := map[string]bool{}
		var order []string
		for range 4 { // the welcome is none of the room's and comes when it comes
			var m said
			bob.JSON(&m)
			got[m.Text] = true
			if m.By == "alice" {
				order = append(order, m.Text)
			}
		}
		if !got["welcome"] || strings.Join(order, " ") != "all:2 all:3 all:4" {
			t.Errorf("%v %v", got, order)
		}
		alice.Send("live")
		bob.Expect(said{"alice", "live"})
	})
}

// A slow member misses the oldest messages, is told where, and delays nobody.
func TestSlowMember(t *testing.T) {
	var gaps atomic.Int64
	room := websocket.NewRoom[string]("r", websocket.Queue(4), websocket.OnGap(func(g websocket.Gap) any {
		if !errors.Is(g.Reason, store.ErrSlow) || g.Missed < 1 || g.Member.Name != "slow" || g.Room != "r" {
			t.Errorf("%+v", g)
		}
		gaps.Add(1)
		return fmt.Sprint("missed ", g.Missed)
	}))
	client, joined := lounge(t, room, websocket.WriteTimeout(patience))
	slow := dialRaw(t, client, "/ws/slow") // reads nothing
	quick := websockettest.Dial(t, client, "/ws/quick")
	<-joined
	<-joined
	const messages = 60
	padding := strings.Repeat("x", 32<<10) // more than the connection holds
	for i := range messages {
		if err := room.Broadcast(t.Context(), fmt.Sprint(i, " ", padding)); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(quick.Text(), " "); got != fmt.Sprint(i) {
			t.Fatalf("the quick one got %s, want %d", got, i)
		}
	}
	missed, next := 0, 0
	for next < messages {
		first, payload, err := slow.frame()
		if err != nil || first != 0x81 {
			t.Fatalf("%x %v", first, err)
		}
		var n int
		if _, err := fmt.Sscanf(string(payload), "missed %d", &n); err == nil {
			missed += n
			next += n
			continue
		}
		if _, err := fmt.Sscan(string(payload[:5]), &n); err != nil || n != next {
			t.Fatalf("the slow one got %.10q, want %d", payload, next)
		}
		next++
	}
	if missed == 0 || gaps.Load() == 0 {
		t.Errorf("%d missed in %d gaps", missed, gaps.Load())
	}
}

// lounge has members of a room that only listen.
func lounge(t testing.TB, room *websocket.Room[string], options ...websocket.Option) (*ishaatest.Client, chan struct{}) {
	t.Helper()
	app := ishaa.New("lounge")
	joined := make(chan struct{}, 16)
	app.Get("/ws/<name>", websocket.Handler(func(c *websocket.Conn) error {
		room.Join(c, websocket.As(c.Request().Param("name")))
		c.Discard()
		joined <- struct{}{}
		<-c.Context().Done()
		return nil
	}, options...))
	return ishaatest.New(t, app), joined
}

func TestCloseSlow(t *testing.T) {
	room := websocket.NewRoom[string]("r", websocket.Queue(2), websocket.CloseSlow())
	client, joined := lounge(t, room)
	slow := dialRaw(t, client, "/ws/slow")
	<-joined
	for range 20 {
		if err := room.Broadcast(t.Context(), strings.Repeat("x", 32<<10)); err != nil {
			t.Fatal(err)
		}
	}
	got := slow.next()
	for strings.HasPrefix(got, "text") {
		got = slow.next()
	}
	if got != "close 1013" {
		t.Error(got)
	}
	slow.send(closing(1013, ""))
	eventually(t, "the slow one is gone", func() bool { return len(room.Members()) == 0 })
}

// A broadcast is encoded and compressed once, whatever the number of members.
func TestBroadcastEncodesOnce(t *testing.T) {
	var encoded atomic.Int64
	room := websocket.NewRoom[counted]("r")
	app := ishaa.New("sockets")
	joined := make(chan struct{}, 16)
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		defer room.Join(c)()
		joined <- struct{}{}
		return echo(c)
	}, websocket.Compress()))
	client := ishaatest.New(t, app)
	var list []*websockettest.Conn
	for i := range 8 {
		var options []websockettest.Option
		if i%2 == 0 {
			options = append(options, websockettest.Compress())
		}
		list = append(list, websockettest.Dial(t, client, "/ws", options...))
		<-joined
	}
	if err := room.Broadcast(t.Context(), counted{&encoded}); err != nil {
		t.Fatal(err)
	}
	for _, socket := range list {
		socket.Expect(`"` + strings.Repeat("x", 2000) + `"`)
	}
	if encoded.Load() != 1 {
		t.Errorf("encoded %d times", encoded.Load())
	}
}

type counted struct{ n *atomic.Int64 }

func (c counted) MarshalJSON() ([]byte, error) {
	c.n.Add(1)
	return []byte(`"` + strings.Repeat("x", 2000) + `"`), nil
}

// Joining twice is one membership, which both have to leave.
func TestJoinTwice(t *testing.T) {
	room := websocket.NewRoom[string]("r")
	step := make(chan struct{})
	client := serve(t, func(c *websocket.Conn) error {
		first, second := room.Join(c), room.Join(c)
		step <- struct{}{}
		<-step
		first()
		first()
		step <- struct{}{}
		<-step
		second()
		step <- struct{}{}
		return echo(c)
	})
	socket := websockettest.Dial(t, client, "/ws")
	send := func(text string) {
		if err := room.Broadcast(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	<-step
	send("both")
	step <- struct{}{}
	<-step
	send("one")
	step <- struct{}{}
	<-step
	send("none")
	socket.Expect("both")
	socket.Expect("one")
	socket.Send("end")
	socket.Expect("end")
}

// Under a shadow nothing is sent, and the intent is reported.
func TestBroadcastInAShadow(t *testing.T) {
	room := websocket.NewRoom[string]("r", websocket.Remember(5))
	var intents []effect.Intent
	ctx := effect.WithShadow(t.Context(), effect.RecorderFunc(func(i effect.Intent) { intents = append(intents, i) }))
	if err := room.Broadcast(ctx, "hello"); err != nil {
		t.Fatal(err)
	}
	if len(room.History(5)) != 0 || len(intents) != 1 || intents[0].Target != "websocket:r" {
		t.Errorf("%v %v", room.History(5), intents)
	}
}

// A room that is held knows of the others without having members.
func TestHold(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()
	a := websocket.NewRoom[said]("r", websocket.Over(st), websocket.Remember(5))
	b := websocket.NewRoom[said]("r", websocket.Over(st), websocket.Remember(5))
	alice := enter(t, chat(t, a), "alice")
	alice.Send("all:before")
	alice.Expect(said{"alice", "all:before"})
	if b.History(5) != nil || b.Members() != nil {
		t.Error("it knows without listening")
	}
	release := b.Hold()
	defer release()
	eventually(t, "the held room knows", func() bool { return names(b) == "alice" && len(b.History(5)) == 1 })
	release()
	if b.Members() != nil {
		t.Error("it still knows of members that it does not hear of")
	}
}

// Many members come and go on two nodes; in the end both know the same.
func TestPresenceAgrees(t *testing.T) {
	st := store.NewMemory(store.MemoryOptions{})
	defer st.Close()
	a := websocket.NewRoom[said]("r", websocket.Over(st))
	b := websocket.NewRoom[said]("r", websocket.Over(st))
	here, there := chat(t, a), chat(t, b)
	var stay []string
	for i := range 40 {
		name := fmt.Sprintf("m%02d", i)
		client := here
		if i%2 == 0 {
			client = there
		}
		socket := enter(t, client, name)
		if i%3 == 0 {
			socket.Close(websocket.StatusNormal, "")
		} else {
			stay = append(stay, name)
		}
	}
	slices.Sort(stay)
	for _, room := range []*websocket.Room[said]{a, b} {
		eventually(t, "both know who stayed", func() bool { return names(room) == strings.Join(stay, " ") })
	}
}

func TestWrongRooms(t *testing.T) {
	for name, make := range map[string]func(){
		"no name":   func() { websocket.NewRoom[string]("") },
		"long name": func() { websocket.NewRoom[string](strings.Repeat("x", 1024)) },
		"no queue":  func() { websocket.NewRoom[string]("r", websocket.Queue(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it did not panic")
				}
			}()
			make()
		})
	}
	room := websocket.NewRoom[func()]("r")
	if err := room.Broadcast(context.Background(), func() {}); err == nil {
		t.Error("a function was sent")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := websocket.NewRoom[string]("r").Broadcast(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Members hear who is there whenever somebody comes or goes, on whichever node, and not as a part of the history.
func TestPresenceIsTold(t *testing.T) {
	tell := websocket.OnPresence(func(here []websocket.Member) any {
		var list []string
		for _, m := range here {
			list = append(list, m.Name)
		}
		if slices.Contains(list, "nobody") {
			return nil
		}
		return said{"room", strings.Join(list, " ")}
	})
	st := store.NewMemory(store.MemoryOptions{})
	t.Cleanup(func() { st.Close() })
	for name, over := range map[string][]websocket.RoomOption{"one node": nil, "two nodes": {websocket.Over(st)}} {
		t.Run(name, func(t *testing.T) {
			options := append([]websocket.RoomOption{tell, websocket.Remember(9)}, over...)
			room := websocket.NewRoom[said]("told", options...)
			here := chat(t, room)
			there := here
			if over != nil {
				there = chat(t, websocket.NewRoom[said]("told", options...))
			}
			// until is how the room is described to a member at last; on two nodes it may be so in steps.
			until := func(socket *websockettest.Conn, want string) {
				t.Helper()
				for {
					var m said
					if socket.JSON(&m); m == (said{"room", want}) {
						return
					} else if over == nil && m.By == "room" {
						t.Fatalf("it is told %q, want %q", m.Text, want)
					}
				}
			}
			alice := websockettest.Dial(t, here, "/ws/alice")
			until(alice, "alice")
			bob := websockettest.Dial(t, there, "/ws/bob")
			until(alice, "alice bob")
			until(bob, "alice bob")
			nobody := websockettest.Dial(t, here, "/ws/nobody")
			nobody.Expect(said{"server", "welcome"}) // and no more
			nobody.Cut()
			until(alice, "alice bob")
			until(bob, "alice bob")
			bob.Close(websocket.StatusNormal, "")
			until(alice, "alice")
			if past := room.History(9); len(past) != 0 {
				t.Errorf("the history is %v", past)
			}
		})
	}
}
