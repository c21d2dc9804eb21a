package orm_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa/effect"
	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// Reads and writes report their tables, and a shadow leaves everything as it is.
func TestSuiteEffects(t *testing.T) {
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		library(t, db)
		writers, novels, clubs := orm.Of[writer](db), orm.Of[novel](db), orm.Of[club](db)
		var mu sync.Mutex
		wrote := map[string]bool{}
		stop := effect.Watch(func(source, table string) {
			mu.Lock()
			defer mu.Unlock()
			if source == db.Source() {
				wrote[table] = true
			}
		})
		defer stop()
		noted := func(run func(ctx context.Context) error) (reads, writes string, err error) {
			clear(wrote)
			var list []string
			ctx := effect.WithReads(t.Context(), func(source, table string) {
				if source == db.Source() && !slices.Contains(list, table) {
					list = append(list, table)
				}
			})
			err = run(ctx)
			slices.Sort(list)
			mu.Lock()
			defer mu.Unlock()
			var changed []string
			for table := range wrote {
				changed = append(changed, table)
			}
			slices.Sort(changed)
			return strings.Join(list, " "), strings.Join(changed, " "), err
		}
		var ann writer
		var rows []map[string]any
		for _, c := range []struct {
			name, reads string
			run         func(ctx context.Context) error
		}{
			{"All", "writers", func(ctx context.Context) error { _, err := writers.All(ctx); return err }}, {"Get", "writers", func(ctx context.Context) (err error) { ann, err = writers.Get(ctx, 1); return }}, {"Count", "writers", func(ctx context.Context) error { _, err := writers.Count(ctx); return err }},
			{"Exists", "writers", func(ctx context.Context) error { _, err := writers.Filter("age", 1).Exists(ctx); return err }}, {"a join", "novels writers", func(ctx context.Context) error { _, err := novels.Filter("writer__name", "x").All(ctx); return err }}, {"many", "novels reviews writers", func(ctx context.Context) error {
				_, err := writers.Filter("books__reviews__stars", 1).All(ctx)
				return err
			}},
			{"many to many", "clubs clubs_writers writers", func(ctx context.Context) error { _, err := clubs.Filter("members__name", "x").All(ctx); return err }}, {"a subquery", "novels writers", func(ctx context.Context) error {
				_, err := writers.Filter("pk__in", novels.Query().Only("writer_id")).Count(ctx)
				return err
			}},
			{"order", "novels writers", func(ctx context.Context) error { _, err := novels.OrderBy("writer__name").All(ctx); return err }}, {"With", "clubs clubs_writers novels writers", func(ctx context.Context) error { _, err := writers.With("Books", "Clubs").All(ctx); return err }},
			{"Values", "novels writers", func(ctx context.Context) error {
				return novels.Query().Values(ctx, &rows, "writer__name", orm.Count("*"))
			}}, {"Iter", "writers", func(ctx context.Context) error {
				for _, err := range writers.Query().Iter(ctx) {
					return err
				}
				return nil
			}}, {"Page", "writers", func(ctx context.Context) error { _, err := writers.Query().Page(ctx, orm.PageRequest{}); return err }}, {"Raw", "", func(ctx context.Context) error { _, err := writers.Raw(ctx, "SELECT * FROM writers"); return err }},
		} {
			t.Run(c.name, func(t *testing.T) {
				reads, writes, err := noted(c.run)
				if c.name == "Raw" { // all tables
					reads = strings.TrimSpace(reads)
				}
				equal(t, []any{reads, writes, err}, []any{c.reads, "", nil})
			})
		}
		state := func() string {
			var b strings.Builder
			for _, list := range []func() (string, error){
				func() (string, error) {
					l, err := writers.OrderBy("id").All(t.Context())
					return named(l, err, func(w writer) string { return w.Name + w.UpdatedAt.String() }), nil
				},
				func() (string, error) {
					l, err := novels.WithDeleted().OrderBy("id").All(t.Context())
					return named(l, err, func(n novel) string { return n.Title + string(rune('0'+n.Version)) }), nil
				},
				func() (string, error) {
					l, err := clubs.With("Members").OrderBy("code").All(t.Context())
					return named(l, err, func(c club) string { return c.Code + c.Title + string(rune('0'+c.Members.Len())) }), nil
				},
			} {
				text, _ := list()
				b.WriteString(text + "\n")
			}
			return b.String()
		}
		row := func(ctx context.Context) *novel {
			n, err := novels.Filter("title", "B1").One(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return &n
		}
		for _, c := range []struct {
			name, writes string
			intents      int
			run          func(ctx context.Context) error
		}{
			{"Save", "novels", 1, func(ctx context.Context) error { n := row(ctx); n.Pages++; return novels.Save(ctx, n) }}, {"Update", "novels", 1, func(ctx context.Context) error {
				_, err := novels.Filter("writer__name", "ann").Update(ctx, orm.Set{"pages": 1})
				return err
			}},
			{"Link", "clubs_writers", 1, func(ctx context.Context) error { return writers.Link(ctx, &ann, "Clubs", "go") }}, {"Unlink", "clubs_writers", 1, func(ctx context.Context) error { return writers.Unlink(ctx, &ann, "Clubs", "sql") }},
			{"Create", "clubs", 1, func(ctx context.Context) error { _, err := clubs.Create(ctx, club{Code: "new"}); return err }}, {"Create with a counted key", "novels", 1, func(ctx context.Context) error { _, err := novels.Create(ctx, novel{Title: "new"}); return err }}, {"CreateMany", "novels", 1, func(ctx context.Context) error { return novels.CreateMany(ctx, make([]novel, 3)) }},
			{"Upsert", "clubs", 1, func(ctx context.Context) error {
				_, err := clubs.Upsert(ctx, club{Code: "go", Title: "Other"})
				return err
			}}, {"Upsert by another key", "writers", 1, func(ctx context.Context) error {
				_, err := writers.Upsert(ctx, writer{Name: "cid", Limit: 9}, "name")
				return err
			}},
			{"Delete", "novels", 1, func(ctx context.Context) error { return novels.Delete(ctx, row(ctx)) }}, {"Restore", "novels", 1, func(ctx context.Context) error {
				n, err := novels.WithDeleted().Filter("title", "B1").One(ctx)
				if err != nil {
					return err
				}
				return novels.Restore(ctx, &n)
			}},
			{"Query.Delete", "novels", 1, func(ctx context.Context) error { _, err := novels.Filter("title", "new").Delete(ctx); return err }}, {"Query.Destroy", "novels reviews", 1, func(ctx context.Context) error {
				_, err := novels.WithDeleted().Filter("title", "new").Destroy(ctx)
				return err
			}}, {"Destroy", "novels reviews", 1, func(ctx context.Context) error { return novels.Destroy(ctx, row(ctx)) }},
			{"Exec", "", 1, func(ctx context.Context) error {
				_, err := orm.Exec(ctx, db, "UPDATE clubs SET title = 'raw'")
				return err
			}}, {"Destroy with cascades", "animals clubs_writers novels reviews writers", 1, func(ctx context.Context) error {
				w, err := writers.Filter("name", "ben").One(ctx)
				if err != nil {
					return err
				}
				return writers.Destroy(ctx, &w)
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				before := state()
				intents := 0
				err := c.run(effect.WithShadow(t.Context(), effect.RecorderFunc(func(effect.Intent) { intents++ })))
				if after := state(); err != nil || after != before || intents != c.intents {
					t.Errorf("a shadow: %v, %d intents\n%s\n%s", err, intents, before, after)
				}
				_, writes, err := noted(c.run)
				equal(t, []any{strings.TrimSpace(writes), err}, []any{c.writes, nil})
				if state() == before && c.name != "Link" {
					t.Error("nothing was written")
				}
			})
		}
	})
}
