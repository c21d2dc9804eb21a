// Package chinook puts the record shop of the conformance data behind package orm: its models, a copy of it in any
// database, and query chains in the form of the conformance data's generator.
//
//	db, err := chinook.Open(ctx, "sqlite:///tmp/shop.db", "chinook.sqlite")
//	result, err := chinook.Run(ctx, db, chain)
package chinook

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite" // the shop comes as a SQLite file
)

// Artist is who plays.
type Artist struct {
	ID     int64   `db:"pk,column:ArtistId"`
	Name   *string `db:"column:Name,size:120"`
	Albums orm.Many[Album]
}

// Album is a record.
type Album struct {
	ID       int64  `db:"pk,column:AlbumId"`
	Title    string `db:"column:Title,size:160"`
	ArtistID int64  `db:"column:ArtistId"`
	Artist   orm.One[Artist]
	Tracks   orm.Many[Track]
}

// Genre is a kind of music.
type Genre struct {
	ID     int64   `db:"pk,column:GenreId"`
	Name   *string `db:"column:Name,size:120"`
	Tracks orm.Many[Track]
}

// Track is a piece of music.
type Track struct {
	ID           int64  `db:"pk,column:TrackId"`
	Name         string `db:"column:Name,size:200"`
	AlbumID      *int64 `db:"column:AlbumId"`
	Album        orm.One[Album]
	GenreID      *int64 `db:"column:GenreId"`
	Genre        orm.One[Genre]
	Composer     *string `db:"column:Composer,size:220"`
	Milliseconds int64   `db:"column:Milliseconds"`
	Bytes        *int64  `db:"column:Bytes"`
	UnitPrice    float64 `db:"column:UnitPrice"`
}

// Customer is who buys.
type Customer struct {
	ID        int64   `db:"pk,column:CustomerId"`
	FirstName string  `db:"column:FirstName,size:40"`
	LastName  string  `db:"column:LastName,size:20"`
	Company   *string `db:"column:Company,size:80"`
	City      *string `db:"column:City,size:40"`
	Country   *string `db:"column:Country,size:40"`
	Email     string  `db:"column:Email,size:60"`
	Invoices  orm.Many[Invoice]
}

// Invoice is a sale.
type Invoice struct {
	ID             int64 `db:"pk,column:InvoiceId"`
	CustomerID     int64 `db:"column:CustomerId"`
	Customer       orm.One[Customer]
	BillingCountry *string `db:"column:BillingCountry,size:40"`
	Total          float64 `db:"column:Total"`
}

// TableName names the table of the file.
func (Artist) TableName() string { return "Artist" }

// TableName names the table of the file.
func (Album) TableName() string { return "Album" }

// TableName names the table of the file.
func (Genre) TableName() string { return "Genre" }

// TableName names the table of the file.
func (Track) TableName() string { return "Track" }

// TableName names the table of the file.
func (Customer) TableName() string { return "Customer" }

// TableName names the table of the file.
func (Invoice) TableName() string { return "Invoice" }

// OpenCopy opens a copy of the shop's SQLite file at a path of its own.
func OpenCopy(path, shop string) (*orm.DB, error) {
	in, err := os.Open(shop)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(out, in); err == nil {
		err = out.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("copying the shop: %w", err)
	}
	return orm.Open("sqlite://" + path)
}

// Copy creates the shop's tables in another database and fills them.
func Copy(ctx context.Context, to, from *orm.DB) error {
	orm.Register[Artist](to)
	orm.Register[Genre](to)
	orm.Register[Invoice](to)
	if err := to.CreateTables(ctx); err != nil {
		return err
	}
	return to.Tx(ctx, func(tx *orm.Tx) error {
		for _, table := range []func() error{
			func() error { return rows[Artist](ctx, tx, from) },
			func() error { return rows[Album](ctx, tx, from) },
			func() error { return rows[Genre](ctx, tx, from) },
			func() error { return rows[Track](ctx, tx, from) },
			func() error { return rows[Customer](ctx, tx, from) },
			func() error { return rows[Invoice](ctx, tx, from) },
		} {
			if err := table(); err != nil {
				return err
			}
		}
		return nil
	})
}

func rows[T any](ctx context.Context, to *orm.Tx, from *orm.DB) error {
	list, err := orm.Of[T](from).OrderBy("id").All(ctx)
	if err != nil {
		return err
	}
	return orm.Of[T](to).CreateMany(ctx, list)
}
