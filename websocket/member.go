package websocket

import (
	"sync"

	"github.com/ishaa-framework/ishaa/store"
)

// member is a connection in a room, with the messages that wait for it. There is a
// goroutine only while there are any: most members are idle most of the time.
type member struct {
	Member
	room *room
	conn *Conn
	uses int // guarded by the room

	mu      sync.Mutex
	waiting []*message
	sending bool // a goroutine takes from waiting
	missed  int  // messages that were dropped before the first that waits
	over    bool // left, or closed for being slow
}

// begin puts what was said before into the queue, however long that is.
func (m *member) begin(past []*posted) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range past {
		m.waiting = append(m.waiting, p.message)
	}
	m.wake()
}

// push puts a message into the queue. It never waits.
func (m *member) push(message *message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return
	}
	if len(m.waiting) >= m.room.queue {
		if m.room.closeSlow {
			m.over, m.waiting = true, nil
			m.conn.goes(func() { _ = m.conn.Close(StatusTryAgain, "messages are not taken fast enough") })
			return
		}
		drop := len(m.waiting) - m.room.queue + 1
		m.waiting = append(m.waiting[:0], m.waiting[drop:]...)
		m.missed += drop
	}
	m.waiting = append(m.waiting, message)
	m.wake()
}

func (m *member) wake() {
	if !m.sending && len(m.waiting) > 0 {
		m.sending = true
		m.conn.goes(m.send)
	}
}

// leave lets the queue empty, and takes nothing more.
func (m *member) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = true
}

func (m *member) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over, m.waiting = true, nil
}

// atOnce is how many messages go out in one write.
const atOnce = 16

// send empties the queue.
func (m *member) send() {
	var batch [atOnce + 1]*message
	for {
		n, missed := m.take(batch[1:])
		if n == 0 {
			return
		}
		from := 1
		if missed > 0 {
			if marker := m.room.marker(Gap{Room: m.room.name, Reason: store.ErrSlow, Missed: missed, Member: m.Member}); marker != nil {
				from, batch[0] = 0, marker
			}
		}
		if m.conn.write(m.conn.ctx, batch[from:1+n]...) != nil {
			m.clear() // the connection is gone; whoever waits for it will see
			return
		}
	}
}

// take moves messages to a batch. The goroutine ends when there are none.
func (m *member) take(batch []*message) (n, missed int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n = copy(batch, m.waiting)
	if n == 0 {
		m.sending, m.waiting = false, nil
		return 0, 0
	}
	rest := copy(m.waiting, m.waiting[n:])
	clear(m.waiting[rest:])
	m.waiting = m.waiting[:rest]
	missed, m.missed = m.missed, 0
	return n, missed
}
