package cache_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ishaa-framework/ishaa/cache"
	"github.com/ishaa-framework/ishaa/internal/testenv"
	"github.com/ishaa-framework/ishaa/store"
	_ "github.com/ishaa-framework/ishaa/store/redis"
)

// The other process of TestTwoProcesses: this test, run by itself.
const (
	nodeURL  = "ISHAA_CACHE_TEST_URL"
	nodeName = "ISHAA_CACHE_TEST_NAME"
)

// node answers commands on its standard input: get, load, set VALUE, delete,
// invalidate, clear.
func node(t *testing.T) {
	st, err := store.Open(os.Getenv(nodeURL))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	c := cache.New(st, cache.Options{Name: os.Getenv(nodeName)})
	defer c.Close()
	linked(t, c)
	fmt.Println("> ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		command, argument, _ := strings.Cut(in.Text(), " ")
		fmt.Println("> " + do(t.Context(), c, command, argument))
	}
}

func do(ctx context.Context, c *cache.Cache, command, argument string) string {
	var err error
	switch command {
	case "get":
		value, _ := cache.Get[string](ctx, c, "k")
		return "value " + value
	case "load":
		var value string
		value, err = cache.Remember(ctx, c, "k", time.Hour, func(context.Context) (string, error) { return argument, nil }, cache.Tag("t"))
		if err == nil {
			return "value " + value
		}
	case "set":
		err = c.Set(ctx, "k", argument, time.Hour, cache.Tag("t"))
	case "delete":
		err = c.Delete(ctx, "k")
	case "invalidate":
		err = c.Invalidate(ctx, "t")
	case "clear":
		err = c.Clear(ctx)
	}
	return fmt.Sprint("done ", err)
}

// Two processes on one Redis share values and invalidations.
func TestTwoProcesses(t *testing.T) {
	if os.Getenv(nodeURL) != "" {
		node(t)
		return
	}
	url := testenv.Redis(t)
	name := fmt.Sprintf("cache-test-%d-%d", os.Getpid(), time.Now().UnixNano())
	st, err := store.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	defer func() {
		for key, err := range st.Scan(context.Background(), name+":") {
			if err != nil {
				t.Error(err)
				return
			}
			st.Delete(context.Background(), key)
		}
	}()
	c := newCache(t, st, nil, func(o *cache.Options) { o.Name, o.Clock = name, nil })
	linked(t, c)
	other := exec.Command(os.Args[0], "-test.run=^TestTwoProcesses$")
	other.Env = append(os.Environ(), nodeURL+"="+url, nodeName+"="+name)
	other.Stderr = os.Stderr
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		other.Wait()
	}()
	lines := bufio.NewScanner(out)
	there := func(command string) string {
		if command != "" {
			fmt.Fprintln(in, command)
		}
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "> "); ok {
				return text
			}
		}
		t.Fatal("the other process is gone")
		return ""
	}
	here := func(line string) string {
		command, argument, _ := strings.Cut(line, " ")
		return do(t.Context(), c, command, argument)
	}
	if got := there(""); got != "ready" {
		t.Fatal(got)
	}
	for _, step := range []struct {
		name string
		in   func(string) string
		do   string
		want string // what get gives in both, in the end
	}{
		{"this process loads", here, "load one", "one"},
		{"the other has it already", there, "load two", "one"},
		{"the other sets", there, "set three", "three"},
		{"this one invalidates", here, "invalidate", ""},
		{"the other loads", there, "load four", "four"},
		{"this one deletes", here, "delete", ""},
		{"this one sets", here, "set five", "five"},
		{"the other clears", there, "clear", ""},
	} {
		if got := step.in(step.do); strings.HasPrefix(got, "done") && got != "done <nil>" {
			t.Fatalf("%s: %s", step.name, got)
		}
		eventually(t, step.name+": both have "+step.want, func() bool {
			return here("get") == "value "+step.want && there("get") == "value "+step.want
		})
	}
}
