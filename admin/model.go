package admin

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/ishaa-framework/ishaa/auth"
	"github.com/ishaa-framework/ishaa/internal/typo"
	"github.com/ishaa-framework/ishaa/orm"
)

// model is a registered model: what the ORM says of its table, what tags say of its fields, and what the options of Register
// say of how it is shown.
type model struct {
	panel  *Panel
	rows   rows
	table  orm.Table
	typ    reflect.Type
	slug   string // its name in addresses: the table's
	one    string // "Order line"
	many   string // "Order lines"
	fields []*field
	key    []*field
	named  map[string]*field // by Go name and by lookup

	list      []*field
	sortable  map[*field]bool
	order     []string
	search    []searched
	filters   []*field
	form      []*field
	ties      []*tie
	inlines   []*inline
	actions   []*action
	title     func(row any) string
	scope     func(ctx context.Context, who *auth.Identity) []any
	pageSize  int
	noCopy    bool
	noActions map[Action]bool
}

// tie is a relation of many to many that is edited with the row.
type tie struct {
	relation orm.Relation
	name     string
	label    string
	readOnly bool
}

// tie is the relation of many to many of a name, or nil.
func (m *model) tie(name string) *tie {
	for _, t := range m.ties {
		if t.relation.Field == name || t.name == name {
			return t
		}
	}
	return nil
}

func describe(panel *Panel, t reflect.Type, r rows, known func()) (m *model, err error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%s is no model: a model is a struct", t)
	}
	known()
	tables := panel.db.Tables()
	i := slices.IndexFunc(tables, func(x orm.Table) bool { return x.Type == t })
	if i < 0 {
		return nil, fmt.Errorf("the ORM does not know %s", t)
	}
	m = &model{
		panel: panel, rows: r, table: tables[i], typ: t, slug: tables[i].Name, named: map[string]*field{}, sortable: map[*field]bool{},
		pageSize: 50, noActions: map[Action]bool{},
	}
	m.one, m.many = words(m.table.Model), words(m.table.Name)
	for _, c := range m.table.Columns {
		f, err := m.field(c)
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, f)
		m.named[c.Field], m.named[c.Lookup] = f, f
	}
	for _, name := range m.table.Key {
		i := slices.IndexFunc(m.fields, func(f *field) bool { return f.column.Name == name })
		m.key = append(m.key, m.fields[i])
	}
	for _, fk := range m.table.ForeignKeys {
		for _, f := range m.fields {
			if len(fk.Columns) == 1 && f.column.Name == fk.Columns[0] {
				f.target = fk.Table
				f.label = strings.TrimSuffix(f.label, " ID")
			}
		}
	}
	for _, relation := range m.table.Relations {
		if relation.Kind == "many to many" {
			m.ties = append(m.ties, &tie{relation: relation, name: relation.Lookup, label: words(relation.Field)})
		}
	}
	return m, nil
}

func (m *model) field(c orm.Column) (*field, error) {
	s, ok := m.typ.FieldByName(c.Field)
	if !ok {
		return nil, fmt.Errorf("%s.%s is hidden by another field of its name", m.table.Model, c.Field)
	}
	f := &field{column: c, at: s.Index, name: c.Lookup, label: words(c.Field)}
	rules, err := m.panel.schemas.Field(m.typ, s)
	if err != nil {
		return nil, err
	}
	f.rules, f.help, f.secret = rules, rules.Doc, rules.Secret
	s.Tag = ""
	if f.loose, err = m.panel.schemas.Field(m.typ, s); err != nil {
		return nil, err
	}
	f.readOnly = c.Auto || c.AutoTime || c.Kind == "bytes" || c.Name == m.table.Version || c.Name == m.table.SoftDelete
	f.indexed = c.Unique || m.table.Key[0] == c.Name
	for _, x := range m.table.Indexes {
		f.indexed = f.indexed || x.Columns[0] == c.Name
	}
	return f, nil
}

// finish settles what the options left open.
func (m *model) finish() error {
	if m.form == nil {
		m.form = slices.DeleteFunc(slices.Clone(m.fields), func(f *field) bool { return f.secret })
		slices.SortStableFunc(m.form, func(a, b *field) int { return cmp.Compare(later(a), later(b)) })
	}
	m.form = slices.DeleteFunc(m.form, func(f *field) bool { return f.secret })
	if m.list == nil {
		for _, f := range m.fields {
			if !f.secret && f.column.Kind != "json" && f.column.Kind != "bytes" && len(m.list) < 6 && !f.column.AutoTime {
				m.list = append(m.list, f)
			}
		}
	}
	for _, f := range m.fields {
		if f.indexed && f.column.Kind != "json" {
			m.sortable[f] = true
		}
	}
	if m.title == nil {
		m.title = m.defaultTitle()
	}
	if len(m.order) == 0 && len(m.key) == 1 && m.key[0].column.Auto {
		m.order = []string{"-" + m.key[0].name}
	}
	if err := m.rows.mistake(m.panel.db, question{order: m.order}); err != nil {
		return err
	}
	for _, s := range m.search {
		if err := m.rows.mistake(m.panel.db, question{where: []any{s.path + "__contains", "x"}}); err != nil {
			return fmt.Errorf("Search(%q): %w", s.path, err)
		}
	}
	for _, in := range m.inlines {
		if err := in.finish(m); err != nil {
			return err
		}
	}
	return nil
}

// later puts what cannot be changed behind what can.
func later(f *field) int {
	if f.readOnly {
		return 1
	}
	return 0
}

// find returns a field by its Go name, or says what was probably meant.
func (m *model) find(name string) (*field, error) {
	if f := m.named[name]; f != nil {
		return f, nil
	}
	for _, r := range m.table.Relations { // a relation stands for its key
		if r.Kind == "belongs to" && (r.Field == name || r.Lookup == name) {
			for _, f := range m.fields {
				if f.column.Name == r.Local {
					return f, nil
				}
			}
		}
	}
	known := func(yield func(string) bool) {
		for _, f := range m.fields {
			if !yield(f.column.Field) {
				return
			}
		}
	}
	if near := typo.Nearest(name, known); near != "" {
		return nil, fmt.Errorf("%s has no field %q; did you mean %q?", m.table.Model, name, near)
	}
	return nil, fmt.Errorf("%s has no field %q", m.table.Model, name)
}

func (m *model) findAll(names []string) ([]*field, error) {
	list := []*field{}
	for _, name := range names {
		f, err := m.find(name)
		if err != nil {
			return nil, err
		}
		if f.secret {
			return nil, fmt.Errorf("%s.%s is secret: it is never shown", m.table.Model, f.column.Field)
		}
		list = append(list, f)
	}
	return list, nil
}

// defaultTitle is what a row is called where it stands in a line of text.
func (m *model) defaultTitle() func(any) string {
	if reflect.PointerTo(m.typ).Implements(reflect.TypeFor[fmt.Stringer]()) {
		return func(row any) string { return row.(fmt.Stringer).String() }
	}
	for _, name := range []string{"Name", "Title", "Label", "Email", "Number", "Code", "Slug"} {
		if f := m.named[name]; f != nil && f.column.Kind == "text" && !f.secret {
			return func(row any) string { return f.text(reflect.ValueOf(row).Elem()) }
		}
	}
	return func(any) string { return "" }
}

// called is a row's title, never empty.
func (m *model) called(row any) string {
	if title := strings.TrimSpace(m.title(row)); title != "" {
		return clip(title, 120)
	}
	return m.one + " " + m.keyText(row)
}

// A key in an address has letters, digits and "_"; everything else is "~" and two digits, and "~~" stands between the columns
// of a key that has several. So whatever a key holds, it is one segment of a path that no proxy changes, and the empty text,
// which is "~", is one too.
func (m *model) keyOf(row any) string {
	v := reflect.ValueOf(row).Elem()
	var b strings.Builder
	for i, f := range m.key {
		if i > 0 {
			b.WriteString("~~")
		}
		b.WriteString(escapeKey(f.text(v)))
	}
	if b.Len() == 0 {
		return "~"
	}
	return b.String()
}

// keyText is a row's key for people.
func (m *model) keyText(row any) string {
	v := reflect.ValueOf(row).Elem()
	var parts []string
	for _, f := range m.key {
		parts = append(parts, f.text(v))
	}
	return strings.Join(parts, ", ")
}

func escapeKey(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	return b.String()
}

func unescapeKey(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '~' {
			b.WriteByte(text[i])
			continue
		}
		if i+2 >= len(text) {
			return "", false
		}
		c, err := hex.DecodeString(text[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(c)
		i += 2
	}
	return b.String(), true
}

// byKey is the condition for the row of a key from an address, and false for what can be no key of the model.
func (m *model) byKey(text string) ([]any, bool) {
	if text == "~" {
		text = ""
	}
	parts := strings.Split(text, "~~")
	if len(parts) != len(m.key) {
		return nil, false
	}
	probe := reflect.New(m.typ).Elem()
	var where []any
	for i, f := range m.key {
		part, ok := unescapeKey(parts[i])
		if !ok || part == "" && f.column.Kind != "text" || part != "" && f.parse(probe, part) != "" {
			return nil, false
		}
		where = append(where, f.name, probe.FieldByIndex(f.at).Interface())
	}
	return where, true
}

// conflictFields are the fields whose columns a database error names.
func (m *model) conflictFields(columns []string) []*field {
	var list []*field
	for _, f := range m.fields {
		if slices.Contains(columns, f.column.Name) {
			list = append(list, f)
		}
	}
	return list
}

// words makes a label of a name in Go or in the database: "OrderLine" and "order_line" are "Order line", "ID" stays.
func words(name string) string {
	runes := []rune(name)
	upper := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsUpper(runes[i]) }
	var list []string
	start := 0
	for i := 1; i <= len(runes); i++ {
		boundary := i == len(runes) || runes[i] == '_' || upper(i) && (!upper(i-1) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if !boundary {
			continue
		}
		word := strings.Trim(string(runes[start:i]), "_")
		start = i
		if word == "" {
			continue
		}
		if len(word) == 1 || strings.ToUpper(word) != word {
			word = strings.ToLower(word)
		}
		list = append(list, word)
	}
	text := []rune(strings.Join(list, " "))
	if len(text) > 0 {
		text[0] = unicode.ToUpper(text[0])
	}
	return string(text)
}

func clip(s string, n int) string {
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

// connect makes sure, once all models are known, that what refers to others can be shown.
func (m *model) connect() error {
	m.ties = slices.DeleteFunc(m.ties, func(t *tie) bool {
		other := m.panel.bySlug[t.relation.Table]
		return other == nil || len(other.key) != 1
	})
	for _, in := range m.inlines {
		if err := in.connect(m); err != nil {
			return err
		}
	}
	for _, a := range m.actions {
		if err := a.connect(m); err != nil {
			return err
		}
	}
	return nil
}
