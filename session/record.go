package session

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// record is a session as the store has it, in JSON. Times are milliseconds since
// 1970. An ended record is a tombstone: it keeps a request that still has the old
// id from starting anew with it, which would take the visitor's new session away.
// Where the session went on under another id, the tombstone names its hash and its
// user: who signs out with the old cookie at that moment means that one too.
type record struct {
	Ended   bool                       `json:"ended,omitempty"`
	Next    string                     `json:"next,omitempty"`
	Created int64                      `json:"created,omitempty"`
	Seen    int64                      `json:"seen,omitempty"`
	User    string                     `json:"user,omitempty"`
	Agent   string                     `json:"agent,omitempty"`
	Address string                     `json:"address,omitempty"`
	Values  map[string]json.RawMessage `json:"values,omitempty"`
	Flashes []flash                    `json:"flashes,omitempty"`
	Flashed int64                      `json:"flashed,omitempty"` // how many there have been
}

// flash has a number, so that a request that has shown some takes exactly those
// away, whatever others have added or taken meanwhile.
type flash struct {
	Number int64  `json:"n"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
}

// change is one thing that a request does to its session. It is done to what the
// request has read, and again to what it finds when it saves.
type change func(*record)

func (c *record) clone() *record {
	copied := *c
	copied.Values = maps.Clone(c.Values)
	copied.Flashes = slices.Clone(c.Flashes)
	return &copied
}

func (c *record) with(changes []change) *record {
	changed := c.clone()
	for _, apply := range changes {
		apply(changed)
	}
	return changed
}

// empty says that there is nothing to keep a session for.
func (c *record) empty() bool { return c.User == "" && len(c.Values) == 0 && len(c.Flashes) == 0 }

func (c *record) encode() []byte {
	data, err := json.Marshal(c)
	if err != nil {
		panic(err) // Values hold what json.Marshal made
	}
	return data
}

// decode returns nil for what is no record.
func decode(data []byte) *record {
	c := &record{}
	if json.Unmarshal(data, c) != nil || !c.Ended && c.Created == 0 {
		return nil
	}
	if len(c.Next) != len(hashOf("")) {
		c.Next = ""
	}
	return c
}

// expires is when the record's time is up, by its age and by the last visit.
func (c *record) expires(o *Options) time.Time {
	end := c.end(o)
	if o.Idle > 0 {
		if idle := time.UnixMilli(c.Seen).Add(o.Idle); idle.Before(end) {
			return idle
		}
	}
	return end
}

// end is when the record is too old, however it is used.
func (c *record) end(o *Options) time.Time { return time.UnixMilli(c.Created).Add(o.MaxAge) }

// maxAgent is how much of a User-Agent is kept, in bytes.
const maxAgent = 256

func shorten(agent string) string {
	if len(agent) <= maxAgent {
		return agent
	}
	agent = agent[:maxAgent]
	for len(agent) > 0 && !utf8.ValidString(agent) {
		agent = agent[:len(agent)-1]
	}
	return agent
}
