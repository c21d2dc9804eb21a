package admin

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ishaa-framework/ishaa/orm"
	"github.com/ishaa-framework/ishaa/schema"
)

// field is one column of a model as the panel sees it: how its value is written for people and files, and how a text
// becomes a value again. Both directions agree: what text gives, parse takes.
type field struct {
	column   orm.Column
	at       []int // where it is in the struct
	rules    *schema.Field
	loose    *schema.Field // its type alone
	name     string        // in addresses, forms and files
	label    string
	help     string
	target   string // the table whose key it holds, or ""
	secret   bool   // never shown, never written
	readOnly bool   // shown only
	indexed  bool   // an index begins with it
}

var (
	valuerType    = reflect.TypeFor[driver.Valuer]()
	scannerType   = reflect.TypeFor[sql.Scanner]()
	marshalText   = reflect.TypeFor[encoding.TextMarshaler]()
	durationType  = reflect.TypeFor[time.Duration]()
	timeType      = reflect.TypeFor[time.Time]()
	errNotAChoice = errors.New("is none of the choices")
)

const (
	required  = "is required"
	dayForm   = "2006-01-02"
	timeForm  = "2006-01-02 15:04:05"
	inputForm = "2006-01-02T15:04:05" // what <input type="datetime-local"> takes
)

// inner returns the value within pointers, and false if there is none.
func (f *field) inner(row reflect.Value) (reflect.Value, bool) {
	v := row.FieldByIndex(f.at)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return v, false
		}
		v = v.Elem()
	}
	return v, true
}

// empty reports whether the value is NULL in the database.
func (f *field) empty(row reflect.Value) bool {
	v, ok := f.inner(row)
	if !ok {
		return true
	}
	if valuer, ok := v.Interface().(driver.Valuer); ok && !plain(v.Type()) {
		x, err := valuer.Value()
		return err == nil && x == nil
	}
	return f.column.Null && v.IsZero() // an option null: zero is stored as NULL
}

// plain reports whether a type is one that the ORM stores itself, whatever its methods.
func plain(t reflect.Type) bool { return t == timeType || !t.Implements(valuerType) }

// text is the value as text, "" if it is empty. Times are in UTC.
func (f *field) text(row reflect.Value) string {
	v, ok := f.inner(row)
	if !ok || f.empty(row) && f.column.Kind != "bool" {
		return ""
	}
	return f.textOf(v)
}

func (f *field) textOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Time:
		if f.column.Kind == "date" {
			return x.UTC().Format(dayForm)
		}
		return x.UTC().Format(timeForm + fraction(x))
	case time.Duration:
		return x.String()
	case orm.Decimal:
		if x == "" {
			return "0"
		}
		return string(x)
	}
	switch f.column.Kind {
	case "json":
		data, err := json.Marshal(v.Interface())
		if err != nil {
			return ""
		}
		return string(data)
	case "bytes":
		if v.Kind() == reflect.Slice {
			return base64.StdEncoding.EncodeToString(v.Bytes())
		}
	case "uuid":
		if v.Kind() == reflect.Array {
			return uuidText(v)
		}
	}
	if valuer, ok := v.Interface().(driver.Valuer); ok {
		return driverText(valuer)
	}
	if marshaler, ok := v.Interface().(encoding.TextMarshaler); ok && v.Type().Implements(marshalText) {
		data, err := marshaler.MarshalText()
		if err != nil {
			return ""
		}
		return string(data)
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case reflect.String:
		return v.String()
	}
	return fmt.Sprint(v.Interface())
}

// fraction is the form of a time's microseconds, if it has any.
func fraction(t time.Time) string {
	if t.Nanosecond() == 0 {
		return ""
	}
	return ".999999"
}

func uuidText(v reflect.Value) string {
	var id [16]byte
	reflect.Copy(reflect.ValueOf(&id).Elem(), v)
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func driverText(valuer driver.Valuer) string {
	x, err := valuer.Value()
	switch x := x.(type) {
	case nil:
		return ""
	case time.Time:
		return x.UTC().Format(timeForm + fraction(x))
	case []byte:
		return string(x)
	default:
		if err != nil {
			return ""
		}
		return fmt.Sprint(x)
	}
}

// set makes a text the value of a row. The result says to a person why it does not fit, or is "". A text that says what
// is there already changes nothing, not even what the text does not show.
func (f *field) set(row reflect.Value, text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n") // as browsers send the lines of a textarea
	if strings.ReplaceAll(f.text(row), "\r\n", "\n") == text && text != "" {
		return f.check(row)
	}
	if v, ok := f.inner(row); ok && v.Type() == timeType { // a form shows seconds
		was := v.Interface().(time.Time)
		if t, ok := parseTime(text); ok && t.Nanosecond() == 0 && t.Equal(was.Truncate(time.Second)) {
			return f.check(row)
		}
	}
	return f.parse(row, text)
}

// check holds what a row has to the rules of the model.
func (f *field) check(row reflect.Value) string {
	v := row.FieldByIndex(f.at)
	if f.rules == nil || f.empty(row) || !f.rules.Type.Textual() {
		return ""
	}
	if list := f.rules.Type.Validate(v); len(list) > 0 {
		return list[0].Message
	}
	return ""
}

func (f *field) parse(row reflect.Value, text string) string {
	v := row.FieldByIndex(f.at)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "is no text"
	}
	if text == "" {
		if message, done := f.parseEmpty(v); done {
			return message
		}
	}
	if f.column.Size > 0 && f.column.Kind == "text" && utf8.RuneCountInString(text) > f.column.Size {
		return fmt.Sprintf("is longer than %d characters", f.column.Size)
	}
	if f.column.Enum != nil && !contains(f.column.Enum, text) {
		return errNotAChoice.Error()
	}
	target := reflect.New(v.Type()).Elem()
	place := target
	for place.Kind() == reflect.Pointer {
		place.Set(reflect.New(place.Type().Elem()))
		place = place.Elem()
	}
	if message := f.parseInto(target, place, text); message != "" {
		return message
	}
	if f.rules != nil && f.rules.Type.Textual() {
		if list := f.rules.Type.Validate(target); len(list) > 0 {
			return list[0].Message
		}
	}
	v.Set(target)
	return ""
}

// parseEmpty sets what an empty text means; false if it is a text like others.
func (f *field) parseEmpty(v reflect.Value) (message string, done bool) {
	must := f.rules != nil && f.rules.Required
	switch {
	case f.column.Kind == "bool" && !f.column.Null: // a box without its mark
		v.SetBool(false)
		return "", true
	case must:
		return required, true
	case f.column.Null:
		v.SetZero()
		return "", true
	case f.column.Kind != "text" || f.column.Enum != nil:
		return required, true
	}
	return "", false
}

// parseInto parses by the column's kind. Target is the whole field, place what is behind its pointers.
func (f *field) parseInto(target, place reflect.Value, text string) string {
	if !plain(place.Type()) && place.Addr().Type().Implements(scannerType) {
		x, message := f.driverValue(text)
		if message == "" && place.Addr().Interface().(sql.Scanner).Scan(x) != nil {
			message = "is not of the right kind"
		}
		return message
	}
	switch {
	case place.Type() == timeType:
		t, ok := parseTime(text)
		if !ok {
			return "is no date and time like 2026-01-31 12:00:00"
		}
		place.Set(reflect.ValueOf(t))
		return ""
	case place.Type() == durationType:
		d, err := time.ParseDuration(text)
		if err != nil {
			return "is no duration like 1h30m"
		}
		place.SetInt(int64(d))
		return ""
	}
	switch f.column.Kind {
	case "bool":
		b, ok := parseBool(text)
		if !ok {
			return "is neither true nor false"
		}
		place.SetBool(b)
		return ""
	case "json":
		if json.Unmarshal([]byte(text), place.Addr().Interface()) != nil {
			return "is no JSON that fits"
		}
		return ""
	case "bytes":
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "is no base64"
		}
		place.SetBytes(data)
		return ""
	case "uuid":
		return parseUUID(place, text)
	case "decimal":
		d, err := orm.ParseDecimal(strings.TrimSpace(text))
		if err != nil {
			return "is no decimal number like 12.50"
		}
		place.SetString(string(d))
		return f.fits(string(d))
	}
	if f.rules == nil || !f.rules.Type.Textual() {
		return "cannot be written as text"
	}
	if f.column.Kind != "text" {
		text = strings.TrimSpace(text)
	}
	if list := f.rules.SetText(target, text); len(list) > 0 {
		return list[0].Message
	}
	return ""
}

// fits reports why a decimal number has too many digits for its column.
func (f *field) fits(d string) string {
	if f.column.Precision == 0 {
		return ""
	}
	whole, part, _ := strings.Cut(strings.TrimPrefix(d, "-"), ".")
	if len(strings.TrimRight(part, "0")) > f.column.Scale {
		return fmt.Sprintf("has more than %d digits behind the point", f.column.Scale)
	}
	if len(strings.TrimLeft(whole, "0")) > f.column.Precision-f.column.Scale {
		return "is too large"
	}
	return ""
}

// driverValue makes of a text what Scan takes.
func (f *field) driverValue(text string) (any, string) {
	switch f.column.Kind {
	case "int", "uint":
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return nil, "is no whole number"
		}
		return n, ""
	case "float":
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, "is no number"
		}
		return n, ""
	case "bool":
		b, ok := parseBool(text)
		if !ok {
			return nil, "is neither true nor false"
		}
		return b, ""
	case "time", "date":
		t, ok := parseTime(text)
		if !ok {
			return nil, "is no date and time like 2026-01-31 12:00:00"
		}
		return t, ""
	}
	return text, ""
}

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "on", "yes", "1":
		return true, true
	case "false", "off", "no", "0":
		return false, true
	}
	return false, false
}

// parseTime reads the forms that browsers, files and people write. Without a zone it is UTC.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, form := range []string{"2006-01-02T15:04", inputForm, time.RFC3339, timeForm, "2006-01-02 15:04", dayForm} {
		if t, err := time.Parse(form, text); err == nil { // fractions of a second are taken too
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func parseUUID(place reflect.Value, text string) string {
	data, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), "-", ""))
	if err != nil || len(data) != 16 || place.Kind() != reflect.Array {
		return "is no UUID like 123e4567-e89b-12d3-a456-426614174000"
	}
	reflect.Copy(place, reflect.ValueOf(data))
	return ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// driver is the value as drivers take it.
func (f *field) driver(row any) any {
	v, ok := f.inner(reflect.ValueOf(row).Elem())
	if !ok {
		return nil
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint())
	}
	return f.textOf(v)
}
