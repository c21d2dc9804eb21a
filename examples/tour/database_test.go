package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// filled is a SQLite file with all records. It is imported once; tests get copies of their own.
var filled = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "tour-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "shop.db")
	db, err := openDatabase("sqlite://" + filepath.ToSlash(file))
	if err != nil {
		return nil, err
	}
	err = migrate.New(db, migrations(db, nil)).Run(context.Background(), migrate.RunOptions{})
	if err = errors.Join(err, db.Close()); err != nil { // which folds the write-ahead log into the file
		return nil, err
	}
	return os.ReadFile(file)
})

// shopDB is a database with all records, for one test.
func shopDB(t *testing.T) *orm.DB {
	t.Helper()
	content, err := filled()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "shop.db")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return openFor(t, "sqlite://"+filepath.ToSlash(file))
}

func openFor(t *testing.T, url string) *orm.DB {
	t.Helper()
	db, err := openDatabase(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// testApp is the shop on a database of its own.
func testApp(t *testing.T) *ishaa.App {
	app := ishaa.New("tour")
	furnish(app, shopDB(t), nil)
	return app
}

// The same shop on every engine: nothing but the URL differs.
func TestOnEachEngine(t *testing.T) {
	for _, engine := range ormtest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir()) // where jobs are beside MariaDB
			var db *orm.DB
			if engine == ormtest.SQLite {
				db = shopDB(t)
			} else {
				db = openFor(t, ormtest.URL(t, engine))
			}
			app := ishaa.New("tour")
			furnish(app, db, nil)
			client := ishaatest.New(t, app) // its first request imports the records, if they are not there
			client.Get("/-/ready").Status(200)

			t.Run("all records are there", func(t *testing.T) { allRecords(t, db) })
			t.Run("the API", func(t *testing.T) { readsOnEachEngine(t, client.For(t)) })
			t.Run("pages", func(t *testing.T) { pagesOnEachEngine(t, client.For(t)) })
			t.Run("orders", func(t *testing.T) { ordersOnEachEngine(t, db, client.For(t)) })
			t.Run("migrations", func(t *testing.T) { migrationsOnEachEngine(t, db) })
		})
	}
}

var rowsOfTables = map[string]int64{
	"genres": 25, "media_types": 5, "artists": 275, "albums": 347, "tracks": 3503, "playlists": 18, "playlist_tracks": 8715,
	"employees": 8, "customers": 59, "invoices": 412, "invoice_lines": 2240, "members": 0,
}

func allRecords(t *testing.T, db *orm.DB) {
	ours := slices.DeleteFunc(db.Tables(), func(t orm.Table) bool { return t.Aside }) // the panel's log
	if len(ours) != len(rowsOfTables) {
		t.Errorf("there are %d tables", len(ours))
	}
	for table, want := range rowsOfTables {
		var got int64
		if err := db.SQL().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&got); err != nil || got != want {
			t.Errorf("%s has %d rows, %v, want %d", table, got, err, want)
		}
	}
	if all, err := countRows(t.Context(), db); err != nil || all != rowsOfChinook {
		t.Errorf("%d rows, %v, want %d", all, err, rowsOfChinook)
	}
	// Relations lead where they should, both ways.
	boss, err := orm.Of[Employee](db).With("Reports.Customers.Invoices.Lines.Track.Album.Artist", "ReportsTo").Filter("reports_to__isnull", true).One(t.Context())
	if err != nil || boss.LastName != "Adams" || boss.Reports.Len() != 2 {
		t.Fatalf("%s has %d reports, %v", boss.LastName, boss.Reports.Len(), err)
	}
	seller, err := orm.Of[Employee](db).With("ReportsTo", "Customers.Invoices").Filter("last_name", "Peacock").One(t.Context())
	if err != nil || seller.ReportsTo.Get().LastName != "Edwards" || seller.Customers.Len() != 21 || seller.Email != "jane@chinookcorp.com" {
		t.Errorf("%+v, %v", seller, err)
	}
	list, err := orm.Of[Playlist](db).With("Tracks").Filter("name", "Grunge").One(t.Context())
	if err != nil || list.Tracks.Len() != 15 {
		t.Errorf("Grunge has %d tracks, %v", list.Tracks.Len(), err)
	}
	var total orm.Decimal
	if err := orm.Of[Invoice](db).Query().Aggregate(t.Context(), &total, orm.Sum("total")); err != nil || cents(total) != 232860 {
		t.Errorf("all sales are %s, %v", total, err)
	}
}

func readsOnEachEngine(t *testing.T, client *ishaatest.Client) {
	client.Get("/api/v1/albums/48").JSONAt("/artist", "Miles Davis").JSONAt("/genre", "Jazz").JSONAt("/tracks/1/name", "Jeru").JSONAt("/tracks/1/price_cents", 99)
	client.Get("/api/v1/artists?sort=-albums&size=2").JSONAt("/total", 204).JSONAt("/items/0/name", "Iron Maiden").JSONAt("/items/0/albums", 21)
	client.Get("/api/v1/search?q=DAVIS+essential").JSONAt("/0/id", 48).JSONAt("/1/id", 49)
	client.Get("/api/v1/search?q=%25_").JSONEqual([]any{}) // they mean nothing to LIKE
	client.Get("/api/v1/search?q=%27%3B--").JSONEqual([]any{})
	client.Get("/api/v1/tips?count=1", ishaatest.Cookie("favourite", "Blues")).JSONAt("/albums/0/title", "Unplugged")
	client.Get("/api/v1/sales").JSONAt("/0/country", "USA").JSONAt("/0/orders", 91).JSONAt("/0/total_cents", 52306)
	client.Get("/api/v1/tracks?playlist=16").JSONAt("/total", 15)
	client.Get("/api/v1/albums/348").Problem(404, "there is no album 348")
	client.Get("/api/v1/artists/25").JSONAt("/discography", []any{})
	client.Get("/api/v1/tracks?after=nonsense").Problem(400, "start from the first page")
	client.Get("/").HTML("347 albums", "For Those About To Rock We Salute You")
	client.Get("/albums/48").HTML("<li>Jeru <small>€ 0.99</small></li>")
	if lines := bytes.Count(client.Get("/sales.csv").Bytes(), []byte("\n")); lines != 2241 {
		t.Errorf("the table of sales has %d lines", lines)
	}
	if lines := bytes.Count(client.Get("/tracks", ishaatest.Header("Accept", "application/x-ndjson")).Bytes(), []byte("\n")); lines != 3503 {
		t.Errorf("there are %d tracks", lines)
	}
}

// Following "next" lists everything once, by number of page and by where the last one ended.
func pagesOnEachEngine(t *testing.T, client *ishaatest.Client) {
	for first, total := range map[string]int{
		"/api/v1/albums?size=90&sort=-title": 347, "/api/v1/artists?size=90&sort=name": 204, "/api/v1/tracks?size=50&genre=Metal": 374,
	} {
		listed := map[int64]bool{}
		for target := first; target != ""; {
			var got page[struct{ ID int64 }]
			client.Get(target).Status(200).JSON(&got)
			for _, item := range got.Items {
				listed[item.ID] = true
			}
			target = got.Next
			if got.Total != int64(total) {
				t.Fatalf("%s has %d in all, want %d", first, got.Total, total)
			}
		}
		if len(listed) != total {
			t.Errorf("%s leads to %d, want %d", first, len(listed), total)
		}
	}
}

func ordersOnEachEngine(t *testing.T, db *orm.DB, client *ishaatest.Client) {
	count := func() int64 {
		all, err := countRows(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := count()
	const id = "0b5ae1f2-5c5c-4a57-9ad1-9f2ff5a2c9a1"
	body := map[string]any{"id": strings.ToUpper(id), "items": []any{map[string]any{"track": 1}, map[string]any{"track": 2820, "quantity": 2}}}
	var placed order
	client.Post(orders, ishaatest.JSON(body)).Status(201).JSONAt("/total_cents", 497).JSONAt("/id", id).JSON(&placed)
	client.Get(orders + "/" + id).Status(200).JSONEqual(placed)
	if now := count(); now != before+3 { // an invoice and two lines
		t.Errorf("an order has added %d rows", now-before)
	}
	client.Post(orders, ishaatest.JSON(body)).Problem(409, "was placed before")
	delete(body, "id")
	body["items"] = []any{map[string]any{"track": 1}, map[string]any{"track": 9999}}
	client.Post(orders, ishaatest.JSON(body)).Problem(422, "there is no track 9999")
	if now := count(); now != before+3 {
		t.Errorf("refused orders have added %d rows", now-before-3)
	}
	// The next number is free, although the import chose those before it.
	last, err := orm.Of[Invoice](db).OrderBy("-id").First(t.Context())
	if err != nil || last.ID < 413 || *last.Number != id {
		t.Errorf("the last invoice is %+v, %v", last, err)
	}
}

func migrationsOnEachEngine(t *testing.T, db *orm.DB) {
	m := migrate.New(db, migrations(db, nil))
	var out strings.Builder
	if err := m.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Run(t.Context(), migrate.RunOptions{Out: &out}); err != nil || !strings.Contains(out.String(), "nothing to do") {
		t.Errorf("a second run: %v\n%s", err, &out)
	}
	if err := m.To(t.Context(), "0", migrate.RunOptions{}); err != nil {
		t.Errorf("taking all back: %v", err)
	}
	if list, err := m.Status(t.Context()); err != nil || fmt.Sprint(list[0].State, list[1].State) != "pendingpending" {
		t.Errorf("afterwards: %+v, %v", list, err)
	}
}

// Programs that start at once on an empty database fill it once.
func TestStartsAtOnce(t *testing.T) {
	url := "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "shop.db"))
	var programs sync.WaitGroup
	for range 3 {
		db := openFor(t, url)
		programs.Go(func() {
			if err := migrate.New(db, migrations(db, nil)).Run(t.Context(), migrate.RunOptions{}); err != nil {
				t.Error(err)
			}
			if all, err := countRows(t.Context(), db); err != nil || all != rowsOfChinook {
				t.Errorf("%d rows, %v", all, err)
			}
		})
	}
	programs.Wait()
}

// An import that fails leaves nothing behind.
func TestImportIsAllOrNothing(t *testing.T) {
	db := openFor(t, ormtest.URL(t, ormtest.SQLite))
	broken := migrations(db, nil)
	up := broken.Go[0].Up
	broken.Go[0].Up = func(ctx context.Context, tx *orm.Tx) error {
		if err := up(ctx, tx); err != nil {
			return err
		}
		return errors.New("the power fails")
	}
	if err := migrate.New(db, broken).Run(t.Context(), migrate.RunOptions{}); err == nil || !strings.Contains(err.Error(), "the power fails") {
		t.Fatal(err)
	}
	if all, err := countRows(t.Context(), db); err != nil || all != 0 {
		t.Errorf("%d rows are left, %v", all, err)
	}
}

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		terminal bool
		want     string
	}{
		{false, "imported Genre: 25 rows\nimported Track: 3503 rows\n"},
		{true, "\rimporting [..............................]    25 of 15607 rows  Genre        " +
			"\rimporting [######........................]  3528 of 15607 rows  Track        \n"},
	} {
		var out strings.Builder
		p := &progress{out: &out, terminal: c.terminal}
		p.begin("Genre")
		p.add(25)
		p.begin("Track")
		p.add(3503)
		p.end()
		if out.String() != c.want {
			t.Errorf("%q, want %q", out.String(), c.want)
		}
	}
	var silent *progress
	silent.begin("Genre")
	silent.add(1)
	silent.end()
}

// The database is opened before flags are read, so that one must not be named by a flag.
func TestDatabaseByFlagIsRefused(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"import"}, {"migrate", "status"}} {
		app := testApp(t)
		err := app.RunArgs(t.Context(), append([]string{"-database-url", "sqlite://other.db"}, args...))
		if err == nil || !strings.Contains(err.Error(), "ISHAA_DATABASE_URL") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
