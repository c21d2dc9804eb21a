package inproc

import "net/http"

// sink is a ResponseWriter that keeps nothing but what is needed to see that an answer was given. It is used again
// for each request, so that what is counted is what the framework allocates.
type sink struct {
	header http.Header
	status int
	length int
}

func (s *sink) Header() http.Header {
	if s.header == nil {
		s.header = http.Header{}
	}
	return s.header
}

func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(p []byte) (int, error) {
	s.length += len(p)
	return len(p), nil
}

func (s *sink) WriteString(p string) (int, error) {
	s.length += len(p)
	return len(p), nil
}

// reset forgets the last answer but keeps the room of its headers.
func (s *sink) reset() {
	clear(s.header)
	s.status, s.length = 0, 0
}
