package quickset_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/memory"
	"github.com/ishaa-framework/ishaa/internal/quickset"
)

func TestInt(t *testing.T) {
	for _, c := range []struct {
		min, max int64
		text     string
		want     int
		ok       bool
	}{
		{math.MinInt64, math.MaxInt64, "0", 0, true},
		{math.MinInt64, math.MaxInt64, "999999999", 999999999, true},
		{math.MinInt64, math.MaxInt64, "1000000000", 0, false},
		{math.MinInt64, math.MaxInt64, "007", 7, true},
		{math.MinInt64, math.MaxInt64, "", 0, false},
		{math.MinInt64, math.MaxInt64, "-1", 0, false},
		{math.MinInt64, math.MaxInt64, "+1", 0, false},
		{math.MinInt64, math.MaxInt64, "1 ", 0, false},
		{math.MinInt64, math.MaxInt64, "1.0", 0, false},
		{math.MinInt64, math.MaxInt64, "٣", 0, false},
		{1, 100, "0", 0, false},
		{1, 100, "1", 1, true},
		{1, 100, "100", 100, true},
		{1, 100, "101", 0, false},
		{5, 4, "5", 0, false},
	} {
		var n int
		if ok := quickset.Int(c.min, c.max).Set(memory.Of(&n), c.text); ok != c.ok || n != c.want {
			t.Errorf("%q from %d to %d: %d %t", c.text, c.min, c.max, n, ok)
		}
		var long int64
		if ok := quickset.Int64(c.min, c.max).Set(memory.Of(&long), c.text); ok != c.ok || long != int64(c.want) {
			t.Errorf("%q from %d to %d: %d %t", c.text, c.min, c.max, long, ok)
		}
	}
}

func TestString(t *testing.T) {
	type in struct{ Before, Text, After string }
	v := in{"b", "", "a"}
	if !quickset.String(nil).Set(memory.Of(&v.Text), "x") || v != (in{"b", "x", "a"}) {
		t.Error(v)
	}
	some := quickset.String([]string{"title", "year"})
	if some.Set(memory.Of(&v.Text), "name") || some.Set(memory.Of(&v.Text), "") || v.Text != "x" {
		t.Error("took what is not listed", v)
	}
	if !some.Set(memory.Of(&v.Text), "year") || v.Text != "year" {
		t.Error(v)
	}
	if quickset.String([]string{}).Set(memory.Of(&v.Text), "year") {
		t.Error("nothing listed, and taken")
	}
}

func ExampleSetter() {
	var page int
	setter := quickset.Int(1, 100)
	fmt.Println(setter.Set(memory.Of(&page), "7"), page)
	fmt.Println(setter.Set(memory.Of(&page), "seven"), page)
	// Output:
	// true 7
	// false 7
}
