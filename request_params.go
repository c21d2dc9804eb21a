package ishaa

import (
	"net/url"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/uuid"
)

// Param returns the decoded text of a path parameter, or "" when the route has
// none of that name.
func (r *Request) Param(name string) string {
	value, ok := r.param(name)
	if r.recorder != nil {
		text, _ := present(value, ok)
		r.record(Input{Kind: InputParam, Name: name}, text)
	}
	return value
}

func (r *Request) param(name string) (string, bool) {
	if i := r.route.paramIndex(name); i >= 0 && i < r.params.Len() {
		return r.params.Text(i), true
	}
	if r.route.host != "" {
		return hostParamValue(r.route.host, r.host(), name)
	}
	return "", false
}

// ParamInt returns an int parameter, as the router converted it. It is 0 when
// the route has no int parameter of that name.
func (r *Request) ParamInt(name string) int64 {
	if i := r.typedParam(name, "int"); i >= 0 {
		return r.params.Int(i)
	}
	return 0
}

// ParamFloat returns a float or int parameter as a number, or 0 when the route
// has none of that name.
func (r *Request) ParamFloat(name string) float64 {
	if i := r.typedParam(name, "float"); i >= 0 {
		return r.params.Float(i)
	}
	return float64(r.ParamInt(name))
}

// ParamUUID returns a uuid parameter as its 16 bytes, or all zeros when the
// route has no uuid parameter of that name.
func (r *Request) ParamUUID(name string) [16]byte {
	var id [16]byte
	if i := r.typedParam(name, "uuid"); i >= 0 {
		id, _ = uuid.Parse(r.params.Text(i))
	}
	return id
}

func (r *Request) typedParam(name, converter string) int {
	if r.recorder != nil {
		text, _ := present(r.param(name))
		r.record(Input{Kind: InputParam, Name: name}, text)
	}
	i := r.route.paramIndex(name)
	if i < 0 || i >= r.params.Len() || r.route.params[i].Converter != converter {
		return -1
	}
	return i
}

// Query returns the first value of a query parameter, or "".
func (r *Request) Query(name string) string {
	value, count := r.queryCount(name)
	if r.recorder != nil {
		r.recordQuery(name, value, count)
	}
	return value
}

func (r *Request) recordQuery(name, value string, count int) {
	r.record(Input{Kind: InputQuery, Name: name}, r.queryText(name, value, count))
}

// queryText is a parameter as a Recorder gets it. One that is repeated is all its
// values, since how often it is given may matter too.
func (r *Request) queryText(name, value string, count int) string {
	if count > 1 {
		return "*" + url.Values{name: r.parsedQuery()[name]}.Encode()
	}
	text, _ := present(value, count > 0)
	return text
}

// queryCount finds the first value of a parameter and how many there are, without
// parsing the others. A query is parsed as a whole only when something in it is
// escaped.
func (r *Request) queryCount(name string) (value string, count int) {
	raw := r.raw.URL.RawQuery
	if isEscaped(raw) {
		values := r.parsedQuery()[name]
		if len(values) == 0 {
			return "", 0
		}
		return values[0], len(values)
	}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if key, text, _ := strings.Cut(pair, "="); key == name && pair != "" {
			if count == 0 {
				value = text
			}
			count++
		}
	}
	return value, count
}

// isEscaped reports whether a query has to be decoded to be read.
func isEscaped(query string) bool {
	for i := range len(query) {
		if queryBytes[query[i]] == queryEscape {
			return true
		}
	}
	return false
}

func (r *Request) parsedQuery() url.Values {
	rare := r.more()
	if rare.query == nil {
		// Malformed pairs are left out, as net/url does; the number of pairs
		// was limited when the request came in.
		rare.query, _ = url.ParseQuery(r.raw.URL.RawQuery)
	}
	return rare.query
}

// QueryValues returns all query parameters. The map is the caller's.
func (r *Request) QueryValues() url.Values {
	r.record(Input{Kind: InputQueryAll}, r.raw.URL.RawQuery)
	values := make(url.Values)
	for name, list := range r.parsedQuery() {
		values[name] = append([]string(nil), list...)
	}
	return values
}
