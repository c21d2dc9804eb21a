package template

import (
	"cmp"
	"math"
	"math/big"
	"reflect"
	"strings"
)

// Arithmetic and comparison, by Python's rules. Integers have 64 bits; a result beyond them stops the page.

func overflow(op string) {
	raise(KindRuntime, "the result of %s does not fit 64 bits", op)
}

// plain gives the scalar behind a named Go number with methods, such as an enumeration.
func plain(v value) value {
	if v.k != kObject {
		return v
	}
	if rv := reflect.ValueOf(v.o); rv.CanInt() {
		return intValue(rv.Int())
	}
	return v
}

func arithmetic(f *frame, op string, a, b value) value {
	need(a)
	need(b)
	a, b = plain(a), plain(b)
	if a.isNumber() && b.isNumber() {
		if a.k != kFloat && b.k != kFloat && op != "/" {
			return integers(op, a.int(), b.int())
		}
		return floats(op, a.asFloat(), b.asFloat())
	}
	if v, ok := texts(f, op, a, b); ok {
		return v
	}
	raise(KindRuntime, "%s does not work between a %s and a %s", op, typeName(a), typeName(b))
	return value{}
}

// texts is what operators do with strings and lists.
func texts(f *frame, op string, a, b value) (value, bool) {
	switch {
	case op == "+" && a.isText() && b.isText():
		f.st.grow(len(a.s) + len(b.s))
		if a.k == kMarkup || b.k == kMarkup {
			return markup(escapeHTML(a) + escapeHTML(b)), true
		}
		return stringValue(a.s + b.s), true
	case op == "%" && a.isText():
		args := []value{b}
		if l, ok := b.o.(*list); ok && b.k == kObject && l.tuple {
			args = l.items
		}
		return formatPercent(f, a, args), true
	case op == "*" && (b.isText() || isList(b)) && a.k == kInt:
		return texts(f, op, b, a)
	case op == "*" && b.k == kInt && a.isText():
		n := max(0, int(min(b.int(), math.MaxInt32)))
		f.st.grow(n * len(a.s))
		return a.like(strings.Repeat(a.s, n)), true
	case op == "*" && b.k == kInt && isList(a):
		l := a.o.(*list)
		n := max(0, int(min(b.int(), math.MaxInt32)))
		f.st.grow(n * len(l.items) * 8)
		var items []value
		for range n {
			items = append(items, l.items...)
		}
		return object(&list{items: items, tuple: l.tuple}), true
	case op == "+" && isList(a) && isList(b):
		l := a.o.(*list)
		f.st.grow(8 * (len(l.items) + len(b.o.(*list).items)))
		return object(&list{items: append(append([]value(nil), l.items...), b.o.(*list).items...), tuple: l.tuple}), true
	}
	return value{}, false
}

func isList(v value) bool {
	_, ok := v.o.(*list)
	return ok && v.k == kObject
}

func integers(op string, a, b int64) value {
	switch op {
	case "+":
		if c := a + b; (c > a) == (b > 0) {
			return intValue(c)
		}
	case "-":
		if c := a - b; (c < a) == (b > 0) {
			return intValue(c)
		}
	case "*":
		if c := a * b; a == 0 || c/a == b && !(a == -1 && b == math.MinInt64) {
			return intValue(c)
		}
	case "//", "%":
		if b == 0 {
			raise(KindRuntime, "division by zero")
		}
		q, r := a/b, a%b
		if r != 0 && (r < 0) != (b < 0) {
			q, r = q-1, r+b
		}
		if op == "%" {
			return intValue(r)
		}
		return intValue(q)
	case "**":
		if b < 0 {
			return floats(op, float64(a), float64(b))
		}
		return power(a, b)
	}
	overflow(op)
	return value{}
}

func power(a, b int64) value {
	result := int64(1)
	if a == 0 || a == 1 || a == -1 {
		b = b%2 + 2*min(b/2, 1)
	}
	for range b {
		c := result * a
		if a != 0 && (c/a != result || a == -1 && result == math.MinInt64) {
			overflow("**")
		}
		result = c
	}
	return intValue(result)
}

func floats(op string, a, b float64) value {
	switch op {
	case "+":
		return floatValue(a + b)
	case "-":
		return floatValue(a - b)
	case "*":
		return floatValue(a * b)
	case "**":
		c := pow(a, b)
		if math.IsInf(c, 0) && !math.IsInf(a, 0) || math.IsNaN(c) {
			overflow(op)
		}
		return floatValue(c)
	}
	if b == 0 {
		raise(KindRuntime, "division by zero")
	}
	if op == "/" {
		return floatValue(a / b)
	}
	r := math.Mod(a, b)
	q := (a - r) / b
	if r != 0 && (r < 0) != (b < 0) {
		r, q = r+b, q-1
	}
	switch {
	case op == "%" && r == 0:
		return floatValue(math.Copysign(0, b))
	case op == "%":
		return floatValue(r)
	case q == 0:
		return floatValue(math.Copysign(0, a/b))
	}
	return floatValue(math.Floor(q + 0.5))
}

// pow is a to the power of b, computed with more digits than math.Pow has and rounded once, as the C libraries do it that
// Python uses. Every b is a whole number over a power of two: squares and square roots are enough.
func pow(a, b float64) float64 {
	const precision, smallest = 256, -64
	fraction, exponent := math.Frexp(math.Abs(b))
	n, shift := int64(math.Ldexp(fraction, 53)), exponent-53
	for n&1 == 0 && n != 0 {
		n, shift = n>>1, shift+1
	}
	if n == 0 || math.Abs(b) > 1024 || shift < smallest || a == 0 || math.IsInf(a, 0) || math.IsNaN(a) || a < 0 && b != math.Trunc(b) {
		return math.Pow(a, b)
	}
	base := new(big.Float).SetPrec(precision).SetFloat64(a)
	for ; shift < 0; shift++ {
		base.Sqrt(base)
	}
	n <<= shift
	result := new(big.Float).SetPrec(precision).SetInt64(1)
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			result.Mul(result, base)
		}
		base.Mul(base, base)
	}
	if b < 0 {
		result.Quo(new(big.Float).SetPrec(precision).SetInt64(1), result)
	}
	c, _ := result.Float64()
	return c
}

func negate(op string, v value) value {
	need(v)
	v = plain(v)
	switch {
	case v.k == kFloat && op == "-":
		return floatValue(-v.float())
	case v.k == kFloat:
		return v
	case v.isNumber() && op == "-":
		return intValue(-v.int())
	case v.isNumber():
		return intValue(v.int())
	}
	raise(KindRuntime, "%s does not work on a %s", op, typeName(v))
	return value{}
}

func equal(f *frame, a, b value) bool {
	a, b = plain(a), plain(b)
	switch {
	case a.isNumber() && b.isNumber():
		if a.k != kFloat && b.k != kFloat {
			return a.n == b.n
		}
		return a.asFloat() == b.asFloat()
	case a.isText() && b.isText():
		return a.s == b.s
	case a.k != b.k:
		return false
	case a.k != kObject:
		return true // none, undefined
	}
	if l, ok := a.o.(*list); ok && b.o == any(l) {
		return true
	}
	if isMapping(a) && isMapping(b) {
		keys := mapKeys(a)
		if len(keys) != len(mapKeys(b)) {
			return false
		}
		for _, k := range keys {
			x, _ := mapGet(a, k)
			y, ok := mapGet(b, k)
			f.st.look()
			if !ok || !equal(f, x, y) {
				return false
			}
		}
		return true
	}
	if deref(a.o).Kind() != reflect.Func && deref(b.o).Kind() != reflect.Func {
		s, ok := sequenceOf(a)
		t, ok2 := sequenceOf(b)
		if ok && ok2 {
			for i := 0; i < s.n && s.n == t.n; i++ {
				f.st.look()
				if !equal(f, s.at(i), t.at(i)) {
					return false
				}
			}
			return s.n == t.n && isTuple(a) == isTuple(b)
		}
	}
	ta := reflect.TypeOf(a.o)
	return ta == reflect.TypeOf(b.o) && ta.Comparable() && a.o == b.o
}

func isTuple(v value) bool {
	l, ok := v.o.(*list)
	return ok && l.tuple
}

// compare orders two values; it stops the page if they have no order.
func compare(f *frame, a, b value) int {
	need(a)
	need(b)
	a, b = plain(a), plain(b)
	switch {
	case a.isNumber() && b.isNumber():
		if a.k != kFloat && b.k != kFloat {
			return cmp.Compare(a.int(), b.int())
		}
		return cmp.Compare(a.asFloat(), b.asFloat())
	case a.isText() && b.isText():
		return strings.Compare(a.s, b.s)
	}
	if a.k == kObject && b.k == kObject {
		if ta, ok := ordered(a.o, b.o); ok {
			return ta
		}
		s, ok := sequenceOf(a)
		t, ok2 := sequenceOf(b)
		if ok && ok2 && !isMapping(a) && !isMapping(b) {
			for i := range min(s.n, t.n) {
				f.st.look()
				if x, y := s.at(i), t.at(i); !equal(f, x, y) {
					return compare(f, x, y)
				}
			}
			return cmp.Compare(s.n, t.n)
		}
	}
	raise(KindRuntime, "a %s and a %s have no order", typeName(a), typeName(b))
	return 0
}

// ordered compares by a method Compare, as time.Time has.
func ordered(a, b any) (int, bool) {
	x, y := deref(a), deref(b)
	if x.Type() != y.Type() {
		return 0, false
	}
	m := x.MethodByName("Compare")
	if !m.IsValid() || m.Type().NumIn() != 1 || m.Type().In(0) != x.Type() || m.Type().NumOut() != 1 || m.Type().Out(0).Kind() != reflect.Int {
		return 0, false
	}
	return int(m.Call([]reflect.Value{y})[0].Int()), true
}

func contains(f *frame, item, in value) bool {
	need(in)
	if in.isText() {
		if !item.isText() {
			raise(KindRuntime, "only a string can be in a string, not a %s", typeName(item))
		}
		return strings.Contains(in.s, item.s)
	}
	if isMapping(in) {
		_, ok := mapGet(in, item)
		return ok
	}
	s := iterate(in)
	for i := range s.n {
		if equal(f, s.at(i), item) {
			return true
		}
	}
	return false
}

func compareOp(f *frame, op string, a, b value) bool {
	switch op {
	case "==":
		return equal(f, a, b)
	case "!=":
		return !equal(f, a, b)
	case "in":
		return contains(f, a, b)
	case "not in":
		return !contains(f, a, b)
	}
	if a.k == kFloat && math.IsNaN(a.float()) || b.k == kFloat && math.IsNaN(b.float()) {
		return false
	}
	n := compare(f, a, b)
	switch op {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	}
	return n >= 0
}
