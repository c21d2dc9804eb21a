package ishaatest

import "testing"

// AssertStatus checks an answer's status.
func AssertStatus(t testing.TB, res *Result, want int) {
	t.Helper()
	res.on(t).Status(want)
}

// AssertJSON checks that an answer is the JSON of want; see Result.JSONEqual.
func AssertJSON(t testing.TB, res *Result, want any) {
	t.Helper()
	res.on(t).JSONEqual(want)
}

// AssertHTML checks that an answer is a page that contains each of the parts.
func AssertHTML(t testing.TB, res *Result, contains ...string) {
	t.Helper()
	res.on(t).HTML(contains...)
}

// AssertRedirect checks that an answer is a redirect to a path or URL.
func AssertRedirect(t testing.TB, res *Result, target string) {
	t.Helper()
	res.on(t).Redirect(target)
}

// on returns the same result, reporting to another test.
func (r *Result) on(t testing.TB) *Result {
	other := *r
	other.t = t
	return &other
}
