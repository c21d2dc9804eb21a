package websocket_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/websocket"

	"github.com/ishaa-framework/ishaa"
)

// The cases of the Autobahn suite: what a client sends, and the events that it may
// see then, as strict servers and as lenient ones answer.

type suiteCase struct {
	ID       string
	Ops      []suiteOp
	Expected map[string][][]any
	Close    struct {
		ByMe  bool  `json:"closedByMe"`
		Codes []int `json:"closeCode"`
		Fatal bool  `json:"closedByWrongEndpointIsFatal"`
	} `json:"expectedClose"`
	LenOnly *int
	Quiet   bool `json:"suppressClose"`
}

type suiteOp struct {
	Op       string
	Opcode   byte
	Payload  []byte
	Fin      bool
	RSV      byte
	Len      *int
	Chop     int
	Binary   bool
	Fragment int
	Code     *int
	Reason   []byte
	S        float64
	Tag      *string
}

func TestSuite(t *testing.T) {
	path := filepath.Join(testenv.Conformance(t), "websocket", "cases.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var cases []suiteCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 247 {
		t.Errorf("there are %d cases; 247 are known", len(cases))
	}
	app := ishaa.New("suite")
	app.Get("/ws", websocket.Handler(echo))
	client := ishaatest.New(t, app, ishaatest.OverSocket())
	client.Get("/ws").Status(426) // starts the server before the cases race for it
	verdicts := map[string]int{}
	var mu sync.Mutex
	var running sync.WaitGroup
	gate := make(chan struct{}, 32)
	for _, c := range cases {
		running.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			verdict := runSuiteCase(t, client, c)
			mu.Lock()
			defer mu.Unlock()
			verdicts[verdict]++
		})
	}
	running.Wait()
	t.Logf("%v", verdicts)
}

// player is the client of one case.
type player struct {
	*raw
	events   []any // in the form that the cases have
	frames   chan any
	code     int // of the server's close frame; 0 for none
	got, eof bool
	sent     bool // we sent a close frame
	masked   int  // bytes of the frame that is sent in pieces
	first    string
}

// closeSeen and ended are what the reading goroutine tells besides events.
type (
	closeSeen int
	ended     struct{}
)

func runSuiteCase(t *testing.T, client *ishaatest.Client, c suiteCase) string {
	p := &player{raw: dialRaw(t, client, "/ws"), frames: make(chan any, 64)}
	read := make(chan struct{})
	go p.read(read)
	defer func() { p.conn.Close(); <-read }()
	var kill <-chan time.Time
	var begun byte
	for _, op := range c.Ops {
		if op.Op == "wait" {
			p.pump(time.After(seconds(op.S)), nil)
			if p.got || p.eof {
				break
			}
			if op.Tag != nil {
				p.events = append(p.events, []any{"timeout", *op.Tag})
			}
			continue
		}
		if op.Op == "killAfter" || op.Op == "closeAfter" {
			// The suite's seconds bound how long to wait for what is missing; a busy machine gets more.
			kill = time.After(20 * time.Second)
			continue
		}
		p.perform(op, &begun)
	}
	matched := func() bool { return slices.Contains(p.matches(c), true) }
	p.pump(kill, func() bool {
		if c.Close.ByMe && !c.Quiet && !p.sent && !p.got && matched() {
			p.close(c.Close.Codes[0])
		}
		return p.got || p.eof
	})
	verdict := "FAILED"
	for name, want := range c.Expected {
		if normal(p.events) == normalAll(want) {
			verdict = name
			break
		}
	}
	if strings.HasPrefix(c.ID, "7.13.") || c.ID == "7.1.6" && verdict == "FAILED" {
		return "INFORMATIONAL" // how the server answers is its own affair, or a race by design
	}
	switch {
	case verdict == "FAILED":
		t.Errorf("%s: the events are %.300q, expected %.300q", c.ID, fmt.Sprint(p.events), fmt.Sprint(c.Expected))
	case p.code != 0 && !slices.Contains(c.Close.Codes, p.code):
		t.Errorf("%s: closed with %d, expected one of %v", c.ID, p.code, c.Close.Codes)
	case c.Close.Fatal && (p.first == "client") != c.Close.ByMe:
		t.Errorf("%s: closed by the wrong side", c.ID)
	case p.code == 0 && !c.Close.ByMe:
		t.Errorf("%s: there was no close frame", c.ID)
	}
	return verdict
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// perform sends what a step says.
func (p *player) perform(op suiteOp, begun *byte) {
	switch op.Op {
	case "frame":
		payload := string(op.Payload)
		if op.Len != nil {
			payload = strings.Repeat(payload, *op.Len/max(1, len(payload))+1)[:*op.Len]
		}
		first := op.Opcode | op.RSV<<4
		if op.Fin {
			first |= 0x80
		}
		bytes := frame(first, payload)
		if op.Chop == 0 {
			op.Chop = len(bytes)
		}
		for part := range slices.Chunk(bytes, op.Chop) {
			p.send(part)
		}
	case "message":
		p.message(op)
	case "close", "closeframe":
		p.noteClose()
		body := ""
		if op.Code != nil {
			body = string(binary.BigEndian.AppendUint16(nil, uint16(*op.Code)))
		}
		p.send(frame(0x88, body+string(op.Reason)))
	case "beginMessage":
		*begun = 0x81
		if op.Binary {
			*begun = 0x82
		}
	case "beginFrame":
		whole := frame(*begun, strings.Repeat("\x00", *op.Len))
		p.send(whole[:len(whole)-*op.Len])
		p.masked = 0
	case "frameData":
		mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
		data := slices.Clone(op.Payload)
		for i := range data {
			data[i] ^= mask[p.masked&3]
			p.masked++
		}
		p.send(data)
	}
}

// message sends a message in fragments.
func (p *player) message(op suiteOp) {
	first := byte(1)
	if op.Binary {
		first = 2
	}
	if len(op.Payload) == 0 || op.Fragment == 0 {
		p.send(frame(0x80|first, string(op.Payload)))
		return
	}
	parts := slices.Collect(slices.Chunk(op.Payload, op.Fragment))
	for i, part := range parts {
		if i == len(parts)-1 {
			first |= 0x80
		}
		p.send(frame(first, string(part)))
		first = 0
	}
}

func (p *player) noteClose() {
	p.sent = true
	if p.first == "" {
		p.first = "client"
	}
}

func (p *player) close(code int) {
	p.noteClose()
	p.send(closing(code, ""))
}

// pump takes in what comes until it is time, or done says so.
func (p *player) pump(until <-chan time.Time, done func() bool) {
	for !p.eof && (done == nil || !done()) {
		select {
		case <-until:
			return
		case event := <-p.frames:
			switch event := event.(type) {
			case ended:
				p.eof = true
				if p.first == "" {
					p.first = "server"
				}
			case closeSeen:
				p.got, p.code = true, int(event)
				if p.first == "" {
					p.first = "server"
				}
				if !p.sent {
					p.sent = true
					p.send(frame(0x88, ""))
				}
			default:
				p.events = append(p.events, event)
			}
		}
	}
}

// read makes events of frames.
func (p *player) read(done chan struct{}) {
	defer close(done)
	defer close(p.frames)
	var message []byte
	isBinary := false
	for {
		first, payload, err := p.frame()
		if err != nil {
			p.tell(ended{})
			return
		}
		switch first & 0xF {
		case 8:
			code := 0
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			p.tell(closeSeen(code))
		case 10:
			p.tell([]any{"pong", string(payload)})
		case 1, 2:
			message, isBinary = nil, first&0xF == 2
			fallthrough
		case 0:
			message = append(message, payload...)
			if first&0x80 != 0 {
				p.tell([]any{"message", string(message), isBinary})
			}
		}
	}
}

// tell gives an event to a player who may not listen any more.
func (p *player) tell(event any) {
	select {
	case p.frames <- event:
	case <-time.After(patience):
	}
}

// matches compares the events with each list that is expected.
func (p *player) matches(c suiteCase) []bool {
	var list []bool
	for _, want := range c.Expected {
		list = append(list, len(p.events) > 0 && normal(p.events) == normalAll(want))
	}
	return list
}

func decoded(text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func normal(events []any) string { return fmt.Sprintf("%q", events) }

// normalAll decodes the payloads of expected events.
func normalAll(want [][]any) string {
	list := []any{}
	for _, event := range want {
		event = slices.Clone(event)
		if event[0] != "timeout" {
			event[1] = decoded(event[1].(string))
		}
		list = append(list, event)
	}
	return fmt.Sprintf("%q", list)
}
