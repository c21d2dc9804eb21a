package migrate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa/orm"
)

// Options say where migrations are. The zero value is the folder "migrations" in the working directory.
type Options struct {
	Dir string // "migrations" if empty; Create writes there
	FS  fs.FS  // where migrations are read from instead, such as an embedded folder; with Dir too, Create reads and writes Dir
	Go  []Code // migrations in Go, among those of the folder by their versions

	Now func() time.Time // nil is time.Now
}

// Code is a migration in Go, for data that SQL alone cannot change. It runs in one transaction with its record.
type Code struct {
	Version string // its place in the order, like those of files: 20060102150405
	Name    string
	Up      func(ctx context.Context, tx *orm.Tx) error
	Down    func(ctx context.Context, tx *orm.Tx) error // nil if it cannot be taken back
}

// Migrations are the migrations of a folder and the database that they are for.
type Migrations struct {
	db     *orm.DB
	o      Options
	fsys   fs.FS
	source fs.FS // what Create goes on from; nil if there is no folder to write to
}

// New returns the migrations of a database. Register its models before: they are what Create and Check compare with.
func New(db *orm.DB, o Options) *Migrations {
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Migrations{db: db, fsys: o.FS}
	if o.Dir == "" && o.FS == nil {
		o.Dir = "migrations"
	}
	if o.Dir != "" {
		m.source = os.DirFS(o.Dir)
	}
	if m.fsys == nil {
		m.fsys = m.source
	}
	m.o = o
	return m
}

// CreateOptions change what Create does.
type CreateOptions struct {
	Renames          []Rename
	AllowDestructive bool // write statements that throw data away
	Empty            bool // write a file without statements, for a person to fill
	// Ask is asked whether a column that is gone is the one that came; nil asks nobody, and takes them for two.
	Ask func(question string) (bool, error)
}

// Created says what Create wrote.
type Created struct {
	File  string // "" if there was nothing to write
	Notes []string
	Up    []string
}

// ErrDestructive is the error of Create for a change that throws data away.
var ErrDestructive = errors.New("the change throws data away")

var migrationName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Create writes a migration from the state that the last one left to the models as they are now. It needs no
// connection. With nothing to change it writes nothing.
func (m *Migrations) Create(ctx context.Context, name string, o CreateOptions) (Created, error) {
	var out Created
	name = strings.ToLower(strings.NewReplacer(" ", "_", "-", "_").Replace(name))
	if !migrationName.MatchString(name) || len(name) > 200 {
		return out, fmt.Errorf("migrate: %q is no name for a migration: use letters, digits and underscores", name)
	}
	if m.source == nil {
		return out, errors.New("migrate: migrations are read from an embedded folder: give Options.Dir too, the folder itself, to create them in")
	}
	from, err := saved(m.source, m.db.Dialect())
	if err != nil {
		return out, err
	}
	to := wanted(m.db)
	if o.Empty {
		return out, m.write(&out, name, plan{}, nil)
	}
	renames, err := m.renames(from, to, o)
	if err != nil {
		return out, err
	}
	p, err := planned(ctx, from, to, renames, m.o.Now())
	if err != nil || len(p.up) == 0 {
		return out, err
	}
	if len(p.losses) > 0 && !o.AllowDestructive {
		hint := ""
		if list := candidates(from, to); len(list) > 0 {
			hint = fmt.Sprintf("; if it only has another name, say so: --rename %s", list[0])
		}
		return out, fmt.Errorf("migrate: %w: %s. Say --allow-destructive if that is meant%s", ErrDestructive, strings.Join(p.losses, ", "), hint)
	}
	out.Up, out.Notes = p.up, p.notes
	return out, m.write(&out, name, p, &to)
}

// String writes a rename as the command line has it.
func (r Rename) String() string {
	if r.Column == "" {
		return r.Table + ":" + r.To
	}
	return r.Table + "." + r.Column + ":" + r.To
}

// ParseRename reads what String writes: "users.name:full_name", or "users:people" for a table.
func ParseRename(text string) (Rename, error) {
	from, to, ok := strings.Cut(text, ":")
	t, c, _ := strings.Cut(from, ".")
	if !ok || t == "" || to == "" {
		return Rename{}, fmt.Errorf("migrate: the rename %q: write TABLE.COLUMN:NEW, or TABLE:NEW", text)
	}
	return Rename{Table: t, Column: c, To: to}, nil
}

// renames are those that were told, and those that a person confirms.
func (m *Migrations) renames(from, to state, o CreateOptions) ([]Rename, error) {
	list := o.Renames
	if o.Ask == nil {
		return list, nil
	}
	taken := map[string]bool{}
	for _, r := range list {
		taken[r.Table+"."+r.Column], taken[r.Table+"."+r.To] = true, true
	}
	for _, r := range candidates(from, to) {
		if taken[r.Table+"."+r.Column] || taken[r.Table+"."+r.To] {
			continue
		}
		yes, err := o.Ask(fmt.Sprintf("Was %s renamed to %s?", strings.TrimSuffix(r.Table+"."+r.Column, "."), r.To))
		if err != nil {
			return nil, err
		}
		if yes {
			list = append(list, r)
			taken[r.Table+"."+r.Column], taken[r.Table+"."+r.To] = true, true
		}
	}
	return list, nil
}

// write writes the file, and the state that it leads to.
func (m *Migrations) write(out *Created, name string, p plan, to *state) error {
	if err := os.MkdirAll(m.o.Dir, 0o755); err != nil {
		return err
	}
	list, err := files(m.source, m.o.Go)
	if err != nil {
		return err
	}
	at := m.o.Now().UTC()
	version := at.Format("20060102150405")
	for len(list) > 0 && version <= list[len(list)-1].version { // two within a second keep their order
		last, err := time.Parse("20060102150405", list[len(list)-1].version)
		if err != nil {
			return fmt.Errorf("migrate: %s does not begin with a time, so no version comes after it", list[len(list)-1].title())
		}
		version = last.Add(time.Second).Format("20060102150405")
	}
	out.File = filepath.Join(m.o.Dir, version+"_"+name+".sql")
	if err := writeFile(out.File, []byte(format(p.notes, p.up, p.down))); err != nil {
		return err
	}
	if to == nil {
		return nil
	}
	return to.save(m.o.Dir)
}

// Status is what is known about one migration.
type Status struct {
	Version   string    `json:"version"`
	Name      string    `json:"name"`
	State     string    `json:"state"` // applied, pending, partial, changed (since it was applied) or missing (its file)
	AppliedAt time.Time `json:"applied_at,omitzero"`
}

// Status lists the migrations of the folder, and those that the database has and the folder has not.
func (m *Migrations) Status(ctx context.Context) ([]Status, error) {
	list, err := files(m.fsys, m.o.Go)
	if err != nil {
		return nil, err
	}
	applied, err := m.applied(ctx)
	if err != nil {
		return nil, err
	}
	var out []Status
	for _, x := range list {
		s := Status{Version: x.version, Name: x.name, State: "pending"}
		if r, ok := applied[x.version]; ok {
			s.State, s.AppliedAt = r.state(x), r.at
			delete(applied, x.version)
		}
		out = append(out, s)
	}
	for version, r := range applied {
		out = append(out, Status{Version: version, Name: r.name, State: "missing", AppliedAt: r.at})
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.Version, b.Version) })
	return out, nil
}
