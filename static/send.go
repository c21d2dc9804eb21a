package static

import (
	"errors"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
	"github.com/ishaa-framework/ishaa/internal/nofile"
)

// rules are the values of Cache-Control. They are shared by answers, which replace
// them and do not write into them.
type rules struct {
	page    []string // what Index and Fallback give
	plain   []string // plain addresses
	forever []string // addresses that stand for one content
}

// year is the longest time that caches are asked to keep anything.
const year = 365 * 24 * time.Hour

func newRules(o Options) rules {
	who := "public, "
	if o.Private {
		who = "private, "
	}
	keep := func(age time.Duration) string { return who + "max-age=" + strconv.Itoa(int(age/time.Second)) }
	ask := "no-cache"
	if o.Private {
		ask = who + ask
	}
	r := rules{page: []string{ask}, plain: []string{ask}, forever: []string{keep(year) + ", immutable"}}
	if o.MaxAge >= time.Second {
		r.plain = []string{keep(min(o.MaxAge, year))}
	}
	return r
}

// Reasons for a 404, kept from the client.
var (
	errFolder    = errors.New("it is a folder")
	errOtherHash = errors.New("the hash is not that of the content")
)

// nothing is the answer wherever nothing can be given: always the same, whatever the
// reason.
func nothing(reason error) error {
	return ishaa.NotFound("there is nothing at this address").Wrap(reason)
}

// missing reports errors by which there is nothing to give out at a name.
func missing(err error) bool {
	return errors.Is(err, errFolder) || errors.Is(err, errOtherHash) || nofile.Is(err)
}

// chosen is the file to send: the one asked for, or the same in a coding that the
// client takes.
type chosen struct {
	*version
	name   string
	coding *coding // nil for the file itself
	vary   bool    // there is more than one to choose from
}

// serveFile answers with a file. The hash is the one that the address named, or "".
// A file that changes between the moment it is looked at and the moment it is open is
// looked at again.
func (f *Files) serveFile(r *ishaa.Request, name, hash string, rule []string) (any, error) {
	for range 3 {
		file, err := f.choose(r, name, hash)
		if err != nil {
			return nil, err
		}
		if status := precondition(r, file.etag[0], file.modified); status != 0 {
			file.describe(r.Response().Header(), rule)
			if status == http.StatusPreconditionFailed {
				return nil, ishaa.PreconditionFailed("the file is not the one that the request is about")
			}
			r.Response().SetStatus(status)
			return nil, nil
		}
		content, err := f.catalog.Load().open(file.name)
		if err != nil {
			return nil, err
		}
		if file.is(content.info) {
			return f.send(r, name, file, content, rule), nil
		}
		content.Close()
	}
	return nil, ishaa.Unavailable("the file is being written").WithHeader("Retry-After", "1")
}

// choose finds the version of a file, and the coding, for a request.
func (f *Files) choose(r *ishaa.Request, name, hash string) (*chosen, error) {
	c := f.catalog.Load()
	info, err := c.stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errFolder
	}
	v, err := c.version(name, info)
	if err != nil {
		return nil, err
	}
	if hash != "" && (v.hash == "" || v.hash[:hashDigits] != hash) {
		return nil, errOtherHash
	}
	variants := v.variants
	if !c.settled.Load() {
		variants, _ = c.variants(name, info)
	}
	plain := &chosen{version: v, name: name, vary: len(variants) > 0}
	if !plain.vary {
		return plain, nil
	}
	accepted := negotiate.Encoding(headerList(r, "Accept-Encoding"), offers(variants)...)
	at := slices.IndexFunc(variants, func(c coding) bool { return c.name == accepted })
	if at < 0 {
		return plain, nil
	}
	coding := &variants[at]
	variantInfo, err := c.stat(name + coding.suffix)
	if err != nil || variantInfo.IsDir() || variantInfo.ModTime().Before(info.ModTime()) {
		return plain, nil
	}
	variant, err := c.version(name+coding.suffix, variantInfo)
	if err != nil {
		return plain, nil
	}
	return &chosen{version: variant, name: name + coding.suffix, coding: coding, vary: true}, nil
}

func offers(variants []coding) []string {
	names := make([]string, len(variants))
	for i, c := range variants {
		names[i] = c.name
	}
	return names
}

// describe sets the headers that a 304 has too (RFC 9110 §15.4.5).
func (file *chosen) describe(header http.Header, rule []string) {
	header["Etag"] = file.etag
	if header["Cache-Control"] == nil { // a hook may know better
		header["Cache-Control"] = rule
	}
	if file.vary {
		addVary(header, "Accept-Encoding")
	}
}

// send answers with an open file.
func (f *Files) send(r *ishaa.Request, name string, file *chosen, content *content, rule []string) any {
	header := r.Response().Header()
	file.describe(header, rule)
	header["Content-Type"] = f.contentType(name)
	if file.coding != nil {
		header["Content-Encoding"] = file.coding.value
		// net/http gives no length for what is encoded, since it might have been encoded
		// on the way. It is not: the file is what is sent.
		header["Content-Length"] = []string{strconv.FormatInt(file.size, 10)}
	}
	return ishaa.Content(path.Base(name), file.modified, content.ReadSeeker)
}

// addVary adds a field to Vary, unless it is there.
func addVary(header http.Header, field string) {
	for _, line := range header["Vary"] {
		for known := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(known), field) {
				return
			}
		}
	}
	header["Vary"] = append(slices.Clip(header["Vary"]), field)
}

// precondition evaluates the conditions of a GET or HEAD in the order of RFC 9110
// §13.2.2. It returns 0 where the file is to be sent; If-Range is left to the one who
// reads Range.
func precondition(r *ishaa.Request, etag string, modified time.Time) int {
	if list := r.Header("If-Match"); list != "" {
		if !strings.HasPrefix(etag, "W/") && matches(list, etag) {
			return notModified(r, etag, modified)
		}
		return http.StatusPreconditionFailed
	}
	if since, ok := dateHeader(r, "If-Unmodified-Since", modified); ok && modified.Truncate(time.Second).After(since) {
		return http.StatusPreconditionFailed
	}
	return notModified(r, etag, modified)
}

func notModified(r *ishaa.Request, etag string, modified time.Time) int {
	if list := headerList(r, "If-None-Match"); list != "" {
		if matches(list, strings.TrimPrefix(etag, "W/")) || matches(list, "W/"+strings.TrimPrefix(etag, "W/")) {
			return http.StatusNotModified
		}
		return 0
	}
	if since, ok := dateHeader(r, "If-Modified-Since", modified); ok && !modified.Truncate(time.Second).After(since) {
		return http.StatusNotModified
	}
	return 0
}

// headerList is a header that may come in several lines, as one.
func headerList(r *ishaa.Request, name string) string {
	if r.Header(name) == "" {
		return ""
	}
	return strings.Join(r.HeaderValues(name), ",")
}

// dateHeader reads a date; there is none to compare where the file has no time.
func dateHeader(r *ishaa.Request, name string, modified time.Time) (time.Time, bool) {
	text := r.Header(name)
	if text == "" || modified.IsZero() {
		return time.Time{}, false
	}
	date, err := http.ParseTime(text)
	return date, err == nil
}

// matches reports whether a list of ETags (RFC 9110 §8.8.3), or "*", has one that is
// the same text. It reads up to what is no ETag, as net/http does: the two agree, so
// that what passes here is sent there.
func matches(list, etag string) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if strings.HasPrefix(list, "*") {
			return true
		}
		quoted := strings.TrimPrefix(list, "W/")
		if !strings.HasPrefix(quoted, `"`) {
			return false
		}
		end := strings.IndexByte(quoted[1:], '"')
		if end < 0 || strings.ContainsFunc(quoted[1:1+end], func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return false
		}
		length := len(list) - len(quoted) + end + 2
		if list[:length] == etag {
			return true
		}
		list = list[length:]
	}
}

// contentType tells the type by the extension of a name.
func (f *Files) contentType(name string) []string {
	ext := strings.ToLower(path.Ext(name))
	if own, ok := f.options.Types[ext]; ok {
		return []string{own}
	}
	if known, ok := mediaTypes[ext]; ok {
		return known
	}
	return octets
}
