package websocket

import (
	"cmp"
	"slices"
)

// history is the latest messages of a room. Those that a node heard by itself keep
// the order in which it heard them; what it learns from others comes before.
type history struct {
	learned []*posted // by time
	heard   []*posted
}

func (h *history) add(p *posted, size int) {
	if size == 0 {
		return
	}
	if h.heard = append(h.heard, p); len(h.heard) >= 2*size {
		h.heard = append(h.heard[:0:0], h.heard[len(h.heard)-size:]...)
		h.learned = nil
	}
	h.trim(size)
}

// trim forgets what is learned and too old.
func (h *history) trim(size int) {
	if over := min(len(h.learned), len(h.learned)+len(h.heard)-size); over > 0 {
		h.learned = slices.Clone(h.learned[over:])
	}
}

// learn takes in what another node remembers.
func (h *history) learn(entries []oldEntry, size int) {
	type key struct {
		origin string
		seq    uint64
	}
	known := map[key]bool{}
	for _, p := range slices.Concat(h.learned, h.heard) {
		known[key{p.origin, p.seq}] = true
	}
	for _, e := range entries {
		if k := (key{e.Origin, e.Seq}); !known[k] && (e.Kind == Text || e.Kind == Binary) {
			known[k] = true
			h.learned = append(h.learned, &posted{origin: e.Origin, seq: e.Seq, at: e.At, message: pack(e.Kind, e.Payload)})
		}
	}
	slices.SortStableFunc(h.learned, func(a, b *posted) int {
		if a.origin == b.origin {
			return cmp.Compare(a.seq, b.seq)
		}
		return cmp.Compare(a.at, b.at)
	})
	h.trim(size)
}

// last returns the latest n, the oldest first.
func (h *history) last(n int) []*posted {
	if n <= 0 {
		return nil
	}
	all := slices.Concat(h.learned, h.heard)
	return all[max(0, len(all)-n):]
}
