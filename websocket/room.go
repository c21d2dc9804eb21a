package websocket

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/store"
)

// Room is a number of connections that get each other's messages of type T, on one
// node or on many. Messages are encoded as Conn.Send does, once for all members.
//
// Each member has a queue of its own, so that a slow one delays nobody. Messages of
// one sender come in the order they were sent, each once for every member that was
// in the room when it was sent, while the store lives; where some may be missing, see
// OnGap.
//
// A node listens to the store while it has members, or while the room is held.
type Room[T any] struct{ *room }

// RoomOption is a setting of NewRoom.
type RoomOption func(*room)

// Over connects the room with the rooms of the same name on other nodes. Without it
// a room is one in this process.
func Over(st store.PubSub) RoomOption { return func(r *room) { r.st = st } }

// Queue is how many messages may wait for a member; default 256. A member that is
// further behind misses the oldest, or is closed: see CloseSlow.
func Queue(n int) RoomOption { return func(r *room) { r.queue = n } }

// CloseSlow closes members that are behind by more than their queue with 1013,
// instead of dropping the oldest messages.
func CloseSlow() RoomOption { return func(r *room) { r.closeSlow = true } }

// Remember keeps the last n messages for Replay and History. What was said before a
// node began to listen it learns from nodes that listened then; what nobody heard
// who still listens is forgotten.
func Remember(n int) RoomOption { return func(r *room) { r.remember = n } }

// OnGap has a function called where messages may be missing: for all members of this
// node when the store was away, for one member when it was too slow. What the
// function returns is sent to them as a message, in its place among the others; nil
// sends nothing.
//
//	websocket.OnGap(func(g websocket.Gap) any { return Message{Kind: "reload"} })
func OnGap(fn func(Gap) any) RoomOption { return func(r *room) { r.onGap = fn } }

// OnPresence has a function called when members came or went, on any node, with all
// who are there now, in the order of Members. What it returns is sent to the members of
// this node, in its place among the messages; nil sends nothing. It is not remembered.
// The room is locked meanwhile, so the function must not use it. As everybody
// hears of everybody, this is for rooms of some hundred members.
//
//	websocket.OnPresence(func(here []websocket.Member) any { return Message{Kind: "here", Members: here} })
func OnPresence(fn func(here []Member) any) RoomOption {
	return func(r *room) { r.onPresence = fn }
}

// Gap is a place in the messages of a room where some may be missing.
type Gap struct {
	Room   string
	Reason error // store.ErrUnavailable or store.ErrSlow
	Missed int   // how many one slow member missed; 0 when nobody knows
	Member Member
}

// Member is a connection in a room.
type Member struct {
	ID   string `json:"id"`   // of the connection: Conn.ID
	Name string `json:"name"` // that As gave it, or ""
}

// MemberOption is a setting of Join.
type MemberOption func(*joining)

type joining struct {
	name   string
	replay int
}

// As gives a member a name, such as that of the user, by which others see it and
// reach it. Several members may have the same.
func As(name string) MemberOption { return func(j *joining) { j.name = name } }

// Replay sends the last n messages first, in one piece with those that follow:
// none is missing between them and none comes twice. At most a Queue is sent.
func Replay(n int) MemberOption { return func(j *joining) { j.replay = n } }

// SendOption says who gets a message.
type SendOption func(*posted)

// Except leaves out connections, such as the sender's own.
func Except(conns ...*Conn) SendOption {
	return func(p *posted) {
		for _, c := range conns {
			p.except = append(p.except, c.ID())
		}
	}
}

// To sends to those members alone that have one of the names or IDs, wherever they
// are. Such messages are not remembered.
func To(members ...string) SendOption {
	return func(p *posted) { p.to = append(p.to, members...) }
}

// NewRoom returns a room. Nodes that use the same name over the same store are in
// one room.
func NewRoom[T any](name string, options ...RoomOption) *Room[T] {
	r := &room{
		name: name, topic: "websocket:" + name, queue: 256, id: rand.Text(),
		members: map[*Conn]*member{}, others: map[string]*roster{},
	}
	for _, option := range options {
		option(r)
	}
	switch err := store.CheckKey(r.topic); {
	case name == "" || err != nil:
		panic("websocket.NewRoom: the name has to be 1 to 1000 bytes")
	case r.queue < 1 || r.remember < 0:
		panic("websocket.NewRoom: Queue takes 1 at least, Remember 0")
	}
	return &Room[T]{r}
}

// Join makes a connection a member until the function that is returned is called or
// the connection ends:
//
//	defer chat.Join(c, websocket.As(user.Name))()
//
// What is sent after Join returned reaches the member, and what was sent before it
// left still does. If the store is away, Join
// waits a few seconds for it and goes on; the member gets the marker of a gap once
// it is back. Joining twice is joining once, until both have left.
func (r *Room[T]) Join(c *Conn, options ...MemberOption) (leave func()) {
	var j joining
	for _, option := range options {
		option(&j)
	}
	return r.join(c, j)
}

// Broadcast sends a message to all members, on all nodes. Without an error the store
// has it.
func (r *Room[T]) Broadcast(ctx context.Context, m T, options ...SendOption) error {
	encoded, err := newMessage(m)
	if err != nil {
		return err
	}
	return r.post(ctx, encoded, options)
}

// History returns the last n messages that the room remembers, the oldest first.
func (r *Room[T]) History(n int) []T {
	var list []T
	for _, p := range r.past(n) {
		var value T
		switch into := any(&value).(type) {
		case *string:
			*into = string(p.payload)
		case *[]byte:
			*into = slices.Clone(p.payload)
		default:
			if decode(p.payload, &value) != nil {
				continue // of a node that runs another version of the program
			}
		}
		list = append(list, value)
	}
	return list
}

// Name returns the room's name.
func (r *Room[T]) Name() string { return r.name }

// Members returns who is in the room, on all nodes, in the order of names and IDs.
// Of other nodes a node knows while it listens; changes take a moment to come, and
// the members of a node that died half a minute to go.
func (r *Room[T]) Members() []Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.present()
}

// Hold keeps this node listening although it may have no members, so that Members
// and History know of others. It returns when it listens.
func (r *Room[T]) Hold() (release func()) {
	l := r.hold()
	l.wait(context.Background(), true)
	return sync.OnceFunc(r.release)
}

// room is a Room without its type.
type room struct {
	name, topic string
	id          string // of the process
	st          store.PubSub
	queue       int
	closeSlow   bool
	remember    int
	onGap       func(Gap) any
	onPresence  func(here []Member) any
	seq         atomic.Uint64

	mu      sync.Mutex
	members map[*Conn]*member
	others  map[string]*roster // by link
	history history
	holds   int
	link    *link // nil while nobody holds it, and without a store
}

func (r *room) join(c *Conn, j joining) (leave func()) {
	l := r.hold()
	l.wait(c.ctx, j.replay > 0)
	r.mu.Lock()
	m := r.members[c]
	if m == nil {
		m = &member{room: r, conn: c, Member: Member{ID: c.ID(), Name: cutText(j.name, maxName)}}
		r.members[c] = m
		m.begin(r.history.last(min(j.replay, r.queue)))
		r.link.came(m.Member)
		r.tellPresence()
	}
	m.uses++
	r.mu.Unlock()
	leave = sync.OnceFunc(func() {
		r.mu.Lock()
		if m.uses--; m.uses == 0 {
			delete(r.members, c)
			m.leave()
			r.link.went(m.ID)
			r.tellPresence()
		}
		r.mu.Unlock()
		r.release()
	})
	c.onEnd(leave)
	return leave
}

// maxName is the length of a member's name, in bytes.
const maxName = 256

// hold counts a reason to listen. The link is nil without a store.
func (r *room) hold() *link {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holds++; r.holds == 1 && r.st != nil {
		r.link = startLink(r)
	}
	return r.link
}

// release takes it back. The last one waits until the link has ended.
func (r *room) release() {
	r.mu.Lock()
	var last *link
	if r.holds--; r.holds == 0 && r.link != nil {
		last, r.link = r.link, nil
		clear(r.others)
	}
	r.mu.Unlock()
	if last != nil {
		last.stop()
	}
}

// post sends a message through the store, or to the members at once.
func (r *room) post(ctx context.Context, m *message, options []SendOption) error {
	p := &posted{origin: r.id, seq: r.seq.Add(1), at: time.Now().UnixNano(), message: m}
	for _, option := range options {
		option(p)
	}
	if r.st != nil {
		return r.st.Publish(ctx, r.topic, p.encode())
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if effect.Shadow(ctx) {
		effect.Intend(ctx, effect.Intent{Kind: "store", Target: r.topic, Detail: "publish " + strconv.Itoa(len(m.payload)) + " bytes"})
		return nil
	}
	r.deliver(p)
	return nil
}

// deliver puts a message into the queues of the members that are to get it.
func (r *room) deliver(p *posted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p.to) == 0 {
		r.history.add(p, r.remember)
	}
	for _, m := range r.members {
		if slices.Contains(p.except, m.ID) ||
			len(p.to) > 0 && !slices.Contains(p.to, m.ID) && (m.Name == "" || !slices.Contains(p.to, m.Name)) {
			continue
		}
		m.push(p.message)
	}
}

// gap marks a place where messages may be missing for all members of this node.
func (r *room) gap(reason error) {
	marker := r.marker(Gap{Room: r.name, Reason: reason})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pushAll(marker)
}

// pushAll puts a message, or nil, into the queues of all members of this node. The room is locked.
func (r *room) pushAll(message *message) {
	if message == nil {
		return
	}
	for _, m := range r.members {
		m.push(message)
	}
}

// tellPresence tells the members of this node who is there. The room is locked.
func (r *room) tellPresence() {
	if r.onPresence != nil && len(r.members) > 0 {
		r.pushAll(encodeOwn(r.onPresence(r.present())))
	}
}

// marker is the message that marks a gap, or nil.
func (r *room) marker(g Gap) *message {
	if r.onGap == nil {
		return nil
	}
	return encodeOwn(r.onGap(g))
}

// encodeOwn encodes what a function of the program returned. It is nil for nil, and for what cannot be encoded: then
// there is nothing to send.
func encodeOwn(v any) *message {
	if v == nil {
		return nil
	}
	m, err := newMessage(v)
	if err != nil {
		return nil
	}
	return m
}

// present lists who is there. The room is locked.
func (r *room) present() []Member {
	var list []Member
	for _, m := range r.members {
		list = append(list, m.Member)
	}
	for _, other := range r.others {
		for _, m := range other.members {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Member) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

func (r *room) past(n int) []*posted {
	r.mu.Lock()
	l := r.link
	r.mu.Unlock()
	l.wait(context.Background(), true)
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.history.last(n))
}
