package tree

import "math"

// inlineParams is how many parameters a Params holds without allocating.
const inlineParams = 4

// Params are the parameters of a match, in the order of the pattern. The zero value is ready; Match fills it, and
// neither a copy nor a text taken from it changes when it is filled again.
type Params struct {
	path     string // what was matched, in canonical form
	rest     string // of a mount: what follows its prefix, as on the wire
	n        int
	inline   [inlineParams]param
	overflow *[]param // those from inlineParams on
}

// param says where in the path a parameter lies, and which number it is.
type param struct {
	start, end uint32
	number     uint64 // of int: the two's complement; of float: the IEEE 754 bits
}

// Len returns how many parameters there are.
func (ps *Params) Len() int { return ps.n }

// Reset forgets the parameters.
func (ps *Params) Reset() { ps.n, ps.path, ps.rest = 0, "", "" }

// Text returns the text of parameter i, with escapes decoded once, or "" if there is no such parameter. A text that
// holds an escaped slash or percent sign is decoded (and allocated) by each call.
func (ps *Params) Text(i int) string {
	if p := ps.at(i); p != nil {
		return decodeCanonical(ps.path[p.start:p.end])
	}
	return ""
}

// Int returns the value of parameter i, which must be one of an int converter, or 0 if there is no such parameter.
func (ps *Params) Int(i int) int64 {
	if p := ps.at(i); p != nil {
		return int64(p.number)
	}
	return 0
}

// Float returns the value of parameter i, which must be one of a float converter, or 0 if there is no such parameter.
func (ps *Params) Float(i int) float64 {
	if p := ps.at(i); p != nil {
		return math.Float64frombits(p.number)
	}
	return 0
}

// Rest returns what follows the prefix of a mount (see Rest) in the path, escaped as it came.
func (ps *Params) Rest() string { return ps.rest }

func (ps *Params) at(i int) *param {
	switch {
	case i < 0 || i >= ps.n:
		return nil
	case i < inlineParams:
		return &ps.inline[i]
	}
	return &(*ps.overflow)[i-inlineParams]
}
