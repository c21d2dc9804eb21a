package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
)

// addStreams adds answers that are sent as they are made, and a download.
func addStreams(app *ishaa.App, s *shop) {
	ishaa.Get(app, "/tracks", s.EveryTrack, ishaa.Name("tracks"))
	ishaa.Get(app, "/now-playing", (&radio{app, s.catalog}).Play, ishaa.Name("now-playing"))

	app.Get("/sales.csv", func(r *ishaa.Request) (any, error) {
		return ishaa.Stream("text/csv; charset=utf-8", func(w *ishaa.StreamWriter) error {
			rows := csv.NewWriter(w)
			rows.Write([]string{"date", "country", "track", "quantity", "price_cents"})
			for s, err := range s.eachSale(r.Context()) {
				if err != nil {
					return err
				}
				rows.Write([]string{s.Date.Format(time.DateOnly), s.Country, s.Track, strconv.Itoa(s.Quantity), strconv.Itoa(cents(s.Price))})
			}
			rows.Flush()
			return rows.Error() // an error cuts the connection: nobody takes half a file for a whole one
		}), nil
	}, ishaa.Name("sales"))

	app.Get("/albums/<int:id>/tracklist", func(r *ishaa.Request) (any, error) {
		a, err := s.album(r.Context(), r.ParamInt("id"))
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
}

type everyTrack struct {
	Genre genre `query:"genre"`
}

// EveryTrack gives the tracks one by one. A sequence becomes a JSON array, or NDJSON, or server-sent events: what the
// client's Accept asks for.
func (s *shop) EveryTrack(ctx context.Context, in *everyTrack) (iter.Seq2[track, error], error) {
	q := s.tracks.Query()
	if in.Genre != "" {
		q = q.Filter("genre__name", string(in.Genre))
	}
	return eachTrack(ctx, q), nil
}

// radio is the shop's radio.
type radio struct {
	app     *ishaa.App
	catalog *catalog
}

type tuneIn struct {
	Last  string `header:"Last-Event-ID"`
	Count int    `query:"count" minimum:"1" maximum:"1000"` // 0, which nobody can send, is without end
}

// Play gives a track a second as server-sent events, from where a client that reconnects left off, until it goes away,
// the program stops or, with a count, so many were sent.
func (f *radio) Play(ctx context.Context, in *tuneIn) (*ishaa.Response, error) {
	last, _ := strconv.ParseInt(in.Last, 10, 64) // no id, or none of ours: from the start
	return ishaa.Events(func(yield func(ishaa.Event, error) bool) {
		for t, err := range f.tracks(ctx, last, in.Count) {
			if err != nil {
				yield(ishaa.Event{}, err)
				return
			}
			event := ishaa.Event{ID: strconv.FormatInt(t.ID, 10), Name: "track", Data: t.Name + " by " + t.Album.Get().Artist.Get().Name}
			if !yield(event, nil) {
				return
			}
		}
	}), nil
}

// tracks yields a track a second, beginning with the one after a number; without a count, it has no end of its own. An
// error is the last thing.
func (f *radio) tracks(ctx context.Context, last int64, count int) iter.Seq2[Track, error] {
	return func(yield func(Track, error) bool) {
		for sent := 1; ; sent++ {
			t, err := f.catalog.trackAfter(ctx, last)
			if !yield(t, err) || err != nil || sent == count {
				return
			}
			last = t.ID
			select {
			case <-f.app.Clock().After(time.Second):
			case <-ctx.Done(): // the client went away, or the program stops
				return
			}
		}
	}
}
