package websocket_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/faultproxy"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/nats"
	_ "github.com/ishaa-framework/ishaa/store/redis"
	"github.com/ishaa-framework/ishaa/websocket"
	"github.com/ishaa-framework/ishaa/websocket/websockettest"
)

// engines are the stores that rooms are tested over, by name.
func engines(t *testing.T, run func(t *testing.T, address string)) {
	for name, address := range map[string]func(testing.TB) string{"redis": testenv.Redis, "nats": testenv.NATS} {
		t.Run(name, func(t *testing.T) { run(t, address(t)) })
	}
}

func open(t testing.TB, address string) store.Store {
	t.Helper()
	st, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// asNode has the test binary be a node of a room: its value is the address of the
// store and the name of the room, with a space between.
const asNode = "ISHAA_TEST_WEBSOCKET_NODE"

// TestNode is that node. It serves until its standard input ends.
func TestNode(t *testing.T) {
	address, name, ok := strings.Cut(os.Getenv(asNode), " ")
	if !ok {
		t.Skip("this is a part of TestTwoProcesses")
	}
	st := open(t, address)
	room := websocket.NewRoom[string](name, websocket.Over(st), websocket.Queue(4096))
	app := ishaa.New("node", ishaa.Config{Addr: "127.0.0.1:0"})
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		defer room.Join(c)()
		if err := c.Send(c.Context(), "welcome"); err != nil {
			return err
		}
		for text, err := range websocket.Messages[string](c) {
			if err != nil {
				return err
			}
			if err := room.Broadcast(c.Context(), text); err != nil {
				return err
			}
		}
		return nil
	}))
	app.OnListen(func(url string) { fmt.Println("node at " + url) })
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := app.RunArgs(ctx, nil); err != nil {
		t.Error(err)
	}
}

// startNode starts a node in a process of its own and returns its address.
func startNode(t *testing.T, address, room string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNode$", "-test.v")
	cmd.Env = append(os.Environ(), asNode+"="+address+" "+room, "ISHAA_LOG_LEVEL=warn")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if _, at, ok := strings.Cut(lines.Text(), "node at http://"); ok {
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				_, _ = io.Copy(io.Discard, output)
			}()
			t.Cleanup(func() {
				input.Close()
				<-drained
				if err := cmd.Wait(); err != nil {
					t.Errorf("a node ended with %v", err)
				}
			})
			return at
		}
	}
	input.Close()
	t.Fatalf("the node did not start: %v\n%s", cmd.Wait(), strings.Join(said, "\n"))
	return ""
}

// Two processes, several members on each: every member gets every message of every
// sender once and in order.
func TestTwoProcesses(t *testing.T) {
	engines(t, func(t *testing.T, address string) {
		const membersPerNode = 2
		total := 2000
		if testenv.Long() {
			total = 100_000
		}
		name := "proof-" + strconv.FormatInt(time.Now().UnixNano(), 36)
		var members []*raw
		for range 2 {
			at := startNode(t, address, name)
			for range membersPerNode {
				conn := dialTCP(t, at)
				c := shakeHands(t, conn, "/ws")
				if got := c.next(); got != `text "welcome"` {
					t.Fatal(got)
				}
				members = append(members, c)
			}
		}
		each := total / len(members)
		var running sync.WaitGroup
		// Of each sender so many may be under way: what a node's queues hold.
		heard := make([]chan struct{}, len(members))
		for i := range members {
			heard[i] = make(chan struct{}, 200)
		}
		for i, c := range members {
			running.Go(func() {
				for n := range each {
					heard[i] <- struct{}{}
					c.send(frame(0x81, fmt.Sprintf("%d %d", i, n)))
				}
			})
			running.Go(func() {
				last := slices.Repeat([]int{-1}, len(members))
				for range each * len(members) {
					_ = c.conn.SetDeadline(time.Now().Add(patience))
					first, payload, err := c.frame()
					if err != nil || first != 0x81 {
						t.Errorf("member %d: %x %q %v after %v", i, first, payload, err, last)
						return
					}
					var from, n int
					if _, err := fmt.Sscanf(string(payload), "%d %d", &from, &n); err != nil || n != last[from]+1 {
						t.Errorf("member %d got %q after %d", i, payload, last[from])
						return
					}
					last[from] = n
					if from == i {
						<-heard[i]
					}
				}
			})
		}
		running.Wait()
		for _, c := range members {
			c.conn.Close()
		}
	})
}

// While the store is away nothing gets through, and says so; when it is back there
// is a marker before what follows, and everybody knows again who is there.
func TestStoreOutage(t *testing.T) {
	engines(t, func(t *testing.T, address string) {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := faultproxy.New(u.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { proxy.Close() })
		u.Host = proxy.Addr()
		name := "outage-" + strconv.FormatInt(time.Now().UnixNano(), 36)
		marked := websocket.OnGap(func(g websocket.Gap) any {
			if !errors.Is(g.Reason, store.ErrUnavailable) || g.Room != name {
				t.Errorf("%+v", g)
			}
			return said{"gap", ""}
		})
		a := websocket.NewRoom[said](name, websocket.Over(open(t, u.String())), marked)
		b := websocket.NewRoom[said](name, websocket.Over(open(t, u.String())), marked)
		alice, bob := enter(t, chat(t, a), "alice"), enter(t, chat(t, b), "bob")
		// From here, not by alice, whose handler would still wait for the store's word when it is cut off.
		if err := a.Broadcast(t.Context(), said{"server", "before"}); err != nil {
			t.Fatal(err)
		}
		for _, member := range []*websockettest.Conn{alice, bob} {
			member.Expect(said{"server", "before"})
		}

		proxy.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := a.Broadcast(ctx, said{"server", "lost"}); err == nil {
			t.Error("a message was taken without a store")
		}
		proxy.Restore()
		for _, member := range []*websockettest.Conn{alice, bob} {
			member.Expect(said{"gap", ""})
		}
		// The connection may break once more while it is made: what is refused is sent again.
		eventually(t, "a message is taken again", func() bool { return a.Broadcast(ctx, said{"server", "after"}) == nil })
		for got := (said{}); got.Text != "after"; {
			if bob.JSON(&got); got.By != "gap" && got.Text != "after" {
				t.Errorf("bob got %v", got)
			}
		}
		for _, room := range []*websocket.Room[said]{a, b} {
			eventually(t, "all know all members", func() bool { return names(room) == "alice bob" })
		}
	})
}

// Who joins while the store is away gets in, and a marker when it is back.
func TestJoinWithoutAStore(t *testing.T) {
	st := &offline{Store: store.NewMemory(store.MemoryOptions{})}
	defer st.Close()
	st.away.Store(true)
	room := websocket.NewRoom[string]("r", websocket.Over(st), websocket.OnGap(func(websocket.Gap) any { return "gap" }))
	client, joined := lounge(t, room)
	socket := websockettest.Dial(t, client, "/ws/alice")
	<-joined
	if err := room.Broadcast(t.Context(), "lost"); err == nil {
		t.Error("a message was taken without a store")
	}
	st.away.Store(false)
	socket.Expect("gap")
	if err := room.Broadcast(t.Context(), "there"); err != nil {
		t.Error(err)
	}
	socket.Expect("there")
}
