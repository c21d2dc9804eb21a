package websocket_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"
)

// Many members in one room: every one gets every broadcast, in order, although one
// of them reads nothing. The long form writes down what an idle connection costs and
// what the slow one does to the others.
func TestManyMembers(t *testing.T) {
	members, broadcasts := 300, 20
	if testenv.Long() {
		members, broadcasts = 5000, 100
	}
	room := websocket.NewRoom[string]("many")
	app := ishaa.New("many", ishaa.Config{LogLevel: slog.LevelWarn})
	app.Get("/ws", websocket.Handler(func(c *websocket.Conn) error {
		defer room.Join(c)()
		_, _, err := c.Receive(c.Context())
		return err
	}, websocket.KeepAlive(0, 0))) // its clients answer nothing
	client := ishaatest.New(t, app, ishaatest.OverSocket())
	idle := memoryInUse()
	conns := make([]net.Conn, members)
	for i := range conns {
		conns[i] = openBare(t, client)
	}
	eventually(t, "all are in the room", func() bool { return len(room.Members()) == members })
	t.Logf("%d idle members: %.1f KiB each, with their clients' ends", members, float64(memoryInUse()-idle)/float64(members)/1024)

	without := broadcastTo(t, room, conns, broadcasts)
	slow := openBare(t, client) // reads nothing
	eventually(t, "the slow one is in the room", func() bool { return len(room.Members()) == members+1 })
	with := broadcastTo(t, room, conns, broadcasts)
	t.Logf("%d broadcasts, p99 of the time until a member has one: %v, with a member that reads nothing %v", broadcasts, percentile99(without), percentile99(with))
	slow.Close()
}

// memoryInUse is what the heap and the stacks take.
func memoryInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// openBare shakes hands and keeps nothing but the connection.
func openBare(t testing.TB, client *ishaatest.Client) net.Conn {
	t.Helper()
	return openBareAt(t, client, "/ws")
}

func openBareAt(t testing.TB, client *ishaatest.Client, path string) net.Conn {
	t.Helper()
	conn := client.Dial()
	lines := "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + sampleKey + "\r\n\r\n"
	if _, err := io.WriteString(conn, lines); err != nil {
		t.Fatal(err)
	}
	head, buf := "", make([]byte, 1)
	for !strings.HasSuffix(head, "\r\n\r\n") {
		if _, err := io.ReadFull(conn, buf); err != nil {
			t.Fatal(err)
		}
		head += string(buf)
	}
	return conn
}

// broadcastTo sends and has every member check what it gets. It returns the 99th
// percentile of the time from a broadcast to a member's having it.
func broadcastTo(t testing.TB, room *websocket.Room[string], conns []net.Conn, broadcasts int) []time.Duration {
	t.Helper()
	sent := make([]time.Time, broadcasts)
	var mu sync.Mutex
	var delays []time.Duration
	var reading sync.WaitGroup
	turn := make(chan struct{}, len(conns)*broadcasts)
	padding := strings.Repeat("x", 1000)
	for _, conn := range conns {
		reading.Go(func() {
			c := &raw{t: t, conn: conn, reader: bufio.NewReaderSize(conn, 512)}
			own := make([]time.Duration, 0, broadcasts)
			for n := range broadcasts {
				_ = conn.SetDeadline(time.Now().Add(patience))
				_, payload, err := c.frame()
				if want := fmt.Sprintf("%d ", n); err != nil || !strings.HasPrefix(string(payload), want) {
					t.Errorf("%.20q %v, want %q", payload, err, want)
					return
				}
				mu.Lock()
				own = append(own, time.Since(sent[n]))
				mu.Unlock()
				turn <- struct{}{}
			}
			mu.Lock()
			delays = append(delays, own...)
			mu.Unlock()
		})
	}
	for n := range broadcasts {
		mu.Lock()
		sent[n] = time.Now()
		mu.Unlock()
		if err := room.Broadcast(t.Context(), fmt.Sprintf("%d %s", n, padding)); err != nil {
			t.Fatal(err)
		}
		for range conns {
			select {
			case <-turn:
			case <-time.After(patience):
				t.Fatalf("broadcast %d has not reached everybody", n)
			}
		}
	}
	reading.Wait()
	return delays
}

func percentile99(delays []time.Duration) time.Duration {
	slices.Sort(delays)
	return delays[len(delays)*99/100]
}

// BenchmarkSlowMember has two rooms of as many members; one of them has a member more, whose connection has been full for a
// while. They take turns. What is reported is the 99th percentile of the time until one of the others has a message, and how
// many times as long that is with the slow one: it is to be less than 2.
func BenchmarkSlowMember(b *testing.B) {
	const members, broadcasts = 200, 10
	full := make(chan struct{})
	var once sync.Once
	rooms := map[string]*websocket.Room[string]{
		"without": websocket.NewRoom[string]("without"),
		"with": websocket.NewRoom[string]("with", websocket.Queue(64), websocket.OnGap(func(websocket.Gap) any {
			once.Do(func() { close(full) })
			return nil
		})),
	}
	app := ishaa.New("slow", ishaa.Config{LogLevel: slog.LevelWarn})
	app.Get("/<name>/<role>", websocket.Handler(func(c *websocket.Conn) error {
		defer rooms[c.Request().Param("name")].Join(c, websocket.As(c.Request().Param("role")))()
		_, _, err := c.Receive(c.Context())
		return err
	}, websocket.KeepAlive(0, 0), websocket.WriteTimeout(time.Hour))) // a slow one is not let go
	client := ishaatest.New(b, app, ishaatest.OverSocket())
	slow := openBareAt(b, client, "/with/slow")
	room := rooms["with"]
	eventually(b, "the slow one is in the room", func() bool { return len(room.Members()) == 1 })
	// Its queue overflows, which the room notes when it takes from the queue again: so a little is read, once.
	large := strings.Repeat("x", 64<<10)
	for range 200 {
		if err := room.Broadcast(b.Context(), large); err != nil {
			b.Fatal(err)
		}
	}
	for notedFull := false; !notedFull; {
		if _, err := io.CopyN(io.Discard, slow, 64<<10); err != nil {
			b.Fatal(err)
		}
		select {
		case <-full:
			notedFull = true
		default:
		}
	}
	for range 200 { // and full it is again
		if err := room.Broadcast(b.Context(), large); err != nil {
			b.Fatal(err)
		}
	}
	conns := map[string][]net.Conn{}
	for name, room := range rooms {
		before := len(room.Members())
		for range members {
			conns[name] = append(conns[name], openBareAt(b, client, "/"+name+"/other"))
		}
		eventually(b, "all are in the room", func() bool { return len(room.Members()) == before+members })
	}
	delays := map[string][]time.Duration{}
	for b.Loop() {
		for name, room := range rooms { // in either order
			delays[name] = append(delays[name], broadcastTo(b, room, conns[name], broadcasts)...)
		}
	}
	with, without := percentile99(delays["with"]), percentile99(delays["without"])
	b.ReportMetric(float64(without.Microseconds())/1000, "ms/p99-without")
	b.ReportMetric(float64(with.Microseconds())/1000, "ms/p99-with")
	b.ReportMetric(float64(with)/float64(without), "with/without")
	slow.Close()
}
