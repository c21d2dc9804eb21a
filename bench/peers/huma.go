package peers

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// humaPeer is Huma on net/http's mux, its fastest adapter for ordinary handlers. It adds typed handlers to another
// router, so that is the work it does.
func humaPeer() Peer {
	return Peer{Name: "huma", Module: "github.com/danielgtaylor/huma/v2", Handlers: map[Work]func() http.Handler{
		Typed: func() http.Handler {
			mux := http.NewServeMux()
			config := huma.DefaultConfig("bench", "1.0.0")
			config.CreateHooks = nil // no "$schema" field in answers: the others have none
			huma.Get(humago.New(mux, config), "/artists/{id}/albums", humaAlbums)
			return mux
		},
	}}
}

type humaInput struct {
	Artist int    `path:"id" minimum:"1"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Sort   string `query:"sort" enum:"title,year" default:"title"`
}

type humaOutput struct{ Body *Albums }

func humaAlbums(_ context.Context, in *humaInput) (*humaOutput, error) {
	return &humaOutput{albums(in.Artist, in.Limit, in.Sort)}, nil
}
