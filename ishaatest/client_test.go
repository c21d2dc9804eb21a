package ishaatest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/ishaatest"
)

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		panic(err)
	}
}

func TestRequests(t *testing.T) {
	type want struct {
		method, target, body, contentType string
		length                            int64
	}
	tests := []struct {
		name string
		send func(c *ishaatest.Client) *ishaatest.Result
		want want
	}{
		{"GET", func(c *ishaatest.Client) *ishaatest.Result { return c.Get("/echo/a") }, want{"GET", "/echo/a", "", "", 0}},
		{"DELETE", func(c *ishaatest.Client) *ishaatest.Result { return c.Delete("/echo/a") }, want{"DELETE", "/echo/a", "", "", 0}},
		{"OPTIONS", func(c *ishaatest.Client) *ishaatest.Result { return c.Options("/echo/a") }, want{"OPTIONS", "/echo/a", "", "", 0}},
		{"POST without a body", func(c *ishaatest.Client) *ishaatest.Result { return c.Post("/echo/a") }, want{"POST", "/echo/a", "", "", 0}},
		{"a method of its own", func(c *ishaatest.Client) *ishaatest.Result { return c.Do("PURGE", "/echo/a") }, want{"PURGE", "/echo/a", "", "", 0}},
		{"escapes stay", func(c *ishaatest.Client) *ishaatest.Result { return c.Get("/echo/a%2Fb%20c/d?x=%41#y") }, want{"GET", "/echo/a%2Fb%20c/d?x=%41", "", "", 0}},
		{"query", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Get("/echo/?a=1", ishaatest.Query("b", "x y", "a", "&="))
		}, want{"GET", "/echo/?a=1&b=x+y&a=%26%3D", "", "", 0}},
		{"JSON", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Post("/echo/", ishaatest.JSON(map[string]int{"n": 1}))
		}, want{"POST", "/echo/", `{"n":1}`, "application/json", 7}},
		{"JSON as text", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Put("/echo/", ishaatest.JSON(json.RawMessage(`{"n":`)))
		}, want{"PUT", "/echo/", `{"n":`, "application/json", 5}},
		{"form", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Patch("/echo/", ishaatest.Form("name", "alice", "name", "b&b"), ishaatest.Form("é", ""))
		}, want{"PATCH", "/echo/", "name=alice&name=b%26b&%C3%A9=", "application/x-www-form-urlencoded", 29}},
		{"body", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Post("/echo/", ishaatest.Body("text/csv", "a,b"))
		}, want{"POST", "/echo/", "a,b", "text/csv", 3}},
		{"body of bytes without a type", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Post("/echo/", ishaatest.Body("", []byte("xyz")))
		}, want{"POST", "/echo/", "xyz", "", 3}},
		{"body of a reader", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Post("/echo/", ishaatest.BodyFrom("text/plain", strings.NewReader("abc")))
		}, want{"POST", "/echo/", "abc", "text/plain", -1}},
		{"a header sets the type", func(c *ishaatest.Client) *ishaatest.Result {
			return c.Post("/echo/", ishaatest.JSON(1), ishaatest.Header("content-type", "application/merge-patch+json"))
		}, want{"POST", "/echo/", "1", "application/merge-patch+json", 1}},
	}
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		client := ishaatest.New(t, newApp(), how...)
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				var got echoed
				test.send(client.For(t)).Status(200).JSON(&got)
				contentType := strings.Join(got.Header["Content-Type"], "|")
				if seen := (want{got.Method, got.Target, got.Body, contentType, got.Length}); seen != test.want {
					t.Errorf("the application saw %+v\nwant %+v", seen, test.want)
				}
				if got.Header["Ishaatest-Call"] != nil {
					t.Errorf("the application saw the client's own header: %v", got.Header)
				}
			})
		}
	})
}

func TestHeadersHostAndCookies(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		client := ishaatest.New(t, newApp(), with(how,
			ishaatest.Header("Accept", "text/plain"), ishaatest.Header("X-Both", "1", "2"),
			ishaatest.Cookie("theme", "dark"), ishaatest.BearerToken("t0"))...)
		var got echoed
		client.Get("/echo/").JSON(&got)
		for name, want := range map[string]string{"Accept": "[text/plain]", "X-Both": "[1 2]", "Authorization": "[Bearer t0]", "User-Agent": "[ishaatest]"} {
			if seen := fmt.Sprint(got.Header[name]); seen != want {
				t.Errorf("%s is %s, want %s", name, seen, want)
			}
		}
		if got.Host != "localhost" || got.Cookies["theme"] != "dark" {
			t.Errorf("host %q, cookies %v", got.Host, got.Cookies)
		}

		got = echoed{}
		client.Get("/echo/", ishaatest.Header("Accept"), ishaatest.BearerToken("t1"), ishaatest.Host("shop.example"),
			ishaatest.Cookie("a", "1 2"), ishaatest.Cookie("b", "3")).JSON(&got)
		if got.Header["Accept"] != nil || got.Host != "shop.example" || fmt.Sprint(got.Header["Authorization"]) != "[Bearer t1]" {
			t.Errorf("options of a request: %+v", got)
		}
		if fmt.Sprint(got.Cookies) != "map[a:1 2 b:3]" {
			t.Errorf("cookies of a request to another host: %v", got.Cookies)
		}

		got = echoed{}
		client.Get("/echo/", ishaatest.Cookie("theme", "light")).JSON(&got)
		if fmt.Sprint(got.Header["Cookie"]) != "[theme=light]" {
			t.Errorf("a cookie of the request does not replace the kept one: %q", got.Header["Cookie"])
		}
		if value, ok := client.Cookie("theme"); value != "dark" || !ok {
			t.Errorf("a cookie of one request changed what is kept: %q", value)
		}
		client.ClearCookies()
		if value, ok := client.Cookie("theme"); ok {
			t.Errorf("after ClearCookies: %q", value)
		}
		got = echoed{}
		client.For(t, ishaatest.Header("X-More", "m"), ishaatest.Cookie("later", "1")).Get("/echo/").JSON(&got)
		if fmt.Sprint(got.Header["X-More"], got.Header["X-Both"], got.Header["Cookie"]) != "[m] [1 2] [later=1]" {
			t.Errorf("settings of For: %+v", got)
		}
	})
}

func TestHead(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := newApp()
		app.Get("/page", func(*ishaa.Request) (any, error) { return "twelve bytes", nil })
		res := ishaatest.New(t, app, how...).Head("/page").Status(200).Header("Content-Length", "12")
		if len(res.Bytes()) != 0 {
			t.Errorf("HEAD has a body: %q", res.Text())
		}
	})
}

func TestServerOptions(t *testing.T) {
	ishaatest.New(t, newApp()).Options("*").Status(204)
}

func TestUpload(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := ishaa.New("test")
		app.Post("/upload", func(r *ishaa.Request) (any, error) {
			form, err := r.Form()
			if err != nil {
				return nil, err
			}
			var files []string
			for _, file := range form.Files("file") {
				content, err := file.Open()
				if err != nil {
					return nil, err
				}
				data, err := io.ReadAll(content)
				if err = errors.Join(err, content.Close()); err != nil {
					return nil, err
				}
				files = append(files, fmt.Sprintf("%s|%s|%s", file.RawName(), file.ContentType(), data))
			}
			return map[string]any{"title": form.Value("title"), "files": files}, nil
		})
		ishaatest.New(t, app, how...).Post("/upload",
			ishaatest.Form("title", "two files"),
			ishaatest.File("file", "a \"b\".txt", "plain"),
			ishaatest.File("file", "p.png", []byte("\x89PNG\x0D\x0A\x1A\x0A")),
		).Status(200).JSONEqual(map[string]any{"title": "two files", "files": []string{
			"a \"b\".txt|text/plain; charset=utf-8|plain",
			"p.png|image/png|\x89PNG\x0D\x0A\x1A\x0A",
		}})
	})
}

// hop answers with a redirect of a status.
func hop(status int, to string) ishaa.Handler {
	return func(*ishaa.Request) (any, error) { return ishaa.Redirect(to).WithStatus(status), nil }
}

func TestRedirects(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := newApp()
		app.Any("/303", hop(303, "/echo/end?x=1"))
		app.Any("/302", hop(302, "303"))
		app.Any("/307", hop(307, "/echo/end"))
		app.Any("/308", hop(308, "/307"))
		client := ishaatest.New(t, app, how...)
		var got echoed

		client.Post("/303", ishaatest.Form("a", "b")).Status(303).Redirect("/echo/end?x=1")
		client.Post("/302", ishaatest.Form("a", "b")).Redirect("/303").Follow().Status(200).JSON(&got)
		if got.Method != "GET" || got.Target != "/echo/end?x=1" || got.Body != "" || got.Header["Content-Type"] != nil {
			t.Errorf("302 and 303 after POST: %+v", got)
		}
		got = echoed{}
		res := client.Put("/308", ishaatest.JSON(1), ishaatest.Follow(), ishaatest.Header("X-Kept", "1")).Status(200).JSON(&got)
		if got.Method != "PUT" || got.Body != "1" || fmt.Sprint(got.Header["X-Kept"]) != "[1]" || res.Path() != "/echo/end" {
			t.Errorf("308 and 307 after PUT: %+v at %s", got, res.Path())
		}
		client.Head("/303", ishaatest.Follow()).Status(200)
		client.For(t, ishaatest.Follow()).Get("/302").Status(200)
	})
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	app := ishaa.New("test", ishaa.Config{Logger: slog.New(slog.DiscardHandler)})
	app.Mount("/echo/", echo)
	app.Get("/loop", hop(303, "/loop"))
	app.Get("/away", hop(303, "http://elsewhere.example/x"))
	app.Get("/secure", hop(301, "https://localhost/x"))
	app.Get("/bad", func(*ishaa.Request) (any, error) { return ishaa.Text("").WithStatus(302), nil })
	app.Post("/again", hop(307, "/echo/"))
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		send func(c *ishaatest.Client)
		want []string
	}{
		{"loop", func(c *ishaatest.Client) { c.Get("/loop", ishaatest.Follow()) }, []string{"GET /loop", "more than 10 redirects", "/loop → /loop"}},
		{"other host", func(c *ishaatest.Client) { c.Get("/away").Follow() }, []string{"GET /away", "http://elsewhere.example/x", "another host than localhost"}},
		{"other scheme", func(c *ishaatest.Client) { c.Get("/secure", ishaatest.Follow()) }, []string{"from http to https", "ishaatest.TLS()"}},
		{"no location", func(c *ishaatest.Client) { c.Get("/bad", ishaatest.Follow()) }, []string{"no Location"}},
		{"no redirect", func(c *ishaatest.Client) { c.Get("/echo/").Follow() }, []string{"GET /echo/", "status 200 is no redirect"}},
		{"a body that is gone", func(c *ishaatest.Client) {
			c.Post("/again", ishaatest.BodyFrom("text/plain", strings.NewReader("x")), ishaatest.Follow())
		}, []string{"BodyFrom gives once"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			fails(t, func(t testing.TB) { test.send(ishaatest.New(t, app)) }, test.want...)
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, test := range []struct {
		name   string
		path   string
		option ishaatest.RequestOption
		want   string
	}{
		{"no slash", "echo", nil, `the path has to begin with "/"`},
		{"a URL", "http://localhost/echo/", nil, "the option Host"},
		{"a bad escape", "/%zz", nil, "Client.Dial"},
		{"odd form", "/", ishaatest.Form("a"), "Form: 1 arguments are no name, value pairs"},
		{"odd query", "/", ishaatest.Query("a", "b", "c"), "Query: 3 arguments"},
		{"JSON that is none", "/", ishaatest.JSON(func() {}), "JSON: json: unsupported type"},
		{"a bad cookie", "/", ishaatest.Cookie("a b", "c"), "Cookie: \"a b\""},
	} {
		t.Run(test.name, func(t *testing.T) {
			fails(t, func(t testing.TB) {
				var options []ishaatest.RequestOption
				if test.option != nil {
					options = append(options, test.option)
				}
				ishaatest.New(t, echo).Get(test.path, options...)
			}, "GET "+test.path+": ", test.want)
		})
	}
	t.Run("two bodies", func(t *testing.T) {
		fails(t, func(t testing.TB) {
			ishaatest.New(t, echo).Post("/", ishaatest.Form("a", "b"), ishaatest.JSON(1))
		}, "JSON: the request has a body already, by Form")
	})
	t.Run("nil handler", func(t *testing.T) {
		fails(t, func(t testing.TB) { ishaatest.New(t, nil) }, "the handler is nil")
	})
	t.Run("nil option", func(t *testing.T) {
		fails(t, func(t testing.TB) { ishaatest.New(t, echo, nil) }, "an option is nil")
	})
	t.Run("bad cookie of the client", func(t *testing.T) {
		fails(t, func(t testing.TB) { ishaatest.New(t, echo, ishaatest.Cookie("", "x")) }, `cookie ""`)
	})
	t.Run("cookie that a browser refuses", func(t *testing.T) {
		fails(t, func(t testing.TB) {
			ishaatest.New(t, echo).SetCookie(&http.Cookie{Name: "__Host-s", Value: "x"})
		}, `cookie "__Host-s"`, "has to be Secure")
	})
	t.Run("ISHAA_TEST_SOCKET that is no boolean", func(t *testing.T) {
		t.Setenv("ISHAA_TEST_SOCKET", "perhaps")
		fails(t, func(t testing.TB) { ishaatest.New(t, echo) }, "ISHAA_TEST_SOCKET", `"perhaps"`)
	})
}

// aborting cuts its connection: before the answer at /none, within it at /half.
var aborting = http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
	switch raw.URL.Path {
	case "/none":
		panic(http.ErrAbortHandler)
	case "/half":
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half ")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "whole")
})

func TestCutAnswers(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		fails(t, func(t testing.TB) { ishaatest.New(t, aborting, how...).Get("/none") }, "GET /none: there is no answer: ", "EOF")
		fails(t, func(t testing.TB) { ishaatest.New(t, aborting, how...).Get("/half") },
			"GET /half: the answer was cut: unexpected EOF", "200 OK", "half ")
		fails(t, func(t testing.TB) { ishaatest.New(t, aborting, how...).Get("/", ishaatest.ExpectAbort()) },
			"GET /: the answer is complete", "whole")
		client := ishaatest.New(t, aborting, how...)
		if code := client.Get("/none", ishaatest.ExpectAbort()).Code(); code != 0 {
			t.Errorf("no answer has status %d", code)
		}
		client.Get("/half", ishaatest.ExpectAbort()).Status(200).Contains("half ")
	})
}

func TestTimeout(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		hangs := http.HandlerFunc(func(_ http.ResponseWriter, raw *http.Request) { <-raw.Context().Done() })
		fails(t, func(t testing.TB) {
			ishaatest.New(t, hangs, how...).Get("/", ishaatest.Timeout(50*time.Millisecond))
		}, "GET /: there is no answer: ", "nothing came for 50ms; see ishaatest.Timeout")

		release := make(chan struct{})
		goesOn := http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
			if raw.URL.Path == "/quick" {
				return
			}
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "ok")
			_ = http.NewResponseController(w).Flush()
			<-release
		})
		fails(t, func(t testing.TB) {
			client := ishaatest.New(t, goesOn, how...)
			client.Get("/quick") // starts the server, which then ends after the next cleanup
			t.Cleanup(func() { close(release) })
			client.Get("/", ishaatest.Timeout(time.Second))
		}, "the answer is here but the handler goes on", "use Client.Stream")
	})
}

func TestContextThatEnds(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		gone := make(chan error, 1)
		arrived := make(chan struct{})
		app := ishaa.New("test")
		app.Get("/", func(r *ishaa.Request) (any, error) {
			close(arrived)
			<-r.Context().Done()
			gone <- r.Context().Err()
			return nil, nil
		})
		client := ishaatest.New(t, app, how...)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		client.Get("/", ishaatest.Context(ctx), ishaatest.ExpectAbort())
		if err := receive(t, "the handler's context to end", gone); !errors.Is(err, context.Canceled) {
			t.Errorf("the handler's context ended with %v", err)
		}
	})
}

// When Do returns, so has everything that the application does after an answer.
func TestNothingRunsAfterDo(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := ishaa.New("test")
		count := 0 // not atomic: the race detector proves that Do waits
		app.Get("/", func(r *ishaa.Request) (any, error) {
			r.OnSent(func() {
				time.Sleep(time.Millisecond)
				count++
			})
			return "ok", nil
		})
		client := ishaatest.New(t, app, how...)
		for range 10 {
			client.Get("/").Status(200)
		}
		if count != 10 {
			t.Errorf("OnSent ran %d times of 10 when the requests were over", count)
		}
	})
}

// What the server answers before any handler does not keep the client waiting.
func TestAnswerOfTheServerItself(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		ishaatest.New(t, newApp(), how...).Get("/echo/", ishaatest.Header("X-Long", strings.Repeat("x", 1<<17))).Status(431)
	})
}

// A large body that is refused early is answered, not cut.
func TestLargeBodyRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := ishaa.New("test")
		app.Post("/", func(r *ishaa.Request) (any, error) { return r.Text() })
		client := ishaatest.New(t, app, how...)
		client.Post("/", ishaatest.Body("text/plain", strings.Repeat("x", 1<<20+1))).Problem(413)
		client.Post("/", ishaatest.Body("text/plain", strings.Repeat("x", 1<<20))).Status(200)
	})
}

func TestDialAndHTTPClient(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		app := newApp()
		app.Get("/hijack", func(*ishaa.Request) (any, error) {
			return ishaa.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				line, _ := rw.ReadString('\n')
				_, _ = conn.Write([]byte("you said " + line))
			})), nil
		})
		client := ishaatest.New(t, app, how...)
		conn := client.Dial()
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /hijack HTTP/1.1\r\nHost: localhost\r\n\r\nhello\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); line != "you said hello\n" {
			t.Errorf("over a hijacked connection: %q, %v", line, err)
		}

		scheme := "http"
		if strings.Contains(client.Get("/echo/").Text(), `"tls":true`) {
			scheme = "https"
		}
		res, err := client.HTTPClient().Get(scheme + "://any.example/echo/x")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(body), `"host":"any.example"`) {
			t.Errorf("by HTTPClient: %s, %v", body, err)
		}
	})
}

func TestTLS(t *testing.T) {
	everywhere(t, func(t *testing.T, how ...ishaatest.Option) {
		client := ishaatest.New(t, newApp(), how...)
		client.Get("/echo/").JSONAt("/tls", strings.HasSuffix(t.Name(), "TLS"))
	})
	client := ishaatest.New(t, echo)
	if _, err := client.HTTPClient().Get("https://localhost/"); err == nil || !strings.Contains(err.Error(), "use ishaatest.TLS()") {
		t.Errorf("https without TLS: %v", err)
	}
}

// What a browser would refuse is not kept, and the test's log says why.
func TestCookieThatTheClientRefuses(t *testing.T) {
	app := ishaa.New("test")
	app.Get("/", func(*ishaa.Request) (any, error) {
		return ishaa.Text("").WithHeader("Set-Cookie", "a=1; Domain=bank.example"), nil
	})
	r := passes(t, func(t testing.TB) {
		client := ishaatest.New(t, app)
		if got := client.Get("/").Headers().Get("Set-Cookie"); got != "a=1; Domain=bank.example" {
			t.Errorf("the answer sets %q", got)
		}
		if value, ok := client.Cookie("a"); ok {
			t.Errorf("the client keeps %q", value)
		}
	})
	if len(r.logs) != 1 || !strings.Contains(r.logs[0], "GET /: the client ignores a cookie") || !strings.Contains(r.logs[0], "bank.example") {
		t.Errorf("the test's log is %q", r.logs)
	}
}
