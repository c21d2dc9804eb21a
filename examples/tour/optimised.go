package main

import (
	"context"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/sare"
	"github.com/ishaa-framework/ishaa/template"
)

// The charts are slow: for each record that sold well they ask the database where it was sold, one statement after
// another. Nobody has tuned them. The engine sare watches them, shows that their answers may be remembered and that it pays,
// and then remembers them, by what they read of the request and until an order changes the tables they come from:
//
//	go run ./examples/tour         # and in another shell
//	go run ./examples/tour/load    # says every second what a visitor sees, and looks for answers that are out of date
//
// Staff see at /sare/report what it does and why.

// charted is a record of the charts.
type charted struct {
	ID     int64   `json:"id"`
	Title  string  `json:"title"`
	Artist string  `json:"artist"`
	Genre  string  `json:"genre"`
	Sold   int64   `json:"sold"`
	Places []place `json:"places"`
}

// place is where a record was sold.
type place struct {
	Country string `json:"country"`
	Sold    int64  `json:"sold"`
}

// chartQuery is what one may ask of the charts.
type chartQuery struct {
	Genre genre `query:"genre" default:"Rock"`
	Size  int   `query:"size" minimum:"1" maximum:"50" default:"20"`
}

// addOptimised adds the engine, the charts, and the report for those who work here.
func addOptimised(app *ishaa.App, s *shop, a *accounts) *sare.Engine {
	engine := sare.Enable(app, sare.Options{OptimizeInterval: time.Second, Store: a.kv})
	ishaa.Get(app, "/charts.json", s.Charts, ishaa.Name("charts.json"))
	app.Get("/charts", func(r *ishaa.Request) (any, error) {
		name, ok := s.genre(r.Query("genre"))
		if !ok {
			name = "Rock"
		}
		list, err := s.charts(r.Context(), name, 20)
		return template.Page("charts.html", map[string]any{"genre": name, "genres": s.genres, "records": list}), err
	}, ishaa.Name("charts"))

	inside := ishaa.NewBlueprint("engine", "/sare", a.sessions.Middleware()).With(auth.LoginRequired(a.login), auth.RoleRequired(staff))
	inside.Get("/report", func(*ishaa.Request) (any, error) { return engine.Report(), nil }, ishaa.Name("report"), sare.Never())
	app.Register(inside)
	return engine
}

// Charts lists the records of a genre that sold best.
func (s *shop) Charts(ctx context.Context, in *chartQuery) ([]charted, error) {
	return s.charts(ctx, string(in.Genre), in.Size)
}

func (s *shop) charts(ctx context.Context, genre string, most int) ([]charted, error) {
	sold := orm.Sum("quantity").As("sold")
	list := []charted{}
	err := s.lines.Filter("track__album__genre__name", genre).OrderBy("-sold", "id").Limit(most).Values(ctx, &list,
		orm.F("track__album__id").As("id"), orm.F("track__album__title").As("title"), orm.F("track__album__artist__name").As("artist"),
		orm.F("track__album__genre__name").As("genre"), sold)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Places = []place{}
		err := s.lines.Filter("track__album_id", list[i].ID).OrderBy("-sold", "country").Limit(5).Values(ctx, &list[i].Places,
			orm.Coalesce(orm.F("invoice__country"), "").As("country"), sold)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}
