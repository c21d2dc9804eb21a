package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/store"
)

// Nodes tell each other which keys and tags have changed. A message is the sender,
// a space, 'k' or 't', and the key or the tag's number. Whatever is kept in this
// process belongs to a link: an even number while messages arrive, which grows with
// every gap, and the odd one after it while they do not. What was kept under another
// link no longer counts, as a message about it may have been missed.

// listening is the subscription, as link asks it.
type listening struct{ store.Subscription }

// link returns the number under which things are kept now.
func (c *Cache) link() uint64 {
	if c.shared == nil {
		return 0
	}
	link := c.gaps.Load() * 2
	if sub := c.listening.Load(); sub == nil || !sub.Live() {
		return link + 1
	}
	return link
}

func (c *Cache) topic() string { return c.prefix + "changes" }

// tell sends a change to the other nodes.
func (c *Cache) tell(ctx context.Context, what byte, name string) error {
	if c.shared == nil {
		return nil
	}
	return c.writeFar(ctx, func(ctx context.Context) error {
		return c.shared.Publish(ctx, c.topic(), []byte(c.node+" "+string(what)+name))
	})
}

// heard takes in a change that another node told of.
func (c *Cache) heard(message []byte) {
	sender, text, ok := strings.Cut(string(message), " ")
	if !ok || text == "" || sender == c.node {
		return
	}
	switch name := text[1:]; text[0] {
	case 'k':
		c.changed(name)
	case 't':
		if number := []byte(name); len(number) == 2 && int(binary.BigEndian.Uint16(number)) < len(c.tags) {
			c.forgetTag(binary.BigEndian.Uint16(number))
		}
	}
}

// start begins to listen: to a store in memory at once, to others in the background.
func (c *Cache) start() {
	if c.far == nil {
		if sub, err := c.shared.Subscribe(c.life, c.topic()); err == nil {
			c.listening.Store(&listening{sub})
		}
	}
	c.work.Go(c.listen)
}

// listenAgain are the waits between attempts to subscribe.
const listenAgain, listenAgainMax = 50 * time.Millisecond, 5 * time.Second

func (c *Cache) listen() {
	for wait := listenAgain; c.life.Err() == nil; {
		if c.listening.Load() == nil {
			sub, err := c.shared.Subscribe(c.life, c.topic())
			if errors.Is(err, store.ErrClosed) {
				return
			}
			if err != nil {
				select {
				case <-time.After(wait):
				case <-c.life.Done():
				}
				wait = min(2*wait, listenAgainMax)
				continue
			}
			c.gaps.Add(1)
			c.listening.Store(&listening{sub})
		}
		wait = listenAgain
		sub := c.listening.Load()
		for message := range sub.Messages() {
			if message.Gap != nil {
				c.gap()
				continue
			}
			c.heard(message.Data)
		}
		c.listening.Store(nil)
		c.gap()
		_ = sub.Close()
	}
}

// gap has nothing count that was kept so far, nor what is on its way.
func (c *Cache) gap() {
	c.gaps.Add(1)
	for i := range c.changes {
		c.changes[i].Add(1)
	}
	for i := range c.tags {
		c.tags[i].changes.Add(1)
		if c.far == nil {
			c.tags[i].local.Store(newStamp())
		}
	}
}
