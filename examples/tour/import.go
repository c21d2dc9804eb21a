package main

import (
	"bufio"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ishaa-framework/ishaa/orm"
)

// The Chinook database is part of the program, as JSON: for each table its name and its number of rows, and then the
// rows. The import is all or nothing: it runs in one transaction.

//go:embed data/chinook.ndjson.gz
var chinook string

// rowsOfChinook is how many rows there are in all tables together.
const rowsOfChinook = 15607

// atOnce is how many rows are read before they are inserted; CreateMany puts as many into a statement as the engine takes.
const atOnce = 1000

// tableHead is the line before the rows of a table.
type tableHead struct {
	Table string `json:"table"`
	Rows  int    `json:"rows"`
}

// loaders create rows of each table.
var loaders = map[string]func(context.Context, *orm.Tx, *json.Decoder, int, func(int)) error{
	"Genre":         load[Genre],
	"MediaType":     load[MediaType],
	"Artist":        load[Artist],
	"Album":         load[Album],
	"Track":         load[Track],
	"Playlist":      load[Playlist],
	"PlaylistTrack": load[PlaylistTrack],
	"Employee":      load[Employee],
	"Customer":      load[Customer],
	"Invoice":       load[Invoice],
	"InvoiceLine":   load[InvoiceLine],
}

// importChinook fills the tables, unless they are.
func importChinook(ctx context.Context, tx *orm.Tx, show *progress) error {
	if filled, err := orm.Of[Genre](tx).Query().Exists(ctx); filled || err != nil {
		return err
	}
	in, err := openChinook()
	if err != nil {
		return err
	}
	defer show.end()
	for {
		var head tableHead
		if err := in.Decode(&head); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("the embedded data: %w", err)
		}
		load := loaders[head.Table]
		if load == nil {
			return fmt.Errorf("the embedded data: there is no table %q", head.Table)
		}
		show.begin(head.Table)
		if err := load(ctx, tx, in, head.Rows, show.add); err != nil {
			return fmt.Errorf("importing %s: %w", head.Table, err)
		}
	}
}

// load creates the rows of one table, a thousand at once.
func load[T any](ctx context.Context, tx *orm.Tx, in *json.Decoder, count int, done func(rows int)) error {
	rows := orm.Of[T](tx)
	for count > 0 {
		batch := make([]T, min(count, atOnce))
		for i := range batch {
			if err := in.Decode(&batch[i]); err != nil {
				return err
			}
		}
		if err := rows.CreateMany(ctx, batch); err != nil {
			return err
		}
		count -= len(batch)
		done(len(batch))
	}
	return nil
}

func openChinook() (*json.Decoder, error) {
	unpacked, err := gzip.NewReader(strings.NewReader(chinook))
	if err != nil {
		return nil, fmt.Errorf("the embedded data: %w", err)
	}
	in := json.NewDecoder(bufio.NewReaderSize(unpacked, 64<<10))
	in.DisallowUnknownFields()
	return in, nil
}

// progress shows how far the import is: as a bar on a terminal, elsewhere as a line for each table. A nil one shows nothing.
type progress struct {
	out      io.Writer
	terminal bool

	table   string
	inTable int
	done    int
}

// showProgress shows it on a file: a terminal or something else.
func showProgress(out *os.File) *progress {
	info, err := out.Stat()
	return &progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) begin(table string) {
	if p == nil {
		return
	}
	p.closeTable()
	p.table, p.inTable = table, 0
}

func (p *progress) add(rows int) {
	if p == nil {
		return
	}
	p.done, p.inTable = p.done+rows, p.inTable+rows
	if p.terminal {
		const width = 30
		full := width * min(p.done, rowsOfChinook) / rowsOfChinook
		fmt.Fprintf(p.out, "\rimporting [%s%s] %5d of %d rows  %-13s", strings.Repeat("#", full), strings.Repeat(".", width-full), p.done, rowsOfChinook, p.table)
	}
}

func (p *progress) end() {
	if p == nil {
		return
	}
	p.closeTable()
	if p.terminal {
		fmt.Fprintln(p.out)
	}
}

func (p *progress) closeTable() {
	if !p.terminal && p.table != "" {
		fmt.Fprintf(p.out, "imported %s: %d rows\n", p.table, p.inTable)
	}
	p.table = ""
}
