package sare

import (
	"slices"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/internal/httpcache"
)

// trace is what a handler read while it was watched: each input once, in the order of first reads, with its value; and
// the tables that its answer depends on, each at the generation it had before it was read.
type trace struct {
	mu     sync.Mutex // a handler may have goroutines
	ended  bool
	inputs []ishaa.Input
	values []string
	tables []table
	opaque bool   // the raw request was asked for
	refuse string // why the answer is not to be kept
}

// table is a table of a source at a generation.
type table struct {
	source, name string
	at           effect.Generation
	far          uint64 // writes by other nodes
}

func (t *trace) read(in ishaa.Input, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || t.refuse != "" {
		return
	}
	switch in.Kind {
	case ishaa.InputMethod, ishaa.InputPath, ishaa.InputURL, ishaa.InputHost, ishaa.InputScheme, ishaa.InputParam,
		ishaa.InputQuery, ishaa.InputQueryAll, ishaa.InputHeader, ishaa.InputValue, ishaa.InputContext:
	case ishaa.InputRaw:
		t.opaque = true
		return
	case ishaa.InputIdentity:
		t.refuse = "the handler reads who asks (" + in.Name + ")"
		return
	case ishaa.InputAct:
		t.refuse = "the handler does something beside its answer (" + in.Name + ")"
		return
	default: // a body, or a kind that is not known here
		t.refuse = "the handler reads the " + in.Kind.String()
		return
	}
	if in.Kind == ishaa.InputHeader && isIdentityHeader(in.Name) {
		t.refuse = "the handler reads who asks (" + in.Name + ")"
		return
	}
	if slices.Contains(t.inputs, in) {
		return
	}
	t.inputs, t.values = append(t.inputs, in), append(t.values, value)
}

// dependsOn notes a table before it is read.
func (t *trace) dependsOn(far *farWrites, source, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended || slices.ContainsFunc(t.tables, func(known table) bool { return known.source == source && known.name == name }) {
		return
	}
	t.tables = append(t.tables, table{source, name, effect.GenerationOf(source, name), far.of(source, name)})
}

// end closes the trace: what goroutines that outlive the handler still read is not in the answer.
func (t *trace) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// key completes the inputs by those that the answer's Vary names, and those that a route's own sare.Vary declares, which
// come first. It says why there can be no key.
func (t *trace) key(r *ishaa.Request, answer map[string][]string, declared []string, isDeclared bool) (reason string) {
	if t.refuse != "" {
		return t.refuse
	}
	if t.opaque && !isDeclared {
		return "the handler asks for the raw request; sare.Vary would say what it reads of it"
	}
	if isDeclared {
		inputs := []ishaa.Input{methodInput, {Kind: ishaa.InputScheme}, {Kind: ishaa.InputHost}, {Kind: ishaa.InputURL}}
		for _, name := range declared {
			inputs = append(inputs, ishaa.Input{Kind: ishaa.InputHeader, Name: name})
		}
		for _, in := range t.inputs {
			if !slices.Contains(inputs, in) {
				inputs = append(inputs, in)
			}
		}
		t.inputs = inputs
		t.values = t.values[:0]
		for _, in := range inputs {
			value, ok := r.Input(in)
			if !ok {
				return "an input has no comparable value"
			}
			t.values = append(t.values, value)
		}
	}
	names, ok := httpcache.VaryNames(answer)
	if !ok {
		return "it says Vary: *"
	}
	for _, name := range names {
		in := ishaa.Input{Kind: ishaa.InputHeader, Name: name}
		if isIdentityHeader(name) {
			return "it varies by who asks"
		}
		if !slices.Contains(t.inputs, in) {
			value, _ := r.Input(in)
			t.inputs, t.values = append(t.inputs, in), append(t.values, value)
		}
	}
	if len(t.inputs) > maxInputs {
		return "it depends on more than 8 inputs"
	}
	for _, value := range t.values {
		if len(value) > maxValue {
			return "an input is longer than 256 bytes"
		}
	}
	return ""
}

// unchanged reports whether nothing was written since to the tables, and nothing is being written.
func unchanged(far *farWrites, tables []table) bool {
	for i := range tables {
		t := &tables[i]
		if now := effect.GenerationOf(t.source, t.name); now.Writing || now != t.at || far.of(t.source, t.name) != t.far {
			return false
		}
	}
	return true
}
