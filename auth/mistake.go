package auth

import (
	"fmt"

	"github.com/ishaa-framework/ishaa/internal/callsite"
)

// mistake stops the program for settings that cannot work, with the line that has
// them: what is wrong is found when the application is set up.
func mistake(format string, args ...any) {
	panic(callsite.Outside("github.com/ishaa-framework/ishaa/auth") + ": auth." + fmt.Sprintf(format, args...))
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
