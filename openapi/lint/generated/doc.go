// Package generated stands where run.sh puts the client that oapi-codegen makes, which
// needs its runtime.
package generated

import (
	_ "github.com/oapi-codegen/runtime"
	_ "github.com/oapi-codegen/runtime/types"
)
