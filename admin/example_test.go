package admin_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/admin"
	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

type Customer struct {
	orm.Model
	Name string `db:"size:100,index" required:"true"`
	Paid bool
}

func Example() {
	app := ishaa.New("shop", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	db, err := orm.Open("sqlite://:memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	panel := admin.New(db, admin.Options{Prefix: "/admin"})
	admin.Register[Customer](panel, admin.List("Name", "Paid"), admin.Search("Name"), admin.Filter("Paid"),
		admin.Bulk("Mark as paid", func(ctx context.Context, tx *orm.Tx, c *Customer) error {
			c.Paid = true
			return orm.Of[Customer](tx).Save(ctx, c)
		}, admin.BulkOptions{}))
	app.Install(panel)
	defer app.Stop(context.Background())

	res := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/admin/customers", nil)
	req.Header.Set("Accept", "text/html")
	app.ServeHTTP(res, req)
	fmt.Println(res.Code, res.Header().Get("Location"))
	// Output: 303 /admin/-/sign-in?next=%2Fadmin%2Fcustomers
}
