package cache

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa"
)

// What an answer depends on is what its handler read. Nobody knows beforehand what
// that will be, so each route learns: the list of all inputs that any of its answers
// that were kept depended on. An answer is kept under the values of the whole list,
// and the list itself is part of the key. So whoever finds an answer agrees with the
// one it was made for in everything that the handler read then; a handler that reads
// more on another path makes the list longer and begins anew.

// maxInputs is how many inputs a route may have. Names of inputs may be a client's
// choice; answers that would make the list longer are not kept.
const maxInputs = 64

// maxInputText is how long the values of all inputs may be together, in bytes.
const maxInputText = 8 << 10

type routes struct {
	byRoute sync.Map // *ishaa.Route to *routeInputs
	mu      sync.Mutex
	byID    map[string]*routeInputs
}

type routeInputs struct {
	id    string
	alone bool // the id is that of another route too: answers stay in this process
	mu    sync.Mutex
	list  atomic.Pointer[[]ishaa.Input] // sorted by kind and name; nil while nothing is known
}

// inputsOf returns what is known of the route.
func (c *Cache) inputsOf(ctx context.Context, app *ishaa.App, route *ishaa.Route) *routeInputs {
	if known, ok := c.routes.byRoute.Load(route); ok {
		return known.(*routeInputs)
	}
	ri, isNew := c.register(app, route)
	if isNew && !ri.alone {
		c.learnFromOthers(ctx, ri)
	}
	return ri
}

// register gives a route an id that no other route has.
func (c *Cache) register(app *ishaa.App, route *ishaa.Route) (ri *routeInputs, isNew bool) {
	c.routes.mu.Lock()
	defer c.routes.mu.Unlock()
	if known, ok := c.routes.byRoute.Load(route); ok {
		return known.(*routeInputs), false
	}
	id := strings.Join([]string{
		app.Name(), strings.Join(route.Methods(), ","), route.Host(), route.Pattern(), route.VariantGroup(), route.VariantName(),
	}, "\x00")
	ri = &routeInputs{id: id}
	for c.routes.byID[ri.id] != nil { // of another application with the same name
		ri.id, ri.alone = ri.id+"\x00"+hex.EncodeToString(binary.BigEndian.AppendUint64(nil, newStamp())), true
	}
	c.routes.byID[ri.id] = ri
	c.routes.byRoute.Store(route, ri)
	return ri, true
}

// learn adds inputs to the list and returns it. It is not ok when the list would
// become too long. What is kept under the new list is put into place by keep before
// others see that list, so that nobody looks there in vain.
func (ri *routeInputs) learn(more []ishaa.Input, keep func(list []ishaa.Input)) (list []ishaa.Input, grown, ok bool) {
	ri.mu.Lock()
	defer ri.mu.Unlock()
	if known := ri.list.Load(); known != nil {
		list = *known
	} else {
		grown = true
	}
	longer := slices.Clone(list)
	for _, in := range more {
		if !slices.Contains(longer, in) {
			longer = append(longer, in)
		}
	}
	if len(longer) > maxInputs {
		return list, false, false
	}
	if grown = grown || len(longer) > len(list); grown {
		slices.SortStableFunc(longer, func(a, b ishaa.Input) int {
			if a.Kind != b.Kind {
				return int(a.Kind) - int(b.Kind)
			}
			return strings.Compare(a.Name, b.Name)
		})
	}
	keep(longer)
	if grown {
		ri.list.Store(&longer)
	}
	return longer, grown, true
}

func keepNothing([]ishaa.Input) {}

// portable reports inputs that mean the same to another process. Keys and context
// values have no name that only they have.
func portable(in ishaa.Input) bool {
	return in.Kind != ishaa.InputValue && in.Kind != ishaa.InputContext
}

// key is where an answer to the request is kept, and the digest of all that it
// depends on. A place is one of Options.MaxAnswers; the answers to one address that
// differ by headers share 256 of them. So however many variants clients make up, they
// take each other's places. It is not ok for a request that has no comparable value
// for an input, or too long ones.
func (c *Cache) key(r *ishaa.Request, ri *routeInputs, list []ishaa.Input) (place string, digest [32]byte, ok bool) {
	address, whole := sha256.New(), sha256.New()
	var text []byte
	total := 0
	text = appendText(text, ri.id)
	address.Write(text)
	whole.Write(text)
	for _, in := range list {
		value, comparable := r.Input(in)
		if total += len(value); !comparable || total > maxInputText {
			return "", digest, false
		}
		if in.Kind == ishaa.InputQueryAll {
			value = canonicalQuery(value)
		}
		text = append(text[:0], byte(in.Kind))
		text = appendText(appendText(text, in.Name), value)
		whole.Write(text)
		switch in.Kind {
		case ishaa.InputHeader, ishaa.InputValue, ishaa.InputContext:
		default:
			address.Write(text)
		}
	}
	whole.Sum(digest[:0])
	slot := binary.BigEndian.Uint64(address.Sum(nil)) + uint64(digest[0])
	return c.place(ri, slot%uint64(c.options.MaxAnswers)), digest, true
}

func (c *Cache) place(ri *routeInputs, slot uint64) string {
	route := sha256.Sum256([]byte(ri.id))
	name := make([]byte, 0, len(c.prefix)+2+16+8)
	name = append(name, c.prefix...)
	name = append(name, "a:"...)
	name = hex.AppendEncode(name, route[:8])
	return string(binary.BigEndian.AppendUint32(name, uint32(slot)))
}

func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// canonicalQuery makes queries that QueryValues cannot tell apart the same: the
// order of the names does not matter, that of one name's values does.
func canonicalQuery(raw string) string {
	values, _ := url.ParseQuery(raw)
	return values.Encode()
}

// The lists of other nodes are not needed for being right, but nodes with the same
// list share answers.

type portableInput struct {
	Kind ishaa.InputKind `json:"k"`
	Name string          `json:"n"`
}

func (c *Cache) inputsKey(ri *routeInputs) string {
	route := sha256.Sum256([]byte(ri.id))
	return c.prefix + "i:" + hex.EncodeToString(route[:8])
}

func (c *Cache) learnFromOthers(ctx context.Context, ri *routeInputs) {
	if c.far == nil {
		return
	}
	data, err := c.readFar(ctx, c.inputsKey(ri))
	if err != nil {
		return
	}
	var stored []portableInput
	if json.Unmarshal(data, &stored) != nil {
		return
	}
	var list []ishaa.Input
	for _, in := range stored {
		if in := (ishaa.Input{Kind: in.Kind, Name: in.Name}); portable(in) {
			list = append(list, in)
		}
	}
	ri.learn(list, keepNothing)
}

func (c *Cache) teachOthers(ctx context.Context, ri *routeInputs) {
	if c.far == nil || ri.alone {
		return
	}
	c.learnFromOthers(ctx, ri)
	var stored []portableInput
	for _, in := range *ri.list.Load() {
		if portable(in) {
			stored = append(stored, portableInput{in.Kind, in.Name})
		}
	}
	data, err := json.Marshal(stored)
	if err != nil {
		return
	}
	_ = c.askFar(ctx, func(ctx context.Context) error { return c.far.Set(ctx, c.inputsKey(ri), data, MaxTTL) })
}
