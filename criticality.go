package ishaa

// Level says how much depends on a route. Under overload the engines refuse
// standard work first and financial work last; the quality pipeline asks more of
// what is more critical.
type Level uint8

// The levels, from the least critical.
const (
	Standard         Level = iota // what is not said to be more
	DataCritical                  // what it does wrong stays in the data
	SecurityCritical              // it decides who may do what
	FinancialCore                 // it moves money
)

var levelNames = [...]string{"standard", "data_critical", "security_critical", "financial_core"}

// String returns the level's name, such as "financial_core".
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel returns the level of a name, and whether there is one.
func ParseLevel(name string) (Level, bool) {
	for level, known := range levelNames {
		if known == name {
			return Level(level), true
		}
	}
	return Standard, false
}

// Criticality holds a route's level. A route without it is Standard.
//
//	app.Post("/payment", pay, ishaa.Criticality.On(ishaa.FinancialCore))
var Criticality = NewAnnotation[Level]("criticality")
