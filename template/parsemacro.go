package template

import "slices"

func (p *parser) macroTag(pos at) stmt {
	s := &macroS{at: pos}
	t := p.tok
	s.name = p.name("the macro's name")
	if !p.tok.is("(") {
		p.fail(p.tok, "\"(\" was expected after the macro %q", t.text)
	}
	p.signature(s)
	p.macroBody(s, "macro")
	return s
}

func (p *parser) macroBody(s *macroS, tag string) {
	loops := p.loops
	p.loops = 0
	s.body = p.until(tag)
	p.loops = loops
}

func (p *parser) signature(s *macroS) {
	p.expect("(")
	for !p.tok.is(")") {
		if len(s.params) > 0 {
			p.expect(",")
			if p.tok.is(")") {
				break
			}
		}
		t := p.tok
		name := p.targetName()
		if slices.Contains(s.params, name) {
			p.fail(t, "the parameter %q is named twice", name)
		}
		s.params = append(s.params, name)
		switch {
		case p.tok.is("="):
			p.next()
			s.defaults = append(s.defaults, p.expression())
		case len(s.defaults) > 0:
			p.fail(t, "a parameter without a default follows one with a default")
		case name == "caller":
			p.fail(t, "a parameter named caller needs a default")
		}
	}
	p.next()
}

func (p *parser) callTag(pos at) stmt {
	body := &macroS{at: pos}
	if p.tok.is("(") {
		p.signature(body)
	}
	t := p.tok
	call := p.expression()
	if _, ok := call.(*callX); !ok {
		p.fail(t, "a call was expected")
	}
	p.macroBody(body, "call")
	return &callS{pos, call, body}
}
