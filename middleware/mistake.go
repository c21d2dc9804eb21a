package middleware

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// mistake stops the program for options that cannot work, with the line that has
// them: what is wrong with middleware is found when the application is set up.
func mistake(format string, args ...any) {
	panic(caller() + ": middleware." + fmt.Sprintf(format, args...))
}

// caller returns "dir/file.go:line" of the call into this package.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		inside := strings.HasPrefix(frame.Function, "github.com/ishaa-framework/ishaa/middleware.") && !strings.HasSuffix(frame.File, "_test.go")
		if !inside {
			dir, file := filepath.Split(frame.File)
			return filepath.Base(dir) + "/" + file + ":" + strconv.Itoa(frame.Line)
		}
		if !more {
			return "unknown source"
		}
	}
}
