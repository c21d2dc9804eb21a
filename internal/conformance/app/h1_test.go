//go:build unix

package main

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// verdict is what the raw-request battery says of one case.
type verdict struct {
	Source  string `json:"source"`
	ID      string `json:"id"`
	Verdict string `json:"verdict"`
	OK      bool   `json:"ok"`
	Status  []int  `json:"status"`
	Closed  bool   `json:"closed"`
}

// TestRawRequests compares the program with the same one written on net/http alone: what passes there passes here.
//
// The battery waits a third of a second for an answer, which a busy machine can miss, so a case counts as failed when
// it fails every time it is tried.
func TestRawRequests(t *testing.T) {
	testenv.Python(t)
	testenv.Conformance(t)
	ours := start(t, "-echo").Address("http")
	bare := rawRequests(t, bareEcho(t))
	worse := map[string]verdict{}
	for attempt := range 3 {
		got := rawRequests(t, ours)
		if len(got) != 324 || len(bare) != len(got) {
			t.Fatalf("%d and %d cases, want 324", len(got), len(bare))
		}
		failed := map[string]verdict{}
		passed, barePassed := 0, 0
		for name, v := range got {
			if v.OK {
				passed++
			}
			if bare[name].OK {
				barePassed++
			}
			if _, again := worse[name]; bare[name].OK && !v.OK && (again || attempt == 0) {
				failed[name] = v
			}
		}
		t.Logf("%d of %d pass, %d on net/http alone", passed, len(got), barePassed)
		if worse = failed; len(worse) == 0 {
			return
		}
	}
	for name, v := range worse {
		t.Errorf("%s (%s): answers %v, closed %t; net/http alone answers %v, closed %t",
			name, v.Verdict, v.Status, v.Closed, bare[name].Status, bare[name].Closed)
	}
}

// rawRequests runs the battery and returns its verdicts by case.
func rawRequests(t *testing.T, address string) map[string]verdict {
	t.Helper()
	file := filepath.Join(t.TempDir(), "verdicts.json")
	battery(t, "h1/run.py", address, "--json", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []verdict
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]verdict, len(list))
	for _, v := range list {
		byName[v.Source+" "+v.ID] = v
	}
	return byName
}

// bareEcho is the program with -echo as a net/http handler. It returns the address where it listens.
func bareEcho(t *testing.T) string {
	t.Helper()
	server := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, "the body could not be read to its end", http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(body)
		}),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	return listener.Addr().String()
}
