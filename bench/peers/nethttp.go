package peers

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// netHTTP is the standard library's mux, and Typed written by hand on it.
func netHTTP() Peer {
	return Peer{Name: "nethttp", Handlers: map[Work]func() http.Handler{
		Plain: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /plain", greet)
			return mux
		},
		Param: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /users/{name}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				io.WriteString(w, "Hello, "+r.PathValue("name"))
			})
			return mux
		},
		Typed: func() http.Handler {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /artists/{id}/albums", albumsByHand)
			return mux
		},
	}}
}

func greet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, greeting)
}

func albumsByHand(w http.ResponseWriter, r *http.Request) {
	artist, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || artist < 1 {
		refuse(w, errors.New("id must be a number of at least 1"))
		return
	}
	query := r.URL.Query()
	limit := defaultLimit
	if text := query.Get("limit"); text != "" {
		limit, err = strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			refuse(w, errors.New("limit must be a number from 1 to 100"))
			return
		}
	}
	sort := defaultSort
	if text := query.Get("sort"); text != "" {
		sort = text
		if sort != "title" && sort != "year" {
			refuse(w, errors.New("sort must be title or year"))
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(albums(artist, limit, sort)); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// errOrder is what the rules of Order, written by hand, say.
var errOrder = errors.New("the order breaks a rule")

func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnprocessableEntity)
	json.NewEncoder(w).Encode(map[string]string{"error": err.Error()})
}
