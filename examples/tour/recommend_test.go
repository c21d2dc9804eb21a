package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/rmf"
)

// Visitors stay in their reality, who wants to try the new one may, and the simulation finds the difference that is
// hidden in it: the rank, in a nested list.
func TestRecommendations(t *testing.T) {
	app := testApp(t)
	client := ishaatest.New(t, app)
	answer := client.Get("/recommend?genre=Jazz").Status(200)
	reality := answer.Headers().Get("X-Ishaa-Reality")
	for range 5 {
		client.Get("/recommend").Status(200).Header("X-Ishaa-Reality", reality)
	}
	client.Get("/recommend?try=new").Status(200).Header("X-Ishaa-Reality", "experimental").JSONAt("/albums/0/rank", 0)

	path := ""
	for deadline := time.Now().Add(2 * time.Minute); path == "" && time.Now().Before(deadline); {
		for range 50 {
			client.ClearCookies() // another visitor
			client.Get("/recommend").Status(200)
		}
		var stats rmf.Stats
		client.Get("/rmf/report", ishaatest.Host("localhost")).Status(200).JSON(&stats)
		for _, r := range stats.Experiments[0].Realities {
			if r.Simulation != nil {
				for _, d := range r.Simulation.Differences {
					if d.Found && d.Path == "$.albums[].rank" {
						path = fmt.Sprintf("%s %s", r.Name, d.Path)
					}
				}
			}
		}
	}
	if path != "experimental $.albums[].rank" {
		t.Errorf("the simulation finds %q", path)
	}
}
