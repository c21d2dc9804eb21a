package main

import (
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// The shop's eleven tables. A model is a plain struct: a field named ID is the key, a field of the type orm.One or orm.Many
// leads to other rows and is filled by With, and tags say what Go's types do not. What pages and the API show of a row is
// a struct of its own, with a small letter: see catalog.go.

// Genre is a kind of music.
type Genre struct {
	ID   int64
	Name string `db:"size:120,unique"`
}

// MediaType is what a track is sold as.
type MediaType struct {
	ID   int64
	Name string `db:"size:120,unique"`
}

// Artist is a person or a band. Not all of them have an album here.
type Artist struct {
	ID     int64
	Name   string `db:"size:120,index"`
	Albums orm.Many[Album]
}

// Album is a record.
type Album struct {
	ID       int64
	Title    string `db:"size:160,index"`
	ArtistID int64
	Artist   orm.One[Artist] // by ArtistID
	GenreID  int64           // that of its first track
	Genre    orm.One[Genre]
	Tracks   orm.Many[Track]
}

// Track is a part of an album, and what is sold.
type Track struct {
	ID           int64
	Name         string `db:"size:200"`
	AlbumID      int64
	Album        orm.One[Album]
	MediaTypeID  int64
	MediaType    orm.One[MediaType]
	GenreID      int64
	Genre        orm.One[Genre]
	Composer     string `db:"size:220,null"` // NULL is read as ""
	Milliseconds int
	Bytes        int64
	UnitPrice    orm.Decimal              `db:"precision:10,scale:2"` // exact, as money has to be
	Playlists    orm.ManyToMany[Playlist] `db:"through:playlist_tracks"`
}

// Playlist is a selection of tracks.
type Playlist struct {
	ID     int64
	Name   string                `db:"size:120"`
	Tracks orm.ManyToMany[Track] `db:"through:playlist_tracks"`
}

// PlaylistTrack says that a track is on a playlist. The table would be made without a model too; with one, rows can be
// created many at a time, and counted. Its key has two columns.
type PlaylistTrack struct {
	PlaylistID int64 `db:"pk,references:playlists.id,on_delete:cascade"`
	TrackID    int64 `db:"pk,index,references:tracks.id,on_delete:cascade"`
}

// Contact is the columns that employees and customers have in common: an embedded struct is part of the table.
type Contact struct {
	Address    string `db:"size:70,null"`
	City       string `db:"size:40,null"`
	State      string `db:"size:40,null"`
	Country    string `db:"size:40,null"`
	PostalCode string `db:"size:10,null"`
	Phone      string `db:"size:24,null"`
	Fax        string `db:"size:24,null"`
	Email      string `db:"size:60"`
}

// Employee works here, and reports to another one.
type Employee struct {
	ID          int64
	LastName    string `db:"size:20"`
	FirstName   string `db:"size:20"`
	Title       string `db:"size:30"`
	ReportsToID *int64 // a pointer may be NULL
	ReportsTo   orm.One[Employee]
	BirthDate   time.Time
	HireDate    time.Time
	Contact
	Reports   orm.Many[Employee] `db:"fk:reports_to_id"`
	Customers orm.Many[Customer] `db:"fk:support_rep_id"`
}

// Customer buys.
type Customer struct {
	ID        int64
	FirstName string `db:"size:40"`
	LastName  string `db:"size:20"`
	Company   string `db:"size:80,null"`
	Contact
	SupportRepID *int64
	SupportRep   orm.One[Employee]
	Invoices     orm.Many[Invoice]
}

// Invoice is a sale: one of Chinook's, to a customer, or an order that came over the API, from who knows whom.
type Invoice struct {
	ID         int64
	Number     *string `db:"size:36,unique"` // a UUID, by which an order is asked for; Chinook's sales have none
	CustomerID *int64
	Customer   orm.One[Customer]
	Date       time.Time   `db:"index"`
	Address    string      `db:"size:70,null"`
	City       string      `db:"size:40,null"`
	State      string      `db:"size:40,null"`
	Country    string      `db:"size:40,null"`
	PostalCode string      `db:"size:10,null"`
	Total      orm.Decimal `db:"precision:10,scale:2"`
	Lines      orm.Many[InvoiceLine]
}

// InvoiceLine is one track sold.
type InvoiceLine struct {
	ID        int64
	InvoiceID int64
	Invoice   orm.One[Invoice] `db:"on_delete:cascade"`
	TrackID   int64
	Track     orm.One[Track]
	UnitPrice orm.Decimal `db:"precision:10,scale:2"`
	Quantity  int
}

// register makes the models known to migrations.
func register(db *orm.DB) {
	orm.Register[Genre](db)
	orm.Register[MediaType](db)
	orm.Register[Artist](db)
	orm.Register[Album](db)
	orm.Register[Track](db)
	orm.Register[Playlist](db)
	orm.Register[PlaylistTrack](db)
	orm.Register[Employee](db)
	orm.Register[Customer](db)
	orm.Register[Invoice](db)
	orm.Register[InvoiceLine](db)
	orm.Register[Member](db) // see accounts.go
}
