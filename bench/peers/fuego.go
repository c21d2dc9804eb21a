package peers

import (
	"errors"
	"net/http"

	"github.com/go-fuego/fuego"
	"github.com/go-fuego/fuego/option"
	"github.com/go-fuego/fuego/param"
)

// fuegoPeer is Fuego without its log. Parameters have no rules of their own there, and its struct of typed parameters
// leaves out the path and the defaults, so they are read one by one and checked by hand.
func fuegoPeer() Peer {
	return Peer{Name: "fuego", Module: "github.com/go-fuego/fuego", Handlers: map[Work]func() http.Handler{
		Typed: func() http.Handler {
			s := fuego.NewServer(fuego.WithoutLogger(), fuego.WithoutStartupMessages())
			fuego.Get(s, "/artists/{id}/albums", fuegoAlbums,
				option.QueryInt("limit", "how many", param.Default(defaultLimit)),
				option.Query("sort", "by what", param.Default(defaultSort)),
			)
			return s.Mux
		},
	}}
}

func fuegoAlbums(c fuego.ContextNoBody) (*Albums, error) {
	artist, err := c.PathParamIntErr("id")
	if err == nil && artist < 1 {
		err = errors.New("id must be at least 1")
	}
	if err != nil {
		return nil, fuego.BadRequestError{Err: err}
	}
	limit, err := c.QueryParamIntErr("limit")
	if err == nil && (limit < 1 || limit > maxLimit) {
		err = errors.New("limit must be from 1 to 100")
	}
	sort := c.QueryParam("sort")
	if err == nil && sort != "title" && sort != "year" {
		err = errors.New("sort must be title or year")
	}
	if err != nil {
		return nil, fuego.BadRequestError{Err: err}
	}
	return albums(artist, limit, sort), nil
}
