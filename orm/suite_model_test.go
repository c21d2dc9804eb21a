package orm_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// The suite asks every engine the same and expects the same. Its rows are called a to f, and what a query finds is
// written as their letters: "bd".

// sample has a field of every type, without and with empty values.
type sample struct {
	ID    int64
	Label string `db:"size:10,unique"`

	Int     int64
	Int8    int8
	Int16   int16
	Int32   int32
	Uint    uint64
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Float   float64
	Float32 float32
	Text    string
	Sized   string `db:"size:20,index"`
	Bool    bool
	Bytes   []byte
	At      time.Time
	UUID    [16]byte
	Price   orm.Decimal `db:"precision:12,scale:2"`
	Took    time.Duration
	Kind    string `db:"enum:alpha|beta|delta|gamma|omega|zeta"`
	Address netip.Addr
	Meta    orm.JSON[map[string]any]

	IntN     *int64
	Int8N    *int8
	UintN    *uint32
	FloatN   *float64
	TextN    *string
	BoolN    sql.Null[bool]
	BytesN   *[]byte
	AtN      *time.Time
	UUIDN    *[16]byte
	PriceN   *orm.Decimal `db:"precision:12,scale:2"`
	TookN    *time.Duration
	KindN    *string `db:"enum:alpha|beta|delta|gamma"`
	AddressN *netip.Addr
	StringN  sql.NullString
	TimeN    sql.NullTime
	NumberN  sql.Null[int32]
	Zero     string `db:"null,size:20"`
	MetaN    *orm.JSON[[]int]
}

var (
	sampleTimes = []time.Time{
		time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2024, 2, 29, 12, 30, 15, 500000000, time.UTC), time.Date(2024, 3, 3, 6, 0, 0, 1000, time.UTC),
		time.Date(2025, 7, 14, 18, 45, 59, 0, time.UTC), time.Date(2025, 12, 31, 23, 0, 0, 0, time.UTC),
	}
	samplePrices = []orm.Decimal{"-10.50", "0.00", "0.05", "9.99", "100.00", "1234567890.12"}
	sampleKinds  = []string{"alpha", "beta", "delta", "gamma", "omega", "zeta"}
	sampleMeta   = []map[string]any{
		{"city": "Bonn", "n": 9, "ok": true, "deep": map[string]any{"x": "y", "list": []any{"p", map[string]any{"q": 1}}}, "a b": 1, "a.b": 2},
		{"city": "bonn", "n": 10, "ok": false, "nothing": nil, `a"b`: 3, "a<b": 4, "é": "ü"},
		{"city": "Köln", "n": 10.5, "ok": "true", "list": []any{1, 2, 3}},
		{"city": 5, "n": "9", "ok": 1},
		{"city": nil, "n": nil},
		nil,
	}
)

// sampleTexts sort by code point.
var sampleTexts = []string{"", "A", "Zoë", "a ", "b%c_d!e\\f'g\"", "é日本"}

func number(i int) (a [16]byte) { a[0], a[15] = byte(i), byte(i); return a }

// full is how many rows have a value where it may be empty: a, b, c and d.
const full = 4

func newSample(i int) sample {
	s := sample{
		Label: string(rune('a' + i)), Int: int64(i-2) * 1e12, Int8: int8(i - 2), Int16: int16(i-2) * 1000, Int32: int32(i-2) * 1e8,
		Uint: uint64(i) * 1e12, Uint8: uint8(i * 50), Uint16: uint16(i * 10000), Uint32: uint32(i) * 8e8,
		Float: float64(i-2) / 3, Float32: float32(i-2) / 3, Text: sampleTexts[i], Sized: sampleTexts[i], Bool: i >= 3,
		Bytes: []byte{byte(i), 0, 255}, At: sampleTimes[i], UUID: number(i), Price: samplePrices[i], Took: time.Duration(i-1) * time.Hour,
		Kind: sampleKinds[i], Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Meta: orm.NewJSON(sampleMeta[i]),
	}
	if i >= full {
		return s
	}
	small, wide, octets := int8(i), uint32(i), []byte{byte(i)}
	s.IntN, s.Int8N, s.UintN, s.FloatN, s.TextN, s.BytesN, s.AtN = &s.Int, &small, &wide, &s.Float, &s.Text, &octets, &s.At
	s.BoolN, s.UUIDN, s.PriceN, s.TookN, s.KindN, s.AddressN = sql.Null[bool]{V: s.Bool, Valid: true}, &s.UUID, &s.Price, &s.Took, &s.Kind, &s.Address
	s.StringN, s.TimeN = sql.NullString{String: s.Text, Valid: true}, sql.NullTime{Time: s.At, Valid: true}
	s.NumberN, s.Zero = sql.Null[int32]{V: int32(i), Valid: true}, string(rune('p'+i))
	list := orm.NewJSON([]int{i})
	s.MetaN = &list
	return s
}

// sampled is a database with the rows a to f.
func sampled(t *testing.T, db *orm.DB) orm.Repository[sample] {
	t.Helper()
	samples := orm.Of[sample](db)
	if err := samples.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := make([]sample, 6)
	for i := range list {
		list[i] = newSample(i)
	}
	if err := samples.CreateMany(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return samples
}

// letters returns the labels of what a query finds, in its order.
func letters(ctx context.Context, q orm.Query[sample]) (string, error) {
	list, err := q.Only("label").All(ctx)
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.Label)
	}
	return b.String(), err
}

// found is letters of a query in the order of the labels.
func found(t *testing.T, q orm.Query[sample]) string {
	t.Helper()
	got, err := letters(t.Context(), q.OrderBy("label"))
	if err != nil {
		return "error: " + err.Error()
	}
	return got
}

// values are what the rows have in a field, by Go's name of it; the fields of empty values have none for e and f.
func values(field string) []any {
	var list []any
	for i := range 6 {
		v := reflect.ValueOf(newSample(i)).FieldByName(field)
		if i >= full && strings.HasSuffix(field, "N") {
			break
		}
		list = append(list, v.Interface())
	}
	return list
}

// The shop of the suite: authors write books, books have labels and pages of their own.
type writer struct {
	orm.Model
	Name   string `db:"size:60,unique"`
	Age    *int
	Limit  int
	Books  orm.Many[novel]
	Pet    orm.One[animal]
	Clubs  orm.ManyToMany[club]
	Mentor orm.One[writer] `db:"on_delete:set_null"`
	// MentorID refers to the same table.
	MentorID *int64
}

type animal struct {
	ID       int64
	Name     string
	WriterID int64           `db:"unique"`
	Writer   orm.One[writer] `db:"on_delete:cascade"`
}

type novel struct {
	orm.Model
	orm.SoftDelete
	Title    string
	Pages    int
	Price    orm.Decimal `db:"precision:8,scale:2,default:1.50"`
	WriterID *int64
	Writer   orm.One[writer] `db:"on_delete:cascade"`
	Reviews  orm.Many[review]
	Version  int `db:"version"`
}

type review struct {
	ID      int64
	NovelID int64
	Novel   orm.One[novel] `db:"on_delete:cascade"`
	Stars   int
	Text    string `db:"null"`
}

type club struct {
	Code    string `db:"pk,size:20"`
	Title   string
	Members orm.ManyToMany[writer] `db:"through:clubs_writers"`
}

// library fills the shop: ann (30) wrote A1, A2 and A3 (deleted), ben (40) wrote B1, cid (no age) wrote nothing, O1 has
// no writer. Everybody but cid is in the club "go", ann also in "sql".
func library(t *testing.T, db *orm.DB) {
	t.Helper()
	ctx := t.Context()
	orm.Register[writer](db)
	orm.Register[review](db)
	if err := db.CreateTables(ctx); err != nil {
		t.Fatal(err)
	}
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	thirty, forty := 30, 40
	writers := []writer{{Name: "ann", Age: &thirty, Limit: 150}, {Name: "ben", Age: &forty, Limit: 500}, {Name: "cid", Limit: 1}}
	fail(orm.Of[writer](db).CreateMany(ctx, writers))
	writers[1].MentorID, writers[2].MentorID = &writers[0].ID, &writers[1].ID
	fail(orm.Of[writer](db).Save(ctx, &writers[1]))
	fail(orm.Of[writer](db).Save(ctx, &writers[2]))
	_, err := orm.Of[animal](db).Create(ctx, animal{Name: "rex", WriterID: writers[0].ID})
	fail(err)
	novels := []novel{
		{Title: "A1", Pages: 100, Price: "10.00", WriterID: &writers[0].ID}, {Title: "A2", Pages: 200, Price: "20.50", WriterID: &writers[0].ID},
		{Title: "A3", Pages: 300, WriterID: &writers[0].ID}, {Title: "B1", Pages: 400, Price: "5.25", WriterID: &writers[1].ID}, {Title: "O1", Pages: 50},
	}
	fail(orm.Of[novel](db).CreateMany(ctx, novels))
	fail(orm.Of[novel](db).Delete(ctx, &novels[2]))
	reviews := []review{{NovelID: novels[0].ID, Stars: 5, Text: "good"}, {NovelID: novels[0].ID, Stars: 1}, {NovelID: novels[3].ID, Stars: 3, Text: "fair"}}
	fail(orm.Of[review](db).CreateMany(ctx, reviews))
	clubs := []club{{Code: "go", Title: "Gophers"}, {Code: "sql", Title: "Selectors"}}
	fail(orm.Of[club](db).CreateMany(ctx, clubs))
	fail(orm.Of[writer](db).Link(ctx, &writers[0], "Clubs", "go", "sql"))
	fail(orm.Of[writer](db).Link(ctx, &writers[1], "Clubs", "go"))
}

// named lists names of rows as one text.
func named[T any](list []T, err error, name func(T) string) string {
	if err != nil {
		return "error: " + err.Error()
	}
	var names []string
	for _, row := range list {
		names = append(names, name(row))
	}
	return strings.Join(names, " ")
}

func writersOf(ctx context.Context, q orm.Query[writer]) string {
	list, err := q.OrderBy("name").All(ctx)
	return named(list, err, func(w writer) string { return w.Name })
}

func novelsOf(ctx context.Context, q orm.Query[novel]) string {
	list, err := q.OrderBy("title").All(ctx)
	return named(list, err, func(n novel) string { return n.Title })
}

// equal fails the test unless two values print the same.
func equal(t *testing.T, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
}

// pickLetters returns the letters for which a test holds.
func pickLetters(test func(i int) bool) string {
	var b []rune
	for i := range 6 {
		if test(i) {
			b = append(b, rune('a'+i))
		}
	}
	return string(b)
}
