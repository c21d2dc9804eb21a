package static

// mediaTypes are the types of what websites are made of, by extension. They are the
// program's own, since the tables that mime.TypeByExtension reads differ from one
// machine to the next. What is not listed is a download.
var mediaTypes = func() map[string][]string {
	types := map[string][]string{}
	for ext, name := range map[string]string{
		".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
		".css": "text/css; charset=utf-8", ".txt": "text/plain; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
		".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8",
		".vtt": "text/vtt; charset=utf-8", ".ics": "text/calendar; charset=utf-8",
		".json": "application/json", ".map": "application/json", ".jsonld": "application/ld+json",
		".geojson": "application/geo+json", ".webmanifest": "application/manifest+json",
		".xml": "application/xml", ".rss": "application/rss+xml", ".atom": "application/atom+xml",
		".xhtml": "application/xhtml+xml", ".wasm": "application/wasm", ".pdf": "application/pdf",
		".zip": "application/zip", ".gz": "application/gzip", ".zst": "application/zstd", ".tar": "application/x-tar",
		".epub": "application/epub+zip", ".rtf": "application/rtf",
		".svg": "image/svg+xml", ".png": "image/png", ".apng": "image/apng", ".gif": "image/gif",
		".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif",
		".jxl": "image/jxl", ".ico": "image/x-icon", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff",
		".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
		".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg",
		".wav": "audio/wav", ".flac": "audio/flac", ".aac": "audio/aac", ".weba": "audio/webm",
		".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mov": "video/quicktime",
		".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
		".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
		".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	} {
		types[ext] = []string{name}
	}
	return types
}()

var octets = []string{"application/octet-stream"}
