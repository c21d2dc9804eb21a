// Package testgen writes tests for an application from what its routes say about themselves, and keeps those that are
// worth their time.
//
//	result, err := testgen.Generate(ctx, testgen.Options{Dir: "."})
//	if err != nil { … }
//	fmt.Println(result.File, len(result.Kept), "tests kept of", result.Tried)
//	for _, f := range result.Findings {
//		fmt.Println(f.Text, f.Curl)
//	}
//
// # What is tried
//
// For each route: a request that fits; each constraint of a typed input broken by one step (one below the minimum, one above
// the maximum, a character too few or too many, a name that is not in the list, a required value left out, the wrong type);
// a method that it does not have and a content type that it does not take; texts that mean something in SQL, HTML, paths,
// addresses, templates, spreadsheets and lines; numbers that are negative, huge, wider than 32 bits or none; the same
// requests at once and one by one; nobody, one and another asking for the same; somebody who only claims to be one; thirty
// requests, after which no goroutine is left; the database failing below; something new that is removed and read again;
// and, where money moves, a burst.
//
// The application is seen from inside: a statement whose text holds what a client sent, the content of a file that no
// client may read, markup that came back as markup, there or on a page nearby, a redirect to another host, a request that
// reached a listener of the test, another principal's row, a success while the database failed, a state that a refused
// request changed, a connection or a goroutine that stays, no answer, an answer of 5xx. Each is a bug, reported with a curl
// line and a Go test, and not written into the suite.
//
// # What is kept
//
// A test that passes three shuffled runs with the race detector, and runs code that no other test does, or notices a mutant
// that no other test does. Its comment says which. The file has a fixed name and is written again only if it changes.
//
// # What it needs
//
// A way to make the application, in its package main: a function furnish(app *ishaa.App), or furnish(app *ishaa.App, db
// *orm.DB) beside openDatabase(url string) (*orm.DB, error), as new projects have them; or newApp() *ishaa.App; or, in a
// test file, newClient(t *testing.T) *ishaatest.Client.
//
// A program with principals has in a test file
//
//	func signIn(t *testing.T, client *ishaatest.Client, name string) *ishaatest.Client
//
// which returns a client that acts as "ada" or as "bob", two with the same rights and rows of their own. Without it nobody's
// rows are compared. What is seen of a database needs openDatabase, or func newClient(t *testing.T) (*ishaatest.Client, *orm.DB).
package testgen
