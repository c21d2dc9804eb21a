package mysql

import (
	"fmt"
	"slices"
	"testing"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/ishaa-framework/ishaa/orm"
)

func Example() {
	db, err := orm.Open("mysql://ann:secret@localhost:3306/shop") // connects at its first use
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	fmt.Println(db.Dialect(), db.Name(), db.Source())
	// Output: mysql shop mysql://127.0.0.1:3306/shop
}

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		number  uint16
		message string
		want    orm.Fault
	}{
		"unique on MySQL":   {1062, "Duplicate entry 'a' for key 'x' for key 'users.email'", orm.Fault{Kind: orm.ErrUnique, Table: "users", Constraint: "email"}},
		"unique on MariaDB": {1062, "Duplicate entry 'it's' for key 'email'", orm.Fault{Kind: orm.ErrUnique, Constraint: "email"}},
		"refers to none": {1452, "Cannot add or update a child row: a foreign key constraint fails (`shop`.`books`, CONSTRAINT `fk_author` FOREIGN KEY (`author_id`, `x`) REFERENCES `authors` (`id`, `y`))",
			orm.Fault{Kind: orm.ErrForeignKey, Table: "books", Constraint: "fk_author", Columns: []string{"author_id", "x"}}},
		"is referred to": {1451, "Cannot delete or update a parent row: a foreign key constraint fails (`shop`.`books`, CONSTRAINT `fk_author` FOREIGN KEY (`author_id`) REFERENCES `authors` (`id`))",
			orm.Fault{Kind: orm.ErrForeignKey, Table: "books", Constraint: "fk_author"}},
		"not null":         {1048, "Column 'email' cannot be null", orm.Fault{Kind: orm.ErrNotNull, Columns: []string{"email"}}},
		"no default":       {1364, "Field 'email' doesn't have a default value", orm.Fault{Kind: orm.ErrNotNull, Columns: []string{"email"}}},
		"check on MySQL":   {3819, "Check constraint 'positive' is violated.", orm.Fault{Kind: orm.ErrCheck, Constraint: "positive"}},
		"check on MariaDB": {4025, "CONSTRAINT `positive` failed for `shop`.`users`", orm.Fault{Kind: orm.ErrCheck, Table: "users", Constraint: "positive"}},
		"deadlock":         {1213, "Deadlock found when trying to get lock; try restarting transaction", orm.Fault{Kind: orm.ErrSerialization, Ends: true}},
		"too long":         {1406, "Data too long for column 'name' at row 1", orm.Fault{Text: "Data too long for column 'name' at row 1 (error 1406)"}},
		"wrong value":      {1366, "Incorrect integer value: 'it's' for column `shop`.`users`.`n` at row 1", orm.Fault{Text: "Incorrect integer value: '…' for column `shop`.`users`.`n` at row 1 (error 1366)"}},
		"wrong date":       {1292, "Truncated incorrect DOUBLE value: 'secret'", orm.Fault{Text: "Truncated incorrect DOUBLE value: '…' (error 1292)"}},
		"no table":         {1146, "Table 'shop.x' doesn't exist", orm.Fault{Text: "Table 'shop.x' doesn't exist (error 1146)"}},
	} {
		got := engine{}.Classify(fmt.Errorf("wrapped: %w", &driverpkg.MySQLError{Number: c.number, Message: c.message}))
		if got.Kind != c.want.Kind || got.Table != c.want.Table || got.Constraint != c.want.Constraint || !slices.Equal(got.Columns, c.want.Columns) || got.Text != c.want.Text || got.Ends != c.want.Ends {
			t.Errorf("%s: %+v, not %+v", name, got, c.want)
		}
	}
}
