package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa/server"
)

// The battery sends the same bytes to package server and to net/http. Both have to answer as "want" says; where they differ,
// "std" is net/http's answer and "why" the reason. The cases follow net/http's own tests of its server.

// battery answers by path; each path is one way to use a ResponseWriter or a request.
func battery(w http.ResponseWriter, r *http.Request) {
	if act, ok := acts[r.URL.Path]; ok {
		act(w, r)
		return
	}
	io.WriteString(w, r.Method+" "+r.RequestURI)
}

var acts = map[string]http.HandlerFunc{
	"/echo": func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, "%d %s", r.ContentLength, body)
	},
	"/host": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%s|%s|%s|%v", r.Host, r.URL.Host, r.URL.Path, r.Proto, r.Close)
	},
	"/headers": func(w http.ResponseWriter, r *http.Request) {
		var names []string
		for name, values := range r.Header {
			names = append(names, fmt.Sprintf("%s=%q", name, values))
		}
		slices.Sort(names)
		io.WriteString(w, strings.Join(names, " "))
	},
	"/trailers": func(w http.ResponseWriter, r *http.Request) {
		declared := len(r.Trailer)
		io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v %v", declared, r.Trailer, r.TransferEncoding)
	},
	"/ignore":      func(http.ResponseWriter, *http.Request) {},
	"/ignore-text": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ignored") },
	"/close-body":  func(_ http.ResponseWriter, r *http.Request) { r.Body.Close() },
	"/read-closed": func(w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, errors.Is(err, http.ErrBodyReadAfterClose))
	},
	"/html":  func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html><body>") },
	"/empty": func(w http.ResponseWriter, _ *http.Request) { w.Write(nil) },
	"/typed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/x-own")
		io.WriteString(w, "<html>")
	},
	"/untyped": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "<html>")
	},
	"/encoded": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "x-own")
		io.WriteString(w, "<html>")
	},
	"/no-date": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		io.WriteString(w, "x")
	},
	"/large":  func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 100_000)) },
	"/pieces": func(w http.ResponseWriter, _ *http.Request) { writePieces(w, 300, 100) },
	"/flushed": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		io.WriteString(w, "b")
	},
	"/flush-first": func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, "b")
	},
	"/declared": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		io.WriteString(w, "abc")
	},
	"/too-little": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "abc")
	},
	"/too-much": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		io.WriteString(w, "ab")
		io.WriteString(w, "cd")
		io.WriteString(w, "e")
	},
	"/bad-length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "three")
		io.WriteString(w, "abc")
	},
	"/length-and-chunks": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Transfer-Encoding", "chunked")
		io.WriteString(w, "abc")
	},
	"/chunked-by-hand": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "chunked")
		io.WriteString(w, "abc")
	},
	"/identity": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Transfer-Encoding", "identity")
		io.WriteString(w, "abc")
	},
	"/closes": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "x")
	},
	"/keeps": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "keep-alive")
		w.Header().Set("Content-Length", "1")
		io.WriteString(w, "x")
	},
	"/status": func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscan(r.URL.RawQuery, &status)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		_, err := io.WriteString(w, "x")
		w.Header().Set("X-Late", fmt.Sprint(err))
	},
	"/late-header": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Early", "1")
		w.WriteHeader(201)
		w.Header().Set("X-Early", "2")
		w.Header().Set("X-Late", "1")
		io.WriteString(w, "x")
	},
	"/twice": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); w.WriteHeader(500) },
	"/early-hints": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.WriteHeader(200)
		io.WriteString(w, "x")
	},
	"/injection": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "a\r\nX-B: b")
		w.Header()["Bad Name"] = []string{"x"}
		w.Header()["X-Many"] = []string{"1", " 2 "}
	},
	"/sends-trailers": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "abc")
		w.Header().Set("X-Sum", "6")
		w.Header().Set(http.TrailerPrefix+"X-Late", "yes")
	},
	"/no-length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Length"] = nil
		io.WriteString(w, "x")
	},
	"/read-from": func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, strings.NewReader(strings.Repeat("y", 9000))) },
	"/panics": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "part")
		panic(http.ErrAbortHandler)
	},
	"/panics-late": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
	"/multipart": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ParseMultipartForm(1), r.FormValue("a")) },
}

func writePieces(w io.Writer, count, size int) {
	for range count {
		if _, err := w.Write(make([]byte, size)); err != nil {
			return
		}
	}
}

const (
	get  = "GET %s HTTP/1.1\r\nHost: a\r\n\r\n"
	head = "HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n"
	old  = "GET %s HTTP/1.0\r\n\r\n"
	kept = "GET %s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
)

type exchangeCase struct {
	name, send string
	want       string // see summary; answers are separated by a line
	std        string // net/http's, where it differs
	why        string
}

// summary is what matters of all answers on a connection: status, headers but Date, content. An answer of 400 and more has its
// status alone: the texts are each server's own.
func summary(answers, request string) string {
	reader := bufio.NewReader(strings.NewReader(answers))
	var list []string
	methods := methodsOf(request)
	for {
		method := "GET"
		if len(methods) > 0 {
			method = methods[0]
		}
		res, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				list = append(list, "unreadable: "+err.Error())
			}
			return strings.Join(list, "\n")
		}
		if res.StatusCode >= 200 && len(methods) > 0 {
			methods = methods[1:]
		}
		list = append(list, summaryOf(res))
	}
}

func methodsOf(request string) []string {
	var methods []string
	for line := range strings.SplitSeq(request, "\r\n") {
		if method, _, ok := strings.Cut(line, " "); ok && strings.Contains(line, " HTTP/1.") {
			methods = append(methods, method)
		}
	}
	return methods
}

func summaryOf(res *http.Response) string {
	body, err := io.ReadAll(res.Body)
	out := fmt.Sprint(res.StatusCode)
	if res.StatusCode >= 400 {
		return out
	}
	if res.Proto != "HTTP/1.1" {
		out = res.Proto + " " + out
	}
	if _, ok := res.Header["Date"]; !ok && res.StatusCode >= 200 {
		out += " no-date"
	}
	res.Header.Del("Date")
	var names []string
	for name, values := range res.Header {
		names = append(names, fmt.Sprintf(" %s=%s", name, strings.Join(values, "&")))
	}
	slices.Sort(names)
	out += strings.Join(names, "")
	if len(res.TransferEncoding) > 0 {
		out += " chunked"
	}
	if res.Close {
		out += " close"
	}
	if len(body) > 100 {
		body = fmt.Appendf(nil, "%d bytes", len(body))
	}
	out += " " + string(body)
	for _, name := range slices.Sorted(maps.Keys(res.Trailer)) {
		out += fmt.Sprintf(" trailer:%s=%v", name, res.Trailer[name])
	}
	if err != nil {
		out += " cut"
	}
	return out
}

func post(path, headers, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body
}

func lengthed(path, body string) string {
	return post(path, fmt.Sprintf("Content-Length: %d\r\n", len(body)), body)
}

func TestBattery(t *testing.T) {
	ours := start(t, &server.Server{Handler: http.HandlerFunc(battery)})
	std := startStd(t, &http.Server{Handler: http.HandlerFunc(battery)})
	for _, c := range slices.Concat(answerCases, requestCases, strictCases) {
		t.Run(c.name, func(t *testing.T) {
			want := c.std
			if want == "" {
				want = c.want
			} else if c.why == "" {
				t.Error("net/http differs and nothing says why")
			}
			if got := summary(std.exchange(c.send), c.send); got != want {
				t.Errorf("net/http answers\n%s\nwant\n%s", got, want)
			}
			if got := summary(ours.exchange(c.send), c.send); got != c.want {
				t.Errorf("server answers\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
