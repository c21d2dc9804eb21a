package main

import (
	"context"
	"slices"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/localonly"
	"github.com/ishaa-framework/ishaa/rmf"
)

// addRecommendations gives one route two realities. One visitor in five gets the experimental one, and stays there.
// With a tenth of stable's requests the experimental one answers a copy too, in the shadow, which finds that it counts
// from 0: open /rmf/report after some visits.
func addRecommendations(app *ishaa.App, c *catalog) {
	realities := rmf.Enable(app, rmf.Options{ParallelSim: true, ShowReality: true})

	ishaa.Get(app, "/recommend", c.recommendClassic, ishaa.Name("recommend"),
		rmf.Reality("stable"))
	ishaa.Get(app, "/recommend", c.recommendNeural,
		rmf.Reality("experimental", rmf.Traffic(20), rmf.AutoPromote(), rmf.Tags("recommendations")))

	// What a rule chooses is served, and is no evidence: people who like to try things are not like the others.
	realities.BehaviorRule(func(r *ishaa.Request, names []string) string {
		if r.Query("try") == "new" && slices.Contains(names, "experimental") {
			return "experimental"
		}
		return ""
	})
	app.Get("/rmf/report", realities.Report, localonly.Guard()) // for the machine's own users
}

// recommendation is what both realities answer with: realities of a route agree on that.
type recommendation struct {
	Algorithm string            `json:"algorithm"`
	Albums    []recommendedItem `json:"albums"`
}

type recommendedItem struct {
	Rank  int    `json:"rank"`
	Title string `json:"title"`
}

type recommend struct {
	Genre genre `query:"genre"`
}

// recommendClassic is what has worked for years.
func (c *catalog) recommendClassic(ctx context.Context, in *recommend) (*recommendation, error) {
	return c.recommended(ctx, in, "classic", 1)
}

// recommendNeural is the candidate. Its ranks begin at 0, which nobody meant.
func (c *catalog) recommendNeural(ctx context.Context, in *recommend) (*recommendation, error) {
	return c.recommended(ctx, in, "neural", 0)
}

func (c *catalog) recommended(ctx context.Context, in *recommend, algorithm string, first int) (*recommendation, error) {
	query := c.albums.OrderBy("title").Limit(3)
	if in.Genre != "" {
		query = query.Filter("genre__name", string(in.Genre))
	}
	list, err := query.All(ctx)
	if err != nil {
		return nil, err
	}
	out := &recommendation{Algorithm: algorithm, Albums: []recommendedItem{}}
	for i, a := range list {
		out.Albums = append(out.Albums, recommendedItem{first + i, a.Title})
	}
	return out, nil
}
