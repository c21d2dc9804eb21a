package graphql

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa"
)

// Uploads come as the GraphQL multipart request specification has them: a part "operations" with the request, a part "map"
// that says which variable each file is for, and the files.

// preflightHeaders are those of which a multipart request has one. A page of another site cannot send them without asking
// first, which a form it could.
var preflightHeaders = []string{"GraphQL-Preflight", "GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With"}

// mostFiles is how many variables of a request may be files.
const mostFiles = 100

func (s *server) multipart(r *ishaa.Request) (in Operation, wrong *malformed, err error) {
	asked := false
	for _, name := range preflightHeaders {
		asked = asked || r.Header(name) != ""
	}
	if !asked {
		return in, &malformed{http.StatusBadRequest, "A multipart request has the header GraphQL-Preflight: 1."}, nil
	}
	form, err := r.Form()
	if err != nil {
		return in, nil, err
	}
	if in, wrong = read([]byte(form.Value("operations"))); wrong != nil {
		return in, wrong, nil
	}
	var places map[string][]string
	if json.Unmarshal([]byte(form.Value("map")), &places) != nil || len(places) > mostFiles {
		return in, bad("The part map is a JSON object of at most 100 lists of paths."), nil
	}
	used := 0
	for name, paths := range places {
		file := form.File(name)
		if used += len(paths); file == nil || used > mostFiles {
			return in, bad("The part map names a file that is not there, or too many places."), nil
		}
		for _, path := range paths {
			if !place(in.Variables, path, Upload{file}) {
				return in, bad("The part map has a path that leads to no variable that is null."), nil
			}
		}
	}
	return in, nil, nil
}

// place puts a file where a path such as variables.files.0 leads, which must be null.
func place(variables map[string]any, path string, file Upload) bool {
	steps := strings.Split(path, ".")
	if len(steps) < 2 || steps[0] != "variables" {
		return false
	}
	var at any = variables
	for i, step := range steps[1:] {
		last := i == len(steps)-2
		switch holder := at.(type) {
		case map[string]any:
			value, there := holder[step]
			if last {
				if !there || value != nil {
					return false
				}
				holder[step] = file
				return true
			}
			at = value
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(holder) {
				return false
			}
			if last {
				if holder[n] != nil {
					return false
				}
				holder[n] = file
				return true
			}
			at = holder[n]
		default:
			return false
		}
	}
	return false
}
