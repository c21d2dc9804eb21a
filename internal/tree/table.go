package tree

// The static children of a node are found by hashing a whole segment, so that the time does not depend on how many
// there are. A segment is known by its first and its last eight bytes and its length: up to sixteen bytes that is the
// whole of it and needs no further look, and hashing takes one multiplication. Longer ones are compared in full.

// slot is a place for a static child; it is free if first is 0.
type slot struct {
	first, last uint64 // of the key
	n           uint32
	child       uint32
}

func (s *slot) key() key { return key{s.first, s.last, s.n} }

// key is a segment, as far as it fits. As no segment has a NUL, the first word of one shorter than eight bytes is no
// other segment's, and is never 0.
type key struct {
	first uint64 // the first eight bytes
	last  uint64 // the last eight bytes, overlapping, or 0 if there are fewer than eight in all
	n     uint32 // the length
}

// exactKey is the length up to which a key is the whole segment.
const exactKey = 16

// keyOf returns the key of a segment.
func keyOf(segment string) key {
	if n := len(segment); n >= 8 {
		return key{load(segment, 0), load(segment, n-8), uint32(n)}
	}
	return key{first: wordOf(segment), n: uint32(len(segment))}
}

// hash returns the place for a key in a table of 2^(64-shift) slots: the highest bits of a product, as those depend
// on all bits of the key.
func (k key) hash(shift uint8) uint32 {
	return uint32((k.first ^ k.last*0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15 >> (shift & 63))
}

// find returns the static child of a node for a segment, or 0.
func (c *core) find(n *node, k key, segment string) uint32 {
	switch {
	case n.n != 0 && n.only() == k:
		return n.table
	case n.n != 0 || n.statics == 0:
		return 0
	}
	slots := c.slots[n.table:][:1<<(64-n.shift)]
	for i := k.hash(n.shift); ; i++ {
		s := &slots[i&uint32(len(slots)-1)]
		if s.first == 0 {
			return 0
		}
		if s.key() == k && (k.n <= exactKey || c.texts[s.child] == segment) {
			return s.child
		}
	}
}

// static returns the static child of a node for a segment, which it makes if need be.
func (c *core) static(at uint32, segment string) uint32 {
	k := keyOf(segment)
	if child := c.find(&c.nodes[at], k, segment); child != 0 {
		return child
	}
	child := c.newNode()
	n := &c.nodes[at]
	if k.n > exactKey {
		if c.texts == nil {
			c.texts = make(map[uint32]string)
		}
		c.texts[child] = segment
	}
	if n.statics++; n.statics == 1 && k.n <= exactKey {
		n.first, n.last, n.n, n.table = k.first, k.last, uint8(k.n), child
		return child
	}
	if size := n.slots(); n.statics > size/2 && (size < sparse || n.statics > size/4*3) {
		c.grow(n)
	}
	place(c.slots[n.table:][:n.slots()], n.shift, slot{k.first, k.last, k.n, child})
	return child
}

// sparse is the size up to which tables are at most half full, so that few segments share a place; larger ones, where
// memory counts more, are at most three quarters full.
const sparse = 256

// slots returns the size of a node's table.
func (n *node) slots() uint32 {
	if n.shift == 0 {
		return 0
	}
	return 1 << (64 - n.shift)
}

// grow gives a node its first table, or one of twice the size. The old one is left behind; all of those together are
// smaller than the tables in use.
func (c *core) grow(n *node) {
	var old []slot
	shift := uint8(62)
	switch {
	case n.n != 0:
		old = []slot{{n.first, n.last, uint32(n.n), n.table}}
		n.first, n.last, n.n = 0, 0, 0
	case n.shift != 0:
		old, shift = c.slots[n.table:][:n.slots()], n.shift-1
	}
	table := make([]slot, 1<<(64-shift))
	for _, s := range old {
		if s.first != 0 {
			place(table, shift, s)
		}
	}
	n.table, n.shift = uint32(len(c.slots)), shift
	c.slots = append(c.slots, table...)
}

// place puts a slot in a table that has room.
func place(table []slot, shift uint8, s slot) {
	i := s.key().hash(shift)
	for table[i&uint32(len(table)-1)].first != 0 {
		i++
	}
	table[i&uint32(len(table)-1)] = s
}
