package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

func resources(app *ishaa.App, db *orm.DB) {
	bug37(app)
	fix37(app)
	bug38(app)
	fix38(app)
	bug39(app)
	fix39(app)
	bug40(app, db)
	fix40(app, db)
	bug41(app)
	fix41(app)
	bug42(app)
	fix42(app)
	bug43(app)
	fix43(app)
	bug44(app, db)
	fix44(app, db)
	bug45(app)
	fix45(app)
}

// 37: a small upload that becomes a large one.
func bug37(app *ishaa.App) {
	app.Post("/bug/37/import", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		in, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, ishaa.BadRequest("not gzip")
		}
		text, err := io.ReadAll(in)
		if err != nil {
			return nil, ishaa.BadRequest("not gzip")
		}
		return map[string]int{"lines": bytes.Count(text, []byte("\n"))}, nil
	})
}

func fix37(app *ishaa.App) {
	const most = 1 << 20
	app.Post("/fix/37/import", func(r *ishaa.Request) (any, error) {
		data, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		in, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, ishaa.BadRequest("not gzip")
		}
		text, err := io.ReadAll(io.LimitReader(in, most+1))
		if err != nil || len(text) > most {
			return nil, ishaa.BadRequest("not gzip, or too much of it")
		}
		return map[string]int{"lines": bytes.Count(text, []byte("\n"))}, nil
	})
}

// 38: steps that lead nowhere.
func bug38(app *ishaa.App) {
	app.Get("/bug/38/ticks", func(r *ishaa.Request) (any, error) {
		to, err := strconv.Atoi(r.Query("to"))
		if err != nil || to > 1000 {
			return nil, ishaa.BadRequest("to")
		}
		step, err := strconv.Atoi(r.Query("step"))
		if err != nil {
			return nil, ishaa.BadRequest("step")
		}
		n := 0
		for at := 0; at < to; at += step {
			if r.Context().Err() != nil {
				return nil, r.Context().Err()
			}
			n++
		}
		return n, nil
	})
}

func fix38(app *ishaa.App) {
	app.Get("/fix/38/ticks", func(r *ishaa.Request) (any, error) {
		to, err := strconv.Atoi(r.Query("to"))
		if err != nil || to > 1000 {
			return nil, ishaa.BadRequest("to")
		}
		step, err := strconv.Atoi(r.Query("step"))
		if err != nil || step < 1 || step > 1000 {
			return nil, ishaa.BadRequest("step")
		}
		n := 0
		for at := 0; at < to; at += step {
			if r.Context().Err() != nil {
				return nil, r.Context().Err()
			}
			n++
		}
		return n, nil
	})
}

// 39: a lock that is kept where something does not fit.
func bug39(app *ishaa.App) {
	var mu sync.Mutex
	seats := 10
	app.Post("/bug/39/seats", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		n, err := strconv.Atoi(r.Query("count"))
		if err != nil || n < 1 || n > seats {
			return nil, ishaa.BadRequest("count")
		}
		seats -= n
		left := seats
		mu.Unlock()
		return left, nil
	})
}

func fix39(app *ishaa.App) {
	var mu sync.Mutex
	seats := 10
	app.Post("/fix/39/seats", func(r *ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		n, err := strconv.Atoi(r.Query("count"))
		if err != nil || n < 1 || n > seats {
			return nil, ishaa.BadRequest("count")
		}
		seats -= n
		return seats, nil
	})
}

// 40: rows that nobody closes, and a connection with them.
func bug40(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/40/exists", func(r *ishaa.Request) (any, error) {
		rows, err := db.SQL().QueryContext(r.Context(), "SELECT id FROM notes WHERE owner = ?", r.Query("owner"))
		if err != nil {
			return nil, err
		}
		if rows.Next() {
			return "yes", nil
		}
		return "no", rows.Err()
	})
}

func fix40(app *ishaa.App, db *orm.DB) {
	app.Get("/fix/40/exists", func(r *ishaa.Request) (any, error) {
		rows, err := db.SQL().QueryContext(r.Context(), "SELECT id FROM notes WHERE owner = ?", r.Query("owner"))
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		if rows.Next() {
			return "yes", nil
		}
		return "no", rows.Err()
	})
}

// 41: a value of another type than the one that is meant.
func bug41(app *ishaa.App) {
	app.Post("/bug/41/events", func(r *ishaa.Request) (any, error) {
		var in map[string]any
		if err := r.DecodeJSON(&in); err != nil {
			return nil, err
		}
		return map[string]string{"got": in["kind"].(string)}, nil
	})
}

func fix41(app *ishaa.App) {
	app.Post("/fix/41/events", func(r *ishaa.Request) (any, error) {
		var in map[string]any
		if err := r.DecodeJSON(&in); err != nil {
			return nil, err
		}
		kind, ok := in["kind"].(string)
		if !ok {
			return nil, ishaa.Unprocessable("kind must be a text")
		}
		return map[string]string{"got": kind}, nil
	})
}

// 42: another server that does not answer.
func bug42(app *ishaa.App) {
	client := &http.Client{Timeout: time.Second}
	app.Get("/bug/42/weather", func(r *ishaa.Request) (any, error) {
		res, _ := client.Get("http://127.0.0.1:1/weather")
		defer res.Body.Close()
		return res.StatusCode, nil
	})
}

func fix42(app *ishaa.App) {
	client := &http.Client{Timeout: time.Second}
	app.Get("/fix/42/weather", func(r *ishaa.Request) (any, error) {
		res, err := client.Get("http://127.0.0.1:1/weather")
		if err != nil {
			return nil, ishaa.StatusError(424, "no weather today")
		}
		defer res.Body.Close()
		return res.StatusCode, nil
	})
}

type wait struct {
	Seconds float64 `query:"seconds" default:"0"`
}

type shortWait struct {
	Seconds float64 `query:"seconds" default:"0" minimum:"0" maximum:"1"`
}

// 43: a wait as long as the client likes.
func bug43(app *ishaa.App) {
	ishaa.Get(app, "/bug/43/poll", func(ctx context.Context, in *wait) (int, error) {
		select {
		case <-time.After(time.Duration(math.Min(in.Seconds, 9e9) * float64(time.Second))):
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
}

func fix43(app *ishaa.App) {
	ishaa.Get(app, "/fix/43/poll", func(ctx context.Context, in *shortWait) (int, error) {
		select {
		case <-time.After(time.Duration(in.Seconds * float64(time.Second))):
			return 0, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
}

type pageOfNotes struct {
	Limit int `query:"limit" minimum:"1" default:"20"`
}

type shortPage struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

// 44: pages as long as the client likes.
func bug44(app *ishaa.App, db *orm.DB) {
	ishaa.Get(app, "/bug/44/notes", func(ctx context.Context, in *pageOfNotes) ([]string, error) {
		list, err := orm.Of[Note](db).OrderBy("id").Limit(in.Limit).All(ctx)
		return texts(list), err
	})
}

func fix44(app *ishaa.App, db *orm.DB) {
	ishaa.Get(app, "/fix/44/notes", func(ctx context.Context, in *shortPage) ([]string, error) {
		list, err := orm.Of[Note](db).OrderBy("id").Limit(in.Limit).All(ctx)
		return texts(list), err
	})
}

// 45: a number that loses its upper half.
func bug45(app *ishaa.App) {
	seats := map[int32]string{1: "the king's box", 2: "the gallery"}
	app.Get("/bug/45/seats", func(r *ishaa.Request) (any, error) {
		id, err := strconv.Atoi(r.Query("id"))
		if err != nil {
			return nil, ishaa.BadRequest("id")
		}
		seat, ok := seats[int32(id)]
		if !ok {
			return nil, ishaa.NotFound("no such seat")
		}
		return map[string]any{"id": id, "seat": seat}, nil
	})
}

func fix45(app *ishaa.App) {
	seats := map[int32]string{1: "the king's box", 2: "the gallery"}
	app.Get("/fix/45/seats", func(r *ishaa.Request) (any, error) {
		id, err := strconv.ParseInt(r.Query("id"), 10, 32)
		if err != nil {
			return nil, ishaa.BadRequest("id")
		}
		seat, ok := seats[int32(id)]
		if !ok {
			return nil, ishaa.NotFound("no such seat")
		}
		return map[string]any{"id": id, "seat": seat}, nil
	})
}
