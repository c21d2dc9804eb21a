package rmf

import (
	"math/bits"
	"strconv"
	"sync/atomic"
)

// The lot falls by a hash that every language has: XXH64, with the low byte first, as its specification
// (github.com/Cyan4973/xxHash, doc/xxhash_spec.md) describes it. Bucket and Lot are written down with test vectors in
// testdata/buckets.json, so that a mobile app or an analytics job can tell who was in which reality.

const (
	prime1 = 0x9e3779b185ebca87
	prime2 = 0xc2b2ae3d27d4eb4f
	prime3 = 0x165667b19e3779f9
	prime4 = 0x85ebca77c2b2ae63
	prime5 = 0x27d4eb2f165667c5
)

// Buckets is the number of equal parts that subjects fall into: a share of 1 % is 100 of them.
const Buckets = 10_000

// Lot returns the seed by which an experiment draws its lots: XXH64 of its salt, with seed 0. The salt is shown by
// Stats; it is the experiment's name, "#" and the number of the drawing.
func Lot(salt string) uint64 { return xxh64(salt, 0) }

// Bucket returns the bucket of a subject, from 0 to 9,999: the upper 32 bits of XXH64(subject, lot), times 10,000,
// shifted right by 32.
func Bucket(lot uint64, subject string) int { return bucketOf(xxh64(subject, lot)) }

func bucketOf(hash uint64) int { return int(hash >> 32 * Buckets >> 32) }

func xxh64(s string, seed uint64) uint64 {
	n := len(s)
	var h uint64
	if n >= 32 {
		v1, v2, v3, v4 := seed, seed+prime2, seed, seed
		v1 += prime1
		v1 += prime2
		v4 -= prime1
		for len(s) >= 32 {
			v1 = round64(v1, word64(s))
			v2 = round64(v2, word64(s[8:]))
			v3 = round64(v3, word64(s[16:]))
			v4 = round64(v4, word64(s[24:]))
			s = s[32:]
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		for _, v := range [4]uint64{v1, v2, v3, v4} {
			h = (h^round64(0, v))*prime1 + prime4
		}
	} else {
		h = seed + prime5
	}
	h += uint64(n)
	for ; len(s) >= 8; s = s[8:] {
		h = bits.RotateLeft64(h^round64(0, word64(s)), 27)*prime1 + prime4
	}
	if len(s) >= 4 {
		h = bits.RotateLeft64(h^uint64(word32(s))*prime1, 23)*prime2 + prime3
		s = s[4:]
	}
	for i := range len(s) {
		h = bits.RotateLeft64(h^uint64(s[i])*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func round64(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*prime2, 31) * prime1 }

func word64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func word32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// lotOf is Lot of a drawing of an experiment.
func lotOf(experiment string, drawing uint64) (salt string, lot uint64) {
	salt = experiment + "#" + strconv.FormatUint(drawing, 10)
	return salt, Lot(salt)
}

// seen remembers which subjects were counted, in a fixed 1 MiB: a Bloom filter with four bits a subject. One that it
// takes for known though it is not, 2 % at a million subjects, goes uncounted, whatever arm it is in: the bits come of
// another hash than the bucket, so nothing is skewed.
type seen struct{ words [1 << 17]uint64 }

var seenKeys = [2]uint64{Lot("counted subjects 1"), Lot("counted subjects 2")}

// add remembers a subject in a drawing and reports whether it was new.
func (s *seen) add(subject string, drawing uint64) bool {
	a := xxh64(subject, seenKeys[0]+drawing)
	b := xxh64(subject, seenKeys[1]+drawing) | 1
	fresh := false
	for i := range uint64(4) {
		at := (a + i*b) % (1 << 23)
		bit := uint64(1) << (at % 64)
		if atomic.OrUint64(&s.words[at/64], bit)&bit == 0 {
			fresh = true
		}
	}
	return fresh
}
