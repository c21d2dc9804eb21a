package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"sync/atomic"

	"github.com/ishaa-framework/ishaa/store"
)

// A tag is a number in a table of fixed size, and each number has a version that
// Invalidate replaces. An entry counts only while the versions are those that it
// was made under, so dropping a million entries costs one write, and an entry whose
// making began before an invalidation is never taken for a later one. Two tags may
// share a number; then dropping the one drops the other too, which does no harm.
// That bounds what tags cost, whoever names them.

const (
	tagNumbers = 4096
	everything = tagNumbers // the number of the tag that every entry has, for Clear
)

type tagTable [tagNumbers + 1]tagSlot

type tagSlot struct {
	changes atomic.Uint64
	held    atomic.Pointer[heldVersion]
	local   atomic.Uint64 // the version, where there is no second level
}

// heldVersion is what the store said, for as long as it holds; see held.
type heldVersion struct {
	value uint64
	link  uint64
	until int64
}

func newTagTable() *tagTable {
	t := &tagTable{}
	for i := range t {
		t[i].local.Store(newStamp())
	}
	return t
}

func tagNumber(tag string) uint16 {
	h := fnv.New32a()
	h.Write([]byte(tag))
	return uint16(h.Sum32() % tagNumbers)
}

// tagKey is where the store holds the version.
func (c *Cache) tagKey(number uint16) string {
	return c.prefix + "t:" + string(binary.BigEndian.AppendUint16(nil, number))
}

// versions returns what the tags are at now, and whether other nodes would agree.
func (c *Cache) versions(ctx context.Context, tags []string) (list []version, agreed bool) {
	list = make([]version, 0, len(tags)+1)
	agreed = true
	add := func(number uint16) {
		value, ok := c.tagVersion(ctx, number)
		list = append(list, version{number, value})
		agreed = agreed && ok
	}
	add(everything)
	for _, tag := range tags {
		add(tagNumber(tag))
	}
	return list, agreed
}

// current reports whether none of an entry's tags was dropped since it was made.
func (c *Cache) current(ctx context.Context, list []version) bool {
	for _, v := range list {
		if int(v.tag) >= len(c.tags) {
			return false
		}
		if value, _ := c.tagVersion(ctx, v.tag); value != v.value {
			return false
		}
	}
	return true
}

// tagVersion returns a tag's version. Without the store's word it is one that holds
// for this node and a short time only.
func (c *Cache) tagVersion(ctx context.Context, number uint16) (value uint64, agreed bool) {
	slot := &c.tags[number]
	if c.far == nil {
		return slot.local.Load(), true
	}
	now, link := c.now().UnixMilli(), c.link()
	if h := slot.held.Load(); h != nil && h.link == link && (h.until == 0 || now < h.until) {
		return h.value, true
	}
	changes := slot.changes.Load()
	data, err := c.readFar(ctx, c.tagKey(number))
	h := &heldVersion{link: link}
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil || len(data) != 8:
		return slot.local.Load(), false
	default:
		h.value = binary.BigEndian.Uint64(data)
	}
	if link%2 == 1 {
		h.until = now + unlinked.Milliseconds()
	}
	slot.held.Store(h)
	if slot.changes.Load() != changes {
		slot.held.CompareAndSwap(h, nil) // replaced meanwhile: ask again next time
	}
	return h.value, true
}

// forgetTag has the version be asked for again.
func (c *Cache) forgetTag(number uint16) {
	slot := &c.tags[number]
	slot.changes.Add(1)
	slot.held.Store(nil)
	slot.local.Store(newStamp())
}

// replaceTag gives the tag a new version, on all nodes.
func (c *Cache) replaceTag(ctx context.Context, number uint16) error {
	var err error
	if c.far != nil {
		err = c.writeFar(ctx, func(ctx context.Context) error {
			return c.far.Set(ctx, c.tagKey(number), binary.BigEndian.AppendUint64(nil, newStamp()), 0)
		})
	}
	c.forgetTag(number)
	return errors.Join(err, c.tell(ctx, 't', string(binary.BigEndian.AppendUint16(nil, number))))
}
