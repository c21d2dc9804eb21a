package tree

// inlineParams is how many parameters a Params holds without allocating.
const inlineParams = 4

// Params are the parameters of a match, in the order of the pattern. The zero value is ready; Match fills it, and
// neither a copy nor a text taken from it changes when it is filled again. It is small, because every request has one:
// numbers, which few ask for, are read again from their text.
type Params struct {
	path   string // what was matched, in canonical form
	more   *moreParams
	inline [inlineParams]param
	n      uint32
	rest   uint32 // of a mount: where in path that begins which follows its prefix, or 0
}

// moreParams is what most matches do not have.
type moreParams struct {
	params []param // those from inlineParams on
	rest   string  // of a mount, as on the wire, if that is not a part of path
}

// param says where in the path a parameter lies.
type param struct{ start, end uint32 }

// Len returns how many parameters there are.
func (ps *Params) Len() int { return int(ps.n) }

// Reset forgets the parameters.
func (ps *Params) Reset() { ps.n, ps.path, ps.rest = 0, "", 0 }

// Text returns the text of parameter i, with escapes decoded once, or "" if there is no such parameter. A text that
// holds an escaped slash or percent sign is decoded (and allocated) by each call.
func (ps *Params) Text(i int) string { return decodeCanonical(ps.raw(i)) }

// Int returns the value of parameter i, which must be one of an int converter, or 0 if there is no such parameter.
func (ps *Params) Int(i int) int64 {
	n, _ := parseInt(ps.raw(i))
	return n
}

// Float returns the value of parameter i, which must be one of a float converter, or 0 if there is no such parameter.
func (ps *Params) Float(i int) float64 {
	f, _ := parseFloat(ps.raw(i))
	return f
}

// Rest returns what follows the prefix of a mount (see Rest) in the path, escaped as it came.
func (ps *Params) Rest() string {
	switch {
	case ps.rest == 0:
		return ""
	case ps.more != nil && ps.more.rest != "":
		return ps.more.rest
	}
	return ps.path[ps.rest:]
}

// raw is the text of parameter i in canonical form, "" if there is no such parameter.
func (ps *Params) raw(i int) string {
	var p param
	switch {
	case i < 0 || i >= int(ps.n):
		return ""
	case i < inlineParams:
		p = ps.inline[i]
	default:
		p = ps.more.params[i-inlineParams]
	}
	return ps.path[p.start:p.end]
}
