package risk

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// A check clears a value on the branch that it decides: behind "if !allowed.MatchString(name) { return }" the name is one of
// those that match.

// every are all kinds.
var every = []Kind{SQL, Command, File, HTML, Redirect, URL, Argument, Template}

// check is a condition about a value: holds says on which branch the value is clear, and of what.
type check struct {
	value ssa.Value
	holds bool
	kinds []Kind
}

// checksOf reads a condition.
func checksOf(cond ssa.Value) []check {
	switch cond := cond.(type) {
	case *ssa.UnOp:
		if cond.Op == token.NOT {
			list := checksOf(cond.X)
			for i := range list {
				list[i].holds = !list[i].holds
			}
			return list
		}
	case *ssa.BinOp:
		return comparison(cond)
	case *ssa.Extract: // value, ok := list[key]
		if lookup, ok := cond.Tuple.(*ssa.Lookup); ok && cond.Index == 1 {
			return []check{{lookup.Index, true, every}}
		}
	case *ssa.Lookup: // if list[key]
		return []check{{cond.Index, true, every}}
	case *ssa.Call:
		return checkingCall(cond)
	}
	return nil
}

func comparison(cond *ssa.BinOp) []check {
	if cond.Op != token.EQL && cond.Op != token.NEQ {
		return nil
	}
	equal := cond.Op == token.EQL
	for _, side := range [2][2]ssa.Value{{cond.X, cond.Y}, {cond.Y, cond.X}} {
		if text, ok := constantText(side[1]); ok {
			if text != "" {
				if parsed := parsedFrom(side[0]); parsed != nil {
					return []check{{parsed, equal, []Kind{Redirect, URL}}}
				}
			} else if parsed := parsedFrom(side[0]); parsed != nil {
				return []check{{parsed, equal, []Kind{Redirect}}}
			}
			return []check{{side[0], equal, every}}
		}
		if c, ok := side[1].(*ssa.Const); ok && c.IsNil() { // err == nil of a call that checks
			return checkingError(side[0], equal)
		}
		if c, ok := side[1].(*ssa.Const); ok && c.Value != nil && c.Value.Kind() == constant.Int && c.Int64() <= 0 {
			if call, ok := side[0].(*ssa.Call); ok { // slices.Index(list, name) == -1
				if c, _ := calleeOf(call.Common()); c.pkg == "slices" && c.name == "Index" {
					return []check{{call.Call.Args[1], !equal, every}}
				}
			}
		}
	}
	return nil
}

// parsedFrom is the text of an address whose host or scheme a value is.
func parsedFrom(v ssa.Value) ssa.Value {
	if call, ok := v.(*ssa.Call); ok {
		if c, _ := calleeOf(call.Common()); c.pkg == "net/url" && c.recv == "URL" && (c.name == "Hostname" || c.name == "IsAbs") {
			return textOfURL(call.Call.Args[0])
		}
	}
	load, ok := v.(*ssa.UnOp)
	if !ok {
		return nil
	}
	field, ok := load.X.(*ssa.FieldAddr)
	if !ok || !isNamed(field.X.Type(), "net/url", "URL") || fieldName(field) != "Host" {
		return nil
	}
	return textOfURL(field.X)
}

func fieldName(field *ssa.FieldAddr) string {
	pointer, ok := field.X.Type().Underlying().(*types.Pointer)
	if !ok {
		return ""
	}
	structure, ok := pointer.Elem().Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	return structure.Field(field.Field).Name()
}

func textOfURL(v ssa.Value) ssa.Value {
	extract, ok := v.(*ssa.Extract)
	if !ok {
		return nil
	}
	if call, ok := extract.Tuple.(*ssa.Call); ok {
		if c, _ := calleeOf(call.Common()); c.pkg == "net/url" && strings.HasPrefix(c.name, "Parse") && len(call.Call.Args) == 1 {
			return call.Call.Args[0]
		}
	}
	return nil
}

// checkingError is the error of a conversion: without one the text was a number or the like.
func checkingError(err ssa.Value, equal bool) []check {
	extract, ok := err.(*ssa.Extract)
	if !ok {
		return nil
	}
	call, ok := extract.Tuple.(*ssa.Call)
	if !ok {
		return nil
	}
	c, _ := calleeOf(call.Common())
	switch {
	case c.pkg == "strconv" && (c.name == "Atoi" || c.name == "ParseInt" || c.name == "ParseUint" || c.name == "ParseBool"),
		c.pkg == "net/netip", c.pkg == "github.com/google/uuid":
		return []check{{call.Call.Args[0], equal, every}}
	}
	return nil
}

func checkingCall(call *ssa.Call) []check {
	c, ok := calleeOf(call.Common())
	if !ok {
		return nil
	}
	args := call.Call.Args
	switch {
	case c.pkg == "regexp" && c.recv == "Regexp" && strings.HasPrefix(c.name, "Match"):
		return []check{{args[1], true, every}}
	case c.pkg == "regexp" && c.recv == "" && c.name == "MatchString":
		return []check{{args[1], true, every}}
	case c.pkg == "slices" && c.name == "Contains":
		return []check{{args[1], true, every}}
	case c.pkg == "path/filepath" && c.name == "IsLocal", c.pkg == "io/fs" && c.name == "ValidPath":
		return []check{{args[0], true, []Kind{File}}}
	case c.pkg == "net/url" && c.name == "IsAbs":
		if text := textOfURL(args[0]); text != nil {
			return []check{{text, false, []Kind{Redirect}}}
		}
	case c.pkg == "strings" && c.name == "Contains":
		if part, _ := constantText(args[1]); part == ".." {
			return []check{{args[0], false, []Kind{File}}}
		}
	case c.pkg == "strings" && c.name == "HasPrefix":
		part, _ := constantText(args[1])
		if fixedHost.MatchString(part) {
			return []check{{args[0], true, []Kind{URL, Redirect}}}
		}
		if part == "-" {
			return []check{{args[0], false, []Kind{Argument}}}
		}
		if part == "//" {
			return []check{{args[0], false, []Kind{Redirect}}}
		}
		if localPath.MatchString(part) {
			return []check{{args[0], true, []Kind{Redirect}}}
		}
	}
	return nil
}

var (
	fixedHost = regexp.MustCompile(`^[a-z]+://[^/?#\s%{]+/`)
	localPath = regexp.MustCompile(`^/[^/\\%]`)
)

// cleared is what a value is clear of in a block, by the checks that the block is behind.
func (f *flow) cleared(v ssa.Value, block *ssa.BasicBlock) []Kind {
	var list []Kind
	for _, c := range f.checks[checkedOf(v)] {
		if c.edge.Dominates(block) && c.alone {
			list = append(list, c.kinds...)
		}
	}
	return list
}

// clearedOn is the same for a value that comes into a block from one before.
func (f *flow) clearedOn(v ssa.Value, from, to *ssa.BasicBlock) []Kind {
	list := f.cleared(v, from)
	for _, c := range f.checks[checkedOf(v)] {
		if c.from == from && c.edge == to {
			list = append(list, c.kinds...)
		}
	}
	return list
}

// placed is a check with the block that it lets into.
type placed struct {
	from, edge *ssa.BasicBlock
	alone      bool // that block is entered by this branch only
	kinds      []Kind
}

// checked is what a check is about: a value, or a field that is read, however often.
type checked struct {
	value  ssa.Value
	fields string // that lead from the value to what is read; "" for the value itself
}

// checkedOf follows a value to what a check of it would be about. A field that the function itself writes is another one each
// time.
func checkedOf(v ssa.Value) checked {
	v = throughLocal(v)
	load, ok := v.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return checked{v, ""}
	}
	read := fieldsOf(load.X)
	if read.fields == "" {
		return checked{v, ""}
	}
	for _, block := range load.Parent().Blocks {
		for _, instruction := range block.Instrs {
			if store, ok := instruction.(*ssa.Store); ok && fieldsOf(store.Addr) == read {
				return checked{v, ""}
			}
		}
	}
	return read
}

// fieldsOf follows the address of a field, which may be one of a field, to where it begins.
func fieldsOf(address ssa.Value) checked {
	c := checked{address, ""}
	for {
		field, ok := c.value.(*ssa.FieldAddr)
		if !ok {
			return c
		}
		c = checked{field.X, "." + strconv.Itoa(field.Field) + c.fields}
	}
}

func placedChecks(fn *ssa.Function) map[checked][]placed {
	list := map[checked][]placed{}
	for _, block := range fn.Blocks {
		branch, ok := block.Instrs[len(block.Instrs)-1].(*ssa.If)
		if !ok {
			continue
		}
		for _, c := range checksOf(branch.Cond) {
			to := block.Succs[0]
			if !c.holds {
				to = block.Succs[1]
			}
			value := checkedOf(c.value)
			list[value] = append(list[value], placed{block, to, len(to.Preds) == 1, c.kinds})
		}
	}
	return list
}

// throughLocal is the value itself under conversions of text.
func throughLocal(v ssa.Value) ssa.Value {
	for {
		switch x := v.(type) {
		case *ssa.MakeInterface:
			v = x.X
		case *ssa.ChangeType:
			v = x.X
		case *ssa.Convert:
			v = x.X
		default:
			return v
		}
	}
}
