package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/migrate"
)

// migration is one step of the schema: a file of SQL, or code.
type migration struct {
	version  string // its place in the order
	name     string
	file     string // "" for code
	checksum string
	up, down []string
	code     *Code
}

const (
	upMark   = "-- migrate: up"
	downMark = "-- migrate: down"
)

var fileName = regexp.MustCompile(`^(\d{4,14})_([a-z0-9_]+)\.sql$`)

// files reads the migrations of a folder, in order.
func files(fsys fs.FS, code []Code) ([]migration, error) {
	entries, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	var list []migration
	for _, name := range entries {
		parts := fileName.FindStringSubmatch(name)
		if parts == nil {
			return nil, fmt.Errorf("migrate: the file %s is not called like a migration: 20060102150405_what_it_does.sql", name)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		m := migration{version: parts[1], name: parts[2], file: name, checksum: checksum(text)}
		if m.up, m.down, err = parse(name, string(text)); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	for i := range code {
		c := &code[i]
		if !regexp.MustCompile(`^\d{4,14}$`).MatchString(c.Version) || c.Name == "" || c.Up == nil {
			return nil, fmt.Errorf("migrate: the Go migration %q %q needs a version like 20060102150405, a name and Up", c.Version, c.Name)
		}
		list = append(list, migration{version: c.Version, name: c.Name, code: c})
	}
	slices.SortStableFunc(list, func(a, b migration) int { return strings.Compare(a.version, b.version) })
	for i := 1; i < len(list); i++ {
		if list[i].version == list[i-1].version {
			return nil, fmt.Errorf("migrate: %s and %s have the same version %s: rename one file", list[i-1].title(), list[i].title(), list[i].version)
		}
	}
	return list, nil
}

func (m migration) title() string {
	if m.file != "" {
		return m.file
	}
	return m.version + "_" + m.name + " (Go)"
}

// checksum ignores how lines end, which version control may change.
func checksum(text []byte) string {
	sum := sha256.Sum256([]byte(strings.ReplaceAll(string(text), "\r\n", "\n")))
	return hex.EncodeToString(sum[:])
}

// parse splits a file into the statements up and down.
func parse(name, text string) (up, down []string, err error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	before, after, ok := strings.Cut(text, upMark)
	if !ok || strings.TrimSpace(withoutComments(before)) != "" {
		return nil, nil, fmt.Errorf("migrate: %s: the statements begin after a line %q, and those to take them back after %q", name, upMark, downMark)
	}
	upText, downText, _ := strings.Cut(after, downMark)
	for _, part := range []struct {
		text string
		into *[]string
	}{{upText, &up}, {downText, &down}} {
		statements, err := migrate.Stmts(part.text)
		if err != nil {
			return nil, nil, fmt.Errorf("migrate: %s: %w", name, err)
		}
		for _, s := range statements {
			*part.into = append(*part.into, s.Text)
		}
	}
	return up, down, nil
}

func withoutComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// format writes a file.
func format(notes []string, up, down []string) string {
	var b strings.Builder
	for _, n := range notes {
		b.WriteString("-- " + n + "\n")
	}
	write := func(mark string, list []string) {
		b.WriteString(mark + "\n")
		for _, s := range list {
			b.WriteString(strings.TrimRight(s, "; \n") + ";\n")
		}
	}
	write(upMark, up)
	b.WriteString("\n")
	write(downMark, down)
	return b.String()
}
