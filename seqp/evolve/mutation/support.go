package mutation

import (
	_ "embed"
	"strconv"
	"strings"
)

// prefix begins the name of all that is added to a package. Nobody's own names begin so.
const prefix = "ishaaMutant"

// Variables through which the binary is told what to be.
const (
	chosenVariable  = "ISHAA_MUTANT"         // the number of the mutant; none without it
	reachedVariable = "ISHAA_MUTANT_REACHED" // a file for the numbers of the mutants that were reached, with "!" behind those that differ
)

// supportText has names in place of what differs from package to package; see supportSource.
//
//go:embed support.go.txt
var supportText string

// supportSource is the file that each package gets beside its own. While a test is probed it notes which mutants the test
// reaches, and of which of them it would see another value than the program's: what gives the same value everywhere cannot
// be noticed (weak mutation; Howden 1982).
func supportSource(pkg string, mutants int) string {
	return strings.NewReplacer("PACKAGE", pkg, "PREFIX", prefix, "CHOSEN", chosenVariable, "REACHED", reachedVariable,
		"COUNT", strconv.Itoa(mutants+1)).Replace(supportText)
}
