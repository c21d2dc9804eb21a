package postgres

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ishaa-framework/ishaa/orm"
)

func Example() {
	db, err := orm.Open("postgres://ann:secret@localhost:5432/shop") // connects at its first use
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	pool, err := Pool(db)
	fmt.Println(db.Dialect(), db.Name(), db.Source(), pool.Config().MaxConns, err)
	// Output: postgres shop postgres://127.0.0.1:5432/shop 16 <nil>
}

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		err  pgconn.PgError
		want orm.Fault
	}{
		"unique": {pgconn.PgError{Code: "23505", TableName: "t", ConstraintName: "k", Detail: `Key (email, "Odd Name")=(a)=(b, c) already exists.`},
			orm.Fault{Kind: orm.ErrUnique, Table: "t", Constraint: "k", Columns: []string{"email", "Odd Name"}}},
		"unique expression": {pgconn.PgError{Code: "23505", Detail: `Key (lower(email::text))=(a@b.c) already exists.`}, orm.Fault{Kind: orm.ErrUnique}},
		"still referenced":  {pgconn.PgError{Code: "23503", Detail: `Key (id)=(1) is still referenced from table "b".`}, orm.Fault{Kind: orm.ErrForeignKey}},
		"deadlock":          {pgconn.PgError{Code: "40P01"}, orm.Fault{Kind: orm.ErrSerialization}},
		"serialization":     {pgconn.PgError{Code: "40001"}, orm.Fault{Kind: orm.ErrSerialization}},
		"shutdown":          {pgconn.PgError{Code: "57P01"}, orm.Fault{Kind: orm.ErrConnection}},
		"full":              {pgconn.PgError{Code: "53300"}, orm.Fault{Kind: orm.ErrConnection}},
		"statement timeout": {pgconn.PgError{Code: "57014", Message: "canceling statement due to statement timeout"}, orm.Fault{Kind: orm.ErrTimeout}},
		"value":             {pgconn.PgError{Code: "22P02", Message: `invalid input syntax for type integer: "a""b"`}, orm.Fault{Text: `invalid input syntax for type integer: "…" (SQLSTATE 22P02)`}},
		"no table":          {pgconn.PgError{Code: "42P01", Message: `relation "x" does not exist`}, orm.Fault{Text: `relation "x" does not exist (SQLSTATE 42P01)`}},
		"old plan":          {pgconn.PgError{Code: "0A000", Message: "cached plan must not change result type"}, orm.Fault{Text: "cached plan must not change result type (SQLSTATE 0A000)", Again: true}},
	} {
		got := engine{}.Classify(fmt.Errorf("wrapped: %w", &c.err))
		if got.Kind != c.want.Kind || got.Table != c.want.Table || got.Constraint != c.want.Constraint || !slices.Equal(got.Columns, c.want.Columns) || got.Text != c.want.Text || got.Again != c.want.Again {
			t.Errorf("%s: %+v, not %+v", name, got, c.want)
		}
	}
	if got := (engine{}).Classify(errors.New("something else")); got.Kind != nil || got.Text != "" {
		t.Errorf("%+v", got)
	}
}
