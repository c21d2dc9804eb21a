package files

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
)

// typeList is Options.Types.
type typeList []string

func parseTypes(list []string) (typeList, error) {
	if len(list) == 0 {
		return nil, errors.New("it is empty: name the types that are taken, such as \"image/png\", or \"*/*\" for any")
	}
	parsed := make(typeList, 0, len(list))
	for _, text := range list {
		main, sub, ok := strings.Cut(strings.ToLower(text), "/")
		media, params, err := mime.ParseMediaType(text)
		if !ok || main == "" || sub == "" || main == "*" && sub != "*" || err != nil || len(params) > 0 || media != strings.ToLower(text) {
			return nil, fmt.Errorf("%q is not a media type such as image/png or image/*", text)
		}
		parsed = append(parsed, media)
	}
	return parsed, nil
}

func (l typeList) allows(media string) bool {
	family, _, _ := strings.Cut(media, "/")
	for _, allowed := range l {
		if allowed == media || allowed == "*/*" || allowed == family+"/*" {
			return true
		}
	}
	return false
}

// finer is what the end of a name says of content whose beginning says no more than
// this: formats that are all text, or all archives. For any other content the name
// counts for nothing.
var finer = map[string]map[string]string{
	"text/plain": {
		".csv": "text/csv", ".md": "text/markdown", ".json": "application/json", ".ics": "text/calendar", ".vcf": "text/vcard",
		".svg": "image/svg+xml", ".xml": "text/xml",
	},
	"text/xml": {".svg": "image/svg+xml"},
	"application/zip": {
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		".odt":  "application/vnd.oasis.opendocument.text",
		".ods":  "application/vnd.oasis.opendocument.spreadsheet",
		".odp":  "application/vnd.oasis.opendocument.presentation",
		".epub": "application/epub+zip",
	},
}

// typeOf is the type of content by its first bytes (WHATWG MIME Sniffing).
func typeOf(name string, head []byte) string {
	media, _, err := mime.ParseMediaType(http.DetectContentType(head))
	if err != nil {
		return "application/octet-stream"
	}
	if better := finer[media][strings.ToLower(path.Ext(name))]; better != "" {
		return better
	}
	return media
}

// shown reports types that a browser shows without running anything of theirs.
func shown(media string) bool {
	switch media {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "text/plain":
		return true
	}
	return strings.HasPrefix(media, "audio/") || strings.HasPrefix(media, "video/")
}
