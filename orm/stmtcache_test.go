package orm

import (
	"fmt"
	"testing"
)

// A text that is not likely to come again is kept from its second time on, if that is soon.
func TestRareStatementsAreKeptOnceTheyComeAgain(t *testing.T) {
	c := &conn{cache: newStatements(4), rare: newStatements(rareStatements)}
	rare, once := &call{once: true, rare: true}, &call{once: true}
	if c.keeps(nil, "usual") != c.cache || c.keeps(&call{}, "usual") != c.cache {
		t.Error("usual texts are kept from the start")
	}
	for range 2 {
		if c.keeps(once, "once") != nil {
			t.Error("others are not kept at all")
		}
	}
	if first, second := c.keeps(rare, "again"), c.keeps(rare, "again"); first != nil || second != c.rare {
		t.Error("a text is kept from its second time on")
	}
	for i := range rareStatements {
		c.keeps(rare, fmt.Sprint("other ", i))
	}
	if c.keeps(rare, "again") != nil {
		t.Error("a text that has not come for long counts as new")
	}
	if (&conn{}).keeps(rare, "a") != nil || (&conn{}).keeps(nil, "a") != nil {
		t.Error("nothing is kept without a cache")
	}
}
