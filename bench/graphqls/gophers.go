package graphqls

import (
	"context"
	_ "embed"
	"encoding/json"
	"strconv"

	lib "github.com/graph-gophers/graphql-go"
)

//go:embed gqlgen/schema.graphql
var sdl string

type gophersRoot struct{ users []*gophersUser }

// Users has neither a context nor an error, so that it is called at once and not in a goroutine.
func (r *gophersRoot) Users() []*gophersUser { return r.users }

type gophersUser struct {
	ID    lib.ID
	Name  string
	Posts []*gophersPost
}

type gophersPost struct {
	ID    lib.ID
	Title string
}

// openGophers parses the schema once and reads fields of structs, which is the fastest it offers; it has no cache of
// parsed queries. What it records for resolvers that look at selections is off, and its buffers are kept at the size that
// the answers have. It writes the response as its handler does.
func openGophers() (Ask, error) {
	r := &gophersRoot{}
	for i := range Users {
		u := &gophersUser{ID: lib.ID(strconv.Itoa(i)), Name: userName(i)}
		for k := range Posts {
			u.Posts = append(u.Posts, &gophersPost{lib.ID(strconv.Itoa(k)), postTitle(i, k)})
		}
		r.users = append(r.users, u)
	}
	s, err := lib.ParseSchema(sdl, r, lib.UseFieldResolvers(), lib.DisableFieldSelections(), lib.MaxPooledBufferCap(1<<20))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, query string) ([]byte, error) {
		return json.Marshal(s.Exec(ctx, query, "", nil))
	}, nil
}
