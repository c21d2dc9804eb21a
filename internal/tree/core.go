package tree

import (
	"cmp"
	"slices"
)

// The tree has a node for each start of patterns, and a child for each segment that follows it: static ones in a hash
// table (see table.go), parameters by their converter. Two patterns lead to the same node exactly if they have the
// same shape, that is, if they differ in the names of parameters only.
//
//	/users           root ── users ┬─ (leaf)
//	/users/<int:id>                ├─ int ─ (leaf)
//	/users/<name>                  └─ str ─ (leaf)
//
// Everything lies in a few slices and refers to each other by index. That keeps nodes small and close together, which
// is what the time of a lookup depends on when there are thousands of routes: it is spent waiting for memory.

// core is the part of a tree that does not depend on the type of its values.
type core struct {
	nodes   []node   // the first is the root
	slots   []uint32 // the hash tables of all nodes: static children, and 0 where there is none
	entries []entry
	rare    []rare
	texts   map[uint32]string // the segments that lead to nodes, if their keys do not say them
	custom  map[string]methodID
	depth   int // how many parameters the pattern with the most has
}

// node is a start of patterns, in 64 bytes, a line of most caches. Indexes of nodes are 0 for none, as the root is no
// node's child.
type node struct {
	first, last uint64 // the key of the static segment that leads here; of a parameter's node, what no segment has
	length      uint8  // of the key
	shift       uint8  // 64 less the binary logarithm of how many slots there are, if it has several static children
	statics     uint32 // how many static children it has
	table       uint32 // the only static child, or where the slots of several begin
	number      uint32 // the child for an int parameter
	str         uint32 // the child for a str parameter
	rare        uint32 // its other parameters: index in core.rare plus one, or 0
	leaf        leaf   // of patterns that end here
	slash       leaf   // of patterns that end here with a slash
}

func (n *node) key() key { return key{n.first, n.last, n.length} }

// rare is what few nodes have.
type rare struct {
	edges []edge // float, uuid, slug, re and registered converters, in order of precedence
	path  leaf   // of patterns that end here with a path parameter
	rest  leaf   // of mounts
}

// edge is a parameter that leads to a child.
type edge struct {
	matcher *matcher
	child   uint32
	users   []entry // for re and registered converters: a value of each method below
}

// leaf has the values of a shape, one for each method, in the order of their numbers; so that for any method is last.
// The first is at hand, as it is what most requests look for.
type leaf struct {
	method methodID // of the first
	n      uint16
	value  int32  // of the first
	at     uint32 // in core.entries
}

type entry struct {
	method methodID
	value  int32
}

// insert adds the value of a pattern that has no conflict.
func (c *core) insert(method methodID, p *Pattern, value int32) {
	at := uint32(0)
	last := len(p.segments) - 1
	for i, s := range p.segments {
		switch {
		case s.matcher == nil:
			at = c.static(at, s.static)
		case s.matcher.kind == kindPath && i == last:
			r := c.rareOf(at)
			r.path = c.add(r.path, entry{method, value})
			c.depth = max(c.depth, len(p.params))
			return
		default:
			at = c.param(at, s.matcher, entry{method, value})
		}
	}
	c.depth = max(c.depth, len(p.params))
	switch {
	case p.rest:
		r := c.rareOf(at)
		r.rest = c.add(r.rest, entry{method, value})
	case p.slash:
		c.nodes[at].slash = c.add(c.nodes[at].slash, entry{method, value})
	default:
		c.nodes[at].leaf = c.add(c.nodes[at].leaf, entry{method, value})
	}
}

// newNode adds a node without anything and returns its index.
func (c *core) newNode() uint32 {
	c.nodes = append(c.nodes, node{})
	return uint32(len(c.nodes) - 1)
}

// rareOf returns the rare part of a node, which it makes if need be.
func (c *core) rareOf(at uint32) *rare {
	if c.nodes[at].rare == 0 {
		c.rare = append(c.rare, rare{})
		c.nodes[at].rare = uint32(len(c.rare))
	}
	return &c.rare[c.nodes[at].rare-1]
}

// param returns the child of a node for a parameter, which it makes if need be, and notes who uses it.
func (c *core) param(at uint32, m *matcher, user entry) uint32 {
	switch m.kind {
	case kindInt:
		if c.nodes[at].number == 0 {
			child := c.newNode()
			c.nodes[at].number = child
		}
		return c.nodes[at].number
	case kindStr:
		if c.nodes[at].str == 0 {
			child := c.newNode()
			c.nodes[at].str = child
		}
		return c.nodes[at].str
	}
	r := c.rareOf(at)
	i := slices.IndexFunc(r.edges, func(e edge) bool { return e.matcher.same(m) })
	if i < 0 {
		i, _ = slices.BinarySearchFunc(r.edges, m, func(e edge, m *matcher) int { return precedence(e.matcher, m) })
		r.edges = slices.Insert(r.edges, i, edge{matcher: m, child: c.newNode()})
	}
	e := &r.edges[i]
	if !slices.ContainsFunc(e.users, func(u entry) bool { return u.method == user.method }) {
		e.users = append(e.users, user)
	}
	return e.child
}

// precedence orders parameters at the same place. What it leaves equal is told apart by text, so that the order does
// not depend on that of registration; only parameters whose methods do not meet get that far.
func precedence(a, b *matcher) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(b.rank, a.rank), cmp.Compare(a.String(), b.String()))
}

// add returns a leaf with one more entry. The entries move to the end, unless they are there already.
func (c *core) add(l leaf, e entry) leaf {
	if int(l.at)+int(l.n) != len(c.entries) {
		old := c.of(l)
		l.at = uint32(len(c.entries))
		c.entries = append(c.entries, old...)
	}
	c.entries = append(c.entries, e)
	l.n++
	slices.SortFunc(c.of(l), func(a, b entry) int { return cmp.Compare(a.method, b.method) })
	l.method, l.value = c.entries[l.at].method, c.entries[l.at].value
	return l
}

// of returns the entries of a leaf.
func (c *core) of(l leaf) []entry { return c.entries[l.at:][:l.n] }

// pick returns the value that a leaf has for a method, or none.
func (c *core) pick(l *leaf, method methodID) int32 {
	if l.method == method && l.n != 0 {
		return l.value
	}
	return c.pickOther(l, method)
}

// pickOther is pick when it is not the first.
func (c *core) pickOther(l *leaf, method methodID) int32 {
	if l.n == 0 {
		return none
	}
	entries := c.of(*l)
	for _, e := range entries {
		if e.method == method {
			return e.value
		}
	}
	if method == methodHead && l.method == methodGet { // GET comes before all others
		return l.value
	}
	if last := entries[len(entries)-1]; last.method == methodAny {
		return last.value
	}
	return none
}
