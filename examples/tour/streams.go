package main

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// addStreams adds answers that are sent as they are made, and a download.
func addStreams(app *ishaa.App, c *catalog) {
	// A sequence (iter.Seq) becomes a JSON array, or NDJSON, or server-sent events: what the client's Accept asks for.
	app.Get("/tracks", func(r *ishaa.Request) (any, error) {
		genre, err := genreOf(r, c)
		if err != nil {
			return nil, err
		}
		return func(yield func(*track) bool) {
			for _, t := range c.tracks {
				if (genre == "" || t.Genre == genre) && !yield(t) {
					return
				}
			}
		}, nil
	}, ishaa.Name("tracks"))

	app.Get("/sales.csv", func(r *ishaa.Request) (any, error) {
		return ishaa.Stream("text/csv; charset=utf-8", func(w *ishaa.StreamWriter) error {
			rows := csv.NewWriter(w)
			rows.Write([]string{"date", "country", "track", "quantity", "price_cents"})
			for _, s := range c.sales {
				rows.Write([]string{s.Date, s.Country, s.Track.Name, strconv.Itoa(s.Quantity), strconv.Itoa(s.PriceCents)})
			}
			rows.Flush()
			return rows.Error() // an error cuts the connection: nobody takes half a file for a whole one
		}), nil
	}, ishaa.Name("sales"))

	app.Get("/albums/<int:id>/tracklist", func(r *ishaa.Request) (any, error) {
		a, err := c.find(r)
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		fmt.Fprintf(&text, "%s: %s\n\n", a.Artist, a.Title)
		for i, t := range a.Tracks {
			fmt.Fprintf(&text, "%2d. %s\n", i+1, t.Name)
		}
		return ishaa.Text(text.String()).Attachment(a.Title + ".txt"), nil // whatever characters a title has
	}, ishaa.Name("tracklist"))

	app.Get("/now-playing", func(r *ishaa.Request) (any, error) { return nowPlaying(r, c) }, ishaa.Name("now-playing"))
}

// nowPlaying is the shop's radio: a track a second as server-sent events, from where a client that reconnects left off,
// until it goes away, the program stops or, with ?count=, so many were sent.
func nowPlaying(r *ishaa.Request, c *catalog) (any, error) {
	count, err := number(r, "count", 1, 1000, 0)
	if err != nil {
		return nil, err
	}
	last, _ := strconv.Atoi(r.LastEventID()) // no id, or none of ours: from the start
	next := max(last, 0)
	ctx, app := r.Context(), r.App()
	return ishaa.Events(func(yield func(ishaa.Event, error) bool) {
		for sent := 1; ; sent++ {
			t := c.tracks[next%len(c.tracks)]
			next++
			event := ishaa.Event{ID: strconv.Itoa(next), Name: "track", Data: t.Name + " by " + c.albumByID[t.AlbumID].Artist}
			if !yield(event, nil) || sent == count {
				return
			}
			select {
			case <-app.Clock().After(time.Second):
			case <-ctx.Done(): // the client went away
				return
			case <-app.Draining(): // the program stops
				return
			}
		}
	}), nil
}
