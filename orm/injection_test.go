package orm_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/ormtest"
)

// What somebody else chose, in every place where a query takes text: as a value it comes back as it was, and as a name
// it is refused before any SQL runs.

type note struct {
	ID     int64
	Text   string
	Code   string `db:"size:200,unique"`
	Number int
	Meta   orm.JSON[map[string]any]
	Shelf  orm.One[shelf]
	// ShelfID has a column whose name needs quotes in every dialect.
	ShelfID *int64 `db:"column:shelf \"id\""`
}

type shelf struct {
	ID    int64
	Name  string
	Notes orm.Many[note] `db:"fk:ShelfID"`
}

// payloads are the known ways to leave a string, a name, a number or a comment, in several quotings.
func payloads() []string {
	cores := []string{
		"OR 1=1", "OR '1'='1", "UNION SELECT 1,2,3", "; DROP TABLE notes", "AND SLEEP(5)", "AND pg_sleep(5) IS NULL", "|| (SELECT 1)",
		"; UPDATE notes SET text = 'owned'", "AND 1=(SELECT COUNT(*) FROM notes)", "INTO OUTFILE '/dev/null'", "RETURNING *", "LIMIT 1 OFFSET 0",
		"; DELETE FROM notes", "COLLATE NOCASE", "ON CONFLICT DO NOTHING", ") OR (1=1",
	}
	opens := []string{"", "'", `"`, "`", "''", `\'`, "')", `")`, "1) ", "x' ", "-1 "}
	list := []string{
		"", " ", "'", `"`, "`", `\`, "--", "/*", "*/", ";", "?", "$1", ":1", "@p1", "%", "_", "!", "%s", "{}", "$$", "$tag$ OR 1=1 $tag$",
		"\x00", "a\x00b", "\n--\n", "\r\n; DROP TABLE notes;", "\t", "é", "ʼ", "＇", "\u2019", "\u02bc OR 1=1", "日本語", "😀", "\xff", "\xbf'", "\xbf\x27 OR 1=1",
		"name) FROM notes --", "id; --", "__", "____", "text__", "__text", "text__exact__exact", "shelf__", "shelf__name__", "meta__a\"b", "_connector", "x.y",
		"(SELECT 1)", "1", "0x27", "CHAR(39)", "NULL", "TRUE", "text DESC", "text;", "text--", "text/**/", "text ASC, id", "-", "--text", "?text", "rowid", "*", "notes.*", "pg_sleep(1)",
	}
	for i, core := range cores {
		for j, open := range opens {
			end := []string{"", " --", " #", "/*", ";"}[(i+j)%5]
			list = append(list, open+" "+core+end)
		}
	}
	return list
}

func TestInjection(t *testing.T) {
	if n := len(payloads()); n < 200 {
		t.Fatalf("%d payloads", n)
	}
	ormtest.Each(t, func(t *testing.T, db *orm.DB) {
		ctx := t.Context()
		if err := orm.Of[note](db).CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := orm.Of[note](db).Create(ctx, note{Text: "keep", Code: "keep", Meta: orm.NewJSON(map[string]any{"a": "b"})}); err != nil {
			t.Fatal(err)
		}
		for i, payload := range payloads() {
			injectValue(t, db, i+1, payload)
			injectName(t, db, payload)
		}
		kept, err := orm.Of[note](db).Filter("code", "keep").One(ctx)
		if err != nil || kept.Text != "keep" {
			t.Fatalf("what was there is gone: %+v, %v", kept, err)
		}
		if n, err := orm.Of[note](db).Count(ctx); err != nil || n != 1 {
			t.Fatalf("%d rows, %v", n, err)
		}
	})
}

// injectValue puts the payload into every place of a value.
func injectValue(t *testing.T, db *orm.DB, i int, payload string) {
	t.Helper()
	ctx := t.Context()
	notes := orm.Of[note](db)
	n, err := notes.Create(ctx, note{Text: payload, Code: fmt.Sprint(i, " ", payload), Number: i, Meta: orm.NewJSON(map[string]any{"k": payload})})
	if err != nil {
		if !isText(payload) { // refused before any SQL
			return
		}
		t.Fatalf("%q: %v", payload, err)
	}
	defer func() {
		if err := notes.Delete(ctx, &n); err != nil {
			t.Errorf("%q: %v", payload, err)
		}
	}()
	read, err := notes.Get(ctx, n.ID)
	if err != nil || read.Text != payload || read.Code != n.Code {
		t.Errorf("%q came back as %q, %v", payload, read.Text, err)
	}
	json := strings.ToValidUTF8(payload, "\ufffd") // JSON has no other text
	for name, q := range map[string]orm.Query[note]{
		"exact": notes.Filter("text", payload, "number", i), "in": notes.Filter("text__in", []string{payload, "\x01"}, "number", i),
		"contains": notes.Filter("code__contains", payload, "number", i), "startswith": notes.Filter("text__startswith", payload, "number", i),
		"expression": notes.Filter(orm.Concat(orm.F("text"), payload).Is("exact", payload+payload), "number", i),
		"code":       notes.Filter("code", n.Code),
	} {
		if found, err := q.All(ctx); err != nil || len(found) != 1 || found[0].ID != n.ID {
			t.Errorf("%s of %q found %d rows, %v", name, payload, len(found), err)
		}
	}
	if !strings.Contains(payload, "\x00") {
		if found, err := notes.Filter("meta__k", json, "number", i).All(ctx); err != nil || len(found) != 1 {
			t.Errorf("JSON value %q found %d rows, %v", payload, len(found), err)
		}
	}
	for _, lookup := range []string{"like", "ilike", "iexact", "gt", "endswith"} { // whatever they find, they must run
		if _, err := notes.Filter("text__"+lookup, payload).Count(ctx); err != nil && lookup != "like" && lookup != "ilike" {
			t.Errorf("%s of %q: %v", lookup, payload, err)
		}
	}
	if changed, err := notes.Filter("number", i).Update(ctx, orm.Set{"text": payload + payload}); err != nil || changed != 1 {
		t.Errorf("update to %q: %d, %v", payload, changed, err)
	}
	if _, err := notes.Filter("number", payload).All(ctx); err == nil && payload != "1" {
		t.Errorf("%q was taken for a number", payload)
	}
	if _, err := notes.OrderBy("text").Page(ctx, orm.PageRequest{After: payload}); payload != "" && !errors.Is(err, orm.ErrCursor) {
		t.Errorf("%q was taken for a cursor: %v", payload, err)
	}
}

// isText reports what every engine takes for text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// injectName puts the payload into every place of a name.
func injectName(t *testing.T, db *orm.DB, payload string) {
	t.Helper()
	ctx := t.Context()
	notes := orm.Of[note](db)
	var into []map[string]any
	payload = strings.Replace(payload, "meta__", "mets__", 1) // every name is a key inside JSON
	for place, try := range map[string]func() error{
		"Filter":       func() error { _, err := notes.Filter(payload, 1).All(ctx); return err },
		"lookup":       func() error { _, err := notes.Filter("text__"+payload, "x").All(ctx); return err },
		"relation":     func() error { _, err := notes.Filter("shelf__"+payload, "x").All(ctx); return err },
		"Exclude":      func() error { _, err := notes.Exclude(payload, 1).Count(ctx); return err },
		"Or":           func() error { _, err := notes.Filter(orm.Or(orm.Q(payload, 1))).Exists(ctx); return err },
		"OrderBy":      func() error { _, err := notes.OrderBy("x" + payload).All(ctx); return err },
		"OrderBy desc": func() error { _, err := notes.OrderBy("-x" + payload).First(ctx); return err },
		"With":         func() error { _, err := notes.With("x" + payload).All(ctx); return err },
		"Only":         func() error { _, err := notes.Query().Only("x" + payload).All(ctx); return err },
		"F":            func() error { _, err := notes.Filter("number__gt", orm.F("x"+payload)).All(ctx); return err },
		"Set":          func() error { _, err := notes.Query().Update(ctx, orm.Set{"x" + payload: 1}); return err },
		"Values":       func() error { return notes.Query().Values(ctx, &into, "x"+payload) },
		"As":           func() error { return notes.Query().Values(ctx, &into, orm.Count("*").As("1"+payload)) },
		"Sum":          func() error { return notes.Query().Aggregate(ctx, &into, orm.Sum("x"+payload)) },
		"Having": func() error {
			return notes.Query().Having("x"+payload, 1).Values(ctx, &into, "text", orm.Count("*").As("n"))
		},
		"Upsert": func() error { _, err := notes.Upsert(ctx, note{}, "x"+payload); return err },
		"Link":   func() error { return notes.Link(ctx, &note{}, payload, 1) },
	} {
		if err := try(); err == nil {
			t.Errorf("%s takes the name %q", place, payload)
		} else if kind := (*orm.Error)(nil); errors.As(err, &kind) {
			t.Errorf("%s took the name %q to the database: %v", place, payload, err)
		}
	}
	if _, err := notes.Filter("meta__"+payload+"x", "y").Count(t.Context()); err != nil && !strings.Contains(err.Error(), "lookup") && isText(payload) {
		t.Errorf("the JSON key %q: %v", payload, err)
	}
}
