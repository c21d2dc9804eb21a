package template

import (
	"slices"
	"strings"
)

// parser turns tokens into statements. It fails by panicking with an *Error, which parse returns.
type parser struct {
	tokens   []token
	i        int
	tok      token
	depth    int
	loops    int      // loops around the present statement, within its function
	open     []string // the tags that are open, for messages
	blocks   map[string]*blockS
	blockSeq []string
}

// tree is a parsed template.
type tree struct {
	body     []stmt
	blocks   map[string]*blockS
	blockSeq []string // in the order of the text
}

func parse(src *source, syntax Syntax) (t *tree, err error) {
	defer func() { caught(recover(), &err, &position{src, 1, 1}) }()
	p := &parser{tokens: lex(src, syntax), blocks: map[string]*blockS{}}
	p.tok = p.tokens[0]
	body := p.body()
	if p.tok.kind != tokEOF {
		p.fail(p.tok, "unexpected %s", p.tok.describe())
	}
	return &tree{body, p.blocks, p.blockSeq}, nil
}

func (p *parser) fail(t token, format string, args ...any) {
	panic(t.at.fault(KindSyntax, format, args...))
}

func (p *parser) next() {
	if p.i < len(p.tokens)-1 {
		p.i++
	}
	p.tok = p.tokens[p.i]
}

func (p *parser) peek() token {
	return p.tokens[min(p.i+1, len(p.tokens)-1)]
}

func (p *parser) expect(op string) {
	if !p.tok.is(op) {
		p.fail(p.tok, "%q was expected, not %s", op, p.tok.describe())
	}
	p.next()
}

func (p *parser) name(what string) string {
	if p.tok.kind != tokName {
		p.fail(p.tok, "%s was expected, not %s", what, p.tok.describe())
	}
	name := p.tok.text
	p.next()
	return name
}

func (p *parser) skip(name string) bool {
	if p.tok.named(name) {
		p.next()
		return true
	}
	return false
}

func (p *parser) endTag() {
	if p.tok.kind != tokBlockEnd {
		p.fail(p.tok, "the end of the tag was expected, not %s", p.tok.describe())
	}
	p.next()
}

// body parses statements up to a tag with one of the names, whose name is then the present token.
func (p *parser) body(ends ...string) []stmt {
	t := p.tok
	p.enter(t)
	defer func() { p.depth-- }()
	var list []stmt
	for {
		switch t := p.tok; t.kind {
		case tokEOF:
			if len(ends) > 0 {
				p.fail(t, "%q is not closed: %q was expected", p.open[len(p.open)-1], ends[len(ends)-1])
			}
			return list
		case tokText:
			list = append(list, &textS{at{t.at}, t.text})
			p.next()
		case tokVarBegin:
			p.next()
			x := p.tuple(true, false)
			if p.tok.kind != tokVarEnd {
				p.fail(p.tok, "the end of the tag was expected, not %s", p.tok.describe())
			}
			p.next()
			list = append(list, &outputS{at{x.where()}, x})
		case tokBlockBegin:
			p.next()
			if p.tok.kind == tokName && slices.Contains(ends, p.tok.text) {
				return list
			}
			list = append(list, p.statement())
		default:
			p.fail(t, "unexpected %s", t.describe())
		}
	}
}

// until parses a body that ends with "endNAME".
func (p *parser) until(name string) []stmt {
	p.endTag()
	return p.rest(name)
}

func (p *parser) rest(name string) []stmt {
	p.open = append(p.open, name)
	list := p.body("end" + name)
	p.open = p.open[:len(p.open)-1]
	p.next()
	return list
}

var statements map[string]func(*parser, at) stmt

func init() {
	statements = map[string]func(*parser, at) stmt{
		"if": (*parser).ifTag, "for": (*parser).forTag, "set": (*parser).setTag, "with": (*parser).withTag,
		"block": (*parser).blockTag, "macro": (*parser).macroTag, "call": (*parser).callTag, "filter": (*parser).filterTag,
		"include": (*parser).includeTag, "import": (*parser).importTag, "from": (*parser).fromTag, "extends": (*parser).extendsTag,
		"autoescape": (*parser).autoescapeTag, "do": (*parser).doTag, "print": (*parser).printTag, "trans": (*parser).transTag,
		"break": (*parser).breakTag, "continue": (*parser).breakTag,
	}
}

func (p *parser) statement() stmt {
	t := p.tok
	p.name("the name of a tag")
	parse := statements[t.text]
	if parse == nil {
		expected := ""
		if n := len(p.open); n > 0 && strings.HasPrefix(t.text, "end") {
			expected = ", \"end" + p.open[n-1] + "\" was expected"
		} else {
			expected = suggest(t.text, func(yield func(string) bool) {
				for name := range statements {
					if !yield(name) {
						return
					}
				}
			})
		}
		p.fail(t, "unknown tag %q%s", t.text, expected)
	}
	s := parse(p, at{t.at})
	if _, line := s.(*blockS); p.tok.is(":") && !line {
		p.next()
	}
	p.endTag()
	return s
}

// colon skips the colon that may end a line statement's head.
func (p *parser) colon() {
	if p.tok.is(":") {
		p.next()
	}
}

func (p *parser) ifTag(pos at) stmt {
	s := &ifS{at: pos}
	for {
		s.tests = append(s.tests, p.tuple(true, false))
		p.colon()
		p.endTag()
		p.open = append(p.open, "if")
		s.bodies = append(s.bodies, p.body("elif", "else", "endif"))
		p.open = p.open[:len(p.open)-1]
		switch end := p.name(""); end {
		case "elif":
			continue
		case "else":
			p.colon()
			s.bodies = append(s.bodies, p.until("if"))
		}
		return s
	}
}

func (p *parser) forTag(pos at) stmt {
	s := &forS{at: pos}
	s.target = p.target(false, "in")
	if !p.skip("in") {
		p.fail(p.tok, "\"in\" was expected, not %s", p.tok.describe())
	}
	s.iter = p.tuple(false, false, "recursive", "if")
	if p.skip("if") {
		s.filter = p.expression()
	}
	s.recursive = p.skip("recursive")
	p.colon()
	p.endTag()
	p.open = append(p.open, "for")
	p.loops++
	s.body = p.body("else", "endfor")
	p.loops--
	p.open = p.open[:len(p.open)-1]
	if p.name("") == "else" {
		p.colon()
		s.otherwise = p.until("for")
	}
	return s
}

func (p *parser) breakTag(pos at) stmt {
	word := p.tokens[p.i-1]
	if p.loops == 0 {
		p.fail(word, "%s outside of a loop", word.text)
	}
	return &breakS{pos, word.text == "continue"}
}

// target parses what can be assigned to: a name, a tuple of them, and ns.attr where that is allowed.
func (p *parser) target(namespace bool, ends ...string) expr {
	pos := at{p.tok.at}
	var items []expr
	comma := false
	for {
		t := p.tok
		switch {
		case t.is("("):
			p.next()
			items = append(items, p.target(namespace))
			p.expect(")")
		default:
			name := p.targetName()
			if namespace && p.tok.is(".") {
				p.next()
				items = append(items, &attrX{at{t.at}, &nameX{at{t.at}, name}, p.name("a name")})
			} else {
				items = append(items, &nameX{at{t.at}, name})
			}
		}
		if !p.tok.is(",") {
			break
		}
		comma = true
		p.next()
		if p.tok.kind != tokName && !p.tok.is("(") || p.tok.kind == tokName && slices.Contains(ends, p.tok.text) {
			break
		}
	}
	if len(items) == 1 && !comma {
		return items[0]
	}
	return &listX{pos, items, true}
}

// targetName parses a name that can be assigned to.
func (p *parser) targetName() string {
	t := p.tok
	name := p.name("a name")
	if slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, name) {
		p.fail(t, "%s cannot be assigned to", name)
	}
	return name
}

func (p *parser) setTag(pos at) stmt {
	target := p.target(true)
	if p.tok.is("=") {
		p.next()
		return &setS{pos, target, p.tuple(true, false)}
	}
	s := &setBlockS{at: pos, target: target}
	if p.tok.is("|") {
		s.filter = p.filters(nil)
	}
	s.body = p.until("set")
	return s
}

func (p *parser) withTag(pos at) stmt {
	s := &withS{at: pos}
	for p.tok.kind != tokBlockEnd {
		if len(s.names) > 0 {
			p.expect(",")
		}
		s.names = append(s.names, &nameX{at{p.tok.at}, p.targetName()})
		p.expect("=")
		s.values = append(s.values, p.expression())
	}
	s.body = p.until("with")
	return s
}

func (p *parser) filterTag(pos at) stmt {
	f := p.filter(nil)
	for p.tok.is("|") {
		p.next()
		f = p.filter(f)
	}
	return &filterS{pos, f, p.until("filter")}
}

func (p *parser) autoescapeTag(pos at) stmt {
	on := p.expression()
	return &autoescapeS{pos, on, p.until("autoescape")}
}

func (p *parser) doTag(pos at) stmt    { return &doS{pos, p.tuple(true, false)} }
func (p *parser) printTag(pos at) stmt { return &outputS{pos, p.tuple(true, false)} }

// transTag takes the text of a trans block as it stands, with the variables in it.
func (p *parser) transTag(pos at) stmt {
	s := &withS{at: pos}
	for p.tok.kind != tokBlockEnd {
		if len(s.names) > 0 {
			p.expect(",")
		}
		t := p.tok
		name := &nameX{at{t.at}, p.name("a name")}
		var v expr = name
		if p.tok.is("=") {
			p.next()
			v = p.expression()
		}
		s.names, s.values = append(s.names, name), append(s.values, v)
	}
	s.body = p.until("trans")
	return s
}

func (p *parser) extendsTag(pos at) stmt {
	if len(p.open) > 0 && slices.ContainsFunc(p.open, func(tag string) bool { return tag != "if" }) {
		p.fail(p.tokens[p.i-1], "extends cannot stand in %q", p.open[len(p.open)-1])
	}
	return &extendsS{pos, p.expression()}
}

func (p *parser) includeTag(pos at) stmt {
	s := &includeS{at: pos, name: p.expression(), withContext: true}
	if p.tok.named("ignore") && p.peek().named("missing") {
		s.ignoreMissing = true
		p.next()
		p.next()
	}
	s.withContext = p.contextWord(true)
	return s
}

func (p *parser) contextWord(otherwise bool) bool {
	if (p.tok.named("with") || p.tok.named("without")) && p.peek().named("context") {
		otherwise = p.tok.text == "with"
		p.next()
		p.next()
	}
	return otherwise
}

func (p *parser) importTag(pos at) stmt {
	s := &importS{at: pos, name: p.expression()}
	if !p.skip("as") {
		p.fail(p.tok, "\"as\" was expected, not %s", p.tok.describe())
	}
	s.as = p.name("a name")
	s.withContext = p.contextWord(false)
	return s
}

func (p *parser) fromTag(pos at) stmt {
	s := &importS{at: pos, name: p.expression()}
	if !p.skip("import") {
		p.fail(p.tok, "\"import\" was expected, not %s", p.tok.describe())
	}
	for p.tok.kind == tokName {
		if s.names != nil && (p.tok.text == "with" || p.tok.text == "without") && p.peek().named("context") {
			break
		}
		t := p.tok
		name := p.name("a name")
		if strings.HasPrefix(name, "_") {
			p.fail(t, "names that begin with an underscore are not exported")
		}
		alias := name
		if p.skip("as") {
			alias = p.name("a name")
		}
		s.names = append(s.names, [2]string{name, alias})
		if !p.tok.is(",") {
			break
		}
		p.next()
	}
	if s.names == nil {
		p.fail(p.tok, "a name was expected, not %s", p.tok.describe())
	}
	s.withContext = p.contextWord(false)
	return s
}

func (p *parser) blockTag(pos at) stmt {
	t := p.tok
	s := &blockS{at: pos, name: p.name("the block's name")}
	s.scoped = p.skip("scoped")
	s.required = p.skip("required")
	s.scoped = p.skip("scoped") || s.scoped
	if p.tok.is("-") {
		p.fail(p.tok, "a block's name cannot have a hyphen: use an underscore")
	}
	if p.blocks[s.name] != nil {
		p.fail(t, "the block %q is defined twice", s.name)
	}
	p.blocks[s.name] = s
	p.blockSeq = append(p.blockSeq, s.name)
	loops := p.loops
	p.loops = 0
	s.body = p.until("block")
	p.loops = loops
	if p.tok.kind == tokName {
		if p.tok.text != s.name {
			p.fail(p.tok, "endblock of %q closes the block %q", p.tok.text, s.name)
		}
		p.next()
	}
	if s.required {
		for _, inner := range s.body {
			if text, ok := inner.(*textS); !ok || strings.TrimSpace(text.text) != "" {
				p.fail(t, "a required block can only hold white space and comments")
			}
		}
	}
	return s
}
