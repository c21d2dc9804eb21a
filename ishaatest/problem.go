package ishaatest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Problem is a problem document (RFC 9457) as a client reads it.
type Problem struct {
	Type     string      `json:"type"`
	Title    string      `json:"title"`
	Status   int         `json:"status"`
	Detail   string      `json:"detail"`
	Instance string      `json:"instance"`
	Errors   []Violation `json:"errors"` // of an input that does not fit

	// Members are all members of the document, those above too, as JSON.
	Members map[string]json.RawMessage `json:"-"`
}

// Violation is one way in which an input does not fit.
type Violation struct {
	Pointer string          `json:"pointer"` // a JSON pointer within the part of the request
	In      string          `json:"in"`      // the part: "body", "query", "path", "header", "cookie" or "form"
	Rule    string          `json:"rule"`    // the JSON Schema keyword that is broken
	Message string          `json:"message"`
	Value   json.RawMessage `json:"value"`
}

// String gives the violation as "/body/items/0/name required".
func (v Violation) String() string { return fmt.Sprintf("/%s%s %s", v.In, v.Pointer, v.Rule) }

// Member decodes a further member of the document into v, a pointer.
func (p *Problem) Member(name string, v any) error {
	text, ok := p.Members[name]
	if !ok {
		return fmt.Errorf("the problem has no member %q", name)
	}
	return json.Unmarshal(text, v)
}

// Problem checks that the answer is a problem document with a status, and with a
// detail that contains each of the parts.
func (r *Result) Problem(status int, detail ...string) *Result {
	r.t.Helper()
	r.Status(status)
	p := r.ProblemDocument()
	if p.Status != 0 && p.Status != status {
		r.fail(r.t, "the problem says status %d, the answer %d", p.Status, status)
	}
	for _, part := range detail {
		if !strings.Contains(p.Detail, part) {
			r.fail(r.t, "the problem's detail is %q, want one with %q", p.Detail, part)
		}
	}
	return r
}

// ProblemDocument returns the problem document. It fails the test if the answer is
// none.
func (r *Result) ProblemDocument() *Problem {
	r.t.Helper()
	r.wantType("a problem document", func(media string) bool { return media == "application/problem+json" })
	p := &Problem{}
	err := json.Unmarshal(r.body, p)
	if err == nil {
		err = json.Unmarshal(r.body, &p.Members)
	}
	if err != nil {
		r.fail(r.t, "the problem document does not decode: %v", err)
	}
	return p
}

// Violation checks that the answer is a problem whose errors name a value and the
// rule that it breaks. The pointer begins with the part of the request, as in
// "/body/items/0/count" or "/query/page".
func (r *Result) Violation(pointer, rule string) *Result {
	r.t.Helper()
	p := r.ProblemDocument()
	var there []string
	for _, v := range p.Errors {
		if "/"+v.In+v.Pointer == pointer && v.Rule == rule {
			return r
		}
		there = append(there, v.String())
	}
	if len(there) == 0 {
		there = append(there, "none")
	}
	r.fail(r.t, "no violation %s %s; there are: %s", pointer, rule, strings.Join(there, ", "))
	return r
}
