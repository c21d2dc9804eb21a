package admin_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Reading is a row of a long list.
type Reading struct {
	orm.Model
	Station string `db:"size:40,index"`
	Email   string `db:"size:120,index"`
	Value   float64
	Valid   bool
}

// longList is a panel over a list of so many rows, signed in.
func longList(b testing.TB, rows int) *ishaatest.Client {
	b.Helper()
	db := ormtest.New(b, ormtest.SQLite, orm.Options{Relaxed: true})
	app := ishaa.New("long", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	panel := admin.New(db, admin.Options{Hasher: auth.NewHasher(auth.HasherOptions{Memory: 64, Passes: 1, Lanes: 1})})
	admin.Register[Reading](panel, admin.List("ID", "Station", "Email", "Value", "Valid"), admin.Search("^Station", "^Email"), admin.Filter("Valid"))
	app.Install(panel)
	ctx := context.Background()
	if err := db.CreateTables(ctx); err != nil {
		b.Fatal(err)
	}
	list := make([]Reading, 0, 20_000)
	for i := range rows {
		list = append(list, Reading{Station: fmt.Sprintf("Station %04d", i%5000), Email: fmt.Sprintf("sensor-%07d@example.org", (i*7919)%rows), Value: float64(i) / 8, Valid: i%3 == 0})
		if len(list) == cap(list) || i == rows-1 {
			if err := orm.Of[Reading](db).CreateMany(ctx, list); err != nil {
				b.Fatal(err)
			}
			list = list[:0]
		}
	}
	if err := panel.SetAccount(ctx, "admin", password, "admin"); err != nil {
		b.Fatal(err)
	}
	c := ishaatest.New(b, app).For(b, fromPage...)
	c.Post("/admin/-/sign-in", ishaatest.Form("name", "admin", "password", password)).Redirect("/admin/")
	return c
}

// The pages that a long list is looked at by: requests to a whole application, from the session to the last byte.
func longListPages(b testing.TB, rows int) map[string]string {
	b.Helper()
	middle := rows / 2
	email := fmt.Sprintf("sensor-%07d@example.org", (middle*7919)%rows)
	return map[string]string{
		"first page":                          "/admin/readings",
		"deep page":                           "/admin/readings?after=" + cursor(b, "-id ", middle),
		"first page by an indexed column":     "/admin/readings?sort=station",
		"deep page by an indexed column":      "/admin/readings?sort=email&after=" + cursor(b, "email id ", email, middle+1),
		"deep page, descending":               "/admin/readings?sort=-email&after=" + cursor(b, "-email -id ", email, middle+1),
		"deep page by a column of few values": "/admin/readings?sort=station&after=" + cursor(b, "station id ", "Station 2500", middle+1),
		"page before a deep one":              "/admin/readings?sort=email&before=" + cursor(b, "email id ", email, middle+1),
		"search, one row":                     "/admin/readings?q=sensor-0004242",
		"search, many rows":                   "/admin/readings?q=station",
		"search, no row":                      "/admin/readings?q=nothing-like-it",
	}
}

// cursor is the place behind a row in the middle of a list, as orm.Query.Page writes it: the order and the row's values.
func cursor(b testing.TB, values ...any) string {
	b.Helper()
	data, err := json.Marshal(values)
	if err != nil {
		b.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// What the benchmark measures, on a list that is short enough for every run: each page is there, has its rows, and asks the
// database in a way that an index answers.
func TestLongList(t *testing.T) {
	const rows = 5000
	c := longList(t, rows)
	for name, at := range longListPages(t, rows) {
		page := c.Get(at).Status(200).Text()
		want := 50
		switch name {
		case "search, one row":
			want = 1
		case "search, no row":
			want = 0
		}
		if got := strings.Count(page, "data-row"); got != want {
			t.Errorf("%s has %d rows, want %d", name, got, want)
		}
	}
}

func BenchmarkList(b *testing.B) {
	rows := 100_000
	if os.Getenv("ISHAA_TEST_LONG") == "1" {
		rows = 1_000_000
	}
	c := longList(b, rows)
	for name, at := range longListPages(b, rows) {
		b.Run(fmt.Sprintf("%s of %d", name, rows), func(b *testing.B) {
			c := c.For(b)
			start := time.Now()
			for b.Loop() {
				c.Get(at).Status(200)
			}
			b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(b.N), "ms/page")
		})
	}
}
