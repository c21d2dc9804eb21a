package websocket

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// What nodes of a room send each other through the store: messages, in a form of
// their own since there are many, and control in JSON.

// posted is a message on its way through a room.
type posted struct {
	origin string // the link or process that sent it
	seq    uint64 // of the origin
	at     int64  // Unix nanoseconds, by the origin's clock
	except []string
	to     []string // IDs or names; none for everybody
	*message
}

// messageMark is the first byte of a posted message. JSON does not begin with it.
const messageMark = 'M'

func (p *posted) encode() []byte {
	out := make([]byte, 0, 64+len(p.payload))
	out = append(out, messageMark, byte(p.kind))
	out = appendText(out, p.origin)
	out = binary.AppendUvarint(out, p.seq)
	out = binary.AppendVarint(out, p.at)
	for _, list := range [][]string{p.except, p.to} {
		out = binary.AppendUvarint(out, uint64(len(list)))
		for _, text := range list {
			out = appendText(out, text)
		}
	}
	return append(out, p.payload...)
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

var errEnvelope = errors.New("websocket: a message of the room is cut short")

// parsePosted reads what encode wrote.
func parsePosted(data []byte) (*posted, error) {
	if len(data) < 2 || data[0] != messageMark || Kind(data[1]) != Text && Kind(data[1]) != Binary {
		return nil, errEnvelope
	}
	in := reader{rest: data[2:]}
	p := &posted{origin: in.text(), seq: in.uvarint()}
	at, n := binary.Varint(in.rest)
	in.skip(n)
	p.at = at
	p.except, p.to = in.texts(), in.texts()
	if in.failed {
		return nil, errEnvelope
	}
	p.message = pack(Kind(data[1]), in.rest)
	return p, nil
}

// reader takes bytes apart; what it returns after a failure means nothing.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) skip(n int) {
	if n <= 0 || n > len(r.rest) {
		r.failed, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *reader) uvarint() uint64 {
	value, n := binary.Uvarint(r.rest)
	r.skip(n)
	return value
}

func (r *reader) text() string {
	size := r.uvarint()
	if size > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return ""
	}
	text := string(r.rest[:size])
	r.rest = r.rest[size:]
	return text
}

func (r *reader) texts() []string {
	count := r.uvarint()
	if count > uint64(len(r.rest)) { // each takes a byte at least
		r.failed = true
		return nil
	}
	var list []string
	for range count {
		list = append(list, r.text())
	}
	return list
}

// control is what links tell each other.
type control struct {
	Kind    string     `json:"kind"`
	From    string     `json:"from"`              // a link
	To      string     `json:"to,omitempty"`      // a link; "" is all
	Version uint64     `json:"version,omitempty"` // of the sender's members
	First   bool       `json:"first,omitempty"`   // of the parts of a state
	Last    bool       `json:"last,omitempty"`
	Members []Member   `json:"members,omitempty"` // of a state, or who came
	Left    []string   `json:"left,omitempty"`    // IDs
	Past    []oldEntry `json:"past,omitempty"`
}

// Kinds of control.
const (
	controlHello   = "hello"   // tell me who is there and what was said
	controlAsk     = "ask"     // tell me who is there
	controlState   = "state"   // all members of a node, or a part of them
	controlChanges = "changes" // members that came and went
	controlBeat    = "beat"    // still here
	controlBye     = "bye"     // gone, with all members
	controlPast    = "past"    // the latest messages, for who said hello
)

// oldEntry is a remembered message.
type oldEntry struct {
	Origin  string `json:"origin"`
	Seq     uint64 `json:"seq"`
	At      int64  `json:"at"`
	Kind    Kind   `json:"kind"`
	Payload []byte `json:"payload"`
}

func parseControl(data []byte) (*control, error) {
	var c control
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("websocket: control of the room: %w", err)
	}
	if c.From == "" {
		return nil, errEnvelope
	}
	return &c, nil
}
