package multiform

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

// parseURLEncoded reads a urlencoded body as the WHATWG URL standard §5.1 splits it: pairs end with "&", never with ";",
// and a pair without "=" is a name with the empty value. A broken escape or text that is not UTF-8 is refused instead
// of guessed at. Pairs are counted while the body comes in, so a flood of them ends long before the body does.
func parseURLEncoded(body io.Reader, l Limits) (*Form, error) {
	raw, err := readCounted(body, l)
	if err != nil {
		return nil, err
	}
	form := &Form{Values: url.Values{}}
	pairs := strings.Count(raw, "&") + 1
	form.Order = make([]Entry, 0, pairs)
	backing := make([]string, 0, pairs)
	for pair := range pairsOf(raw) {
		name, value, err := decodePair(pair)
		if err != nil {
			return nil, bad("form: " + err.Error())
		}
		if int64(len(value)) > l.MaxValueBytes {
			return nil, tooLarge("form: a value is larger than allowed")
		}
		form.Order = append(form.Order, Entry{Name: name, Value: value})
		backing = addValue(form.Values, backing, name, value)
	}
	return form, nil
}

// ParseQuery reads the query of a URL by the same rules. A pair that is malformed is left out and reported: the error
// is an *Error with status 400 for the first such pair, beside all good values, so a caller may refuse the request or go on
// with what is well-formed. More than maxFields pairs (0 means 1000, negative no limit) give no values at all.
func ParseQuery(raw string, maxFields int) (url.Values, error) {
	if raw == "" {
		return url.Values{}, nil
	}
	limit := Limits{MaxFields: maxFields}.withDefaults().MaxFields
	pairs := strings.Count(raw, "&") + 1
	if pairs > limit {
		return url.Values{}, bad("query: more parameters than allowed")
	}
	values := make(url.Values, pairs)
	backing := make([]string, 0, pairs)
	var first error
	for pair := range pairsOf(raw) {
		name, value, err := decodePair(pair)
		if err != nil {
			if first == nil {
				first = bad("query: " + err.Error())
			}
			continue
		}
		backing = addValue(values, backing, name, value)
	}
	return values, first
}

// addValue appends a value; the first one of each name lies in the shared backing array, which has room for all.
func addValue(values url.Values, backing []string, name, value string) []string {
	if old, ok := values[name]; ok {
		values[name] = append(old, value)
		return backing
	}
	n := len(backing)
	backing = append(backing, value)
	values[name] = backing[n : n+1 : n+1]
	return backing
}

func pairsOf(raw string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for raw != "" {
			var pair string
			pair, raw, _ = strings.Cut(raw, "&")
			if pair != "" && !yield(pair) {
				return
			}
		}
	}
}

var (
	errEscape = errors.New(`a "%" is not followed by two hexadecimal digits`)
	errUTF8   = errors.New("a name or value is not valid UTF-8")
)

func decodePair(pair string) (name, value string, err error) {
	name, value, _ = strings.Cut(pair, "=")
	if name, err = unescape(name); err != nil {
		return "", "", err
	}
	if value, err = unescape(value); err != nil {
		return "", "", err
	}
	return name, value, nil
}

// unescape decodes "%XX" and "+". Text without either is returned without a copy.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		if !utf8.ValidString(s) {
			return "", errUTF8
		}
		return s, nil
	}
	plain, err := url.QueryUnescape(s)
	if err != nil {
		return "", errEscape
	}
	if !utf8.ValidString(plain) {
		return "", errUTF8
	}
	return plain, nil
}

// readCounted reads a body into memory as long as neither its size nor its number of pairs passes a limit.
func readCounted(body io.Reader, l Limits) (string, error) {
	limit := min(l.MaxBytes, l.MaxFormBytes)
	var text strings.Builder
	chunk := make([]byte, 8*kib)
	pairs := 1
	for {
		n, err := body.Read(chunk)
		if int64(text.Len())+int64(n) > limit {
			return "", tooLarge("form: the body is larger than allowed")
		}
		for _, c := range chunk[:n] {
			if c == '&' {
				pairs++
			}
		}
		if pairs > l.MaxFields {
			return "", tooLarge("form: more fields than allowed")
		}
		text.Write(chunk[:n])
		if err == io.EOF {
			return text.String(), nil
		}
		if err != nil {
			return "", readError(err)
		}
	}
}
