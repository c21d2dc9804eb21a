package tree

import (
	"fmt"
	"iter"
	"math"
	"strings"
)

// Methods are compared as small numbers. Those of RFC 9110 and RFC 5789 have fixed ones, found without a map; others
// get theirs when they are first registered. A method that was never registered is methodOther, which only the values
// for any method serve.

type methodID uint16

const (
	methodOther methodID = iota
	methodGet
	methodHead
	methodPost
	methodPut
	methodPatch
	methodDelete
	methodOptions
	methodConnect
	methodTrace
	methodCustom                  // the first of those that are not standard
	methodAny    = math.MaxUint16 // of values registered for any method
)

// standardMethods are the names of the fixed numbers.
var standardMethods = [methodCustom]string{"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}

// methodID returns the number of a request's method.
func (c *core) methodID(method string) methodID {
	switch method {
	case "GET":
		return methodGet
	case "HEAD":
		return methodHead
	case "POST":
		return methodPost
	case "PUT":
		return methodPut
	case "PATCH":
		return methodPatch
	case "DELETE":
		return methodDelete
	case "OPTIONS":
		return methodOptions
	case "CONNECT":
		return methodConnect
	case "TRACE":
		return methodTrace
	}
	return c.custom[method] // methodOther if it is not there
}

// register returns the number of a method to add a value for, "" being any.
func (c *core) register(method string) (methodID, error) {
	if method == "" {
		return methodAny, nil
	}
	if id := c.methodID(method); id != methodOther {
		return id, nil
	}
	for i := range len(method) {
		if ch := method[i]; !isAlphanumeric(ch) && strings.IndexByte("!#$%&'*+-.^_`|~", ch) < 0 {
			return 0, fmt.Errorf("method %q: a method is a word of letters, digits and !#$%%&'*+-.^_`|~ (RFC 9110, section 5.6.2)", method)
		}
	}
	id := int(methodCustom) + len(c.custom)
	if id >= methodAny {
		return 0, fmt.Errorf("method %q: there are %d others already", method, len(c.custom))
	}
	if c.custom == nil {
		c.custom = make(map[string]methodID)
	}
	c.custom[method] = methodID(id)
	return methodID(id), nil
}

// known yields every method a value may be registered for, methodOther standing for any.
func (c *core) known() iter.Seq2[methodID, string] {
	return func(yield func(methodID, string) bool) {
		for id, name := range standardMethods {
			if !yield(methodID(id), name) {
				return
			}
		}
		for name, id := range c.custom {
			if !yield(id, name) {
				return
			}
		}
	}
}

// meet reports whether a request may be served by values of both methods, if they are on different patterns.
func meet(a, b methodID) bool {
	return a == b || a == methodAny || b == methodAny || a == methodGet && b == methodHead || a == methodHead && b == methodGet
}
