package migrate_test

import (
	"context"
	"slices"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/orm/migrate"
)

// base is the table that most changes start from.
type base struct {
	ID   int64
	Name string `db:"size:50"`
	Age  int32
	Note *string
}

func (base) TableName() string { return "things" }

type withText struct {
	base2
	Extra string `db:"default:x"`
}
type base2 struct {
	ID   int64
	Name string `db:"size:50"`
	Age  int32
	Note *string
}

func (base2) TableName() string { return "things" }

type (
	addNullable struct {
		base2
		Extra *string
	}
	addZeroText struct {
		base2
		Extra string
	}
	addZeroNumber struct {
		base2
		Extra int64
	}
	addZeroBool struct {
		base2
		Extra bool
	}
	addTime struct {
		base2
		Extra time.Time
	}
	addJSON struct {
		base2
		Extra orm.JSON[map[string]any]
	}
	addUUID struct {
		base2
		Extra [16]byte
	}
	addDecimal struct {
		base2
		Extra orm.Decimal `db:"precision:8,scale:2"`
	}
	addUnique struct {
		base2
		Extra *string `db:"unique,size:30"`
	}
	addSoftDelete struct {
		base2
		orm.SoftDelete
	}
	dropColumn struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int32
	}
	renameColumn struct {
		ID    int64
		Title string `db:"size:50"`
		Age   int32
		Note  *string
	}
	widenNumber struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int64
		Note *string
	}
	widenText struct {
		ID   int64
		Name string `db:"size:200"`
		Age  int32
		Note *string
	}
	boundless struct {
		ID   int64
		Name string
		Age  int32
		Note *string
	}
	numberToText struct {
		ID   int64
		Name string `db:"size:50"`
		Age  string `db:"size:20"`
		Note *string
	}
	becomesNull struct {
		ID   int64
		Name *string `db:"size:50"`
		Age  int32
		Note *string
	}
	becomesFull struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int32
		Note string
	}
	newDefault struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int32  `db:"default:7"`
		Note *string
	}
	addIndex struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int32  `db:"index"`
		Note *string
	}
	addUniqueIndex struct {
		ID   int64
		Name string `db:"size:50,unique"`
		Age  int32
		Note *string
	}
	addWideIndex struct {
		ID   int64
		Name string `db:"size:50,index:who"`
		Age  int32  `db:"index:who"`
		Note *string
	}
	addWideUnique struct {
		ID   int64
		Name string `db:"size:50,unique:who"`
		Age  int32  `db:"unique:who"`
		Note *string
	}
	renamedTable struct {
		ID   int64
		Name string `db:"size:50"`
		Age  int32
		Note *string
	}
	several struct {
		ID    int64
		Title string `db:"size:80,index"`
		Age   int64  `db:"default:1"`
		Extra string
	}
)

func (dropColumn) TableName() string     { return "things" }
func (renameColumn) TableName() string   { return "things" }
func (widenNumber) TableName() string    { return "things" }
func (widenText) TableName() string      { return "things" }
func (boundless) TableName() string      { return "things" }
func (numberToText) TableName() string   { return "things" }
func (becomesNull) TableName() string    { return "things" }
func (becomesFull) TableName() string    { return "things" }
func (newDefault) TableName() string     { return "things" }
func (addIndex) TableName() string       { return "things" }
func (addUniqueIndex) TableName() string { return "things" }
func (addWideIndex) TableName() string   { return "things" }
func (addWideUnique) TableName() string  { return "things" }
func (renamedTable) TableName() string   { return "stuff" }
func (several) TableName() string        { return "things" }

// Relations: a child of things.
type (
	parent struct {
		ID   int64
		Name string `db:"size:50"`
	}
	loose struct {
		ID      int64
		ThingID *int64
	}
	tied struct {
		ID      int64
		ThingID *int64
		Thing   orm.One[parent] `db:"on_delete:cascade"`
	}
	tiedOtherwise struct {
		ID      int64
		ThingID *int64
		Thing   orm.One[parent] `db:"on_delete:set_null"`
	}
	tagged struct {
		ID   int64
		Name string `db:"size:50"`
		Tags orm.ManyToMany[tag]
	}
	tag struct {
		ID   int64
		Text string `db:"size:20"`
	}
	widerParent struct {
		ID    int64
		Name  string `db:"size:90"`
		Extra string
	}
	tiedToWider struct {
		ID      int64
		ThingID *int64
		Thing   orm.One[widerParent] `db:"on_delete:cascade"`
	}
)

func (parent) TableName() string        { return "things" }
func (loose) TableName() string         { return "children" }
func (tied) TableName() string          { return "children" }
func (tiedOtherwise) TableName() string { return "children" }
func (tagged) TableName() string        { return "things" }
func (widerParent) TableName() string   { return "things" }
func (tiedToWider) TableName() string   { return "children" }

// family fills things and children, whichever models they have.
func family(ctx context.Context, db *orm.DB) error {
	if _, err := orm.Exec(ctx, db, "INSERT INTO things (name) VALUES ('ann')"); err != nil {
		return err
	}
	if !slices.ContainsFunc(db.Tables(), func(t orm.Table) bool { return t.Name == "children" }) {
		return nil
	}
	_, err := orm.Exec(ctx, db, "INSERT INTO children (thing_id) VALUES (1)")
	return err
}

// things fills the table that most changes start from.
func things(ctx context.Context, db *orm.DB) error {
	_, err := orm.Exec(ctx, db, "INSERT INTO things (name, age, note) VALUES ('ann', 3, 'n'), ('bob', 4, NULL)")
	return err
}

func changes() []change {
	list := []change{
		{name: "add a table", before: model[base], after: models(model[base], model[tag]), fill: things, kept: read[base]("name"), want: "ann bob"},
		{name: "drop a table", before: models(model[base], model[tag]), after: model[base], fill: things, kept: read[base]("name"), want: "ann bob",
			create: migrate.CreateOptions{AllowDestructive: true}},
		{name: "rename a table", before: model[base], after: model[renamedTable], fill: things, kept: read[renamedTable]("age"), want: "3 4",
			create: migrate.CreateOptions{Renames: []migrate.Rename{{Table: "things", To: "stuff"}}}},
		{name: "add a column that may be empty", before: model[base], after: model[addNullable], fill: things, kept: read[addNullable]("extra"), want: "<nil> <nil>"},
		{name: "add a column with a default", before: model[base], after: model[withText], fill: things, kept: read[withText]("extra"), want: "x x"},
		{name: "add text", before: model[base], after: model[addZeroText], fill: things, kept: read[addZeroText]("extra"), want: ""},
		{name: "add a number", before: model[base], after: model[addZeroNumber], fill: things, kept: read[addZeroNumber]("extra"), want: "0 0"},
		{name: "add a bool", before: model[base], after: model[addZeroBool], fill: things, kept: read[addZeroBool]("extra"), want: "false false"},
		{name: "add a time", before: model[base], after: model[addTime], fill: things, kept: read[addTime]("extra"),
			want: "2026-05-04 03:02:01 +0000 UTC 2026-05-04 03:02:01 +0000 UTC"},
		{name: "add JSON", before: model[base], after: model[addJSON], fill: things, kept: read[addJSON]("age"), want: "3 4"},
		{name: "add a UUID", before: model[base], after: model[addUUID], fill: things, kept: read[addUUID]("age"), want: "3 4"},
		{name: "add a decimal", before: model[base], after: model[addDecimal], fill: things, kept: read[addDecimal]("age"), want: "3 4"},
		{name: "add a unique column", before: model[base], after: model[addUnique], fill: things, kept: read[addUnique]("age"), want: "3 4"},
		{name: "add soft deletion", before: model[base], after: model[addSoftDelete], fill: things, kept: read[addSoftDelete]("name"), want: "ann bob"},
		{name: "drop a column", before: model[base], after: model[dropColumn], fill: things, kept: read[dropColumn]("name"), want: "ann bob",
			create: migrate.CreateOptions{AllowDestructive: true}},
		{name: "rename a column", before: model[base], after: model[renameColumn], fill: things, kept: read[renameColumn]("title"), want: "ann bob",
			create: migrate.CreateOptions{Renames: []migrate.Rename{{Table: "things", Column: "name", To: "title"}}}},
		{name: "widen a number", notSQLite: true, before: model[base], after: model[widenNumber], fill: things, kept: read[widenNumber]("age"), want: "3 4"},
		{name: "widen text", notSQLite: true, before: model[base], after: model[widenText], fill: things, kept: read[widenText]("name"), want: "ann bob"},
		{name: "text without bound", notSQLite: true, before: model[base], after: model[boundless], fill: things, kept: read[boundless]("name"), want: "ann bob"},
		{name: "a number becomes text", before: model[base], after: model[numberToText], fill: things, kept: read[numberToText]("age"), want: "3 4",
			create: migrate.CreateOptions{AllowDestructive: true}},
		{name: "may be empty now", before: model[base], after: model[becomesNull], fill: things, kept: read[becomesNull]("name"), want: "ann bob"},
		{name: "may not be empty now", before: model[base], after: model[becomesFull], fill: things, kept: read[becomesFull]("note"), want: "n"},
		{name: "a default comes", before: model[base], after: model[newDefault], fill: things, kept: read[newDefault]("age"), want: "3 4"},
		{name: "a default goes", before: model[newDefault], after: model[base], fill: things, kept: read[base]("age"), want: "3 4"},
		{name: "add an index", before: model[base], after: model[addIndex], fill: things, kept: read[addIndex]("age"), want: "3 4"},
		{name: "drop an index", before: model[addIndex], after: model[base], fill: things, kept: read[base]("age"), want: "3 4"},
		{name: "add a unique index", before: model[base], after: model[addUniqueIndex], fill: things, kept: read[addUniqueIndex]("age"), want: "3 4"},
		{name: "add an index of two columns", before: model[base], after: model[addWideIndex], fill: things, kept: read[addWideIndex]("age"), want: "3 4"},
		{name: "add a unique index of two columns", before: model[base], after: model[addWideUnique], fill: things, kept: read[addWideUnique]("age"), want: "3 4"},
		{name: "an index becomes unique", before: model[addWideIndex], after: model[addWideUnique], fill: things, kept: read[addWideUnique]("age"), want: "3 4"},
		{name: "several at once", before: model[base], after: model[several], fill: things, kept: read[several]("title"), want: "ann bob",
			create: migrate.CreateOptions{AllowDestructive: true, Renames: []migrate.Rename{{Table: "things", Column: "name", To: "title"}}}},
	}
	for _, relation := range []change{
		{name: "add a foreign key", before: models(model[parent], model[loose]), after: model[tied], kept: read[tied]("thing_id"), want: "1"},
		{name: "drop a foreign key", before: model[tied], after: models(model[parent], model[loose]), kept: read[loose]("thing_id"), want: "1"},
		{name: "change what deleting does", before: model[tied], after: model[tiedOtherwise], kept: read[tiedOtherwise]("thing_id"), want: "1"},
		{name: "rebuild a table that others refer to", before: model[tied], after: model[tiedToWider], kept: read[tiedToWider]("thing_id"), want: "1"},
		{name: "add many to many", before: model[parent], after: model[tagged], kept: read[tagged]("name"), want: "ann"},
	} {
		relation.fill = family
		list = append(list, relation)
	}
	return list
}
