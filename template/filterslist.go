package template

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

func listFilters(add func(names, params string, fn filterFn)) {
	add("length count", "", func(f *frame, v value, _ argv) value {
		n, ok := length(v)
		if !ok {
			raise(KindRuntime, "a %s has no length", typeName(v))
		}
		return intValue(int64(n))
	})
	add("list", "", func(f *frame, v value, _ argv) value {
		s := iterate(v)
		return listValue(slices.Clone(s.all()))
	})
	add("first", "", func(f *frame, v value, _ argv) value { return nth(v, 0) })
	add("last", "", func(f *frame, v value, _ argv) value { return nth(v, -1) })
	add("random", "", func(f *frame, v value, _ argv) value {
		if s := iterate(v); s.n > 0 {
			return s.at(rand.IntN(s.n))
		}
		return undefined("no random item, the sequence was empty")
	})
	add("reverse", "", func(f *frame, v value, _ argv) value {
		s := iterate(v)
		items := slices.Clone(s.all())
		slices.Reverse(items)
		if v.isText() {
			var b strings.Builder
			for _, r := range items {
				b.WriteString(r.s)
			}
			return v.like(b.String())
		}
		return listValue(items)
	})
	add("join", "d attribute", joinItems)
	add("sort", "reverse case_sensitive attribute", func(f *frame, v value, a argv) value {
		s := iterate(v)
		items := slices.Clone(s.all())
		if len(a) == 0 {
			a = argv{{k: kMissing}, {k: kMissing}, {k: kMissing}}
		}
		sortBy(f, items, attrGetters(f, a, 2), a.bool(1, false), a.bool(0, false))
		return listValue(items)
	})
	add("unique", "case_sensitive attribute", unique)
	add("min", "case_sensitive attribute", extreme(-1))
	add("max", "case_sensitive attribute", extreme(1))
	add("sum", "attribute start", func(f *frame, v value, a argv) value {
		total := intValue(0)
		if len(a) > 0 && a.has(1) {
			total = a[1]
		}
		get := attrGetter(f, a, 0)
		s := iterate(v)
		for i := range s.n {
			total = arithmetic(f, "+", total, get(s.at(i)))
		}
		return total
	})
	add("batch", "linecount fill_with", batch)
	add("slice", "slices fill_with", slice)
	add("dictsort", "case_sensitive by reverse", dictsort)
	add("items", "", func(f *frame, v value, _ argv) value { return listValue(pairs(v)) })
	add("groupby", "attribute default case_sensitive", groupby)
}

func nth(v value, i int) value {
	s := iterate(v)
	if s.n == 0 {
		return undefined("the sequence was empty")
	}
	if i < 0 {
		i += s.n
	}
	return s.at(i)
}

// attrGetter reads the attribute that an argument names: dotted, with numbers for items.
func attrGetter(f *frame, a argv, i int) func(value) value {
	if len(a) == 0 || !a.has(i) || a[i].k == kNone {
		return func(v value) value { return v }
	}
	return pathGetter(f, a[i])
}

func pathGetter(f *frame, path value) func(value) value {
	if !path.isText() {
		return func(v value) value { return getItem(f, v, path) }
	}
	parts := strings.Split(path.s, ".")
	return func(v value) value {
		for _, p := range parts {
			if n, err := strconv.Atoi(p); err == nil {
				v = getItem(f, v, intValue(int64(n)))
			} else if isMapping(v) {
				v = getItem(f, v, stringValue(p))
			} else {
				v = getAttr(f, v, p, false)
			}
		}
		return v
	}
}

// attrGetters reads several attributes, separated by commas.
func attrGetters(f *frame, a argv, i int) []func(value) value {
	if len(a) == 0 || !a.has(i) || !a[i].isText() {
		return []func(value) value{attrGetter(f, a, i)}
	}
	var getters []func(value) value
	for p := range strings.SplitSeq(a[i].s, ",") {
		getters = append(getters, pathGetter(f, stringValue(p)))
	}
	return getters
}

func folded(v value, caseSensitive bool) value {
	if !caseSensitive && v.isText() {
		return stringValue(strings.ToLower(v.s))
	}
	return v
}

func sortBy(f *frame, items []value, getters []func(value) value, caseSensitive, reverse bool) {
	slices.SortStableFunc(items, func(x, y value) int {
		f.st.tick()
		for _, get := range getters {
			n := compare(f, folded(get(x), caseSensitive), folded(get(y), caseSensitive))
			if n != 0 && reverse {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
}

func joinItems(f *frame, v value, a argv) value {
	sep := stringValue("")
	if len(a) > 0 && a.has(0) {
		sep = soft(a[0])
	}
	get := attrGetter(f, a, 1)
	s := iterate(v)
	items := make([]value, s.n)
	safe := false
	for i := range items {
		items[i] = soft(get(s.at(i)))
		safe = safe || items[i].k == kMarkup
	}
	if f.auto && (safe || sep.k == kMarkup) {
		for i, item := range items {
			items[i] = markup(escapeHTML(item))
		}
		sep = markup(escapeHTML(sep))
	}
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(sep.s)
		}
		b.WriteString(item.s)
		f.st.grow(b.Len())
	}
	if f.auto && sep.k == kMarkup {
		return markup(b.String())
	}
	return stringValue(b.String())
}

func unique(f *frame, v value, a argv) value {
	if len(a) == 0 {
		a = argv{{k: kMissing}, {k: kMissing}}
	}
	get, cs := attrGetter(f, a, 1), a.bool(0, false)
	seen := map[dictKey]bool{}
	var items []value
	s := iterate(v)
	for i := range s.n {
		if k := keyOf(folded(get(s.at(i)), cs)); !seen[k] {
			seen[k] = true
			items = append(items, s.at(i))
		}
	}
	return listValue(items)
}

func extreme(sign int) filterFn {
	return func(f *frame, v value, a argv) value {
		if len(a) == 0 {
			a = argv{{k: kMissing}, {k: kMissing}}
		}
		get, cs := attrGetter(f, a, 1), a.bool(0, false)
		s := iterate(v)
		if s.n == 0 {
			return undefined("the sequence was empty")
		}
		best := s.at(0)
		for i := 1; i < s.n; i++ {
			if x := s.at(i); compare(f, folded(get(x), cs), folded(get(best), cs)) == sign {
				best = x
			}
		}
		return best
	}
}

func batch(f *frame, v value, a argv) value {
	n := a.int(0, 0)
	if n < 1 {
		raise(KindRuntime, "batch needs a positive number")
	}
	var rows []value
	s := iterate(v)
	for i := 0; i < s.n; i += n {
		row := slices.Clone(s.all()[i:min(i+n, s.n)])
		if a.has(1) && a[1].k != kNone {
			f.st.grow(n)
			for len(row) < n {
				row = append(row, a[1])
			}
		}
		rows = append(rows, listValue(row))
	}
	return listValue(rows)
}

func slice(f *frame, v value, a argv) value {
	n := a.int(0, 0)
	if n < 1 {
		raise(KindRuntime, "slice needs a positive number")
	}
	f.st.grow(n)
	var rows []value
	s := iterate(v)
	per, extra, offset := s.n/n, s.n%n, 0
	items := s.all()
	for i := range n {
		start := offset + i*per
		if i < extra {
			offset++
		}
		row := slices.Clone(items[start : offset+(i+1)*per])
		if a.has(1) && a[1].k != kNone && i >= extra && extra > 0 {
			row = append(row, a[1])
		}
		rows = append(rows, listValue(row))
	}
	return listValue(rows)
}

func sortedPairs(v value) []value {
	items := slices.Clone(pairs(v))
	slices.SortStableFunc(items, func(x, y value) int {
		a, b := x.o.(*list).items[0], y.o.(*list).items[0]
		if a.isNumber() && b.isNumber() {
			return cmp.Compare(a.asFloat(), b.asFloat())
		}
		return strings.Compare(str(a), str(b))
	})
	return items
}

func dictsort(f *frame, v value, a argv) value {
	if len(a) == 0 {
		a = argv{{k: kMissing}, {k: kMissing}, {k: kMissing}}
	}
	by := 0
	switch a.str(1, "key") {
	case "key":
	case "value":
		by = 1
	default:
		raise(KindRuntime, "dictsort sorts by key or by value")
	}
	items := pairs(v)
	sortBy(f, items, []func(value) value{func(p value) value { return p.o.(*list).items[by] }}, a.bool(0, false), a.bool(2, false))
	return listValue(items)
}

func groupby(f *frame, v value, a argv) value {
	cs := a.bool(2, false)
	plainGet := attrGetter(f, a, 0)
	get := func(v value) value {
		x := plainGet(v)
		if x.k == kUndefined && a.has(1) {
			return a[1]
		}
		return x
	}
	s := iterate(v)
	items := slices.Clone(s.all())
	sortBy(f, items, []func(value) value{get}, cs, false)
	var out []value
	for i := 0; i < len(items); {
		key := get(items[i])
		j := i
		for j < len(items) && equal(f, folded(get(items[j]), cs), folded(key, cs)) {
			j++
		}
		out = append(out, object(&list{items: []value{key, listValue(items[i:j:j])}, tuple: true, names: []string{"grouper", "list"}}))
		i = j
	}
	return listValue(out)
}

// selecting are the filters that apply another filter or a test to every item.
func selecting(kind string) func(*frame, value, args) value {
	return func(f *frame, v value, a args) value {
		s := iterateOrNone(v)
		items := []value{}
		var apply func(value) value
		if kind == "map" {
			apply = mapper(f, a)
		} else {
			apply = chooser(f, kind, a)
		}
		for i := range s.n {
			f.st.tick()
			x := s.at(i)
			switch y := apply(x); {
			case kind == "map":
				items = append(items, y)
			case truth(y) == strings.HasPrefix(kind, "select"):
				items = append(items, x)
			}
		}
		return listValue(items)
	}
}

func iterateOrNone(v value) sequence {
	if v.k == kNone {
		return sequence{}
	}
	return iterate(v)
}

func mapper(f *frame, a args) func(value) value {
	if len(a.pos) == 0 {
		var path, otherwise value
		for _, k := range a.kw {
			switch k.name {
			case "attribute":
				path = k.v
			case "default":
				otherwise = k.v
			default:
				raise(KindRuntime, "map has no parameter %q", k.name)
			}
		}
		if path.k == kUndefined {
			raise(KindRuntime, "map needs a filter or attribute=")
		}
		get := pathGetter(f, path)
		return func(v value) value {
			if x := get(v); x.k != kUndefined || otherwise.k == kUndefined {
				return x
			}
			return otherwise
		}
	}
	name := str(a.pos[0])
	b := f.st.engine.filters[name]
	if b == nil {
		raise(KindRuntime, "unknown filter %q", name)
	}
	rest := args{a.pos[1:], a.kw}
	return func(v value) value { return b.apply(f, v, rest) }
}

func chooser(f *frame, kind string, a args) func(value) value {
	get := func(v value) value { return v }
	if strings.HasSuffix(kind, "attr") {
		if len(a.pos) == 0 {
			raise(KindRuntime, "%s needs the name of an attribute", kind)
		}
		get = pathGetter(f, a.pos[0])
		a.pos = a.pos[1:]
	}
	if len(a.pos) == 0 {
		return get
	}
	name := str(a.pos[0])
	b := f.st.engine.tests[name]
	if b == nil {
		raise(KindRuntime, "unknown test %q", name)
	}
	rest := args{a.pos[1:], a.kw}
	return func(v value) value { return b.apply(f, get(v), rest) }
}

func sortedUnique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
