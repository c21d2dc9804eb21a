package middleware

import (
	"io"
	"net/http"
	"strings"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/negotiate"
	"github.com/ishaa-framework/ishaa/internal/secure"
)

// Encoder compresses one body. Flush sends on all that was written so far; Close
// ends the body and gives the encoder back, after which it is not used again.
type Encoder interface {
	io.WriteCloser
	Flush() error
}

// Encoding is a content coding: the name it has in Accept-Encoding and a function
// that starts a body. Gzip makes one; the packages middleware/zstd and
// middleware/brotli make others.
type Encoding struct {
	Name string
	New  func(w io.Writer) Encoder
}

// CompressOptions are the settings of Compress.
type CompressOptions struct {
	// Encodings are the codings to offer, the preferred one first; default gzip.
	//
	//	[]middleware.Encoding{zstd.Encoding(), brotli.Encoding(4), middleware.Gzip(0)}
	Encodings []Encoding

	// MinSize is the smallest body that is worth it, in bytes; default 1024. Streams,
	// whose size nobody knows, are always compressed.
	MinSize int

	// Types are media types to compress, "text/*" for a family; default text, JSON,
	// XML, JavaScript, SVG, WebAssembly and the like, all "+json" and "+xml" among them.
	Types []string
}

// Compress compresses answers in a coding that the client accepts. It leaves
// alone what is small, what is of a type that does not shrink, what is encoded
// already, partial content and answers to Range, bodies that net/http handlers
// write (files and mounted ones), and what says Cache-Control: no-transform. A
// strong ETag becomes a weak one, as the bytes are no longer those it was made
// for. Streams are flushed through the coding.
//
// Compression tells the length of what it compresses. A page that shows a secret
// beside text of a stranger's choice, over TLS, can leak the secret by and by
// (BREACH); tokens of CSRFToken are safe from that, since they differ on each
// page. Give other such answers Cache-Control: no-transform.
func Compress(options CompressOptions) ishaa.Middleware {
	setDefault(&options.MinSize, 1024)
	if options.Encodings == nil {
		options.Encodings = []Encoding{Gzip(0)}
	}
	c := &compress{minSize: options.MinSize, types: newTypeSet(options.Types)}
	for _, e := range options.Encodings {
		if !secure.ValidHeaderName(e.Name) || e.Name == negotiate.Identity || e.New == nil {
			mistake("Compress: the encoding %q has no name or no New function", e.Name)
		}
		c.offers = append(c.offers, e.Name)
		c.encodings = append(c.encodings, compressEncoding{
			value:  []string{e.Name},
			filter: func(w io.Writer) io.WriteCloser { return e.New(w) },
		})
	}
	return ishaa.Middleware{Name: "compress", After: c.after}
}

type compress struct {
	minSize   int
	types     typeSet
	offers    []string
	encodings []compressEncoding
}

type compressEncoding struct {
	value  []string // of Content-Encoding
	filter func(io.Writer) io.WriteCloser
}

const headerContentEncoding = "Content-Encoding"

func (c *compress) after(r *ishaa.Request, res *ishaa.Response) error {
	header := res.Header()
	if res.Status() == http.StatusNotModified {
		addVary(header, varyEncoding) // as the answer that it stands for
		return nil
	}
	if !c.shrinks(res) {
		return nil
	}
	addVary(header, varyEncoding)
	if r.Header("Range") != "" {
		return nil
	}
	chosen := c.choose(r)
	if chosen == nil {
		return nil
	}
	header[headerContentEncoding] = chosen.value
	header.Del("Content-Length")
	if etag := header.Get("Etag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		header.Set("Etag", "W/"+etag)
	}
	res.Filter(chosen.filter)
	return nil
}

// shrinks reports whether the answer would be compressed for a client that
// accepts it.
func (c *compress) shrinks(res *ishaa.Response) bool {
	header := res.Header()
	switch status := res.Status(); {
	case status == http.StatusNoContent, status == http.StatusPartialContent, status >= 100 && status < 200:
		return false
	case header[headerContentEncoding] != nil, header["Content-Range"] != nil:
		return false
	case !c.types.has(header.Get("Content-Type")):
		return false
	case forbidsTransform(header["Cache-Control"]):
		return false
	case res.Streams():
		return res.Filterable()
	}
	data, _ := res.Bytes()
	return len(data) >= c.minSize
}

func forbidsTransform(cacheControl []string) bool {
	for _, line := range cacheControl {
		for directive := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(directive), "no-transform") {
				return true
			}
		}
	}
	return false
}

// choose returns the coding for the client, or nil for none.
func (c *compress) choose(r *ishaa.Request) *compressEncoding {
	accepts := r.Header("Accept-Encoding")
	if accepts == "" {
		return nil
	}
	if lines := r.HeaderValues("Accept-Encoding"); len(lines) > 1 {
		accepts = strings.Join(lines, ",")
	}
	name := negotiate.Encoding(accepts, c.offers...)
	for i, offer := range c.offers {
		if offer == name {
			return &c.encodings[i]
		}
	}
	return nil
}

// typeSet is a set of media types.
type typeSet struct {
	exact    map[string]bool
	families map[string]bool // "text" of "text/*"
	suffixes []string        // "+json"
}

var compressibleTypes = []string{
	"text/*", "application/json", "application/x-ndjson", "application/javascript", "application/xml",
	"application/wasm", "application/graphql", "application/manifest+json", "application/x-www-form-urlencoded",
	"application/vnd.ms-fontobject", "font/ttf", "font/otf", "font/sfnt", "image/svg+xml", "image/bmp", "image/x-icon",
	"+json", "+xml",
}

func newTypeSet(types []string) typeSet {
	if types == nil {
		types = compressibleTypes
	}
	set := typeSet{exact: map[string]bool{}, families: map[string]bool{}}
	for _, t := range types {
		family, sub, ok := strings.Cut(strings.ToLower(t), "/")
		switch {
		case !ok && strings.HasPrefix(family, "+") && len(family) > 1:
			set.suffixes = append(set.suffixes, family)
		case !ok || family == "" || sub == "" || family == "*" || strings.Contains(t, ";"):
			mistake("Compress: %q is not a media type: write one like \"text/html\", \"text/*\" or \"+json\"", t)
		case sub == "*":
			set.families[family] = true
		default:
			set.exact[family+"/"+sub] = true
		}
	}
	return set
}

// has looks a Content-Type up.
func (s *typeSet) has(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	if s.exact[media] {
		return true
	}
	family, sub, ok := strings.Cut(media, "/")
	if ok && s.families[family] {
		return true
	}
	for _, suffix := range s.suffixes {
		if strings.HasSuffix(sub, suffix) {
			return true
		}
	}
	return false
}
