package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/internal/httpcache"
)

// answer is what a route answered, as an entry's data: a status, headers, a body,
// and the digest of all that it depends on.
type answer struct {
	digest [32]byte
	status int
	header http.Header
	body   []byte
}

func (a *answer) append(dst []byte) []byte {
	dst = append(dst, a.digest[:]...)
	dst = binary.AppendUvarint(dst, uint64(a.status))
	count := 0
	for _, values := range a.header {
		count += len(values)
	}
	dst = binary.AppendUvarint(dst, uint64(count))
	for _, name := range slices.Sorted(maps.Keys(a.header)) {
		for _, value := range a.header[name] {
			dst = appendText(appendText(dst, name), value)
		}
	}
	return append(dst, a.body...)
}

var errAnswer = errors.New("cache: the entry is not an answer")

func parseAnswer(data []byte) (*answer, error) {
	a := &answer{header: http.Header{}}
	if len(data) < len(a.digest) {
		return nil, errAnswer
	}
	data = data[copy(a.digest[:], data):]
	status, n := binary.Uvarint(data)
	if n <= 0 || status < 200 || status > 599 {
		return nil, errAnswer
	}
	a.status, data = int(status), data[n:]
	count, n := binary.Uvarint(data)
	if n <= 0 || count > uint64(len(data)) {
		return nil, errAnswer
	}
	data = data[n:]
	for range count {
		var pair [2]string
		for i := range pair {
			size, n := binary.Uvarint(data)
			if n <= 0 || size > uint64(len(data)-n) {
				return nil, errAnswer
			}
			pair[i], data = string(data[n:n+int(size)]), data[n+int(size):]
		}
		a.header[pair[0]] = append(a.header[pair[0]], pair[1])
	}
	a.body = data
	return a, nil
}

// answer returns the entry's answer, if it is one to exactly these inputs.
func (e *entry) answer(digest [32]byte) *answer {
	if e == nil || e.kind != kindAnswer {
		return nil
	}
	if shared := e.plain.Load(); shared != nil {
		if a, ok := (*shared).(*answer); ok && a.digest == digest {
			return a
		}
		return nil
	}
	a, err := parseAnswer(e.data)
	if err != nil {
		return nil
	}
	var shared any = a
	e.plain.Store(&shared)
	if a.digest != digest {
		return nil
	}
	return a
}

// addETag gives an answer that has none an ETag by its content.
func (a *answer) addETag() {
	if a.status != http.StatusOK || len(a.header["Etag"]) > 0 {
		return
	}
	h := sha256.New()
	for _, name := range []string{"Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition"} {
		h.Write(appendText(nil, a.header.Get(name)))
	}
	h.Write(a.body)
	a.header["Etag"] = []string{`"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]) + `"`}
}

// kept is a kept answer on its way to a client, as a handler's value.
type kept struct {
	*answer
	age time.Duration // negative for one that was made just now
}

// Respond implements ishaa.Responder.
func (k kept) Respond(r *ishaa.Request, res *ishaa.Response) error {
	header := res.Header()
	for name, values := range k.header {
		if name == "Vary" {
			for _, value := range values {
				if !slices.Contains(header[name], value) {
					header.Add(name, value)
				}
			}
			continue
		}
		header[name] = slices.Clip(slices.Clone(values))
	}
	if k.age >= 0 {
		header["Age"] = []string{strconv.FormatInt(int64(k.age/time.Second), 10)}
	}
	if k.status == http.StatusOK && httpcache.Unmodified(r.Header("If-None-Match"), r.Header("If-Modified-Since"), k.header) {
		res.SetStatus(http.StatusNotModified)
		for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Disposition"} {
			delete(header, name)
		}
		return nil
	}
	res.SetStatus(k.status)
	res.SetBytes(k.body)
	return nil
}
