package strictjson

import (
	"bytes"
	"hash/maphash"
	"sync"
)

// Which names an object has had so far.
//
// The names of all open objects lie on one stack, each object's above its parent's: twelve octets a name, pointing into
// the text (or, for a name with escapes, into an arena of decoded names). Up to fewNames an object's names are compared
// one by one; from then on it has a hash table of positions on the stack. The hash is seeded per process, so nobody can
// prepare names that collide. Memory is bounded by a small multiple of the text; a million names take about 25 MB.

const fewNames = 16

// Names are the names of one open object. The zero value is not usable; see [Scanner.OpenNames].
type Names struct {
	base  int      // where the object's names begin on the stack
	table []uint32 // position on the stack plus one; nil while the names are few
}

type nameSpan struct {
	start, size uint32
	escaped     bool // the name is in scratch, not in the text
}

type nameRef struct {
	start uint32
	size  uint32 // the top bit says that start counts in the arena
	hash  uint32
}

const inArena = 1 << 31

type nameSet struct {
	stack []nameRef
	arena []byte
	free  [][]uint32 // tables of closed objects
}

var (
	nameSets = sync.Pool{New: func() any { return &nameSet{stack: make([]nameRef, 0, 64)} }}
	nameSeed = maphash.MakeSeed()
)

func (n *nameSet) release() {
	const keep = 1 << 12
	if cap(n.stack) > keep || cap(n.arena) > keep<<3 {
		return
	}
	n.stack, n.arena, n.free = n.stack[:0], n.arena[:0], nil
	nameSets.Put(n)
}

// OpenNames begins the names of an object that was just begun. Objects close in reverse order.
func (s *Scanner) OpenNames() Names {
	if s.names == nil {
		if s.repeats {
			return Names{}
		}
		s.names = nameSets.Get().(*nameSet)
	}
	return Names{base: len(s.names.stack)}
}

// CloseNames forgets the names of an object.
func (s *Scanner) CloseNames(n *Names) {
	if s.names == nil {
		return
	}
	s.names.stack = s.names.stack[:n.base]
	if n.base == 0 {
		s.names.arena = s.names.arena[:0]
	}
	if n.table != nil {
		if len(s.names.free) < 4 {
			s.names.free = append(s.names.free, n.table)
		}
		n.table = nil
	}
}

// Distinct adds the name that [Scanner.Name] read last; it is an error if the object has it already.
func (s *Scanner) Distinct(n *Names) error {
	if s.names == nil {
		return nil
	}
	set, name := s.names, s.lastName()
	ref := nameRef{start: s.name.start, size: s.name.size, hash: sketch(name)}
	if s.name.escaped {
		ref.start, ref.size = uint32(len(set.arena)), ref.size|inArena
	}
	var repeated bool
	switch {
	case n.table != nil:
		repeated = s.insert(n, name, &ref)
	case len(set.stack)-n.base < fewNames:
		for i := n.base; i < len(set.stack) && !repeated; i++ {
			known := &set.stack[i]
			repeated = known.hash == ref.hash && bytes.Equal(s.nameAt(known), name)
		}
	default:
		s.tabulate(n, 8*fewNames)
		repeated = s.insert(n, name, &ref)
	}
	if repeated {
		return s.Repeated()
	}
	if s.name.escaped {
		set.arena = append(set.arena, name...)
	}
	set.stack = append(set.stack, ref)
	return nil
}

func (s *Scanner) lastName() []byte {
	if s.name.escaped {
		return s.scratch[:s.name.size]
	}
	return s.data[s.name.start : s.name.start+s.name.size]
}

func (s *Scanner) nameAt(r *nameRef) []byte {
	if r.size&inArena != 0 {
		return s.names.arena[r.start : r.start+r.size&^inArena]
	}
	return s.data[r.start : r.start+r.size]
}

// sketch tells most short names apart for the price of three loads.
func sketch(name []byte) uint32 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return uint32(n)<<24 ^ uint32(name[0])<<16 ^ uint32(name[n/2])<<8 ^ uint32(name[n-1])
}

// insert reports whether the object has the name, and if not notes the place it is about to take on the stack.
func (s *Scanner) insert(n *Names, name []byte, ref *nameRef) (repeated bool) {
	count := len(s.names.stack) - n.base
	if 2*count >= len(n.table) {
		s.tabulate(n, 4*len(n.table))
	}
	ref.hash = uint32(maphash.Bytes(nameSeed, name))
	mask := uint32(len(n.table) - 1)
	i := ref.hash & mask
	for ; n.table[i] != 0; i = (i + 1) & mask {
		known := &s.names.stack[n.table[i]-1]
		if known.hash == ref.hash && bytes.Equal(s.nameAt(known), name) {
			return true
		}
	}
	n.table[i] = uint32(len(s.names.stack)) + 1
	return false
}

// tabulate gives the object a table of the given size (a power of two) and enters its names.
func (s *Scanner) tabulate(n *Names, size int) {
	set, hashed := s.names, n.table != nil
	n.table = set.table(size)
	mask := uint32(size - 1)
	for at := n.base; at < len(set.stack); at++ {
		ref := &set.stack[at]
		if !hashed {
			ref.hash = uint32(maphash.Bytes(nameSeed, s.nameAt(ref)))
		}
		i := ref.hash & mask
		for n.table[i] != 0 {
			i = (i + 1) & mask
		}
		n.table[i] = uint32(at) + 1
	}
}

// table returns an empty table, a closed object's if it has the right size.
func (n *nameSet) table(size int) []uint32 {
	if last := len(n.free) - 1; last >= 0 && len(n.free[last]) == size {
		t := n.free[last]
		n.free = n.free[:last]
		clear(t)
		return t
	}
	return make([]uint32, size)
}

// Repeated is the error for a name that the decoder, which tells known names apart itself, has met before.
func (s *Scanner) Repeated() error {
	return s.errorAt(int(s.name.start)-1, "duplicate key %s", shown(s.lastName()))
}
