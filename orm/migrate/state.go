package migrate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/ishaa-framework/ishaa/orm"
)

// state is the tables that the migrations of a folder lead to, kept beside them in schema.json. Comparing it with the
// models needs no database.
type state struct {
	Dialect string  `json:"dialect"`
	Tables  []table `json:"tables"`
}

type table struct {
	Name        string           `json:"name"`
	Columns     []column         `json:"columns"`
	Key         []string         `json:"key"`
	Indexes     []orm.Index      `json:"indexes,omitempty"`
	ForeignKeys []orm.ForeignKey `json:"foreign_keys,omitempty"`
}

type column struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Null    bool   `json:"null,omitempty"`
	Auto    bool   `json:"auto,omitempty"`
	Default string `json:"default,omitempty"`
}

const stateFile = "schema.json"

// wanted is the state that the models of a database describe.
func wanted(db *orm.DB) state {
	s := state{Dialect: db.Dialect()}
	for _, t := range db.Tables() {
		if t.Aside {
			continue
		}
		out := table{Name: t.Name, Key: t.Key, Indexes: t.Indexes, ForeignKeys: t.ForeignKeys}
		for _, c := range t.Columns {
			out.Columns = append(out.Columns, column{Name: c.Name, Type: c.Type, Null: c.Null, Auto: c.Auto, Default: c.DefaultSQL})
		}
		s.Tables = append(s.Tables, out)
	}
	return s
}

// saved reads the state of a folder; one without migrations is empty.
func saved(fsys fs.FS, dialect string) (state, error) {
	text, err := fs.ReadFile(fsys, stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return state{Dialect: dialect}, nil
	}
	var s state
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("migrate: reading %s, which the models are compared with: %w", stateFile, err)
	}
	if s.Dialect != dialect {
		return s, fmt.Errorf("migrate: the migrations in this folder are for %s, the database is %s: keep a folder for each", s.Dialect, dialect)
	}
	return s, nil
}

// save writes the state to a folder, all or nothing.
func (s state) save(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, stateFile), append(text, '\n'))
}

func writeFile(name string, text []byte) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

func (s state) table(name string) *table {
	i := slices.IndexFunc(s.Tables, func(t table) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Tables[i]
}

func (t *table) column(name string) *column {
	i := slices.IndexFunc(t.Columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Columns[i]
}

// clone copies what renaming changes.
func (s state) clone() state {
	text, _ := json.Marshal(s)
	var out state
	_ = json.Unmarshal(text, &out)
	return out
}
