package evidence

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"
)

// A histogram travels between nodes, and into a warm start, as
//
//	version (1 byte) | sum | number of occupied buckets | (gap to the bucket, count) … | CRC-32C (4 bytes, little endian)
//
// with varints throughout. Most requests of a route fall into a few dozen buckets, so it is 100 to 300 bytes.

const histogramVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendBinary appends the binary form of the histogram. The error is always nil.
func (h *Histogram) AppendBinary(b []byte) ([]byte, error) {
	start := len(b)
	occupied := 0
	for _, n := range h.counts {
		if n > 0 {
			occupied++
		}
	}
	b = append(b, histogramVersion)
	b = binary.AppendUvarint(b, h.sum)
	b = binary.AppendUvarint(b, uint64(occupied))
	next := 0
	for i, n := range h.counts {
		if n > 0 {
			b = binary.AppendUvarint(b, uint64(i-next))
			b = binary.AppendUvarint(b, n)
			next = i + 1
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli)), nil
}

// MarshalBinary returns the binary form of the histogram. The error is always nil.
func (h *Histogram) MarshalBinary() ([]byte, error) { return h.AppendBinary(nil) }

// UnmarshalBinary reads the binary form. On an error, which says what is wrong, the histogram keeps what it had.
func (h *Histogram) UnmarshalBinary(data []byte) error {
	if len(data) < 5 {
		return fmt.Errorf("evidence: histogram of %d bytes is cut off", len(data))
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return fmt.Errorf("evidence: histogram has checksum %08x, expected %08x: it was changed or cut off", got, sum)
	}
	if body[0] != histogramVersion {
		return fmt.Errorf("evidence: histogram of version %d, this program reads version %d", body[0], histogramVersion)
	}
	read := varints{rest: body[1:]}
	out := Histogram{sum: read.next()}
	var total, carry uint64
	next := uint64(0)
	for range min(read.next(), buckets+1) {
		bucket, n := read.next(), read.next()
		if bucket += next; bucket < next || bucket >= buckets || n == 0 {
			return fmt.Errorf("evidence: histogram names bucket %d with %d durations; there are %d buckets, and empty ones are left out", bucket, n, buckets)
		}
		if total, carry = bits.Add64(total, n, 0); carry != 0 {
			return fmt.Errorf("evidence: histogram counts more than 2^64 durations")
		}
		out.counts[bucket] = n
		next = bucket + 1
	}
	if read.bad || len(read.rest) > 0 {
		return fmt.Errorf("evidence: histogram has a malformed number or %d bytes too many", len(read.rest))
	}
	*h = out
	return nil
}

// varints reads numbers until one is malformed; from there on it gives zeros.
type varints struct {
	rest []byte
	bad  bool
}

func (v *varints) next() uint64 {
	n, size := binary.Uvarint(v.rest)
	if size <= 0 || v.bad {
		v.bad = true
		return 0
	}
	v.rest = v.rest[size:]
	return n
}
