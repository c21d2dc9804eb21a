package schema

import (
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A Violation is one way in which a value does not fit.
type Violation struct {
	// Pointer says where: a JSON pointer (RFC 6901) from the value that was bound, "" for that value itself. Names of more
	// than 256 octets are cut.
	Pointer string `json:"pointer"`
	// In says in what part of the request; the caller fills it: "body", "query", "path", "header", "cookie", "form".
	In string `json:"in,omitempty"`
	// Rule is the JSON Schema keyword that is broken: "required", "type", "minimum", "pattern" …, or "single" for
	// a parameter that may be given once and was given several times.
	Rule string `json:"rule"`
	// Message says it to a person. It never contains the offending value, unless a type's own error does.
	Message string `json:"message"`
	// Value is the offending value if it is a string (cut to 256 octets), a number or a boolean. It is nil for everything
	// else, and for a field marked secret and all below it.
	Value any `json:"value,omitempty"`
}

// DefaultMaxViolations is how many violations are reported when the caller does not say.
const DefaultMaxViolations = 100

const longestShown = 256

// recorder gathers violations. Pointers are made from the inside out: who finds a violation records it with an empty
// pointer, and each container it is in puts its own step in front (within). So nothing is paid while all is well.
type recorder struct {
	found  []Violation
	most   int
	secret int // greater than 0 below a field marked secret
}

// recorders are kept between calls: most texts fit, and then the recorder would be the only thing allocated.
var recorders = sync.Pool{New: func() any { return new(recorder) }}

func newRecorder() *recorder {
	r := recorders.Get().(*recorder)
	r.most = DefaultMaxViolations
	return r
}

// release ends the recorder's use and returns what it found.
func (r *recorder) release() []Violation {
	found := r.found
	*r = recorder{}
	recorders.Put(r)
	return found
}

func (r *recorder) add(rule, message string, value any) {
	if len(r.found) >= r.most {
		return
	}
	if r.secret > 0 {
		value = nil
	}
	if text, ok := value.(string); ok {
		value = cut(text)
	}
	r.found = append(r.found, Violation{Rule: rule, Message: message, Value: value})
}

// addError records what a type's own code says, which may quote the value.
func (r *recorder) addError(rule string, err error, otherwise string, value any) {
	message := otherwise
	if err != nil && r.secret == 0 {
		message = cut(err.Error())
	}
	r.add(rule, message, value)
}

// at records a violation one step further down.
func (r *recorder) at(name, rule, message string) {
	mark := len(r.found)
	r.add(rule, message, nil)
	r.within(mark, name)
}

// within puts a step in front of the pointers recorded since mark.
func (r *recorder) within(mark int, name string) {
	if mark == len(r.found) {
		return
	}
	step := "/" + pointerEscape.Replace(cut(name))
	for i := mark; i < len(r.found); i++ {
		r.found[i].Pointer = step + r.found[i].Pointer
	}
}

func (r *recorder) withinIndex(mark, index int) {
	if mark < len(r.found) {
		r.within(mark, strconv.Itoa(index))
	}
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")

// cut shortens a text that a client chose, so that it cannot make us repeat it at length. The result owns its memory.
func cut(text string) string {
	if len(text) <= longestShown {
		return text
	}
	end := longestShown
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
