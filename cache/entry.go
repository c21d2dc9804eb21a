package cache

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// entry is something kept: bytes, how long they count, and the versions that the
// tags had before they were made. It never changes.
type entry struct {
	stamp    uint64 // unlike that of every other entry, so that a swap cannot mistake one for another
	kind     kind
	stored   int64 // ms since 1970, as are the next two
	fresh    int64
	kept     int64
	versions []version
	data     []byte

	plain atomic.Pointer[any] // the decoded value, where sharing it is safe
}

type kind uint8

const (
	kindBytes  kind = iota + 1 // data is the value
	kindJSON                   // data is its JSON
	kindAnswer                 // data is an answer, see answer.go
	kindLease                  // no value: a load is under way
)

// version is what a tag was at, under the number it has in the tag table.
type version struct {
	tag   uint16
	value uint64
}

func newStamp() uint64 { return rand.Uint64() }

func (e *entry) size() int { return 160 + len(e.data) + 16*len(e.versions) }

const entryFormat = 1

// append writes the entry as the second level keeps it.
func (e *entry) append(dst []byte) []byte {
	dst = append(dst, entryFormat, byte(e.kind))
	dst = binary.BigEndian.AppendUint64(dst, e.stamp)
	dst = binary.AppendVarint(dst, e.stored)
	dst = binary.AppendVarint(dst, e.fresh)
	dst = binary.AppendVarint(dst, e.kept)
	dst = binary.AppendUvarint(dst, uint64(len(e.versions)))
	for _, v := range e.versions {
		dst = binary.BigEndian.AppendUint16(dst, v.tag)
		dst = binary.BigEndian.AppendUint64(dst, v.value)
	}
	return append(dst, e.data...)
}

var errEntry = errors.New("cache: what the store holds is not an entry of this version")

// parseEntry reads what append wrote. The data stays part of the given bytes.
func parseEntry(data []byte) (*entry, error) {
	if len(data) < 10 || data[0] != entryFormat || data[1] < byte(kindBytes) || data[1] > byte(kindLease) {
		return nil, errEntry
	}
	e := &entry{kind: kind(data[1]), stamp: binary.BigEndian.Uint64(data[2:10])}
	data = data[10:]
	for _, field := range []*int64{&e.stored, &e.fresh, &e.kept} {
		value, n := binary.Varint(data)
		if n <= 0 {
			return nil, errEntry
		}
		*field, data = value, data[n:]
	}
	count, n := binary.Uvarint(data)
	if n <= 0 || count > uint64(len(data)-n)/10 {
		return nil, errEntry
	}
	data = data[n:]
	for range count {
		e.versions = append(e.versions, version{binary.BigEndian.Uint16(data), binary.BigEndian.Uint64(data[2:])})
		data = data[10:]
	}
	e.data = data
	return e, nil
}

// newEntry makes an entry that is fresh from now on.
func newEntry(k kind, data []byte, now time.Time, fresh, kept time.Duration, versions []version) *entry {
	ms := now.UnixMilli()
	return &entry{
		stamp: newStamp(), kind: k, data: data, versions: versions,
		stored: ms, fresh: ms + fresh.Milliseconds(), kept: ms + kept.Milliseconds(),
	}
}
