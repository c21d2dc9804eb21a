package mutation

// Kind is the way in which a mutant differs from the program.
type Kind string

// The kinds; see the package documentation.
const (
	Boundary   Kind = "boundary"
	Negation   Kind = "negation"
	Arithmetic Kind = "arithmetic"
	Increment  Kind = "increment"
	Sign       Kind = "sign"
	Logic      Kind = "logic"
	Assignment Kind = "assignment"
	Error      Kind = "error"
	Call       Kind = "call"
)

// Status is what became of a mutant.
type Status string

// The states of a mutant.
const (
	Killed     Status = "killed"      // a test failed
	TimedOut   Status = "timed out"   // the tests took ten times as long as without it; it counts as killed
	Lived      Status = "lived"       // every test passed
	NotReached Status = "not reached" // no test runs the line
)

// Mutant is one small change of a program.
type Mutant struct {
	ID       int    `json:"id"` // from 1, within its package
	Kind     Kind   `json:"kind"`
	Package  string `json:"package"`
	Function string `json:"function"` // such as "(*Router).Match"; empty for a variable of the package
	File     string `json:"file"`     // relative to Options.Dir, if it is below
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Original string `json:"original"`
	Mutated  string `json:"mutated"`
	Status   Status `json:"status"`
	// By are the tests of Options.Candidates that notice the mutant where no other test does.
	By []string `json:"by,omitempty"`
}
