package peers

// Albums is what Typed answers: some albums of an artist, and what was asked for.
type Albums struct {
	Artist int      `json:"artist"`
	Limit  int      `json:"limit"`
	Sort   string   `json:"sort"`
	Titles []string `json:"titles"`
}

// The rules of Typed's inputs: artist at least 1; limit from 1 to 100, 20 if absent; sort by title or year, by title
// if absent. What breaks them is answered with 400 or 422. They stand once more in each framework's own tags.
const (
	maxLimit     = 100
	defaultLimit = 20
	defaultSort  = "title"
)

// albums stands for the query that a program would make. It does next to nothing, so that what is measured is the way
// to it and back.
func albums(artist, limit int, sort string) *Albums {
	titles := []string{"For Those About To Rock We Salute You", "Let There Be Rock"}
	return &Albums{Artist: artist, Limit: limit, Sort: sort, Titles: titles[:min(limit, len(titles))]}
}

// Secured lists the headers that every answer of Five has: what the security headers' middleware of each framework can
// be told to send.
func Secured() map[string]string {
	return map[string]string{
		"X-Content-Type-Options":  "nosniff",
		"X-Frame-Options":         "DENY",
		"Content-Security-Policy": "default-src 'self'",
		"Referrer-Policy":         "no-referrer",
	}
}
