package middleware

import (
	"fmt"

	"github.com/ishaa-framework/ishaa/internal/callsite"
)

// mistake stops the program for options that cannot work, with the line that has
// them: what is wrong with middleware is found when the application is set up.
func mistake(format string, args ...any) {
	panic(callsite.Outside("github.com/ishaa-framework/ishaa/middleware") + ": middleware." + fmt.Sprintf(format, args...))
}
