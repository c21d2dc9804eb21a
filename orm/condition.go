package orm

import "fmt"

// Condition is something that is true of a row or not. Conditions are made by Q, And, Or, Not and Expr.Is, and used
// by Filter and Exclude beside plain lookups:
//
//	users.Filter(orm.Or(orm.Q("age__lt", 18), orm.Q("role", "guardian")), "is_active", true)
type Condition struct {
	op       conditionOp
	children []Condition
	path     string // of a lookup
	expr     *Expr  // the left side instead of a path
	value    any
	err      error
}

type conditionOp uint8

const (
	opAll conditionOp = iota // of all children; true of no children
	opAny
	opNot // no child is true; NULL counts as not true
	opLookup
)

// Q makes a condition of lookups, all of which must hold: pairs of a name and a value, and conditions.
func Q(lookups ...any) Condition { return conditions(lookups) }

// And is true if all conditions are.
func And(all ...Condition) Condition { return Condition{op: opAll, children: all} }

// Or is true if one of the conditions is; Or of none is not.
func Or(some ...Condition) Condition { return Condition{op: opAny, children: some} }

// Not is true where the condition is not, also where it compares with an empty value (NULL).
func Not(c Condition) Condition { return Condition{op: opNot, children: []Condition{c}} }

func conditions(lookups []any) Condition {
	all := Condition{op: opAll, children: make([]Condition, 0, (len(lookups)+1)/2)}
	for i := 0; i < len(lookups); i++ {
		switch l := lookups[i].(type) {
		case Condition:
			if l.op == opAll && l.err == nil { // so that lookups of one call share the related row they speak of
				all.children = append(all.children, l.children...)
			} else {
				all.children = append(all.children, l)
			}
		case string:
			if i+1 == len(lookups) {
				all.err = fmt.Errorf("orm: the lookup %q has no value", l)
				return all
			}
			i++
			all.children = append(all.children, Condition{op: opLookup, path: l, value: lookups[i]})
		default:
			all.err = fmt.Errorf("orm: argument %d is a %T: write pairs of a lookup and a value, or conditions", i+1, l)
			return all
		}
	}
	return all
}
