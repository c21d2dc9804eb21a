package sare

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// The second gate. What an answer depends on is what its handler read, in order: so answers are the leaves of a trie
// whose nodes say which input is read next and whose edges are the values it may have. A look-up reads what the handler
// would read. If it arrives at a leaf, the request agrees with the one the answer was made for in every input that the
// handler read then; a handler that is a function of what it reads would answer the same. There is no other key that
// somebody could forget to complete.
type trie struct {
	mu     sync.RWMutex
	root   *node
	leaves int
	epoch  uint64 // moved on by forget: what was computed before is not kept after
}

type node struct {
	next   ishaa.Input
	edges  map[string]*node
	leaf   *leaf
	parent *node
	label  string
}

// leaf is the place of an answer. The entry in it is replaced, never changed.
type leaf struct {
	memo       *memo
	at         *node
	entry      atomic.Pointer[entry]
	used       atomic.Bool // since the shelf's hand last passed
	refreshing atomic.Bool
	gone       atomic.Bool // no path of the trie leads here any more
	hits       atomic.Uint64
	slot       int   // on the shelf, guarded by it
	size       int64 // guarded by the shelf
}

// entry is an answer with all that says how long it counts. It never changes.
type entry struct {
	answer *ishaa.Rendered
	header map[string][]string
	tables []table
	inputs []ishaa.Input
	path   string // that the request had, if all inputs come from it
	stored time.Time
	soft   time.Time // from here on it is made anew before it is needed
	fresh  time.Time
	hard   time.Time // stale answers are given out until here, while a new one is made
}

// place is where a look-up ended without an answer: requests that miss at the same place may be waiting for the same.
type place struct {
	at    *node
	value string
}

// find walks the trie by the request's inputs. It is not ok for a request that has no comparable value for one of them,
// or too long a one.
func (t *trie) find(r *ishaa.Request) (found *leaf, missed place, ok bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	n := t.root
	if n == nil {
		return nil, place{}, true
	}
	var space [maxValue]byte
	for {
		if n.leaf != nil {
			return n.leaf, place{n, ""}, true
		}
		if n.edges == nil {
			return nil, place{n, ""}, true
		}
		value, comparable := r.AppendInput(space[:0], n.next)
		if !comparable || len(value) > maxValue {
			return nil, place{}, false
		}
		child := n.edges[string(value)]
		if child == nil {
			return nil, place{n, string(value)}, true
		}
		n = child
	}
}

// keep puts an entry at the end of the path of its inputs. It gives the leaf, and those that are gone since the handler
// now reads other things on that path than it did before. There is no leaf if the trie was forgotten meanwhile.
func (t *trie) keep(m *memo, epoch uint64, inputs []ishaa.Input, values []string, e *entry) (kept *leaf, gone []*leaf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoch != epoch {
		return nil, nil
	}
	if t.root == nil {
		t.root = &node{}
	}
	n := t.root
	for i, in := range inputs {
		if n.leaf != nil || n.edges != nil && n.next != in {
			gone = t.clear(n, gone)
		}
		if n.edges == nil {
			n.next, n.edges = in, map[string]*node{}
		}
		child := n.edges[values[i]]
		if child == nil {
			child = &node{parent: n, label: values[i]}
			n.edges[values[i]] = child
		}
		n = child
	}
	if n.edges != nil {
		gone = t.clear(n, gone)
	}
	if n.leaf == nil {
		n.leaf = &leaf{memo: m, at: n}
		t.leaves++
	}
	n.leaf.entry.Store(e)
	return n.leaf, gone
}

// clear empties a node and lists the leaves that were below it.
func (t *trie) clear(n *node, gone []*leaf) []*leaf {
	if n.leaf != nil {
		gone = append(gone, n.leaf)
		n.leaf.gone.Store(true)
		n.leaf = nil
		t.leaves--
	}
	for _, child := range n.edges {
		gone = t.clear(child, gone)
	}
	n.edges, n.next = nil, ishaa.Input{}
	return gone
}

// remove takes one leaf out, and the path that led to nothing else.
func (t *trie) remove(l *leaf) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := l.at
	if n.leaf != l {
		return
	}
	n.leaf = nil
	l.gone.Store(true)
	t.leaves--
	for n.parent != nil && n.leaf == nil && len(n.edges) == 0 {
		delete(n.parent.edges, n.label)
		n = n.parent
	}
	if len(n.edges) == 0 {
		n.edges, n.next = nil, ishaa.Input{}
	}
}

// each calls visit for every leaf.
func (t *trie) each(visit func(*leaf)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var walk func(n *node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		if n.leaf != nil {
			visit(n.leaf)
		}
		for _, child := range n.edges {
			walk(child)
		}
	}
	walk(t.root)
}

// forget empties the trie.
func (t *trie) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.root != nil {
		t.clear(t.root, nil)
	}
	t.root, t.leaves = nil, 0
	t.epoch++
}

func (t *trie) state() (leaves int, epoch uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.leaves, t.epoch
}

// shelf bounds what all routes remember together, by number and by bytes. What was not used since its hand last passed
// goes first (CLOCK, Corbató 1968), so that requests that never come again do not drive out those that do.
type shelf struct {
	mu    sync.Mutex
	size  int
	ring  []*leaf
	hand  int
	bytes int64
}

// put adds a leaf, or its new size, and returns those that have to go for it.
func (s *shelf) put(l *leaf, size int64) (out []*leaf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.slot < len(s.ring) && s.ring[l.slot] == l {
		s.bytes += size - l.size
	} else {
		for len(s.ring) >= s.size {
			out = append(out, s.victim())
		}
		l.slot = len(s.ring)
		s.ring = append(s.ring, l)
		s.bytes += size
	}
	l.size = size
	l.used.Store(true)
	for s.bytes > maxMemory && len(s.ring) > 1 {
		out = append(out, s.victim())
	}
	return out
}

func (s *shelf) victim() *leaf {
	for {
		if s.hand >= len(s.ring) {
			s.hand = 0
		}
		l := s.ring[s.hand]
		if !l.used.CompareAndSwap(true, false) {
			s.take(l)
			return l
		}
		s.hand++
	}
}

// drop forgets leaves that are gone.
func (s *shelf) drop(list []*leaf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range list {
		if l.slot < len(s.ring) && s.ring[l.slot] == l {
			s.take(l)
		}
	}
}

// dropAll forgets all leaves of a memo.
func (s *shelf) dropAll(m *memo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.ring) - 1; i >= 0; i-- {
		if s.ring[i].memo == m {
			s.take(s.ring[i])
		}
	}
}

// take moves the last leaf into the place of one that goes.
func (s *shelf) take(l *leaf) {
	last := len(s.ring) - 1
	s.ring[l.slot] = s.ring[last]
	s.ring[l.slot].slot = l.slot
	s.ring[last] = nil
	s.ring = s.ring[:last]
	s.bytes -= l.size
}

func (s *shelf) state() (count int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ring), s.bytes
}
