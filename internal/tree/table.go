package tree

// The static children of a node are found by hashing a whole segment, so that the time does not depend on how many
// there are. A segment is known by its first and its last eight bytes and its length: up to sixteen bytes that is the
// whole of it and needs no further look, and hashing takes two multiplications. Longer ones are compared in full.
//
// The key lies in the child's node, which is needed next anyway, and the tables hold no more than indexes of nodes;
// so a lookup touches little memory.

// key is a segment, as far as it fits. As no segment has a NUL, the first word of one shorter than eight bytes is no
// other segment's, and is never 0.
type key struct {
	first  uint64 // the first eight bytes
	last   uint64 // the last eight bytes, overlapping, or 0 if there are fewer than eight in all
	length uint8  // the length, or longKey
}

// longKey stands for all lengths at which a key is not the whole segment.
const longKey = 17

// keyOf returns the key of a segment.
func keyOf(segment string) key {
	if n := len(segment); n >= 8 {
		return key{load(segment, 0), load(segment, n-8), uint8(min(n, longKey))}
	}
	return key{first: wordOf(segment), length: uint8(len(segment))}
}

// hash returns the place for a key in a table of 2^(64-shift) slots: the highest bits of a product, as those depend
// on all bits of the key.
func (k key) hash(shift uint8) uint32 {
	return uint32((k.first ^ k.last*0xD6E8FEB86659FD93) * 0x9E3779B97F4A7C15 >> (shift & 63))
}

// is reports whether a node is that of a segment.
func (c *core) is(child uint32, k key, segment string) bool {
	return c.nodes[child].key() == k && (k.length < longKey || c.texts[child] == segment)
}

// find returns the static child of a node for a segment, or 0.
func (c *core) find(n *node, k key, segment string) uint32 {
	switch {
	case n.statics == 0:
		return 0
	case n.statics == 1:
		if c.is(n.table, k, segment) {
			return n.table
		}
		return 0
	}
	slots := c.slots[n.table:][:1<<(64-n.shift)]
	for i := k.hash(n.shift); ; i++ {
		child := slots[i&uint32(len(slots)-1)]
		if child == 0 || c.is(child, k, segment) {
			return child
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
	c.nodes[child].first, c.nodes[child].last, c.nodes[child].length = k.first, k.last, k.length
	if k.length == longKey {
		if c.texts == nil {
			c.texts = make(map[uint32]string)
		}
		c.texts[child] = segment
	}
	n := &c.nodes[at]
	if n.statics++; n.statics == 1 {
		n.table = child
		return child
	}
	if n.statics == 2 || n.statics > 1<<(64-n.shift)/2 {
		c.grow(n)
	}
	c.place(n, child)
	return child
}

// grow gives a node its first table, or one of twice the size, so that half of it at most is taken. The old one is
// left behind; all of those together are smaller than the tables in use.
func (c *core) grow(n *node) {
	old := []uint32{n.table}
	if n.shift == 0 {
		n.shift = 62
	} else {
		old = c.slots[n.table:][:1<<(64-n.shift)]
		n.shift--
	}
	n.table = uint32(len(c.slots))
	c.slots = append(c.slots, make([]uint32, 1<<(64-n.shift))...)
	for _, child := range old {
		if child != 0 {
			c.place(n, child)
		}
	}
}

// place puts a child in its parent's table, which has room.
func (c *core) place(n *node, child uint32) {
	slots := c.slots[n.table:][:1<<(64-n.shift)]
	i := c.nodes[child].key().hash(n.shift)
	for slots[i&uint32(len(slots)-1)] != 0 {
		i++
	}
	slots[i&uint32(len(slots)-1)] = child
}
