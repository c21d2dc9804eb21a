package template

import (
	"slices"
	"strconv"
	"strings"
)

// maxNesting is how deep expressions and blocks may nest: recursion in parser and compiler stays far from the stack's end.
const maxNesting = 200

// maxOperators is how many operators of one kind may stand in a row: each nests the tree one deeper.
const maxOperators = 5000

func (p *parser) count(n *int) {
	if *n++; *n > maxOperators {
		p.fail(p.tok, "more than %d operators in a row", maxOperators)
	}
}

func (p *parser) enter(t token) {
	if p.depth++; p.depth > maxNesting {
		p.fail(t, "nested more than %d deep", maxNesting)
	}
}

// expression parses with the inline if.
func (p *parser) expression() expr {
	t := p.tok
	p.enter(t)
	defer func() { p.depth-- }()
	x, n := p.or(), 0
	for p.tok.named("if") {
		p.count(&n)
		at := at{p.tok.at}
		p.next()
		test := p.or()
		var otherwise expr
		if p.tok.named("else") {
			p.next()
			otherwise = p.expression()
		}
		x = &condX{at, test, x, otherwise}
	}
	return x
}

func (p *parser) or() expr {
	x, n := p.and(), 0
	for p.tok.named("or") {
		p.count(&n)
		at := at{p.tok.at}
		p.next()
		x = &binaryX{at, "or", x, p.and()}
	}
	return x
}

func (p *parser) and() expr {
	x, n := p.not(), 0
	for p.tok.named("and") {
		p.count(&n)
		at := at{p.tok.at}
		p.next()
		x = &binaryX{at, "and", x, p.not()}
	}
	return x
}

func (p *parser) not() expr {
	if p.tok.named("not") {
		t := p.tok
		p.enter(t)
		defer func() { p.depth-- }()
		p.next()
		return &unaryX{at{t.at}, "not", p.not()}
	}
	return p.compare()
}

func (p *parser) compare() expr {
	pos := at{p.tok.at}
	x := p.sum()
	var ops []string
	var rest []expr
	for {
		op := p.tok.text
		switch {
		case p.tok.kind == tokOp && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, op):
			p.next()
		case p.tok.named("in"):
			p.next()
		case p.tok.named("not") && p.peek().named("in"):
			p.next()
			p.next()
			op = "not in"
		default:
			if ops == nil {
				return x
			}
			return &compareX{pos, x, ops, rest}
		}
		ops, rest = append(ops, op), append(rest, p.sum())
	}
}

func (p *parser) binary(operand func() expr, ops ...string) expr {
	x, n := operand(), 0
	for p.tok.kind == tokOp && slices.Contains(ops, p.tok.text) {
		p.count(&n)
		t := p.tok
		p.next()
		x = &binaryX{at{t.at}, t.text, x, operand()}
	}
	return x
}

func (p *parser) sum() expr { return p.binary(p.concat, "+", "-") }

func (p *parser) concat() expr {
	pos := at{p.tok.at}
	parts := []expr{p.product()}
	for p.tok.is("~") {
		p.next()
		parts = append(parts, p.product())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &concatX{pos, parts}
}

func (p *parser) product() expr { return p.binary(p.power, "*", "/", "//", "%") }
func (p *parser) power() expr {
	return p.binary(func() expr { return p.unary(true) }, "**")
}

func (p *parser) unary(withFilter bool) expr {
	var x expr
	if p.tok.is("-") || p.tok.is("+") {
		t := p.tok
		p.enter(t)
		p.next()
		x = &unaryX{at{t.at}, t.text, p.unary(false)}
		p.depth--
	} else {
		x = p.primary()
	}
	x = p.postfix(x)
	if withFilter {
		x = p.filters(x)
	}
	return x
}

func (p *parser) primary() expr {
	t := p.tok
	pos := at{t.at}
	switch {
	case t.kind == tokName:
		p.next()
		switch t.text {
		case "true", "True":
			return &constX{pos, boolValue(true)}
		case "false", "False":
			return &constX{pos, boolValue(false)}
		case "none", "None":
			return &constX{pos, none}
		}
		return &nameX{pos, t.text}
	case t.kind == tokString:
		var b strings.Builder
		for p.tok.kind == tokString {
			b.WriteString(p.tok.text)
			p.next()
		}
		return &constX{pos, stringValue(b.String())}
	case t.kind == tokInt:
		p.next()
		n, err := strconv.ParseInt(strings.ReplaceAll(decimal(t.text), "_", ""), 0, 64)
		if err != nil {
			p.fail(t, "%s is not a number of 64 bits", t.text)
		}
		return &constX{pos, intValue(n)}
	case t.kind == tokFloat:
		p.next()
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			p.fail(t, "%s is not a number of 64 bits", t.text)
		}
		return &constX{pos, floatValue(n)}
	case t.is("("):
		p.next()
		x := p.tuple(true, true)
		p.expect(")")
		return x
	case t.is("["):
		p.next()
		items := p.sequence("]")
		return &listX{pos, items, false}
	case t.is("{"):
		return p.dict()
	}
	p.fail(t, "an expression was expected, not %s", t.describe())
	return nil
}

// decimal drops leading zeros, which Go would read as octal.
func decimal(s string) string {
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = strings.TrimLeft(s, "0")
		if s == "" {
			s = "0"
		}
	}
	return s
}

func (p *parser) sequence(end string) []expr {
	var items []expr
	for !p.tok.is(end) {
		if len(items) > 0 {
			p.expect(",")
			if p.tok.is(end) {
				break
			}
		}
		items = append(items, p.expression())
	}
	p.expect(end)
	return items
}

func (p *parser) dict() expr {
	d := &dictX{at: at{p.tok.at}}
	p.next()
	for !p.tok.is("}") {
		if len(d.keys) > 0 {
			p.expect(",")
			if p.tok.is("}") {
				break
			}
		}
		d.keys = append(d.keys, p.expression())
		p.expect(":")
		d.values = append(d.values, p.expression())
	}
	p.expect("}")
	return d
}

// tuple parses "a, b" as a tuple and "a" as itself; nothing is an empty tuple where that is allowed.
func (p *parser) tuple(withCond, emptyAllowed bool, endNames ...string) expr {
	pos := at{p.tok.at}
	one := p.or
	if withCond {
		one = p.expression
	}
	ends := func() bool {
		return p.tok.kind == tokVarEnd || p.tok.kind == tokBlockEnd || p.tok.is(")") || p.tok.kind == tokName && slices.Contains(endNames, p.tok.text)
	}
	var items []expr
	comma := false
	for !ends() {
		items = append(items, one())
		if !p.tok.is(",") {
			break
		}
		comma = true
		p.next()
	}
	if len(items) == 1 && !comma {
		return items[0]
	}
	if len(items) == 0 && !emptyAllowed {
		p.fail(p.tok, "an expression was expected, not %s", p.tok.describe())
	}
	return &listX{pos, items, true}
}

func (p *parser) postfix(x expr) expr {
	for n := 0; ; n++ {
		t := p.tok
		pos := at{t.at}
		if n > maxNesting {
			p.fail(t, "more than %d accesses in a row", maxNesting)
		}
		switch {
		case t.is("."):
			p.next()
			name := p.tok
			p.next()
			switch name.kind {
			case tokName:
				x = &attrX{at{name.at}, x, name.text}
			case tokInt:
				n, _ := strconv.ParseInt(name.text, 10, 64)
				x = &itemX{pos, x, &constX{pos, intValue(n)}}
			default:
				p.fail(name, "a name was expected after the dot, not %s", name.describe())
			}
		case t.is("["):
			x = p.subscript(x)
		case t.is("("):
			x = &callX{at{x.where()}, x, p.arguments()}
		default:
			return x
		}
	}
}

func (p *parser) subscript(x expr) expr {
	pos := at{p.tok.at}
	p.next()
	var parts [3]expr
	n, colon := 0, false
	var items []expr
	for !p.tok.is("]") {
		switch {
		case p.tok.is(":"):
			if n++; n > 2 {
				p.fail(p.tok, "a slice has at most three parts")
			}
			colon = true
			p.next()
		case p.tok.is(","):
			if colon || parts[0] == nil {
				p.fail(p.tok, "unexpected comma in a slice")
			}
			items = append(items, parts[0])
			parts[0] = nil
			p.next()
		default:
			if parts[n] != nil {
				p.fail(p.tok, "\"]\" was expected, not %s", p.tok.describe())
			}
			parts[n] = p.expression()
		}
	}
	end := p.tok
	p.next()
	switch {
	case colon:
		return &sliceX{pos, x, parts[0], parts[1], parts[2]}
	case items != nil:
		if parts[0] != nil {
			items = append(items, parts[0])
		}
		return &itemX{pos, x, &listX{pos, items, true}}
	case parts[0] == nil:
		p.fail(end, "an index was expected")
	}
	return &itemX{pos, x, parts[0]}
}

// filters parses what follows a value: filters, tests and calls of their results.
func (p *parser) filters(x expr) expr {
	for n := 0; ; n++ {
		if n > maxNesting {
			p.fail(p.tok, "more than %d filters in a row", maxNesting)
		}
		switch {
		case p.tok.is("|"):
			p.next()
			x = p.filter(x)
		case p.tok.named("is"):
			x = p.test(x)
		case p.tok.is("("):
			x = &callX{at{x.where()}, x, p.arguments()}
		default:
			return x
		}
	}
}

func (p *parser) filter(x expr) expr {
	t := p.tok
	name := p.dotted()
	f := &filterX{at: at{t.at}, of: x, name: name}
	if p.tok.is("(") {
		f.args = p.arguments()
	}
	return f
}

func (p *parser) dotted() string {
	name := p.name("a name")
	for p.tok.is(".") {
		p.next()
		name += "." + p.name("a name")
	}
	return name
}

func (p *parser) test(x expr) expr {
	t := &testX{at: at{p.tok.at}, of: x}
	p.next()
	if p.tok.named("not") {
		t.not = true
		p.next()
	}
	t.pos = p.tok.at
	t.name = p.dotted()
	switch tok := p.tok; {
	case tok.is("("):
		t.args = p.arguments()
	case tok.kind == tokName && slices.Contains([]string{"else", "or", "and", "if"}, tok.text):
	case tok.named("is"):
		p.fail(tok, "tests cannot be chained with is")
	case tok.kind == tokName || tok.kind == tokString || tok.kind == tokInt || tok.kind == tokFloat || tok.is("[") || tok.is("{"):
		t.args.pos = []expr{p.postfix(p.primary())}
	}
	return t
}

func (p *parser) arguments() arguments {
	var a arguments
	p.next()
	for first := true; !p.tok.is(")"); first = false {
		if !first {
			p.expect(",")
			if p.tok.is(")") {
				break
			}
		}
		t := p.tok
		wrong := false
		switch {
		case t.is("*"):
			wrong = a.star != nil || a.doubleStar != nil
			p.next()
			a.star = p.expression()
		case t.is("**"):
			wrong = a.doubleStar != nil
			p.next()
			a.doubleStar = p.expression()
		case t.kind == tokName && p.peek().is("="):
			wrong = a.doubleStar != nil
			p.next()
			p.next()
			a.kw = append(a.kw, keyword{t.text, p.expression()})
		default:
			wrong = a.star != nil || a.doubleStar != nil || len(a.kw) > 0
			a.pos = append(a.pos, p.expression())
		}
		if wrong {
			p.fail(t, "arguments come in the order: by position, *list, name=value, **mapping")
		}
	}
	p.next()
	return a
}
