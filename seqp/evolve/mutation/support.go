package mutation

import (
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

// supportSource is the file that each package gets beside its own. While a test is probed it notes which mutants the test
// reaches, and of which of them it would see another value than the program's: what gives the same value everywhere cannot
// be noticed (weak mutation; Howden 1982).
func supportSource(pkg string, mutants int) string {
	return strings.NewReplacer("PACKAGE", pkg, "PREFIX", prefix, "CHOSEN", chosenVariable, "REACHED", reachedVariable,
		"COUNT", strconv.Itoa(mutants+1)).Replace(`package PACKAGE

import (
	"os"
	"strconv"
	"sync/atomic"
)

var PREFIXChosen, PREFIXFile = func() (int, *os.File) {
	n, _ := strconv.Atoi(os.Getenv("CHOSEN"))
	path := os.Getenv("REACHED")
	if path == "" {
		return n, nil
	}
	f, _ := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return n, f
}()

var PREFIXProbing = PREFIXFile != nil

var PREFIXSeen [COUNT]atomic.Uint32

func PREFIXNote(id int, differs bool) {
	seen := &PREFIXSeen[id]
	switch {
	case differs && seen.Load() != 2 && seen.Swap(2) != 2:
		PREFIXFile.WriteString(strconv.Itoa(id) + "!\n")
	case !differs && seen.Load() == 0 && seen.CompareAndSwap(0, 1):
		PREFIXFile.WriteString(strconv.Itoa(id) + "\n")
	}
}

func PREFIXIs(id int) bool {
	if PREFIXProbing {
		PREFIXNote(id, true)
	}
	return PREFIXChosen == id
}

type PREFIXNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 | ~float64
}

type PREFIXInteger interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

type PREFIXOrdered interface{ PREFIXNumber | ~string }

// A float has two zeros, which are equal and not the same.
func PREFIXDiffer[T PREFIXNumber](x, y T) bool {
	var one, two T = 1, 2
	return x != y || x == 0 && one/two != 0
}

func PREFIXEdge[T PREFIXOrdered](edge, not int, x, y T) {
	PREFIXNote(edge, x == y)
	PREFIXNote(not, true)
}

func PREFIXLess[T PREFIXOrdered](edge, not int, x, y T) bool {
	if PREFIXProbing { PREFIXEdge(edge, not, x, y) }
	switch PREFIXChosen {
	case edge: return x <= y
	case not: return x >= y
	}
	return x < y
}

func PREFIXLessEqual[T PREFIXOrdered](edge, not int, x, y T) bool {
	if PREFIXProbing { PREFIXEdge(edge, not, x, y) }
	switch PREFIXChosen {
	case edge: return x < y
	case not: return x > y
	}
	return x <= y
}

func PREFIXGreater[T PREFIXOrdered](edge, not int, x, y T) bool {
	if PREFIXProbing { PREFIXEdge(edge, not, x, y) }
	switch PREFIXChosen {
	case edge: return x >= y
	case not: return x <= y
	}
	return x > y
}

func PREFIXGreaterEqual[T PREFIXOrdered](edge, not int, x, y T) bool {
	if PREFIXProbing { PREFIXEdge(edge, not, x, y) }
	switch PREFIXChosen {
	case edge: return x > y
	case not: return x < y
	}
	return x >= y
}

func PREFIXAdd[T PREFIXNumber](id int, x, y T) T {
	if PREFIXProbing { PREFIXNote(id, PREFIXDiffer(x+y, x-y)) }
	if PREFIXChosen == id { return x - y }
	return x + y
}

func PREFIXSubtract[T PREFIXNumber](id int, x, y T) T {
	if PREFIXProbing { PREFIXNote(id, PREFIXDiffer(x+y, x-y)) }
	if PREFIXChosen == id { return x + y }
	return x - y
}

func PREFIXMultiply[T PREFIXNumber](id int, x, y T) T {
	if PREFIXProbing { PREFIXNote(id, y == 0 || PREFIXDiffer(x*y, x/y)) }
	if PREFIXChosen == id { return x / y }
	return x * y
}

func PREFIXDivide[T PREFIXNumber](id int, x, y T) T {
	if PREFIXProbing { PREFIXNote(id, y == 0 || PREFIXDiffer(x*y, x/y)) }
	if PREFIXChosen == id { return x * y }
	return x / y
}

func PREFIXRemainder[T PREFIXInteger](id int, x, y T) T {
	if PREFIXProbing { PREFIXNote(id, y == 0 || x*y != x%y) }
	if PREFIXChosen == id { return x * y }
	return x % y
}

func PREFIXSign[T PREFIXNumber](id int, x T) T {
	if PREFIXProbing { PREFIXNote(id, PREFIXDiffer(x, -x)) }
	if PREFIXChosen == id { return x }
	return -x
}

func PREFIXOne[T PREFIXNumber](id int, _ T) T {
	var one T = 1
	if PREFIXIs(id) { return -one }
	return one
}

// Where the right side is asked by the program and not by the mutant, that is no difference if it only looks (pure). Where
// it is asked by the mutant alone it may panic, and is not tried.
func PREFIXAnd(id int, pure, x bool, y func() bool) bool {
	if PREFIXProbing {
		if !x || !pure {
			PREFIXNote(id, true)
			return x && y()
		}
		ok := y()
		PREFIXNote(id, !ok)
		return ok
	}
	if PREFIXChosen == id { return x || y() }
	return x && y()
}

func PREFIXOr(id int, pure, x bool, y func() bool) bool {
	if PREFIXProbing {
		if x || !pure {
			PREFIXNote(id, true)
			return x || y()
		}
		ok := y()
		PREFIXNote(id, ok)
		return ok
	}
	if PREFIXChosen == id { return x && y() }
	return x || y()
}

func PREFIXError(id int, err error) error {
	if PREFIXProbing { PREFIXNote(id, err != nil) }
	if PREFIXChosen == id { return nil }
	return err
}
`)
}
