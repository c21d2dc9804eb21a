package server_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/server"
)

// seeds are the battery's requests, and pieces of requests.
func seeds() [][]byte {
	var list [][]byte
	for _, cases := range [][]exchangeCase{answerCases, requestCases, strictCases} {
		for _, c := range cases {
			if len(c.send) < 10_000 {
				list = append(list, []byte(c.send))
			}
		}
	}
	return list
}

// seen is a request as a handler sees it, with all of its body.
type seen struct {
	Method, URI, Path, RawPath, Query, URLHost, Host, Proto string
	Force                                                   bool
	Header, Trailer                                         http.Header
	Length                                                  int64
	Coding                                                  []string
	Body                                                    string
}

func see(r *http.Request) (seen, error) {
	body, err := io.ReadAll(r.Body)
	return seen{r.Method, r.RequestURI, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.Host, r.Host, r.Proto, r.URL.ForceQuery,
		r.Header, r.Trailer, r.ContentLength, r.TransferEncoding, string(body)}, err
}

// oneWay is a connection whose client has sent all it will send and takes what it gets.
type oneWay struct {
	in     io.Reader
	out    bytes.Buffer
	closed bool
}

func (c *oneWay) Read(p []byte) (int, error)       { return c.in.Read(p) }
func (c *oneWay) Write(p []byte) (int, error)      { return c.out.Write(p) }
func (c *oneWay) Close() error                     { c.closed = true; return nil }
func (*oneWay) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (*oneWay) RemoteAddr() net.Addr               { return &net.TCPAddr{} }
func (*oneWay) SetDeadline(time.Time) error        { return nil }
func (*oneWay) SetReadDeadline(time.Time) error    { return nil }
func (*oneWay) SetWriteDeadline(t time.Time) error { return nil }

// oneListener gives one connection.
type oneListener struct {
	conns chan net.Conn
	ended chan struct{}
}

func (l *oneListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}
func (l *oneListener) Close() error { return nil }
func (*oneListener) Addr() net.Addr { return &net.TCPAddr{} }

// through gives bytes to a server and returns the requests that its handler saw, up to the first whose body is not whole, and
// the answers. Reads return up to so many bytes at once.
func through(s *server.Server, data []byte, atOnce int) ([]seen, string) {
	var all []seen
	broken := false
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := see(r)
		if err != nil {
			broken = true
			panic(http.ErrAbortHandler)
		}
		if !broken {
			all = append(all, got)
		}
		w.Header()["Date"] = nil
	})
	done := make(chan struct{})
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(done)
		}
	}
	conn := &oneWay{in: &sliced{data, atOnce}}
	l := &oneListener{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- conn
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l) // the listener's end
	}()
	<-done
	close(l.ended)
	<-served
	return all, conn.out.String()
}

// sliced is a reader that gives its bytes in slices.
type sliced struct {
	data   []byte
	atOnce int
}

func (s *sliced) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), s.atOnce)], s.data)
	s.data = s.data[n:]
	return n, nil
}

// What is read is the same however it arrives, every answer is well-formed, and every request that a handler sees, net/http
// would have shown it too: the same, from the same bytes.
func FuzzRequests(f *testing.F) {
	for i, seed := range seeds() {
		f.Add(seed, uint8(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, atOnce uint8) {
		whole, answers := through(&server.Server{}, data, 1<<20)
		parts, partAnswers := through(&server.Server{}, data, int(atOnce%16)+1)
		if !reflect.DeepEqual(whole, parts) || answers != partAnswers {
			t.Fatalf("at once: %+v %q\nin parts: %+v %q", whole, answers, parts, partAnswers)
		}
		reader := bufio.NewReader(strings.NewReader(answers))
		for {
			if _, err := reader.Peek(1); err != nil {
				break
			}
			res, err := http.ReadResponse(reader, &http.Request{Method: "HEAD"})
			if err != nil {
				t.Fatalf("an answer is malformed: %v in %q", err, answers)
			}
			if res.StatusCode >= 400 { // the only ones with content
				io.Copy(io.Discard, reader)
			}
		}
		compare(t, data, whole)
	})
}

// compare reads the same bytes by http.ReadRequest.
func compare(t *testing.T, data []byte, ours []seen) {
	t.Helper()
	reader := bufio.NewReader(bytes.NewReader(data))
	for i, got := range ours {
		for { // empty lines before a request: we take one, net/http's reader of requests none
			if next, err := reader.Peek(2); err != nil || string(next) != "\r\n" {
				break
			}
			reader.Discard(2)
		}
		r, err := http.ReadRequest(reader)
		if err != nil {
			t.Fatalf("request %d, %+v, is none to net/http: %v", i, got, err)
		}
		want, err := see(r)
		if strings.Contains(got.chunkLines(data), " ;") || strings.Contains(got.chunkLines(data), "\t;") {
			return // net/http takes no whitespace there, which RFC 9112 §7.1.1 has read over
		}
		if err != nil {
			t.Fatalf("the body of request %d, %+v, is none to net/http: %v", i, got, err)
		}
		if len(want.Trailer) == 0 && len(got.Trailer) == 0 {
			want.Trailer, got.Trailer = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("request %d is\n%+v\nnet/http reads\n%+v", i, got, want)
		}
	}
}

// chunkLines is where the lines of chunks are, if the body has any.
func (s seen) chunkLines(data []byte) string {
	if len(s.Coding) == 0 {
		return ""
	}
	return string(data)
}
